//! What a hostile or careless program does to an adapter: nothing dead-locks, nothing panics, and what was
//! joined before is served on.

use crate::adversity::{check, joined, until};
use crate::end::SOON;
use crate::nodes::{Adapter, Peering, serve};
use pseud::proto::zmtp::Secret;
use pseud::{Authenticator, CallError, ConnectionEvent, Drain, Fault, Options, Reason};
use pseud_testkit::raw;
use socket2::SockRef;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

fn odd_durations<A: Adapter>() {
    const MAX: Duration = Duration::MAX;
    let (_server, client, endpoint) = joined::<A>();
    let node = client.inner();
    for _ in 0..20 {
        let ended = A::wait(node.call::<f64, _>("sleep", (600.0,)).timeout(Duration::ZERO));
        let in_time = matches!(
            ended,
            Err(CallError::Unknown(Reason::TimedOut) | CallError::NotExecuted(Reason::TimedOut))
        );
        assert!(in_time, "{ended:?}");
    }
    assert_eq!(A::wait(node.call::<i64, _>("add", (2, 4)).timeout(MAX)).unwrap(), 6);
    // Nobody is there: that call waits, and is given up.
    let nobody = node.peer("nobody").call::<(), _>("add", ()).timeout(Duration::ZERO);
    assert!(A::wait(nobody).is_err());

    let mut patient = Options::client("service").call_timeout(MAX).connect_timeout(MAX);
    patient = patient.handshake_timeout(MAX);
    patient.config.unroutable_timeout = MAX;
    let patient = A::client(patient);
    patient.connect_to(&endpoint).unwrap();
    check::<A>(patient.inner());
    assert_eq!(patient.end_within(MAX), Drain::Complete);

    // One that is let in by an authenticator, and, once its server is gone, never dials that one again.
    let mut guarded = Options::server("service").handshake_timeout(MAX);
    guarded = guarded.plain_server(Authenticator::passwords([("charly", Secret::new("secret"))]));
    let guarded = A::server(guarded);
    serve::<A>(guarded.inner());
    let mut resigned = Options::client("service").plain_client("charly", Secret::new("secret"));
    (resigned.retry.first, resigned.retry.max) = (MAX, MAX);
    let resigned = A::client(resigned);
    let mut events = resigned.inner().events();
    resigned.connect_to(&guarded.listen_at("tcp://127.0.0.1:*").unwrap()).unwrap();
    check::<A>(resigned.inner());
    guarded.inner().shutdown();
    let left = async {
        while let Some(event) = events.next().await {
            if matches!(event, ConnectionEvent::Disconnected { .. }) {
                break;
            }
        }
    };
    A::wait(left);
    let again = resigned.inner().call::<i64, _>("add", (1, 1)).timeout(Duration::from_millis(50));
    assert!(A::wait(again).is_err());
    assert!(resigned.listen_at("tcp://127.0.0.1:*").is_ok(), "it lives");

    let hasty = A::client(Options::client("service").call_timeout(Duration::ZERO));
    hasty.connect_to(&endpoint).unwrap();
    assert!(A::wait(hasty.inner().call::<f64, _>("sleep", (600.0,))).is_err());
    hasty.end_within(Duration::ZERO);
    check::<A>(node);
}

fn panics<A: Adapter>() {
    let (server, client, _) = joined::<A>();
    let registry = server.inner().registry();
    registry
        .register("at_once", |_| {
            assert!(thread::panicking(), "of a handler");
            async { Ok::<_, Fault>(()) }
        })
        .unwrap();
    registry
        .register("later", |_| async {
            A::sleep(Duration::from_millis(1)).await;
            assert!(thread::panicking(), "of a handler's future");
            Ok::<_, Fault>(())
        })
        .unwrap();
    let panic = |_| -> Result<(), Fault> { panic!("of a function") };
    registry.register_sync("inline", panic).unwrap();
    registry.register_blocking("on a thread", panic).unwrap();
    registry.predicate("guarded", |_| panic!("of a predicate"));
    let never = |_| async { Ok::<_, Fault>(()) };
    registry.domain("guarded").register("guarded", never).unwrap();
    for _ in 0..3 {
        for name in ["at_once", "later", "inline", "on a thread"] {
            let ended = A::wait(client.inner().call::<(), _>(name, ()).timeout(SOON));
            assert!(matches!(ended, Err(CallError::Fault(_))), "{name}: {ended:?}");
        }
        let denied = A::wait(client.inner().call::<(), _>("guarded", ()).timeout(SOON));
        assert!(denied.unwrap_err().is_service_not_found());
        check::<A>(client.inner());
    }
    until("no request is left", || server.inner().stats().requests_open == 0);
}

/// A handler ends its own node, its caller's link, or holds the last handle of its node.
fn ends_from_within<A: Adapter>() {
    for blocking in [false, true] {
        let (server, client, _) = joined::<A>();
        let (registry, held) = (server.inner().registry().clone(), Arc::new(Mutex::new(None)));
        let node = server.inner().clone();
        let (holder, (begun, running)) = (held.clone(), mpsc::channel());
        let end = move |_| {
            node.shutdown();
            drop(holder.lock().unwrap().take());
            begun.send(()).unwrap();
            Ok::<_, Fault>(())
        };
        match blocking {
            true => registry.register_blocking("end", end).unwrap(),
            false => registry.register_sync("end", end).unwrap(),
        }
        *held.lock().unwrap() = Some(server);
        let ended = A::wait(client.inner().call::<(), _>("end", ()).timeout(SOON));
        running.recv_timeout(SOON).unwrap();
        assert!(held.lock().unwrap().is_none());
        assert!(ended.is_err(), "the answer was not sent: {ended:?}");
        // The client lives: it has nobody.
        let nobody =
            client.inner().call::<i64, _>("add", (1, 1)).timeout(Duration::from_millis(50));
        assert!(A::wait(nobody).is_err());
    }
}

/// A handle that goes while its call waits, on the thread that waits and on another.
///
/// `leaves` whether a server is told that a peer is gone.
fn dropped_in_mid_call<A: Adapter>(leaves: bool) {
    let (server, client, endpoint) = joined::<A>();
    for on_other in [false, true] {
        let caller = A::client(Options::client("service"));
        caller.connect_to(&endpoint).unwrap();
        check::<A>(caller.inner());
        let call = caller.inner().call::<f64, _>("sleep", (600.0,)).timeout(SOON);
        let mut call = pin!(call);
        let first = A::wait(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())));
        assert!(first, "it waits");
        until("it is served", || server.inner().stats().requests_open == 1);
        match on_other {
            true => thread::spawn(move || drop(caller)).join().unwrap(),
            false => drop(caller),
        }
        let ended = A::wait(call);
        assert!(matches!(ended, Err(CallError::Closed { .. })), "{ended:?}");
        // libzmq tells a bound socket of nobody's leave.
        if !leaves {
            break;
        }
        until("its request is given up", || server.inner().stats().requests_open == 0);
    }
    check::<A>(client.inner());
}

fn thousands_of_callers<A: Adapter>() {
    const CALLERS: i64 = 1_500;
    let (_server, client, _) = joined::<A>();
    let node = client.inner();
    thread::scope(|scope| {
        let call = |n: i64| {
            let call = move || A::wait(node.call::<i64, _>("add", (n, 1)).timeout(2 * SOON));
            let small = thread::Builder::new().stack_size(256 << 10);
            (n, small.spawn_scoped(scope, call).expect("a thread"))
        };
        let calls: Vec<_> = (0..CALLERS).map(call).collect();
        for (n, call) in calls {
            assert_eq!(call.join().unwrap().unwrap(), n + 1);
        }
    });
    assert_eq!(node.stats().calls_pending, 0);
}

/// A read ends before urgent data: what comes behind it is heard at once.
fn urgent_bytes<A: Adapter>() {
    const AT_ONCE: Duration = Duration::from_secs(4);
    let (_server, client, endpoint) = joined::<A>();
    let mut peer = TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
    peer.set_read_timeout(Some(SOON)).unwrap();
    peer.set_nodelay(true).unwrap();
    peer.write_all(&raw::greeting()).unwrap();
    peer.write_all(&raw::ready("DEALER", "")).unwrap();
    peer.read_exact(&mut [0; 64]).unwrap();
    let mut heard = Heard::default();
    for round in 0..200_usize {
        let began = Instant::now();
        let before = round % 3;
        peer.write_all(&raw::works("nothing", before)).unwrap();
        SockRef::from(&peer).send_out_of_band(b"!").unwrap();
        peer.write_all(&raw::works("nothing", 1)).unwrap();
        heard.answers(&mut peer, before + 1);
        assert!(began.elapsed() < AT_ONCE, "round {round}: {:?}", began.elapsed());
    }
    check::<A>(client.inner());
}

/// Answers to calls of what is not served, in whatever pieces they come.
#[derive(Default)]
struct Heard(Vec<u8>);

impl Heard {
    fn answers(&mut self, peer: &mut TcpStream, count: usize) {
        const NAMED: &[u8] = b"ServiceNotFoundError";
        for _ in 0..count {
            loop {
                if let Some(at) = self.0.windows(NAMED.len()).position(|part| part == NAMED) {
                    self.0.drain(..at + NAMED.len());
                    break;
                }
                let mut more = [0; 4_096];
                let count = peer.read(&mut more).unwrap();
                assert!(count > 0, "the link was closed");
                self.0.extend_from_slice(&more[..count]);
            }
        }
    }
}

/// A server that is bound, and a client that is connected, again and again, to the same place and to several.
fn bound_and_connected_twice<A: Adapter>() {
    let (server, client, endpoint) = joined::<A>();
    assert!(server.listen_at(&endpoint).is_err(), "it listens there");
    let second = server.listen_at("tcp://127.0.0.1:*").unwrap();
    client.connect_to(&second).unwrap();
    for _ in 0..3 {
        // Refused, or the same: never a second link that takes the first one's place for good.
        let _ = client.connect_to(&endpoint);
        check::<A>(client.inner());
    }
    // A server that connects to itself, and a client that nobody has bound.
    let alone = A::server(Options::server("alone"));
    serve::<A>(alone.inner());
    let own = alone.listen_at("tcp://127.0.0.1:*").unwrap();
    let _ = alone.connect_to(&own);
    let caller = A::client(Options::client("alone"));
    caller.connect_to(&own).unwrap();
    check::<A>(caller.inner());
}

macro_rules! misuse {
    ($($adapter:ident: $type:ty;)*) => {$(
        mod $adapter {
            #[test]
            fn time_outs_of_nothing_and_of_for_ever() {
                crate::bounded::hold(|| super::odd_durations::<$type>());
            }

            #[test]
            fn handlers_that_panic() {
                crate::bounded::hold(|| super::panics::<$type>());
            }

            #[test]
            fn nodes_that_are_ended_by_their_own_handlers() {
                crate::bounded::hold(|| super::ends_from_within::<$type>());
            }

            #[test]
            fn handles_dropped_in_mid_call() {
                crate::bounded::hold(|| super::dropped_in_mid_call::<$type>(stringify!($adapter) != "zmq"));
            }

            #[test]
            fn thousands_of_callers() {
                crate::bounded::hold(|| super::thousands_of_callers::<$type>());
            }

            #[test]
            fn the_same_endpoint_twice() {
                crate::bounded::hold(|| super::bound_and_connected_twice::<$type>());
            }
        }
    )*};
}

misuse! {
    tokio: crate::nodes::sockets::Tokio;
    async_io: crate::nodes::sockets::Smol;
    blocking: crate::nodes::sockets::Blocking;
}

#[cfg(feature = "zmq")]
misuse! {
    zmq: crate::nodes::sockets::Zmq;
}

/// Over libzmq the sockets are libzmq's.
#[test]
fn urgent_bytes_delay_nothing() {
    crate::bounded::hold(|| {
        urgent_bytes::<crate::nodes::sockets::Tokio>();
        urgent_bytes::<crate::nodes::sockets::Smol>();
        urgent_bytes::<crate::nodes::sockets::Blocking>();
    });
}
