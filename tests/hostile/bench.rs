//! A server under attack, a spy among its handlers, and a healthy client beside the attacker.

use pseud::proto::PeerError;
use pseud::proto::pseud::{Dropped, Stats};
use pseud::{Client, ConnectionEvent, Events, Fault, Options, Reason, Server};
use pseud_testkit::raw;
use pseud_testkit::raw::{PATIENCE, RawPeer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, timeout};

/// How long a healthy call may take while an attack goes on.
const UNTOUCHED: Duration = Duration::from_secs(1);

pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    /// Lets one call of `wait` return.
    pub(crate) release: Arc<Notify>,
    canary: Client,
    canaries: AtomicU64,
    spied: Arc<AtomicU64>,
    events: Mutex<Events>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server of those options, with one canary.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::server("service");
        change(&mut options);
        Self::between(options, Options::client("service")).await
    }

    /// That server, and that canary.
    pub(crate) async fn between(server: Options, canary: Options) -> Self {
        let server = Server::with_options(server).unwrap();
        let (spied, release) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        register(&server, &spied, &release);
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let address = endpoint.trim_start_matches("tcp://").parse().unwrap();
        let canary = Client::with_options(canary).unwrap();
        canary.connect(&endpoint).unwrap();
        timeout(PATIENCE, canary.ready()).await.unwrap();
        let canaries = AtomicU64::new(0);
        let events = Mutex::new(server.events());
        let bench = Self { server, address, release, canary, canaries, spied, events };
        bench.canary().await;
        bench
    }

    /// Somebody else's call completes as if nothing were the matter.
    pub(crate) async fn canary(&self) {
        self.canaries.fetch_add(1, Ordering::Relaxed);
        let call = self.canary.call::<u32, _>("canary", (41,));
        assert_eq!(timeout(UNTOUCHED, call).await.expect("the canary waits").unwrap(), 42);
    }

    /// A connection that has said nothing yet.
    pub(crate) async fn connect(&self) -> RawPeer {
        RawPeer::connect(self.address).await
    }

    /// A connection whose session has begun.
    pub(crate) async fn peer(&self) -> RawPeer {
        self.peer_named("").await
    }

    /// The same, of that identity.
    pub(crate) async fn peer_named(&self, identity: &str) -> RawPeer {
        self.peer_saying(&raw::ready("DEALER", identity)).await
    }

    /// The same, declaring that.
    pub(crate) async fn peer_declaring(&self, declares: &str) -> RawPeer {
        self.peer_saying(&raw::ready_declaring("DEALER", "", declares)).await
    }

    /// The same, whose handshake ends with that.
    pub(crate) async fn peer_saying(&self, ready: &[u8]) -> RawPeer {
        let mut wire = self.connect().await;
        wire.shake_hands(&raw::greeting(), ready).await;
        // The server's READY does not wait for ours; its PONG does.
        wire.send(&raw::command("PING", b"\0\0")).await;
        assert_eq!(wire.frame().await.body, b"\x04PONG");
        wire
    }

    /// Why that link ended, in our side's words. Ask in the order in which links end.
    pub(crate) async fn end(&self, wire: &RawPeer) -> Reason {
        self.end_at(wire.stream.local_addr().unwrap()).await
    }

    /// The same of the link to that address.
    pub(crate) async fn end_at(&self, other: SocketAddr) -> Reason {
        end_of(&mut *self.events.lock().await, other).await
    }

    /// Why those links have ended, in whatever order they do.
    pub(crate) async fn ends(&self, wires: &[RawPeer]) -> Vec<Reason> {
        let address = |wire: &RawPeer| wire.stream.local_addr().unwrap().to_string();
        let mut left: Vec<_> = wires.iter().map(address).collect();
        let (mut events, mut ends) = (self.events.lock().await, Vec::new());
        while !left.is_empty() {
            let event = timeout(PATIENCE, events.next()).await.expect("no end of it").unwrap();
            if let ConnectionEvent::Disconnected { address, reason, .. } = event
                && left.contains(&address)
            {
                left.retain(|known| *known != address);
                ends.push(reason);
            }
        }
        ends
    }

    /// Sends what our side ends that link for, with a call of the canary's before the last byte and
    /// one afterwards. It says nothing to it.
    pub(crate) async fn refuses(&self, wire: RawPeer, bytes: &[u8], why: impl Into<PeerError>) {
        assert_eq!(self.refuses_aloud(wire, bytes, why).await, b"");
    }

    /// The same; returns what it says to it.
    pub(crate) async fn refuses_aloud(
        &self,
        mut wire: RawPeer,
        bytes: &[u8],
        why: impl Into<PeerError>,
    ) -> Vec<u8> {
        let (last, rest) = bytes.split_last().unwrap();
        wire.try_send(rest).await;
        self.canary().await;
        wire.try_send(&[*last]).await;
        let said = wire.closed().await;
        assert_eq!(self.end(&wire).await, Reason::PeerFault(why.into()), "after {bytes:x?}");
        self.canary().await;
        said
    }

    pub(crate) fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// How often the attackers' calls were served.
    pub(crate) fn spied(&self) -> u64 {
        self.spied.load(Ordering::Relaxed)
    }

    /// Waits until the attackers' calls were served that often.
    pub(crate) async fn until_spied(&self, times: u64) {
        self.until(|_| self.spied() == times).await;
    }

    /// Waits for what nothing on the attacker's wire tells.
    pub(crate) async fn until(&self, what: impl Fn(&Stats) -> bool) {
        let since = Instant::now();
        while !what(&self.stats()) {
            assert!(since.elapsed() < PATIENCE, "never: {:?}", self.stats());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// The case is over: nothing of it is left, the spy was called that often, and that much was
    /// dropped, for those causes and for no others.
    pub(crate) async fn over(self, spied: u64, dropped: &[(Dropped, u64)]) {
        self.over_unserved(spied, 0, dropped).await;
    }

    /// The same where so many requests at most had come, and were not begun as their session ended.
    pub(crate) async fn over_unserved(self, spied: u64, unserved: u64, dropped: &[(Dropped, u64)]) {
        self.until(|stats| stats.sessions == 1 && stats.requests_open == 0).await;
        self.canary().await;
        let stats = self.stats();
        assert_eq!(self.spied(), spied, "calls of the spy");
        let canaries = self.canaries.load(Ordering::Relaxed);
        let served = stats.requests_served.checked_sub(spied + canaries);
        assert!(served.is_some_and(|more| more <= unserved), "requests served: {stats:?}");
        assert_eq!(stats.calls_pending, 0);
        assert_dropped(&stats, dropped);
    }
}

/// Why the link to that address ended.
pub(crate) async fn end_of(events: &mut Events, other: SocketAddr) -> Reason {
    let other = other.to_string();
    loop {
        match timeout(PATIENCE, events.next()).await.expect("no end of it").unwrap() {
            ConnectionEvent::HandshakeFailed { address, error, .. } if address == other => {
                return Reason::PeerFault(error);
            }
            ConnectionEvent::Disconnected { address, reason, .. } if address == other => {
                return reason;
            }
            _ => {}
        }
    }
}

/// Exactly those drops, and no others.
pub(crate) fn assert_dropped(stats: &Stats, dropped: &[(Dropped, u64)]) {
    for (cause, count) in dropped {
        assert_eq!(stats.dropped(*cause), *count, "{cause:?} in {stats:?}");
    }
    let total: u64 = dropped.iter().map(|(_, count)| count).sum();
    assert_eq!(stats.dropped_total(), total, "{stats:?}");
}

fn register(server: &Server, spied: &Arc<AtomicU64>, release: &Arc<Notify>) {
    server
        .register_sync("canary", |request| {
            let (number,): (u32,) = request.args()?;
            Ok::<_, Fault>(number + 1)
        })
        .unwrap();
    let count = spied.clone();
    let spy = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Fault>(7)
    };
    server.register_sync("spy", spy).unwrap();
    let count = spied.clone();
    let large = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Fault>("x".repeat(64 << 10))
    };
    server.register_sync("large", large).unwrap();
    let (count, release) = (spied.clone(), release.clone());
    let wait = move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let release = release.clone();
        async move {
            release.notified().await;
            Ok::<_, Fault>(7)
        }
    };
    server.register("wait", wait).unwrap();
}
