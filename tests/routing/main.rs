//! Which handler serves a call: registries, domains and their predicates, in simulated worlds and over real
//! sockets.
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
use pseud::tokio::Tokio;
use pseud::{
    Authenticator, CallError, ConnectionEvent, Events, Fault, NameRefused, Options, Reason,
    Registry, Secret,
};
use pseud_testkit::conversation::{
    Client, Runtime, SOON, Server, is_simulated, join_all, new_client, new_server, pause, soon,
    spawn, until, yield_now,
};
use pseud_testkit::conversations;

const ANYWHERE: &str = "tcp://127.0.0.1:0";

/// A server under NULL: all its callers are anonymous.
async fn open_server<R: Runtime>() -> (Server<R>, String) {
    bound::<R>(Options::server("service")).await
}

/// One that knows `admin`, with the permission `restricted`, and `lambda`, without.
async fn server<R: Runtime>() -> (Server<R>, String) {
    let users = [User::new("lambda"), User::new("admin").with_permission("restricted")];
    let users = Authenticator::passwords(users.map(|user| (user, Secret::new("sesame"))));
    bound::<R>(Options::server("service").plain_server(users)).await
}

async fn bound<R: Runtime>(options: Options) -> (Server<R>, String) {
    let server = new_server::<R>(options);
    let endpoint = server.bind(ANYWHERE).await.unwrap();
    (server, endpoint.into())
}

fn options() -> Options {
    Options::client("service").call_timeout(SOON)
}

fn client<R: Runtime>(endpoint: &str) -> Client<R> {
    connected::<R>(options(), endpoint)
}

fn user<R: Runtime>(user: &str, endpoint: &str) -> Client<R> {
    connected::<R>(options().plain_client(user, Secret::new("sesame")), endpoint)
}

fn connected<R: Runtime>(options: Options, endpoint: &str) -> Client<R> {
    let client = new_client::<R>(options);
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

async fn said<R: Runtime>(client: &Client<R>, name: &str) -> String {
    soon(client.call(name, ())).await.unwrap()
}

/// The fault that a call ends with.
async fn fault<R: Runtime>(client: &Client<R>, name: &str) -> Fault {
    match soon(client.call::<String, _>(name, ())).await {
        Err(CallError::Fault(fault)) => fault,
        other => panic!("{name}: {other:?}"),
    }
}

/// Why a call was not executed.
async fn refused<R: Runtime>(client: &Client<R>, name: &str) -> Reason {
    match soon(client.call::<String, _>(name, ())).await {
        Err(CallError::NotExecuted(reason)) => reason,
        other => panic!("{name}: {other:?}"),
    }
}

/// Nobody serves that name, or not for this caller.
async fn not_found<R: Runtime>(client: &Client<R>, name: &str) {
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
