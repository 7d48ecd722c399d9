//! Users who are no longer welcome, and several sessions of one user.

use crate::bench::{Bench, assert_dropped};
use pseud::proto::pseud::Dropped;
use pseud::proto::{Incompatible, PeerError};
use pseud::{
    Authenticator, CallError, Client, ConnectionEvent, Fault, Options, Question, Reason, Request,
    Secret, Verdict,
};
use pseud_testkit::raw::{self, ERROR, OK, command, envelope, greeting_of, metadata, work};
use pseud_testkit::raw::{PATIENCE, RawPeer};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

#[cfg(feature = "_curve")]
use crate::secured::{canary_pair, curve_client, mallory_pair, server_pair};

/// Within that time, whoever was revoked is gone.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// An application's own set of users, and a server that admits them by login or by key.
struct Guarded {
    bench: Bench,
    admitted: Arc<Mutex<BTreeSet<String>>>,
    /// Lets one answer of the authenticator go, where it was told to wait.
    verdict: Arc<Notify>,
}

impl Guarded {
    /// `late` is a user about whom the authenticator thinks for a while, after it has looked.
    async fn plain(late: &'static str) -> Self {
        let server = |authenticator| Options::server("service").plain_server(authenticator);
        Self::new("canary".to_owned(), late, server, login("canary")).await
    }

    #[cfg(feature = "_curve")]
    async fn curve() -> Self {
        let server =
            |authenticator| Options::server("service").curve_server([server_pair()], authenticator);
        let canary = canary_pair().public().to_string();
        Self::new(canary, "", server, curve_client("service")).await
    }

    async fn new(
        healthy: String,
        late: &'static str,
        server: impl FnOnce(Authenticator) -> Options,
        canary: Options,
    ) -> Self {
        let admitted = Arc::new(Mutex::new(BTreeSet::from([healthy])));
        let verdict = Arc::new(Notify::new());
        let (set, wait) = (admitted.clone(), verdict.clone());
        let authenticator = Authenticator::new(move |question| {
            let user = asked(&question);
            let known = set.lock().unwrap().contains(&user);
            let wait = wait.clone();
            async move {
                if user == late {
                    wait.notified().await;
                }
                if known { Verdict::Admit(user.into()) } else { Verdict::Deny }
            }
        });
        let bench = Bench::between(server(authenticator), canary).await;
        Self { bench, admitted, verdict }
    }

    fn admit(&self, user: &str) {
        self.admitted.lock().unwrap().insert(user.to_owned());
    }

    /// As an application does it: nobody is admitted as that user any more, then its sessions end.
    fn revoke(&self, user: &str) -> usize {
        self.admitted.lock().unwrap().remove(user);
        self.bench.server.disconnect_user(user)
    }

    /// A raw connection that has shown its password.
    async fn hello(&self, user: &str) -> RawPeer {
        let mut wire = self.bench.connect().await;
        wire.send(&greeting_of("PLAIN")).await;
        wire.greeting().await;
        let hello = [&[user.len() as u8], user.as_bytes(), b"\x01x"].concat();
        wire.send(&command("HELLO", &hello)).await;
        wire
    }

    /// The same, welcomed.
    async fn welcomed(&self, user: &str) -> RawPeer {
        let mut wire = self.hello(user).await;
        assert_eq!(wire.frame().await.body, b"\x07WELCOME");
        wire
    }

    /// The same, with a session.
    async fn peer(&self, user: &str) -> RawPeer {
        let sessions = self.bench.stats().sessions;
        let mut wire = self.welcomed(user).await;
        initiate(&mut wire).await;
        assert!(wire.frame().await.body.starts_with(b"\x05READY"));
        self.bench.until(|stats| stats.sessions == sessions + 1).await;
        wire
    }

    /// Nobody is left but the canary, nothing is pending, and that much was dropped.
    async fn over(self, dropped: &[(Dropped, u64)]) {
        self.bench.until(|stats| stats.sessions == 1 && stats.requests_open == 0).await;
        self.bench.canary().await;
        assert_eq!(self.bench.stats().calls_pending, 0);
        assert_dropped(&self.bench.stats(), dropped);
    }
}

async fn initiate(wire: &mut RawPeer) {
    wire.send(&command("INITIATE", &metadata("DEALER", ""))).await;
}

fn asked(question: &Question) -> String {
    match question {
        Question::Plain { username, .. } => String::from_utf8(username.to_vec()).unwrap(),
        #[cfg(feature = "_curve")]
        Question::Curve { client_key } => client_key.to_string(),
        _ => String::new(),
    }
}

fn login(user: &str) -> Options {
    Options::client("service").plain_client(user, Secret::new("x"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_a_login_that_is_revoked() {
    d_20(Guarded::plain("").await, "alice", login("alice")).await;
}

#[cfg(feature = "_curve")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_a_key_that_is_revoked() {
    let theirs = mallory_pair();
    let user = theirs.public().to_string();
    let options = Options::client("service").curve_client(theirs, [*server_pair().public()]);
    d_20(Guarded::curve().await, &user, options).await;
}

/// A live session, with calls both ways, is closed at once; its next handshake is refused.
async fn d_20(guarded: Guarded, user: &str, mut options: Options) {
    options.retry.max = Duration::from_millis(50);
    guarded.admit(user);
    let bench = &guarded.bench;
    let (begun, told) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, tell) = (begun.clone(), told.clone());
    let work = move |request: pseud::Request| {
        let tell = tell.clone();
        begin.notify_one();
        async move {
            request.cancelled().await;
            tell.notify_one();
            Ok::<_, Fault>(())
        }
    };
    bench.server.register("work", work).unwrap();
    let client = Client::with_options(options).unwrap();
    let asked = Arc::new(Notify::new());
    let ask = asked.clone();
    let forever = move |_| {
        ask.notify_one();
        async { std::future::pending::<Result<(), Fault>>().await }
    };
    client.register("forever", forever).unwrap();
    let mut events = client.events();
    client.connect(&format!("tcp://{}", bench.address)).unwrap();
    soon(client.ready()).await;
    let theirs = tokio::spawn(client.call_all::<(), _>([client.peer("service")], "work", ()));
    soon(begun.notified()).await;
    let alice = bench.server.user(user);
    let ours = tokio::spawn(async move { alice.call::<(), _>("forever", ()).await });
    soon(asked.notified()).await;

    let revoked = Instant::now();
    assert_eq!(guarded.revoke(user), 1);
    let error = soon(ours).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::Revoked)), "{error}");
    soon(told.notified()).await;
    let theirs = soon(theirs).await.unwrap();
    assert!(matches!(theirs[..], [Err(CallError::Unknown(Reason::Revoked))]), "{theirs:?}");
    assert!(revoked.elapsed() < AT_ONCE, "{:?}", revoked.elapsed());
    bench.canary().await;
    let mut sessions = 0;
    let error = loop {
        match soon(events.next()).await.unwrap() {
            ConnectionEvent::HandshakeFailed { error, .. } => break error,
            ConnectionEvent::Connected { .. } => sessions += 1,
            _ => {}
        }
    };
    assert_eq!((error, sessions), (PeerError::Incompatible(Incompatible::Refused(400)), 1));
    // Whoever was shown out is told so, without waiting for its time-out.
    let shown_out = soon(client.call::<(), _>("work", ())).await.unwrap_err();
    assert!(matches!(shown_out, CallError::NotExecuted(Reason::Denied)), "{shown_out}");
    assert_eq!(guarded.revoke(user), 0);
    bench.until(|stats| stats.dropped(Dropped::CallerGone) == 1).await;
    guarded.over(&[(Dropped::CallerGone, 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_who_was_welcomed_before_it_was_revoked_gets_no_session() {
    let guarded = Guarded::plain("").await;
    guarded.admit("mallory");
    guarded.admit("alice");
    let mut mallory = guarded.welcomed("mallory").await;
    let mut alice = guarded.welcomed("alice").await;
    assert_eq!(guarded.revoke("mallory"), 0);
    initiate(&mut mallory).await;
    mallory.try_send(&work(b"1", "spy")).await;
    let said = mallory.closed().await;
    assert!(!said.windows(2).any(|bytes| bytes == b"v1"), "it was answered: {said:x?}");
    assert_eq!(guarded.bench.end(&mallory).await, Reason::PeerFault(PeerError::Denied(400)));
    initiate(&mut alice).await;
    assert!(alice.frame().await.body.starts_with(b"\x05READY"));
    alice.spy().await;
    guarded.bench.canary().await;
    assert_eq!((guarded.bench.stats().sessions, guarded.bench.spied()), (2, 1));
    assert_eq!(alice.finish().await, b"");
    guarded.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_requests_that_came_with_the_last_one_are_not_begun() {
    let guarded = Guarded::plain("").await;
    guarded.admit("mallory");
    let out = |request: Request| Ok::<_, Fault>(request.caller().peer().disconnect());
    guarded.bench.server.register_sync("out", out).unwrap();
    let mut mallory = guarded.peer("mallory").await;
    // All of it is read at once. The answers are for nobody.
    mallory.send(&[work(b"1", "spy"), work(b"2", "out"), work(b"3", "spy")].concat()).await;
    mallory.closed().await;
    assert_eq!(guarded.bench.end(&mallory).await, Reason::Revoked);
    guarded.bench.canary().await;
    assert_eq!(guarded.bench.spied(), 1);
    guarded.over(&[(Dropped::CallerGone, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_who_is_admitted_by_a_verdict_of_before_gets_no_session() {
    let guarded = Guarded::plain("mallory").await;
    guarded.admit("mallory");
    let mut mallory = guarded.hello("mallory").await;
    let since = Instant::now();
    // Whoever thinks about her holds it, too; what it has seen in the set is settled by then.
    while Arc::strong_count(&guarded.verdict) < 3 {
        assert!(since.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
    assert_eq!(guarded.revoke("mallory"), 0);
    guarded.verdict.notify_one();
    assert_eq!(mallory.frame().await.body, b"\x07WELCOME");
    initiate(&mut mallory).await;
    mallory.closed().await;
    assert_eq!(guarded.bench.end(&mallory).await, Reason::PeerFault(PeerError::Denied(400)));
    guarded.over(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_02_an_answer_from_another_session_of_the_same_user() {
    let guarded = Guarded::plain("").await;
    guarded.admit("alice");
    let mut older = guarded.peer("alice").await;
    let mut newer = guarded.peer("alice").await;
    let alice = guarded.bench.server.user("alice");
    let calling = tokio::spawn(async move { alice.call::<u32, _>("question", ()).await });
    let (id, kind, body) = newer.answer().await;
    assert_eq!((kind, body), (raw::WORK, raw::work_body("question")));
    for kind in [OK, ERROR, raw::UNAUTHORIZED] {
        older.send(&envelope(&id, kind, &[5])).await;
    }
    // It was told nothing but this, and what it said is dealt with.
    older.spy().await;
    guarded.bench.canary().await;
    newer.send(&envelope(&id, OK, &[9])).await;
    assert_eq!(soon(calling).await.unwrap().unwrap(), 9);
    assert_eq!(guarded.revoke("alice"), 2);
    for mut wire in [older, newer] {
        assert_eq!(wire.closed().await, b"");
        assert_eq!(guarded.bench.end(&wire).await, Reason::Revoked);
    }
    guarded.over(&[(Dropped::UnknownReply, 3)]).await;
}
