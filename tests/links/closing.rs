//! How links close: what was written for a peer reaches it, though it keeps sending.

use crate::raw::{self, Raw};
use crate::{SOON, soon};
use pseud::proto::zmtp::MechanismConfig;
use pseud::tokio::Drain;
use pseud::{Authenticator, Fault, Options, Server, Verdict};
use std::future::ready;
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

const LARGE: usize = 6 << 20;

/// Sends calls that mean nothing until the other side takes no more, some 10 MiB/s of them.
fn babble(mut stream: TcpStream) {
    let call = raw::message(&[b"", b"v1", &[9; 16], b"\x03", &raw::work("nothing")]);
    let calls = call.repeat(200);
    while stream.write_all(&calls).is_ok() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_answer_reaches_a_client_that_keeps_sending() {
    for _ in 0..5 {
        let server = Server::new("service").unwrap();
        server.register("large", |_| async { Ok::<_, Fault>("x".repeat(LARGE)) }).unwrap();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let (called, call) = oneshot::channel();
        let client = spawn_blocking(move || {
            let mut raw = Raw::connect(&endpoint, 1);
            raw.call("large");
            let first = raw.byte();
            let babbler = raw.stream.try_clone().unwrap();
            let babbling = std::thread::spawn(|| babble(babbler));
            called.send(()).unwrap();
            let answer = raw.rest();
            // Its reader is done; the writer's socket is shut for it.
            let _ = raw.stream.shutdown(std::net::Shutdown::Both);
            babbling.join().unwrap();
            (first, answer)
        });
        soon(call).await.unwrap();
        assert_eq!(soon(server.drain(SOON)).await, Drain::Complete);
        let (first, answer) = soon(client).await.unwrap();
        let answer = answer.expect("an end in order, not a reset");
        assert!(answer.len() + 1 >= LARGE, "{first} and {} bytes of {LARGE}", answer.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_was_cut_short_says_so() {
    let (server, endpoint) = crate::server("tcp://127.0.0.1:0").await;
    let client = crate::client(&endpoint);
    let stuck = tokio::spawn(async move { client.call::<(), _>("forever", ()).await });
    soon(async {
        while server.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(soon(server.drain(Duration::from_millis(50))).await, Drain::CutShort);
    soon(stuck).await.unwrap().unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_nobody_who_does_not_read() {
    let server = Server::new("service").unwrap();
    server.register_sync("large", |_| Ok::<_, Fault>("x".repeat(1 << 20))).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let raw = spawn_blocking(move || {
        let mut raw = Raw::connect(&endpoint, 1);
        raw.call("large");
        raw.byte();
        raw
    });
    let raw = soon(raw).await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(soon(server.drain(Duration::from_millis(50))).await, Drain::CutShort);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(raw);
}

#[tokio::test]
async fn a_node_without_links_is_drained_at_once() {
    let (server, endpoint) = crate::server("tcp://127.0.0.1:0").await;
    assert_eq!(soon(server.drain(Duration::ZERO)).await, Drain::Complete);
    let client = crate::client(&endpoint);
    assert_eq!(soon(client.drain(Duration::ZERO)).await, Drain::Complete);
    assert_eq!(soon(client.drain(Duration::ZERO)).await, Drain::Complete, "a second time");
}

/// The ERROR of a server that denies it reaches a client that has sent more behind its HELLO.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_error_reaches_a_client_that_has_sent_more() {
    let (sent, more_was_sent) = mpsc::channel();
    let (ask, asked) = mpsc::channel();
    let (more_was_sent, asked) = (Mutex::new(more_was_sent), Arc::new(Mutex::new(asked)));
    let mut options = Options::server("service");
    options.connection.mechanism = MechanismConfig::PlainServer;
    // The link's task waits here, so it has not read what is behind the HELLO.
    options.gate.authenticator = Some(Authenticator::new(move |_| {
        ask.send(()).unwrap();
        more_was_sent.lock().unwrap().recv_timeout(SOON).unwrap();
        ready(Verdict::Deny)
    }));
    let server = Server::with(options).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    for _ in 0..20 {
        let (endpoint, sent, asked) = (endpoint.clone(), sent.clone(), asked.clone());
        let said = spawn_blocking(move || {
            let mut raw = Raw::dial(&endpoint);
            raw.stream.write_all(&raw::greeting("PLAIN", 1)).unwrap();
            raw.take(64);
            raw.stream.write_all(&raw::command(b"\x05HELLO\x06charly\x05wrong")).unwrap();
            asked.lock().unwrap().recv_timeout(SOON).unwrap();
            raw.stream.write_all(&[0x55; 32 << 10]).unwrap();
            sent.send(()).unwrap();
            raw.rest()
        });
        let said = soon(said).await.unwrap().expect("an end in order, not a reset");
        // A PLAIN server's ERROR as libzmq spells it.
        assert_eq!(said, raw::command(b"^RROR\x03400"));
    }
}
