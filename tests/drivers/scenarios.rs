//! What holds between a server of any driver and a client of any other, one function each.

use crate::driver::{Driver, End};
use pseud::proto::zmtp::Secret;
use pseud::{Authenticator, CallError, ConnectionEvent, Fault, Options, Reason, Value};
use std::time::Duration;

/// What must happen soon, and what a test waits for at most.
const SOON: Duration = Duration::from_secs(20);

fn charly() -> Options {
    Options::client("service").identity("charly").call_timeout(SOON)
}

fn serve(end: &impl End) {
    let registry = end.inner().registry();
    registry
        .register_typed("add", |(a, b): (i64, i64), _| async move { Ok::<_, Fault>(a + b) })
        .unwrap();
    registry
        .register_typed("echo", |(value,): (Value,), _| async move { Ok::<_, Fault>(value) })
        .unwrap();
    registry.register("fail", |_| async { Err::<(), _>(Fault::new("ValueError", "why")) }).unwrap();
    registry
        .register("ask_back", |request| async move {
            let name: String = request.caller().call("name", ()).await?;
            Ok::<_, CallError>(format!("you are {name}"))
        })
        .unwrap();
    registry
        .register("never", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
    registry
        .register("whoami", |request| async move {
            Ok::<_, Fault>(String::from_utf8_lossy(request.user().id()).into_owned())
        })
        .unwrap();
}

fn pair<S: Driver, C: Driver>(server: Options, client: Options) -> (S::Server, C::Client) {
    let server = S::server(server);
    serve(&server);
    let endpoint = server.listen_at("tcp://127.0.0.1:*").unwrap();
    let client = C::client(client);
    let registry = client.inner().registry();
    registry.register("name", |_| async { Ok::<_, Fault>("Charly") }).unwrap();
    client.connect_to(&endpoint).unwrap();
    (server, client)
}

fn joined<S: Driver, C: Driver>() -> (S::Server, C::Client) {
    let (server, client) = pair::<S, C>(Options::server("service"), charly());
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
    (server, client)
}

fn sum<C: Driver>(client: &C::Client, a: i64) -> Result<i64, CallError> {
    C::wait(client.inner().call("add", (a, 1)))
}

pub(crate) fn calls<S: Driver, C: Driver>() {
    let (_server, client) = joined::<S, C>();
    for a in 0..100 {
        assert_eq!(sum::<C>(&client, a).unwrap(), a + 1);
    }
    assert_eq!(client.inner().stats().calls_pending, 0);
}

pub(crate) fn calls_of_many_threads<S: Driver, C: Driver>()
where
    C::Client: Sync,
{
    let (_server, client) = joined::<S, C>();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let client = &client;
            scope.spawn(move || {
                for a in 0..20 {
                    assert_eq!(sum::<C>(client, thread * 100 + a).unwrap(), thread * 100 + a + 1);
                }
            });
        }
    });
    assert_eq!(client.inner().stats().calls_pending, 0);
}

pub(crate) fn callbacks<S: Driver, C: Driver>() {
    let (server, client) = joined::<S, C>();
    for _ in 0..20 {
        let back: String = C::wait(client.inner().call("ask_back", ())).unwrap();
        assert_eq!(back, "you are Charly");
        let name: String = S::wait(server.inner().peer("charly").call("name", ())).unwrap();
        assert_eq!(name, "Charly");
    }
}

pub(crate) fn values<S: Driver, C: Driver>() {
    let (_server, client) = joined::<S, C>();
    let long = Value::Str("x".repeat(300_000));
    for value in [Value::Nil, Value::from(true), Value::from(-7), Value::from(1.5), long] {
        let back: Value = C::wait(client.inner().call("echo", (value.clone(),))).unwrap();
        assert_eq!(back, value);
    }
}

pub(crate) fn errors<S: Driver, C: Driver>() {
    let (_server, client) = joined::<S, C>();
    let node = client.inner();
    let raised = C::wait(node.call::<(), _>("fail", ())).unwrap_err();
    assert_eq!(raised.fault().map(|fault| fault.class.as_str()), Some("ValueError"));
    let missing = C::wait(node.call::<(), _>("nothing", ())).unwrap_err();
    assert!(missing.is_service_not_found(), "{missing:?}");
    let arguments = C::wait(node.call::<i64, _>("add", ("one", 2))).unwrap_err();
    assert_eq!(arguments.fault().map(|fault| fault.class.as_str()), Some("TypeError"));
    let result = C::wait(node.call::<String, _>("add", (1, 2))).unwrap_err();
    assert!(matches!(result, CallError::Result(_)), "{result:?}");
}

pub(crate) fn timeouts<S: Driver, C: Driver>() {
    let (_server, client) = joined::<S, C>();
    let call = client.inner().call::<(), _>("never", ()).timeout(Duration::from_millis(50));
    let ended = C::wait(call);
    assert!(matches!(ended, Err(CallError::Unknown(Reason::TimedOut))), "{ended:?}");
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
}

pub(crate) fn reconnect<S: Driver, C: Driver>() {
    let server = S::server(Options::server("service"));
    serve(&server);
    let endpoint = server.listen_at("tcp://127.0.0.1:*").unwrap();
    let client = C::client(charly());
    client.connect_to(&endpoint).unwrap();
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
    server.end_within(Duration::ZERO);
    drop(server);
    let again = S::server(Options::server("service"));
    serve(&again);
    again.listen_at(&endpoint).unwrap();
    // What is lost with the old link is known to be lost; what waits for the new one is answered there.
    loop {
        match sum::<C>(&client, 1) {
            Ok(sum) => break assert_eq!(sum, 2),
            Err(CallError::Unknown(_) | CallError::NotExecuted(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn plain<S: Driver, C: Driver>() {
    let users = Authenticator::passwords([("charly", Secret::new("secret"))]);
    let options = Options::server("service").plain_server(users);
    let (server, client) =
        pair::<S, C>(options, charly().plain_client("charly", Secret::new("secret")));
    let who: String = C::wait(client.inner().call("whoami", ())).unwrap();
    assert_eq!(who, "charly");
    let name: String = S::wait(server.inner().user("charly").call("name", ())).unwrap();
    assert_eq!(name, "Charly");
}

pub(crate) fn events<S: Driver, C: Driver>() {
    let server = S::server(Options::server("service"));
    serve(&server);
    let endpoint = server.listen_at("tcp://127.0.0.1:*").unwrap();
    let mut events = server.inner().events();
    let client = C::client(charly());
    client.connect_to(&endpoint).unwrap();
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
    loop {
        match S::wait(events.next()) {
            Some(ConnectionEvent::Connected { identity, .. }) => {
                break assert_eq!(identity, b"charly");
            }
            Some(_) => {}
            None => panic!("the server ended"),
        }
    }
}

pub(crate) fn cancellation<S: Driver, C: Driver>() {
    let (_server, client) = joined::<S, C>();
    let mut call = Box::pin(client.inner().call::<(), _>("never", ()));
    let waker = std::task::Waker::noop();
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    assert_eq!(client.inner().stats().calls_pending, 1);
    drop(call);
    assert_eq!(client.inner().stats().calls_pending, 0);
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
}

pub(crate) fn shutdown<S: Driver, C: Driver>() {
    let (server, client) = joined::<S, C>();
    let mut call = Box::pin(client.inner().call::<(), _>("never", ()));
    let waker = std::task::Waker::noop();
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    client.inner().shutdown();
    let ended = C::wait(call);
    assert!(matches!(ended, Err(CallError::Closed { .. })), "{ended:?}");
    server.inner().shutdown();
    assert!(server.listen_at("tcp://127.0.0.1:*").is_err());
}

pub(crate) fn bounds<S: Driver, C: Driver>() {
    let mut options = charly();
    options.config.limits.calls_pending_max = 1;
    let (_server, client) = pair::<S, C>(Options::server("service"), options);
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
    let mut call = Box::pin(client.inner().call::<(), _>("never", ()));
    let waker = std::task::Waker::noop();
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    let refused = sum::<C>(&client, 1);
    assert!(matches!(refused, Err(CallError::Refused(_))), "{refused:?}");
    drop(call);
    assert_eq!(sum::<C>(&client, 1).unwrap(), 2);
}
