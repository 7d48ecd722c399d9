//! Servers that ask who comes, and clients that show something.

use crate::{Client, Runtime, Server, new_client, new_server, soon};
use pseud::proto::{Incompatible, PeerError};
use pseud::{CallError, ConnectionEvent, Fault, Options, Reason, Secret};
use std::time::Duration;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

pub(crate) fn plain(password: &str) -> Options {
    Options::client("service").plain_client("charly", Secret::new(password))
}

/// A server whose `whoami` tells the user, and `back` what its caller answers.
pub(crate) async fn serve<R: Runtime>(options: Options) -> (Server<R>, String) {
    let server = new_server::<R>(options);
    register(&server);
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint.into())
}

pub(crate) fn register<R: Runtime>(server: &Server<R>) {
    server.register_sync("whoami", |request| Ok::<_, Fault>(request.user().to_string())).unwrap();
    server
        .register("back", |request| async move {
            let told: String = request.caller().call("name", ()).await.unwrap();
            Ok::<_, Fault>(told)
        })
        .unwrap();
}

pub(crate) fn connect<R: Runtime>(options: Options, endpoint: &str) -> Client<R> {
    let client = new_client::<R>(options);
    client.register_sync("name", |_| Ok::<_, Fault>("desk")).unwrap();
    client.connect(endpoint).unwrap();
    client
}

pub(crate) async fn calls_go_both_ways<R: Runtime>(client: &Client<R>, user: &str) {
    let told: String = soon(client.call("whoami", ())).await.unwrap();
    assert_eq!(told, user);
    let told: String = soon(client.call("back", ())).await.unwrap();
    assert_eq!(told, "desk");
}

/// Why its first link was refused; its calls were not executed, for the same reason.
pub(crate) async fn refusal<R: Runtime>(mut options: Options, endpoint: &str) -> PeerError {
    options.config.call_timeout = Duration::from_millis(300);
    let client = new_client::<R>(options);
    let mut events = client.events();
    client.connect(endpoint).unwrap();
    let error = refused(&mut events).await;
    let outcome = soon(client.call::<(), _>("whoami", ())).await.unwrap_err();
    let why = Reason::from(error);
    assert!(matches!(outcome, CallError::NotExecuted(told) if told == why), "{outcome:?}");
    assert!(outcome.is_retry_safe());
    error
}

pub(crate) async fn refused(events: &mut pseud::Events) -> PeerError {
    loop {
        match soon(events.next()).await.unwrap() {
            ConnectionEvent::HandshakeFailed { error, .. } => return error,
            ConnectionEvent::Connected { .. } => panic!("it came in"),
            _ => {}
        }
    }
}

pub(crate) const DENIED: PeerError = PeerError::Incompatible(Incompatible::Refused(400));

pub(crate) const UNAVAILABLE: PeerError = PeerError::Incompatible(Incompatible::Refused(500));
