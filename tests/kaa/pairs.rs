//! A server of any runtime and a client of any other, over TCP and Unix sockets.

use crate::runtimes::{OnRuntime, all_pairs};
use crate::{SECRET, retrying};
use pseud::proto::Insecure;
use pseud::tokio::kaa::Options;
use pseud::{CallError, ConnectionEvent, Exception, Fault, PeerError, Reason};
use pseud_async::kaa::{Client, Server};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

type ServerOf<D> = Server<<D as OnRuntime>::Runtime>;
type ClientOf<D> = Client<<D as OnRuntime>::Runtime>;

fn server<D: OnRuntime>(options: Options) -> ServerOf<D> {
    let server = D::make(|| Server::with_options(options)).unwrap();
    server
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })
        .unwrap();
    server
        .register_typed("same", |(text,): (String,), _| async move { Ok::<_, Fault>(text) })
        .unwrap();
    server
        .register("name_of_caller", |request| async move {
            let name: String = request.caller().call("name", ()).await?;
            Ok::<_, Fault>(name.to_uppercase())
        })
        .unwrap();
    let sold_out = |_| async { Err::<(), _>(Fault::new(Exception::ValueError, "sold out")) };
    server.register("sell", sold_out).unwrap();
    server.register("never", |_| std::future::pending::<Result<(), Fault>>()).unwrap();
    server.register_blocking("on_a_thread", |_| Ok::<_, Fault>(7)).unwrap();
    server
}

fn client<D: OnRuntime>(options: Options, address: &str) -> ClientOf<D> {
    let client = D::make(|| Client::with_options(options)).unwrap();
    client.register("name", |_| async { Ok::<_, Fault>("charly") }).unwrap();
    client.connect(address).unwrap();
    client
}

fn sum<C: OnRuntime>(client: &ClientOf<C>) -> Result<i64, CallError> {
    C::wait(client.call("add", (1, 2)))
}

fn calls<S: OnRuntime, C: OnRuntime>(server: &ServerOf<S>, client: &ClientOf<C>) {
    C::wait(client.ready());
    assert!(client.is_connected());
    for _ in 0..20 {
        assert_eq!(sum::<C>(client).unwrap(), 3);
    }
    assert_eq!(C::wait(client.call::<i64, _>("on_a_thread", ())).unwrap(), 7);
    let name: String = C::wait(client.call("name_of_caller", ())).unwrap();
    assert_eq!(name, "CHARLY");
    for session in server.all_sessions() {
        assert_eq!(S::wait(session.call::<String, _>("name", ())).unwrap(), "charly");
    }
    let raised = C::wait(client.call::<(), _>("sell", ())).unwrap_err();
    assert_eq!(raised.fault().and_then(Fault::exception), Some(Exception::ValueError));
    let late = client.call::<(), _>("never", ()).timeout(Duration::from_millis(50));
    assert!(matches!(C::wait(late), Err(CallError::Unknown(Reason::TimedOut))));
    let large = "x".repeat(1_000_000);
    assert_eq!(C::wait(client.call::<String, _>("same", (&large,))).unwrap(), large);
}

/// A secret that is wrong is told on both sides, and once it is right all goes on.
fn secrets<S: OnRuntime, C: OnRuntime>() {
    let wrong = server::<S>(Options::new("another"));
    let mut refused = wrong.events();
    let address = S::wait(wrong.bind("127.0.0.1:0")).unwrap();
    let client = client::<C>(retrying(SECRET), &address);
    let mut events = client.events();
    let told = loop {
        if let Some(ConnectionEvent::HandshakeFailed { error, .. }) = S::wait(refused.next()) {
            break error;
        }
    };
    assert_eq!(told, PeerError::Insecure(Insecure::WrongSecret));
    let refused = PeerError::Insecure(Insecure::SecretRefused);
    let told = loop {
        match C::wait(events.next()) {
            Some(ConnectionEvent::HandshakeFailed { error, .. }) => break error,
            Some(_) => {}
            None => panic!("the client ended"),
        }
    };
    assert_eq!(told, refused);
    let ended = sum::<C>(&client).unwrap_err();
    let CallError::NotExecuted(reason) = ended else { panic!("{ended:?}") };
    assert_eq!(reason, Reason::PeerFault(refused));
    wrong.unbind(&address).unwrap();
    let right = server::<S>(Options::new(SECRET));
    S::wait(right.bind(&address)).unwrap();
    C::wait(client.ready());
    assert_eq!(sum::<C>(&client).unwrap(), 3);
    S::wait(right.close(Duration::from_secs(5)));
    C::wait(client.close(Duration::from_secs(5)));
    assert!(!client.is_connected());
}

fn hold<S: OnRuntime, C: OnRuntime>() {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    println!("{} serves {}", S::NAME, C::NAME);
    let server = server::<S>(Options::new(SECRET));
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = format!("pseud-kaa-pair-{}-{number}", std::process::id());
    for address in ["127.0.0.1:0", &path] {
        let address = S::wait(server.bind(address)).unwrap();
        let client = client::<C>(retrying(SECRET).buffer_size(32 << 10), &address);
        calls::<S, C>(&server, &client);
        C::wait(client.close(Duration::from_secs(5)));
        server.unbind(&address).unwrap();
    }
    S::wait(server.close(Duration::from_secs(5)));
    secrets::<S, C>();
}

all_pairs!(hold);
