//! What the operating system and the program around it do to an adapter (HOSTILE P), by id and adapter.
//! P-05 and P-06 are libzmq's: `pseud-blocking/tests/zmq_means.rs`.

use crate::end::SOON;
use crate::nodes::{Adapter, Peering, serve};
use pseud::{CallError, Fault, Node, Options, Value};
use pseud_testkit::raw;
use socket2::SockRef;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Barrier;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A server, a client that has called it, and where it listens.
pub(crate) fn joined<A: Adapter>() -> (A::Server, A::Client, String) {
    let server = A::server(Options::server("service"));
    serve::<A>(server.inner());
    let endpoint = server.listen_at("tcp://127.0.0.1:*").unwrap();
    let client = A::client(Options::client("service"));
    client.connect_to(&endpoint).unwrap();
    check::<A>(client.inner());
    (server, client, endpoint)
}

pub(crate) fn check<A: Adapter>(client: &Node) {
    let sum: i64 = A::wait(client.call("add", (2, 4)).timeout(SOON)).unwrap();
    assert_eq!(sum, 6);
}

/// What nothing tells of, and what is to hold soon.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "{what}: not within {SOON:?}");
        thread::yield_now();
    }
}

fn poll_and_drop(future: impl Future, polls: usize) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return;
        }
        thread::yield_now();
    }
}

fn p_01<A: Adapter>() {
    let (server, client, _) = joined::<A>();
    let (server, client) = (server.inner(), client.inner());
    let mut events = client.events();
    for polls in 0..4 {
        for _ in 0..50 {
            poll_and_drop(client.call::<i64, _>("add", (1, 1)), polls);
            poll_and_drop(client.ready(), polls);
            poll_and_drop(events.next(), polls);
        }
        until("nothing is left", || {
            client.stats().calls_pending == 0 && server.stats().requests_open == 0
        });
        check::<A>(client);
    }
    poll_and_drop(server.drained(), 2);
}

/// All of the process's files are taken, by somebody who connects: whoever is there is served on, and whoever
/// comes when there are some again.
fn p_02<A: Adapter>(test: &str) {
    const INSIDE: &str = "PSEUD_ALONE";
    if std::env::var_os(INSIDE).is_none() {
        let this = std::env::current_exe().unwrap();
        let limited =
            format!("ulimit -n 128; exec '{}' --exact {test} --nocapture", this.display());
        let output = Command::new("sh").arg("-c").arg(limited).env(INSIDE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        let passed = output.status.success() && said.contains("1 passed");
        assert!(passed, "{said}\n{complained}");
        return;
    }
    let (_server, client, endpoint) = joined::<A>();
    // It has what it needs of its own, but no connection.
    let late = A::client(Options::client("service"));
    let address = endpoint.trim_start_matches("tcp://");
    let mut taken = Vec::new();
    while let Ok(stream) = TcpStream::connect(address) {
        taken.push(stream);
        assert!(taken.len() < 128, "the limit does not hold");
    }
    assert!(taken.len() > 5, "{} connections", taken.len());
    check::<A>(client.inner());
    drop(taken);
    // The other ends are closed a moment later.
    until("a file to connect with", || late.connect_to(&endpoint).is_ok());
    check::<A>(late.inner());
}

fn p_03<A: Adapter>() {
    let (server, client, endpoint) = joined::<A>();
    let large = Value::Bin(vec![7; 100_000].into());
    let answer = move |_| {
        let large = large.clone();
        async move { Ok::<_, Fault>(large) }
    };
    server.inner().registry().register("large", answer).unwrap();
    for _ in 0..20 {
        let mut peer = TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
        peer.set_read_timeout(Some(SOON)).unwrap();
        peer.write_all(&raw::greeting()).unwrap();
        peer.write_all(&raw::ready("DEALER", "")).unwrap();
        peer.read_exact(&mut [0; 64]).unwrap();
        peer.write_all(&raw::works("large", 50)).unwrap();
        // Something of it is on its way when the link breaks.
        peer.read_exact(&mut [0; 1_000]).unwrap();
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    }
    check::<A>(client.inner());
    until("no request is left", || server.inner().stats().requests_open == 0);
    check::<A>(client.inner());
}

fn p_04<A: Adapter>() {
    let (_server, client, _) = joined::<A>();
    let node = client.inner();
    thread::scope(|scope| {
        let call = || A::wait(node.call::<f64, _>("sleep", (600.0,)).timeout(SOON));
        let waiting: Vec<_> = (0..10).map(|_| scope.spawn(call)).collect();
        until("they wait", || node.stats().calls_pending == 10);
        node.shutdown();
        for call in waiting {
            let ended = call.join().unwrap();
            assert!(matches!(ended, Err(CallError::Closed { .. })), "{ended:?}");
        }
    });
    let after = A::wait(node.call::<i64, _>("add", (1, 1)));
    assert!(matches!(after, Err(CallError::Closed { executed: pseud::Executed::No })), "{after:?}");
}

fn p_07<A: Adapter>() {
    let (_server, client, _) = joined::<A>();
    let (node, together) = (client.inner(), Barrier::new(64));
    thread::scope(|scope| {
        for caller in 0..64_i64 {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                for n in 0..20 {
                    let sum: i64 = A::wait(node.call("add", (caller, n)).timeout(SOON)).unwrap();
                    assert_eq!(sum, caller + n);
                }
            });
        }
    });
    assert_eq!(node.stats().calls_pending, 0);
}

fn p_08<A: Adapter>() {
    let (_server, client, endpoint) = joined::<A>();
    assert!(
        !endpoint.ends_with(":0") && !endpoint.ends_with('*'),
        "the port that it is: {endpoint}"
    );
    let other = A::server(Options::server("other"));
    assert_eq!(other.listen_at(&endpoint).unwrap_err().kind(), ErrorKind::AddrInUse);
    let long = format!("ipc:///tmp/{}", "x".repeat(120));
    let zone = "tcp://[fe80::1%nowhere0]:0";
    for bad in [&*endpoint, "tcp://127.0.0.1:99999", "tcp://nohost", "udp://a:1", "", &long, zone] {
        let error = other.listen_at(bad).unwrap_err().to_string();
        assert!(error.contains(bad), "{error}");
    }
    for bad in ["tcp://*:1", "tcp://127.0.0.1:0", "nonsense"] {
        let error = client.connect_to(bad).unwrap_err().to_string();
        assert!(error.contains(bad), "{error}");
    }
    // Where there is IPv6, an address of IPv4 may be written in its way.
    if let Ok(mapped) = other.listen_at("tcp://[::ffff:127.0.0.1]:*") {
        serve::<A>(other.inner());
        let (_, port) = mapped.rsplit_once(':').unwrap();
        let client = A::client(Options::client("other"));
        client.connect_to(&format!("tcp://127.0.0.1:{port}")).unwrap();
        check::<A>(client.inner());
    }
    check::<A>(client.inner());
}

macro_rules! adapters {
    ($($adapter:ident: $type:ty;)*) => {$(
        mod $adapter {
            #[test]
            fn p_01_futures_dropped_at_every_poll_leave_nothing() {
                crate::bounded::hold(|| super::p_01::<$type>());
            }

            #[test]
            fn p_02_too_many_open_files() {
                let this = concat!("adversity::", stringify!($adapter), "::p_02_too_many_open_files");
                crate::bounded::hold(move || super::p_02::<$type>(this));
            }

            #[test]
            fn p_03_links_that_break_while_we_write() {
                crate::bounded::hold(|| super::p_03::<$type>());
            }

            #[test]
            fn p_04_the_end_while_calls_wait() {
                crate::bounded::hold(|| super::p_04::<$type>());
            }

            #[test]
            fn p_07_a_client_of_sixty_four_threads() {
                crate::bounded::hold(|| super::p_07::<$type>());
            }

            #[test]
            fn p_08_addresses() {
                crate::bounded::hold(|| super::p_08::<$type>());
            }
        }
    )*};
}

adapters! {
    tokio: crate::nodes::sockets::Tokio;
    async_io: crate::nodes::sockets::Smol;
    blocking: crate::nodes::sockets::Blocking;
}

#[cfg(feature = "zmq")]
adapters! {
    zmq: crate::nodes::sockets::Zmq;
}
