//! Sessions that one side ends, and says why.

use crate::{SOON, Tokio, hello, serve, server, soon};
use pseud::proto::Parting;
use pseud::{CallError, Client, ConnectionEvent, Options, Peer, Reason, Server};
use pseud_testkit::raw::{self, RawPeer};
use std::time::{Duration, Instant};

/// A client that, shown out, waits so long at least.
const WAIT: Duration = Duration::from_millis(700);

/// A client of that identity, and the session that it has at the server.
async fn joined(server: &Server, endpoint: &str) -> (Client, Peer) {
    let mut events = server.events();
    let mut options = Options::client("service").identity("desk").call_timeout(SOON);
    options.retry.first = Duration::from_millis(1);
    options.retry.max = WAIT;
    let client = Client::with_options(options).unwrap();
    client.connect(endpoint).unwrap();
    loop {
        if let ConnectionEvent::Connected { peer, .. } = soon(events.next()).await.unwrap() {
            return (client, peer);
        }
    }
}

/// One call of that client is served.
async fn in_flight(server: &Server, client: &Client) -> impl Future<Output = CallError> + use<> {
    let call = tokio::spawn(client.call::<(), _>("forever", ()).into_future());
    soon(async {
        while server.stats().requests_open == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    async { soon(call).await.unwrap().unwrap_err() }
}

/// When its next session begins.
async fn comes_back(server: &Server, after: impl FnOnce()) -> Duration {
    let (mut events, began) = (server.events(), Instant::now());
    after();
    loop {
        if let ConnectionEvent::Connected { .. } = soon(events.next()).await.unwrap() {
            return began.elapsed();
        }
    }
}

#[tokio::test]
async fn calls_of_who_is_shown_out_end_for_that_and_it_waits_before_it_comes_back() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let (client, peer) = joined(&server, &endpoint).await;
    let mut events = client.events();
    let in_flight = in_flight(&server, &client).await;
    let began = Instant::now();
    let back = comes_back(&server, || assert!(peer.disconnect())).await;
    let flown = in_flight.await;
    assert!(matches!(flown, CallError::Unknown(Reason::Revoked)), "{flown:?}");
    assert!(back >= WAIT, "{back:?}");
    let ended = soon(async {
        loop {
            if let Some(ConnectionEvent::Disconnected { reason, .. }) = events.next().await {
                return reason;
            }
        }
    });
    assert_eq!(ended.await, Reason::Revoked);
    assert!(began.elapsed() < SOON && !peer.disconnect());
    assert_eq!(hello(&client).await, "Hello Charly");
}

#[tokio::test]
async fn later_calls_of_who_is_shown_out_end_at_once_and_not_executed() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let mut options = Options::client("service").call_timeout(SOON);
    // It does not come back while this runs.
    options.retry.max = Duration::from_secs(3_600);
    let client = Client::with_options(options).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(hello(&client).await, "Hello Charly");
    let mut events = client.events();
    assert!(server.all_sessions().pop().unwrap().disconnect());
    soon(async {
        loop {
            if let Some(ConnectionEvent::Disconnected { .. }) = events.next().await {
                return;
            }
        }
    })
    .await;
    for _ in 0..3 {
        let later = soon(client.call::<String, _>("hello", ("Charly",)).into_future()).await;
        let later = later.unwrap_err();
        assert!(matches!(later, CallError::NotExecuted(Reason::Revoked)), "{later:?}");
    }
}

#[tokio::test]
async fn who_is_to_come_back_later_is_told_so_and_comes_back() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let (client, peer) = joined(&server, &endpoint).await;
    let in_flight = in_flight(&server, &client).await;
    comes_back(&server, || assert!(peer.disconnect_as(Parting::Draining))).await;
    let flown = in_flight.await;
    assert!(matches!(flown, CallError::Unknown(Reason::Draining)), "{flown:?}");
    assert_eq!(hello(&client).await, "Hello Charly");
}

/// What a peer that declares that is sent when it is shown out, behind all that was on its way.
async fn told(declares: &str) -> Vec<u8> {
    let server = Server::with_options(Options::server("service")).unwrap();
    let endpoint = serve(&server, "tcp://127.0.0.1:0").await;
    let mut events = server.events();
    let mut raw = RawPeer::dial(&endpoint).await;
    raw.shake_hands(&raw::greeting(), &raw::ready_declaring("DEALER", "raw", declares)).await;
    let event = soon(events.next()).await.unwrap();
    let ConnectionEvent::Connected { peer, .. } = event else { panic!("{event:?}") };
    assert!(peer.disconnect());
    raw.closed().await
}

#[tokio::test]
async fn only_who_reads_it_is_told() {
    let goaway = raw::message(&[b"", b"v1", b"", b"\x12", b"\x91\xa7revoked"]);
    assert_eq!(told("1;caps=9").await, goaway);
    for other in ["1;caps=7", "1;caps=8", "nothing"] {
        assert_eq!(told(other).await, b"", "{other}");
    }
}

/// A server that sends us away is believed; what it does not say is not made up.
#[tokio::test]
async fn garbage_for_a_goaway_ends_nothing() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let mut events = server.events();
    let mut raw = RawPeer::dial(&endpoint).await;
    raw.shake_hands(&raw::greeting(), &raw::ready_declaring("DEALER", "raw", "1;caps=f")).await;
    let event = soon(events.next()).await.unwrap();
    let ConnectionEvent::Connected { peer, .. } = event else { panic!("{event:?}") };
    for body in [&b""[..], b"\xc0", b"\x91\xa4soon", b"\x91\xa7revokee"] {
        raw.send(&raw::message(&[b"", b"v1", b"", b"\x12", body])).await;
    }
    raw.send(&raw::work(b"0123456789abcdef", "hello")).await;
    assert_eq!(&*raw.message().await[2], b"0123456789abcdef");
    assert!(peer.is_connected());
    raw.send(&raw::message(&[b"", b"v1", b"", b"\x12", b"\x91\xa7revoked"])).await;
    let event = soon(events.next()).await.unwrap();
    let ConnectionEvent::Disconnected { reason, .. } = event else { panic!("{event:?}") };
    assert_eq!(reason, Reason::Revoked);
}
