//! Addresses that do not answer, and the others of the same name (RFC 8305).

use crate::{hello, serve, soon};
use pseud::{Client, ConnectionEvent, Options, Server};
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An address that swallows SYNs: a listener whose backlog is full.
struct Swallowing {
    port: u16,
    _listener: Socket,
    _backlog: Vec<Socket>,
}

impl Swallowing {
    /// On 127.0.0.1.
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let backlog = (0..8).map(|_| connecting(&address)).collect();
        let this = Self {
            port: address.as_socket().unwrap().port(),
            _listener: listener,
            _backlog: backlog,
        };
        let address = address.as_socket().unwrap();
        let tried = TcpStream::connect_timeout(&address, Duration::from_millis(200));
        let error = tried.expect_err("the backlog is not full");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        this
    }

    fn endpoint(&self, host: &str) -> String {
        format!("tcp://{host}:{}", self.port)
    }
}

fn connecting(address: &SockAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(address);
    socket
}

fn client_of(endpoint: &str, connect_timeout: Duration) -> (Client, pseud::Events) {
    let mut options = Options::client("service");
    options.connect_timeout = connect_timeout;
    options.retry.first = Duration::ZERO;
    options.retry.max = Duration::ZERO;
    let client = Client::with_options(options).unwrap();
    let events = client.events();
    client.connect(endpoint).unwrap();
    (client, events)
}

async fn failure(events: &mut pseud::Events) -> String {
    loop {
        match soon(events.next()).await.unwrap() {
            ConnectionEvent::ConnectFailed { error, .. } => return error,
            ConnectionEvent::Connecting { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_try_ends_after_3_s_unless_told_otherwise() {
    assert_eq!(Options::client("service").connect_timeout, Duration::from_secs(3));
}

#[tokio::test]
async fn an_address_that_swallows_syns_times_out_and_is_tried_again() {
    let address = Swallowing::new();
    let endpoint = address.endpoint("127.0.0.1");
    let began = Instant::now();
    let (_client, mut events) = client_of(&endpoint, Duration::from_millis(300));
    for _ in 0..3 {
        let error = failure(&mut events).await;
        assert!(error.contains(&endpoint) && error.contains("no answer within"), "{error}");
    }
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_next_address_of_a_name_is_tried_beside_one_that_does_not_answer() {
    let address = Swallowing::new();
    let server = Server::new("service").unwrap();
    // `localhost` is 127.0.0.1, then ::1.
    serve(&server, &address.endpoint("[::1]")).await;
    let began = Instant::now();
    let (client, _events) = client_of(&address.endpoint("localhost"), Duration::from_secs(60));
    assert_eq!(hello(&client).await, "Hello Charly");
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn each_address_that_fails_is_told_of() {
    let address = Swallowing::new();
    let (_client, mut events) =
        client_of(&address.endpoint("localhost"), Duration::from_millis(600));
    let refused = failure(&mut events).await;
    assert!(refused.contains(&format!("[::1]:{}", address.port)), "{refused}");
    let silent = failure(&mut events).await;
    assert!(silent.contains(&format!("127.0.0.1:{}: no answer", address.port)), "{silent}");
}

#[tokio::test]
async fn a_disconnect_and_a_shutdown_end_a_try_at_once() {
    let address = Swallowing::new();
    let endpoint = address.endpoint("127.0.0.1");
    let (client, mut events) = client_of(&endpoint, Duration::from_secs(3_600));
    soon(events.next()).await.unwrap();
    client.disconnect(&endpoint).unwrap();
    client.connect(&endpoint).unwrap();
    let again = soon(events.next()).await.unwrap();
    assert!(matches!(again, ConnectionEvent::Connecting { .. }), "{again:?}");
    client.shutdown();
    assert!(soon(events.next()).await.is_none());
}
