//! Which handler serves a call: registries, domains and their predicates, over real sockets.
//!
//! All tests of this program share its one process-wide registry: names in it are each test's own.

#![allow(missing_docs, reason = "tests")]

mod forbidden;
mod names;
mod order;
mod panics;
mod payloads;
mod predicates;
mod reentrant;
mod registries;
mod replacing;
mod waiting;

use pseud::proto::User;
use pseud::{
    Authenticator, CallError, Client, ConnectionEvent, Events, Fault, NameRefused, Options, Reason,
    Registry, Secret, Server,
};
use std::future::Future;
use std::time::Duration;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

/// No test waits longer than this for anything.
const SOON: Duration = Duration::from_secs(20);

/// What `future` gives, which must be soon.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("it takes too long")
}

/// A server under NULL: all its callers are anonymous.
async fn open_server() -> (Server, String) {
    bound(Options::server("service")).await
}

/// One that knows `admin`, with the permission `restricted`, and `lambda`, without.
async fn server() -> (Server, String) {
    let users = [User::new("lambda"), User::new("admin").with_permission("restricted")];
    let users = Authenticator::passwords(users.map(|user| (user, Secret::new("sesame"))));
    bound(Options::server("service").plain_server(users)).await
}

async fn bound(options: Options) -> (Server, String) {
    let server = Server::with_options(options).unwrap();
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint)
}

fn options() -> Options {
    Options::client("service").call_timeout(SOON)
}

fn client(endpoint: &str) -> Client {
    connected(options(), endpoint)
}

fn user(user: &str, endpoint: &str) -> Client {
    connected(options().plain_client(user, Secret::new("sesame")), endpoint)
}

fn connected(options: Options, endpoint: &str) -> Client {
    let client = Client::with_options(options).unwrap();
    client.connect(endpoint).unwrap();
    client
}

/// Registers a handler that only says this.
fn says(registry: &Registry, name: &str, what: &'static str) {
    try_says(registry, name, what).unwrap();
}

fn try_says(registry: &Registry, name: &str, what: &'static str) -> Result<(), NameRefused> {
    registry.register_sync(name, move |_| Ok::<_, Fault>(what))
}

async fn said(client: &Client, name: &str) -> String {
    soon(client.call(name, ())).await.unwrap()
}

/// The fault that a call ends with.
async fn fault(client: &Client, name: &str) -> Fault {
    match soon(client.call::<String, _>(name, ())).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{name}: {other:?}"),
    }
}

/// Why a call was not executed.
async fn refused(client: &Client, name: &str) -> Reason {
    match soon(client.call::<String, _>(name, ())).await {
        Err(CallError::NotExecuted(reason)) => reason,
        other => panic!("{name}: {other:?}"),
    }
}

/// Nobody serves that name, or not for this caller.
async fn not_found(client: &Client, name: &str) {
    assert_eq!(refused(client, name).await, Reason::NoSuchService);
}

/// A client's events till it shut down: no link ended but for that.
async fn only_we_left(mut events: Events) {
    while let Some(event) = soon(events.next()).await {
        let expected = match &event {
            ConnectionEvent::Disconnected { reason, .. } => *reason == Reason::Shutdown,
            ConnectionEvent::Connecting { .. } | ConnectionEvent::Connected { .. } => true,
            _ => false,
        };
        assert!(expected, "{event:?}");
    }
}
