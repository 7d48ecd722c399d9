//! Calls on plain threads, both ways.

use pseud_blocking::{CallError, Client, Options, Server, Wait};
use pseud_proto::{CallRefused, Fault, Reason};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn served() -> (Server, String) {
    let server = Server::new("service").unwrap();
    server.register_typed("add", |(a, b): (i64, i64), _| Ok::<_, Fault>(a + b)).unwrap();
    server
        .register("hello", |request| {
            let (name,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("Hello {name}"))
        })
        .unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").unwrap();
    (server, endpoint.into())
}

fn connected(endpoint: &str) -> Client {
    let client = Client::new("service").unwrap();
    client.connect(endpoint).unwrap();
    client
}

#[test]
fn a_call_has_its_result() {
    let (_server, endpoint) = served();
    let client = connected(&endpoint);
    for n in 0..2_000_i64 {
        assert_eq!(client.call::<i64, _>("add", (n, 1)).wait().unwrap(), n + 1);
    }
    let greeting: String = client.call("hello", ("Charly",)).wait().unwrap();
    assert_eq!(greeting, "Hello Charly");
}

#[test]
fn large_values_go_both_ways() {
    let (server, endpoint) = served();
    server
        .register("echo", |request| {
            let (data,): (bytes::Bytes,) = request.args()?;
            Ok::<_, Fault>(data)
        })
        .unwrap();
    let client = connected(&endpoint);
    for size in [1_000, 60_000, 70_000, 3_000_000] {
        let data = bytes::Bytes::from(vec![7; size]);
        let back: bytes::Bytes = client.call("echo", (data.clone(),)).wait().unwrap();
        assert_eq!(back, data);
    }
}

/// P-07.
#[test]
fn sixty_four_threads_call_at_once() {
    let (_server, endpoint) = served();
    let client = connected(&endpoint);
    thread::scope(|scope| {
        for thread in 0..64_i64 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..50 {
                    assert_eq!(
                        client.call::<i64, _>("add", (thread, n)).wait().unwrap(),
                        thread + n
                    );
                }
            });
        }
    });
    assert_eq!(client.stats().calls_pending, 0);
}

#[test]
fn a_client_is_called_while_it_calls_and_while_it_does_nothing() {
    let (server, endpoint) = served();
    server
        .register("ask_back", |request| {
            let name: String = request.caller().call("name", ()).wait()?;
            Ok::<_, Fault>(format!("you are {name}"))
        })
        .unwrap();
    let client = Client::with_options(Options::client("service").identity("charly")).unwrap();
    client.register("name", |_| Ok::<_, Fault>("Charly")).unwrap();
    client.connect(&endpoint).unwrap();
    for _ in 0..100 {
        let answer: String = client.call("ask_back", ()).wait().unwrap();
        assert_eq!(answer, "you are Charly");
        let name: String = server.peer("charly").call("name", ()).wait().unwrap();
        assert_eq!(name, "Charly");
    }
}

#[test]
fn a_call_that_is_not_answered_ends_in_time() {
    let (server, endpoint) = served();
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    server
        .register("never", move |_| {
            let _ = held.lock().unwrap().recv();
            Ok::<_, Fault>(())
        })
        .unwrap();
    let client = connected(&endpoint);
    client.ready().unwrap();
    for millis in [5, 15, 40, 200] {
        let (timeout, began) = (Duration::from_millis(millis), Instant::now());
        let ended = client.call::<(), _>("never", ()).timeout(timeout).wait();
        assert!(matches!(ended, Err(CallError::Unknown(Reason::TimedOut))), "{ended:?}");
        assert!(began.elapsed() >= timeout);
        assert!(began.elapsed() < timeout + Duration::from_secs(2), "{:?}", began.elapsed());
    }
    drop(release);
}

#[test]
fn a_shutdown_ends_calls_of_other_threads() {
    let (server, endpoint) = served();
    let (begun, running) = mpsc::channel();
    server
        .register("never", move |request| {
            begun.send(()).unwrap();
            let _ = pseud_blocking::block_on(request.cancelled());
            Ok::<_, Fault>(())
        })
        .unwrap();
    let client = connected(&endpoint);
    thread::scope(|scope| {
        let waiting = scope
            .spawn(|| client.call::<(), _>("never", ()).timeout(Duration::from_secs(60)).wait());
        running.recv().unwrap();
        client.shutdown();
        let ended = waiting.join().unwrap();
        assert!(matches!(ended, Err(CallError::Closed { .. })), "{ended:?}");
    });
}

#[test]
fn a_server_serves_until_it_ends() {
    let (server, endpoint) = served();
    let other = server.clone();
    let serving = thread::spawn(move || other.serve());
    assert_eq!(connected(&endpoint).call::<i64, _>("add", (1, 2)).wait().unwrap(), 3);
    server.shutdown();
    serving.join().unwrap().unwrap();
}

#[test]
fn who_runs_tasks_must_not_wait() {
    let (server, endpoint) = served();
    server
        .register_sync("inline", |request| {
            let nested = request.caller().call::<(), _>("name", ()).wait();
            assert!(
                matches!(nested, Err(CallError::Refused(CallRefused::WouldBlock))),
                "{nested:?}"
            );
            Ok::<_, Fault>(())
        })
        .unwrap();
    connected(&endpoint).call::<(), _>("inline", ()).wait().unwrap();
}

#[test]
fn a_lost_link_ends_its_calls_and_is_made_again() {
    let (server, endpoint) = served();
    let client = connected(&endpoint);
    client.ready().unwrap();
    server.shutdown();
    drop(server);
    let again = Server::new("service").unwrap();
    again.register("add", |_| Ok::<_, Fault>(0)).unwrap();
    again.bind(&endpoint).unwrap();
    // What is lost with the old link is known to be lost, what waits for a new one is answered there.
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not connect again");
        match client.call::<i64, _>("add", (1, 2)).wait() {
            Ok(sum) => break assert_eq!(sum, 0),
            Err(CallError::Unknown(Reason::PeerGone) | CallError::NotExecuted(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
