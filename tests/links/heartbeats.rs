//! Heartbeat plug-ins: chosen by name, ready-made and of one's own.

use crate::{SOON, eager, hello, serve, soon};
use pseud::{
    Client, ConnectionEvent, Events, HeartbeatBackend, HeartbeatBackends, OnSilence, Options,
    PeerStatus, Reason, Role, Server, SetupError, Sign, Ticking,
};
use pseud_testkit::raw::{self, RawPeer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(1);
const HEARTBEAT: &[u8] = b"\x06";

/// A server without PINGs that uses that plug-in.
async fn server(
    backend: impl HeartbeatBackend,
    change: impl FnOnce(&mut Options),
) -> (Server, String) {
    let mut backends = HeartbeatBackends::default();
    backends.register(Role::Server, "own", Arc::new(backend));
    let mut options = Options::server("service");
    options.connection.heartbeat.interval = None;
    change(&mut options);
    let server =
        Server::with_options(backends.configure(Role::Server, "own", options).unwrap()).unwrap();
    let endpoint = serve(&server, "tcp://127.0.0.1:0").await;
    (server, endpoint)
}

/// A raw peer of that socket type whose session has begun.
async fn peer(events: &mut Events, endpoint: &str, socket_type: &str) -> RawPeer {
    let mut raw = RawPeer::dial(endpoint).await;
    raw.shake_hands(&raw::greeting(), &raw::ready(socket_type, "raw")).await;
    let event = soon(events.next()).await.unwrap();
    assert!(matches!(event, ConnectionEvent::Connected { .. }), "{event:?}");
    raw
}

async fn end(events: &mut Events) -> Reason {
    match soon(events.next()).await.unwrap() {
        ConnectionEvent::Disconnected { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn they_are_found_by_name_and_role() {
    let backends = HeartbeatBackends::default();
    for role in [Role::Server, Role::Client] {
        let named = |name| backends.configure(role, name, Options::server("service"));
        let interval = |name| named(name).unwrap().connection.heartbeat.interval;
        for name in ["noop", "noop_heartbeat_backend"] {
            assert_eq!(interval(name), None);
        }
        let heartbeat = Options::default().connection.heartbeat;
        assert_eq!(heartbeat.timeout, Duration::from_secs(15));
        let ping = heartbeat.interval;
        assert!(
            ping == Some(Duration::from_secs(5))
                && interval("ping") == ping
                && interval("ticking") == ping
        );
        assert!(matches!(named("tocking"), Err(SetupError::Heartbeat)));
    }
    let mut backends = backends;
    backends.register(Role::Server, "mine", Arc::new(Ticking::new(BEAT, None)));
    assert!(backends.configure(Role::Server, "mine", Options::server("service")).is_ok());
    assert!(backends.configure(Role::Client, "mine", Options::client("service")).is_err());
}

#[tokio::test]
async fn a_peer_that_beats_lives_and_one_that_falls_silent_is_out_in_time() {
    let (server, endpoint) = server(Ticking::new(BEAT, Some(TIMEOUT)), |_| {}).await;
    let mut events = server.events();
    let mut raw = peer(&mut events, &endpoint, "DEALER").await;
    let beat = raw::message(&[b"", b"v1", b"", HEARTBEAT, b""]);
    let mut spoke = Instant::now();
    let began = spoke;
    while began.elapsed() < 3 * TIMEOUT {
        let heard = soon(raw.message()).await;
        assert_eq!(heard, [&b""[..], b"v1", b"", HEARTBEAT, b""], "it is sent the same");
        spoke = Instant::now();
        raw.send(&beat).await;
    }
    assert_eq!(server.stats().sessions, 1);
    assert_eq!(end(&mut events).await, Reason::HeartbeatTimeout);
    assert!(spoke.elapsed() >= TIMEOUT - Duration::from_millis(1), "{:?}", spoke.elapsed());
    assert_eq!(server.stats().sessions, 0);
}

/// Our threads are busy for longer than the timeout: what came meanwhile is read before anybody is judged.
#[tokio::test]
async fn a_pause_of_our_own_ends_nobody() {
    let (server, endpoint) = server(Ticking::new(BEAT, Some(TIMEOUT)), |options| {
        let heartbeat = &mut options.connection.heartbeat;
        (heartbeat.interval, heartbeat.timeout) = (Some(BEAT), TIMEOUT);
    })
    .await;
    let mut events = server.events();
    let is_over = Arc::new(AtomicBool::new(false));
    let live = std::thread::spawn({
        let is_over = is_over.clone();
        move || live_elsewhere(&endpoint, &is_over)
    });
    let event = soon(events.next()).await.unwrap();
    assert!(matches!(event, ConnectionEvent::Connected { .. }), "{event:?}");
    for _ in 0..2 {
        std::thread::sleep(2 * TIMEOUT);
        let event = tokio::time::timeout(2 * TIMEOUT, events.next()).await;
        assert!(event.is_err(), "{event:?}");
    }
    is_over.store(true, Ordering::Relaxed);
    live.join().unwrap();
    assert_eq!(end(&mut events).await, Reason::PeerGone);
}

/// A peer that beats, and PINGs us and wants to be heard within a second: on a thread of its own, so that
/// nothing of ours holds it up.
fn live_elsewhere(endpoint: &str, is_over: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut raw = RawPeer::dial(endpoint).await;
        raw.shake_hands(&raw::greeting(), &raw::ready("DEALER", "raw")).await;
        let beat = raw::message(&[b"", b"v1", b"", HEARTBEAT, b""]);
        let mut pace = tokio::time::interval(BEAT);
        while !is_over.load(Ordering::Relaxed) {
            pace.tick().await;
            raw.send(&[raw::command("PING", b"\0\x0a"), beat.clone()].concat()).await;
        }
    });
}

/// Bytes that are no message are no sign of life where messages are wanted.
#[tokio::test]
async fn what_counts_is_up_to_the_plug_in() {
    struct Counting(Sign);
    impl HeartbeatBackend for Counting {
        fn interval(&self) -> Option<Duration> {
            Some(BEAT)
        }
        fn timeout(&self) -> Option<Duration> {
            Some(TIMEOUT)
        }
        fn counts(&self) -> Sign {
            self.0
        }
    }
    for (counts, lives) in [(Sign::Byte, true), (Sign::Message, false)] {
        let (server, endpoint) = server(Counting(counts), |_| {}).await;
        let mut events = server.events();
        let mut raw = peer(&mut events, &endpoint, "DEALER").await;
        let mut ping = tokio::time::interval(BEAT);
        let pinging = async {
            loop {
                ping.tick().await;
                if !raw.try_send(&raw::command("PING", b"\0\0")).await {
                    std::future::pending().await
                }
            }
        };
        let ended = tokio::select! {
            () = pinging => unreachable!(),
            ended = tokio::time::timeout(4 * TIMEOUT, events.next()) => ended.ok(),
        };
        assert_eq!(ended.is_none(), lives, "{counts:?}: {ended:?}");
    }
}

/// A challenge would be the answer before a login, and a REQ takes no message that it has not asked for.
#[tokio::test]
async fn none_is_sent_before_a_login_and_to_who_only_asks() {
    for (socket_type, requires_login) in [("DEALER", true), ("REQ", false)] {
        let (server, endpoint) = server(Ticking::new(BEAT, Some(TIMEOUT)), |options| {
            options.config.requires_login = requires_login;
        })
        .await;
        let mut events = server.events();
        let mut raw = peer(&mut events, &endpoint, socket_type).await;
        assert_eq!(soon(raw.closed()).await, b"", "{socket_type}");
        assert_eq!(end(&mut events).await, Reason::HeartbeatTimeout);
    }
}

#[derive(Default)]
struct Told {
    heard: AtomicUsize,
    silent: AtomicUsize,
    stopped: AtomicUsize,
}

/// It judges by itself, and panics now and then.
struct Own(Arc<Told>);

impl HeartbeatBackend for Own {
    fn interval(&self) -> Option<Duration> {
        Some(BEAT)
    }

    fn timeout(&self) -> Option<Duration> {
        Some(BEAT)
    }

    fn handle_heartbeat(&self, peer: &PeerStatus) {
        assert_eq!(&peer.identity()[..], b"raw");
        self.0.heard.fetch_add(1, Ordering::Relaxed);
        panic!("it is ill");
    }

    fn handle_timeout(&self, _: &PeerStatus) -> OnSilence {
        match self.0.silent.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("it is ill"),
            1 => OnSilence::Stays,
            _ => OnSilence::Ends,
        }
    }

    fn stop(&self) {
        self.0.stopped.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_plug_in_of_ones_own_decides_and_its_panics_decide_nothing() {
    let told = Arc::new(Told::default());
    let (server, endpoint) = server(Own(told.clone()), |_| {}).await;
    let mut events = server.events();
    let raw = peer(&mut events, &endpoint, "DEALER").await;
    assert_eq!(end(&mut events).await, Reason::HeartbeatTimeout);
    let counted = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    assert!(counted(&told.heard) >= 1);
    assert_eq!((counted(&told.silent), counted(&told.stopped)), (3, 0));
    drop(raw);
    server.shutdown();
    let began = Instant::now();
    while counted(&told.stopped) == 0 {
        assert!(began.elapsed() < SOON);
        tokio::task::yield_now().await;
    }
    assert_eq!(counted(&told.stopped), 1);
}

/// Beats are no part of a handler's way: one that is at work for many time-outs keeps nobody from being heard.
#[tokio::test]
async fn a_long_handler_does_not_look_dead() {
    let (server, endpoint) = server(Ticking::new(BEAT, Some(TIMEOUT)), |_| {}).await;
    let long = 4 * TIMEOUT;
    server
        .register("long", move |_| async move {
            tokio::time::sleep(long).await;
            Ok::<_, pseud::Fault>("done")
        })
        .unwrap();
    let mut backends = HeartbeatBackends::default();
    backends.register(Role::Client, "own", Arc::new(Ticking::new(BEAT, Some(TIMEOUT))));
    let options = eager(Options::client("service"));
    let client = backends.configure(Role::Client, "own", options).unwrap();
    let client = Client::with_options(client).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(hello(&client).await, "Hello Charly");
    let mut events = server.events();
    let done: String = soon(client.call("long", ())).await.unwrap();
    assert_eq!(done, "done");
    let nothing = tokio::time::timeout(Duration::ZERO, events.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}
