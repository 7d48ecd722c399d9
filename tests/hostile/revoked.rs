//! Users who are no longer welcome, and several sessions of one user.

use crate::bench::assert_dropped;
use crate::bytes::{self, ERROR, OK, command, envelope, greeting_with, work};
use crate::wire::{PATIENCE, Wire};
use pseud::proto::pseud::{Dropped, Stats};
use pseud::proto::{Incompatible, PeerError};
use pseud::tokio::files::new_key_pair;
use pseud::{
    Authenticator, CallError, Client, ConnectionEvent, Fault, KeyPair, Options, Question, Reason,
    Secret, Server, Verdict,
};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// Within that time, whoever was revoked is gone.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// A server that admits whom a set names, by login or by key; and one healthy client.
struct Guarded {
    server: Server,
    endpoint: String,
    admitted: Arc<Mutex<BTreeSet<String>>>,
    /// Lets one answer of the authenticator go, where it was told to wait.
    verdict: Arc<Notify>,
    canary: Client,
}

impl Guarded {
    /// Under PLAIN, or under CURVE where the server has a key pair. `late` is a user about whom the
    /// authenticator thinks for a while, after it has looked into the set.
    async fn new(keys: Option<&KeyPair>, late: &'static str) -> Self {
        let admitted = Arc::new(Mutex::new(BTreeSet::from(["canary".to_owned()])));
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
        let (options, canary) = match keys {
            None => (Options::server("service").plain_server(authenticator), login("canary")),
            Some(ours) => {
                let pair = new_key_pair().unwrap();
                admitted.lock().unwrap().insert(pair.public().to_string());
                let options = Options::server("service");
                (options.curve_server([ours.clone()], authenticator), curve(&pair, ours))
            }
        };
        let server = Server::with(options).unwrap();
        server.register_sync("canary", |_| Ok::<_, Fault>(42)).unwrap();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let canary = Client::with(canary).unwrap();
        canary.connect(&endpoint).unwrap();
        let guarded = Self { server, endpoint, admitted, verdict, canary };
        guarded.canary().await;
        guarded
    }

    fn admit(&self, user: &str) {
        self.admitted.lock().unwrap().insert(user.to_owned());
    }

    /// As an application does it: nobody is admitted as that user any more, then its sessions end.
    fn revoke(&self, user: &str) -> usize {
        self.admitted.lock().unwrap().remove(user);
        self.server.disconnect_user(user)
    }

    /// Somebody else's call completes as if nothing were the matter.
    async fn canary(&self) {
        let call = self.canary.call::<u32, _>("canary", ());
        assert_eq!(timeout(PATIENCE, call).await.unwrap().unwrap(), 42);
    }

    async fn until(&self, what: impl Fn(&Stats) -> bool) {
        let since = Instant::now();
        while !what(&self.server.stats()) {
            assert!(since.elapsed() < PATIENCE, "never: {:?}", self.server.stats());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// A raw connection that has shown its password, and been welcomed.
    async fn welcomed(&self, user: &str) -> Wire {
        let mut wire = self.hello(user).await;
        assert_eq!(wire.frame().await.body, b"\x07WELCOME");
        wire
    }

    /// A raw connection that has shown its password.
    async fn hello(&self, user: &str) -> Wire {
        let address = self.endpoint.trim_start_matches("tcp://").parse().unwrap();
        let mut wire = Wire::connect(address).await;
        wire.send(&greeting_with(12, b"PLAIN")).await;
        wire.greeting().await;
        let hello = [&[user.len() as u8], user.as_bytes(), b"\x01x"].concat();
        wire.send(&command("HELLO", &hello)).await;
        wire
    }

    /// A raw connection with a session.
    async fn peer(&self, user: &str) -> Wire {
        let sessions = self.server.stats().sessions;
        let mut wire = self.welcomed(user).await;
        initiate(&mut wire).await;
        assert!(wire.frame().await.body.starts_with(b"\x05READY"));
        self.until(|stats| stats.sessions == sessions + 1).await;
        wire
    }
}

/// Says who it is at last: READY's metadata.
async fn initiate(wire: &mut Wire) {
    let metadata = [&b"\x0bSocket-Type\0\0\0\x06DEALER"[..], b"\x08Identity\0\0\0\0"].concat();
    wire.send(&command("INITIATE", &metadata)).await;
}

fn asked(question: &Question) -> String {
    match question {
        Question::Plain { username, .. } => String::from_utf8(username.to_vec()).unwrap(),
        Question::Curve { client_key } => client_key.to_string(),
        _ => String::new(),
    }
}

fn login(user: &str) -> Options {
    Options::client("service").plain_client(user, Secret::new("x"))
}

fn curve(ours: &KeyPair, server: &KeyPair) -> Options {
    Options::client("service").curve_client(ours.clone(), [*server.public()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_a_login_that_is_revoked() {
    let guarded = Guarded::new(None, "").await;
    d_20(&guarded, "alice", login("alice")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_a_key_that_is_revoked() {
    let [ours, theirs] = [(); 2].map(|()| new_key_pair().unwrap());
    let guarded = Guarded::new(Some(&ours), "").await;
    d_20(&guarded, &theirs.public().to_string(), curve(&theirs, &ours)).await;
}

/// A live session, with calls both ways, is closed at once; its next handshake is refused.
async fn d_20(guarded: &Guarded, user: &str, mut options: Options) {
    options.retry.max = Duration::from_millis(50);
    guarded.admit(user);
    let told = Arc::new(Notify::new());
    let tell = told.clone();
    let work = move |request: pseud::Request| {
        let tell = tell.clone();
        async move {
            request.cancelled().await;
            tell.notify_one();
            Ok::<_, Fault>(())
        }
    };
    guarded.server.register("work", work).unwrap();
    let client = Client::with(options).unwrap();
    let forever = |_| async { std::future::pending::<Result<(), Fault>>().await };
    client.register("forever", forever).unwrap();
    let mut events = client.events();
    client.connect(&guarded.endpoint).unwrap();
    soon(client.ready()).await;
    let theirs = tokio::spawn(client.call_all::<(), _>([client.peer("service")], "work", ()));
    guarded.until(|stats| stats.requests_open == 1).await;
    let peer = guarded.server.user(user);
    let ours = tokio::spawn(async move { peer.call::<(), _>("forever", ()).await });
    let since = Instant::now();
    while client.stats().requests_open == 0 {
        assert!(since.elapsed() < PATIENCE);
        sleep(Duration::from_millis(2)).await;
    }

    let revoked = Instant::now();
    assert_eq!(guarded.revoke(user), 1);
    let error = soon(ours).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Unknown(Reason::PeerGone)), "{error}");
    soon(told.notified()).await;
    let theirs = soon(theirs).await.unwrap();
    assert!(matches!(theirs[..], [Err(CallError::Unknown(Reason::PeerGone))]), "{theirs:?}");
    assert!(revoked.elapsed() < AT_ONCE, "{:?}", revoked.elapsed());
    loop {
        match soon(events.next()).await.unwrap() {
            ConnectionEvent::Refused { error, .. } => {
                assert_eq!(error, PeerError::Incompatible(Incompatible::Refused(400)));
                break;
            }
            ConnectionEvent::Ready { .. } => assert!(revoked.elapsed() < PATIENCE),
            _ => {}
        }
    }
    guarded.canary().await;
    assert_eq!((guarded.server.stats().sessions, guarded.revoke(user)), (1, 0));
    guarded.until(|stats| stats.requests_open == 0).await;
    assert_dropped(&guarded.server.stats(), &[(Dropped::CallerGone, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_who_was_welcomed_before_it_was_revoked_gets_no_session() {
    let guarded = Guarded::new(None, "").await;
    guarded.admit("mallory");
    guarded.admit("alice");
    let [mut mallory, mut alice] =
        [guarded.welcomed("mallory").await, guarded.welcomed("alice").await];
    assert_eq!(guarded.revoke("mallory"), 0);
    initiate(&mut mallory).await;
    mallory.try_send(&work(b"1", "canary")).await;
    let said = mallory.closed().await;
    assert!(!said.windows(2).any(|bytes| bytes == b"v1"), "it was answered: {said:x?}");
    initiate(&mut alice).await;
    assert!(alice.frame().await.body.starts_with(b"\x05READY"));
    alice.send(&work(b"1", "canary")).await;
    assert_eq!(alice.answer().await, (b"1".to_vec(), OK, vec![42]));
    guarded.canary().await;
    assert_eq!(guarded.server.stats().sessions, 2);
    assert!(guarded.server.sessions("mallory").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_20_who_is_admitted_by_a_verdict_of_before_gets_no_session() {
    let guarded = Guarded::new(None, "mallory").await;
    let mut events = guarded.server.events();
    guarded.admit("mallory");
    let mut mallory = guarded.hello("mallory").await;
    let since = Instant::now();
    // The authenticator holds the set, and the verdict, as soon as it was asked.
    while Arc::strong_count(&guarded.verdict) < 3 {
        assert!(since.elapsed() < PATIENCE);
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(guarded.revoke("mallory"), 0);
    guarded.verdict.notify_one();
    assert_eq!(mallory.frame().await.body, b"\x07WELCOME");
    initiate(&mut mallory).await;
    mallory.closed().await;
    match soon(events.next()).await.unwrap() {
        ConnectionEvent::Refused { error, .. } => assert_eq!(error, PeerError::Denied(400)),
        other => panic!("{other:?}"),
    }
    guarded.canary().await;
    assert_eq!(guarded.server.stats().sessions, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_02_an_answer_from_another_session_of_the_same_user() {
    let guarded = Guarded::new(None, "").await;
    guarded.admit("alice");
    let mut older = guarded.peer("alice").await;
    let mut newer = guarded.peer("alice").await;
    let alice = guarded.server.user("alice");
    let calling = tokio::spawn(async move { alice.call::<u32, _>("question", ()).await });
    let (id, kind, body) = newer.answer().await;
    assert_eq!((kind, body), (bytes::WORK, bytes::work_body("question")));
    for kind in [OK, ERROR, bytes::UNAUTHORIZED] {
        older.send(&envelope(&id, kind, &[5])).await;
    }
    older.send(&work(b"1", "canary")).await;
    assert_eq!(older.answer().await, (b"1".to_vec(), OK, vec![42]), "nothing else was said to it");
    guarded.canary().await;
    newer.send(&envelope(&id, OK, &[9])).await;
    assert_eq!(soon(calling).await.unwrap().unwrap(), 9);
    assert_eq!(guarded.revoke("alice"), 2);
    for mut wire in [older, newer] {
        assert_eq!(wire.closed().await, b"");
    }
    guarded.canary().await;
    assert_dropped(&guarded.server.stats(), &[(Dropped::WrongPeer, 3)]);
}
