//! How links close: what was written for a peer reaches it, though it keeps sending.

use crate::{Runtime, SOON, Tokio, conversations, new_server, now, sleep, soon, spawn, until};
use pseud::proto::zmtp::MechanismConfig;
use pseud::tokio::Drain;
use pseud::{Authenticator, Fault, Options, Verdict};
use pseud_testkit::raw::{self, AnyStream, RawPeer};
use std::future::ready;
use std::sync::{Mutex, mpsc};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;

conversations! { Tokio:
    a_drain_that_was_cut_short_says_so on 2 threads,
    a_drain_waits_for_nobody_who_does_not_read on 2 threads,
    a_node_without_links_is_drained_at_once,
}

const LARGE: usize = 6 << 20;

/// Sends calls that mean nothing until the other side takes no more, some 10 MiB/s of them.
async fn babble(mut stream: OwnedWriteHalf) {
    let calls = raw::work(&[9; 16], "nothing").repeat(200);
    while stream.write_all(&calls).await.is_ok() {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_answer_reaches_a_client_that_keeps_sending() {
    for _ in 0..5 {
        let server = new_server::<Tokio>(Options::server("service"));
        server.register("large", |_| async { Ok::<_, Fault>("x".repeat(LARGE)) }).unwrap();
        let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let (called, call) = oneshot::channel();
        let client = spawn(async move {
            let mut raw = RawPeer::open(&endpoint, 1).await;
            raw.call("large").await;
            let [first] = raw.take().await;
            let (mut from, to) = raw.stream.into_split();
            let babbling = spawn(babble(to));
            called.send(()).unwrap();
            let mut answer = Vec::new();
            let end = from.read_to_end(&mut answer).await;
            babbling.abort();
            (first, end.map(|_| answer))
        });
        soon(call).await.unwrap();
        assert_eq!(soon(server.drain(SOON)).await, Drain::Complete);
        let (first, answer) = soon(client).await.unwrap();
        let answer = answer.expect("an end in order, not a reset");
        assert!(answer.len() + 1 >= LARGE, "{first} and {} bytes of {LARGE}", answer.len());
    }
}

async fn a_drain_that_was_cut_short_says_so<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>("tcp://127.0.0.1:0").await;
    let client = crate::client::<R>(&endpoint);
    let stuck = spawn(client.call::<(), _>("forever", ()));
    until(|| server.stats().requests_open > 0).await;
    assert_eq!(soon(server.drain(Duration::from_millis(50))).await, Drain::CutShort);
    soon(stuck).await.unwrap().unwrap_err();
}

async fn a_drain_waits_for_nobody_who_does_not_read<R: Runtime>() {
    let server = new_server::<R>(Options::server("service"));
    server.register_sync("large", |_| Ok::<_, Fault>("x".repeat(1 << 20))).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut raw = RawPeer::<AnyStream<R>>::open_on(&endpoint, 1).await;
    raw.send(&raw::work(&[7; 16], "large")).await;
    let [_] = raw.take().await;
    let began = now();
    assert_eq!(soon(server.drain(Duration::from_millis(50))).await, Drain::CutShort);
    let took = now() - began;
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(raw);
}

async fn a_node_without_links_is_drained_at_once<R: Runtime>() {
    let (server, endpoint) = crate::server::<R>("tcp://127.0.0.1:0").await;
    assert_eq!(soon(server.drain(Duration::ZERO)).await, Drain::Complete);
    let client = crate::client::<R>(&endpoint);
    assert_eq!(soon(client.drain(Duration::ZERO)).await, Drain::Complete);
    assert_eq!(soon(client.drain(Duration::ZERO)).await, Drain::Complete, "a second time");
}

/// The ERROR of a server that denies it reaches a client that has sent more behind its HELLO.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_error_reaches_a_client_that_has_sent_more() {
    let (sent, more_was_sent) = mpsc::channel();
    let (ask, mut asked) = unbounded_channel();
    let more_was_sent = Mutex::new(more_was_sent);
    let mut options = Options::server("service");
    options.connection.mechanism = MechanismConfig::PlainServer;
    // The link's task waits here, so it has not read what is behind the HELLO.
    options.admission.authenticator = Some(Authenticator::new(move |_| {
        ask.send(()).unwrap();
        more_was_sent.lock().unwrap().recv_timeout(SOON).unwrap();
        ready(Verdict::Deny)
    }));
    // Each of them is asked about, however many were wrong before.
    options.admission.strangers.user_failures_free = u32::MAX;
    let server = new_server::<Tokio>(options);
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    for _ in 0..20 {
        let mut raw = RawPeer::dial(&endpoint).await;
        raw.send(&raw::greeting_of("PLAIN")).await;
        raw.greeting().await;
        raw.send(&raw::command("HELLO", b"\x06charly\x05wrong")).await;
        soon(asked.recv()).await.unwrap();
        raw.send(&[0x55; 32 << 10]).await;
        sent.send(()).unwrap();
        let mut said = Vec::new();
        let end = soon(raw.stream.read_to_end(&mut said)).await;
        end.expect("an end in order, not a reset");
        assert_eq!(said, raw::libzmq_error(b"\x03400"));
    }
}
