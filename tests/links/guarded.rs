//! Servers that ask who comes, and clients that show something.

use crate::soon;
use pseud::proto::{Incompatible, PeerError};
use pseud::{CallError, Client, ConnectionEvent, Fault, Options, Reason, Secret, Server};
use std::time::Duration;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

pub(crate) fn plain(password: &str) -> Options {
    Options::client("service").plain_client("charly", Secret::new(password))
}

/// A server whose `whoami` tells the user, and `back` what its caller answers.
pub(crate) async fn serve(options: Options) -> (Server, String) {
    let server = Server::with_options(options).unwrap();
    register(&server);
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint)
}

pub(crate) fn register(server: &Server) {
    server.register_sync("whoami", |request| Ok::<_, Fault>(request.user().to_string())).unwrap();
    server
        .register("back", |request| async move {
            let told: String = request.caller().call("name", ()).await.unwrap();
            Ok::<_, Fault>(told)
        })
        .unwrap();
}

pub(crate) fn connect(options: Options, endpoint: &str) -> Client {
    let client = Client::with_options(options).unwrap();
    client.register_sync("name", |_| Ok::<_, Fault>("desk")).unwrap();
    client.connect(endpoint).unwrap();
    client
}

pub(crate) async fn calls_go_both_ways(client: &Client, user: &str) {
    let told: String = soon(client.call("whoami", ())).await.unwrap();
    assert_eq!(told, user);
    let told: String = soon(client.call("back", ())).await.unwrap();
    assert_eq!(told, "desk");
}

/// Why its first link was refused; its calls were not executed, for the same reason.
pub(crate) async fn refusal(mut options: Options, endpoint: &str) -> PeerError {
    options.config.call_timeout = Duration::from_millis(300);
    let client = Client::with_options(options).unwrap();
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
