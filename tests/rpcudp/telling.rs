//! The log's target `rpcudp`: what strangers cause, and what handlers do.

use crate::logged::Logged;
use crate::{endpoint, until};
use pseud::rpcudp::{Dropped, Endpoint, Options, Silence};
use pseud::{Fault, Value};
use std::future::pending;
use std::net::UdpSocket;
use std::time::Duration;

#[tokio::test]
async fn strangers_are_told_at_debug_with_where_from_and_why() {
    let logged = Logged::of("rpcudp");
    let server = endpoint();
    let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
    raw.send_to(b"garbage", server.local_addr()).unwrap();
    until(&server, |stats| stats.counts.dropped(Dropped::TooShort) == 1).await;
    let line = logged.wait_for("fewer than 22 bytes").await;
    let from = raw.local_addr().unwrap();
    assert_eq!(line, format!("DEBUG dropped: a datagram of fewer than 22 bytes from={from}"));
    // A name that nobody serves is a stranger's doing, too.
    let client = endpoint();
    let call = client.call::<Value, _>(server.local_addr(), "no\nbody", ());
    call.timeout(Duration::from_millis(50)).await.unwrap_err();
    let line = logged.only("nothing is served of that name");
    assert!(
        line.starts_with("DEBUG not answered: ") && line.contains(r#"method="no\nbody""#),
        "{line}"
    );
}

#[tokio::test]
async fn handlers_that_fail_are_warned_of_ten_times_a_minute() {
    let logged = Logged::of("rpcudp");
    let [server, client] = [endpoint(), endpoint()];
    let boom = |_| Err::<(), _>(Fault::new("ValueError", "no".repeat(1_000)));
    server.register_sync("boom", boom).unwrap();
    for at in 1..=30 {
        let call = client.call::<Value, _>(server.local_addr(), "boom", ());
        call.timeout(Duration::from_millis(5)).await.unwrap_err();
        until(&server, |stats| stats.counts.silent(Silence::Fault) == at).await;
    }
    let lines = logged.with("its handler failed");
    assert_eq!(lines.len(), 10, "{lines:#?}");
    let from = client.local_addr();
    let begins = "WARN not answered: its handler failed method=\"boom\"";
    for line in lines {
        assert!(line.starts_with(begins) && line.contains(&format!("from={from}")), "{line}");
        assert!(line.contains("ValueError: no") && line.len() < 512, "{line}");
    }
}

#[tokio::test]
async fn that_there_is_no_place_for_requests_is_warned_of_once_a_minute() {
    let logged = Logged::of("rpcudp");
    let mut options = Options::default();
    options.config.requests_open_max = 1;
    let server = Endpoint::bind_with("127.0.0.1:0".parse().unwrap(), options).unwrap();
    server.register("wait", |_| pending::<Result<(), Fault>>()).unwrap();
    let client = endpoint();
    for at in 1..=20 {
        let call = client.call::<Value, _>(server.local_addr(), "wait", ());
        call.timeout(Duration::from_millis(5)).await.unwrap_err();
        until(&server, |stats| stats.requests_open == 1).await;
        until(&server, |stats| stats.counts.dropped(Dropped::Overloaded) == at - 1).await;
    }
    let lines = logged.with("too many requests are open");
    let warned: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!((warned.len(), lines.len()), (1, 20), "{lines:#?}");
    assert!(warned[0].contains(&format!("from={}", client.local_addr())), "{warned:?}");
}
