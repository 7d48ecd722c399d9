//! A client of ours whose server is an attacker, and which has an honest server besides.

use crate::bench::{assert_dropped, end_of};
use pseud::proto::PeerError;
use pseud::proto::pseud::{Dropped, Stats};
use pseud::{CallError, Client, Events, Fault, Options, Reason, Server};
use pseud_testkit::raw::{self, WORK};
use pseud_testkit::raw::{PATIENCE, RawPeer};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// A call of ours on its way.
pub(crate) type Calling = JoinHandle<Result<u32, CallError>>;

pub(crate) struct Rogue {
    pub(crate) victim: Client,
    events: Mutex<Events>,
    _honest: Server,
}

impl Rogue {
    /// A victim, and the attacker's end of its link.
    pub(crate) async fn new() -> (Self, RawPeer) {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> (Self, RawPeer) {
        let mut options = Options::client("rogue");
        change(&mut options);
        let rogue = Self::between(Options::server("honest"), options).await;
        let wire = rogue.lure("rogue").await;
        timeout(PATIENCE, rogue.victim.ready()).await.unwrap();
        (rogue, wire)
    }

    /// That victim, which has met nobody but that server, whose name is `honest`.
    pub(crate) async fn between(honest: Options, victim: Options) -> Self {
        let honest = Server::with_options(honest).unwrap();
        honest.register_sync("canary", |_| Ok::<_, Fault>(42)).unwrap();
        let endpoint = honest.bind("tcp://127.0.0.1:0").await.unwrap();
        let victim = Client::with_options(victim).unwrap();
        let events = Mutex::new(victim.events());
        victim.connect(&endpoint).unwrap();
        let rogue = Self { victim, events, _honest: honest };
        rogue.until(|stats| stats.sessions == 1).await;
        rogue.canary().await;
        rogue
    }

    /// Has the victim connect to an attacker of that name.
    pub(crate) async fn lure(&self, name: &str) -> RawPeer {
        let sessions = self.victim.stats().sessions;
        let mut wire = catch(&self.trap().await).await;
        wire.shake_hands(&raw::greeting(), &raw::ready("ROUTER", name)).await;
        assert_eq!(wire.message().await, [b""], "the probe");
        self.until(|stats| stats.sessions == sessions + 1).await;
        wire
    }

    /// Has the victim connect there, as often as it likes.
    pub(crate) async fn trap(&self) -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.victim.connect(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
        listener
    }

    /// Why that link ended, in the victim's words. It does not come again, as somebody else may get
    /// the port. Ask in the order in which links end.
    pub(crate) async fn end(&self, wire: &RawPeer) -> Reason {
        let here = wire.stream.local_addr().unwrap();
        let reason = end_of(&mut *self.events.lock().await, here).await;
        self.victim.disconnect(&format!("tcp://{here}")).unwrap();
        reason
    }

    /// Sends what the victim ends that link for, with a call of the canary's before the last byte
    /// and one afterwards. It says nothing to it.
    pub(crate) async fn refuses(&self, mut wire: RawPeer, bytes: &[u8], why: impl Into<PeerError>) {
        let (last, rest) = bytes.split_last().unwrap();
        wire.try_send(rest).await;
        self.canary().await;
        wire.try_send(&[*last]).await;
        assert_eq!(wire.closed().await, b"", "after {bytes:x?}");
        assert_eq!(self.end(&wire).await, Reason::PeerFault(why.into()), "after {bytes:x?}");
        assert_eq!(self.victim.stats().sessions, 1, "the honest server's");
        self.canary().await;
    }

    async fn until(&self, what: impl Fn(&Stats) -> bool) {
        let since = Instant::now();
        while !what(&self.victim.stats()) {
            assert!(since.elapsed() < PATIENCE, "never: {:?}", self.victim.stats());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// The victim calls; returns the call and its id as the attacker sees it. Nothing else was said
    /// before.
    pub(crate) async fn call(&self, wire: &mut RawPeer) -> (Calling, Vec<u8>) {
        let victim = self.victim.clone();
        let calling = tokio::spawn(async move { victim.call("question", ()).await });
        let (id, kind, body) = wire.answer().await;
        assert_eq!((id.len(), kind, body), (16, WORK, raw::work_body("question")));
        (calling, id)
    }

    /// A call that the attacker answers: link and victim are in step.
    pub(crate) async fn answered(&self, wire: &mut RawPeer) {
        let (calling, id) = self.call(wire).await;
        wire.send(&raw::envelope(&id, raw::OK, &[7])).await;
        assert_eq!(outcome(calling).await.unwrap(), 7);
    }

    /// A call that gets that answer and the outcome that follows from it.
    pub(crate) async fn answer_with(
        &self,
        wire: &mut RawPeer,
        kind: u8,
        body: &[u8],
    ) -> Result<u32, CallError> {
        let (calling, id) = self.call(wire).await;
        wire.send(&raw::envelope(&id, kind, body)).await;
        outcome(calling).await
    }

    /// The honest server is served as if nothing were the matter.
    pub(crate) async fn canary(&self) {
        let honest = self.victim.peer("honest");
        let call = honest.call::<u32, _>("canary", ());
        assert_eq!(timeout(Duration::from_secs(1), call).await.unwrap().unwrap(), 42);
    }

    /// Nothing is pending, and that much was dropped for those causes and for no others.
    pub(crate) async fn over(self, dropped: &[(Dropped, u64)]) {
        self.canary().await;
        self.until(|stats| stats.requests_open == 0).await;
        let stats = self.victim.stats();
        assert_eq!(stats.calls_pending, 0);
        assert_dropped(&stats, dropped);
    }
}

/// The next link that walks into the trap.
pub(crate) async fn catch(trap: &TcpListener) -> RawPeer {
    let (stream, _) = timeout(PATIENCE, trap.accept()).await.unwrap().unwrap();
    RawPeer::over(stream)
}

/// The one outcome of a call.
pub(crate) async fn outcome(calling: Calling) -> Result<u32, CallError> {
    timeout(PATIENCE, calling).await.expect("no outcome").unwrap()
}
