//! Links: endpoints, losses and returns, giving up, and the end. Most conversations are held in simulated
//! worlds and over real sockets, the others over sockets alone.

#![allow(missing_docs, reason = "tests")]

#[path = "../logged/mod.rs"]
mod logged;
#[path = "../spy/mod.rs"]
mod spy;

mod addresses;
mod admission;
mod authenticators;
mod closing;
mod cuts;
mod decoding;
mod dropping;
mod ending;
mod endpoints;
mod events;
mod faces;
mod floods;
mod foreign;
mod gathering;
mod goaway;
mod guarded;
mod heartbeats;
#[cfg(unix)]
mod ipc;
mod logins;
mod nested;
mod on_disconnect;
mod presence;
mod returned;
mod returning;
mod revoking;
mod room;
#[cfg(feature = "_curve")]
mod security;
mod siblings;
mod silence;
mod stores;
mod telling;
#[cfg(feature = "_curve")]
mod twins;
mod typed;
#[cfg(feature = "_curve")]
mod unshown;
mod urgent;
mod users;
#[cfg(all(target_os = "linux", feature = "_curve"))]
mod wiped;

use pseud::tokio::Tokio;
use pseud::{Fault, Options};
use pseud_testkit::conversation::{
    Client, Runtime, SOON, Server, is_simulated, join_all, new_client, new_server, now, sleep,
    soon, spawn, timeout, until, yield_now,
};
use pseud_testkit::conversations;
use std::time::Duration;

/// A server with `hello` and `forever`, bound to `endpoint`.
async fn server<R: Runtime>(endpoint: &str) -> (Server<R>, String) {
    let server = new_server::<R>(Options::server("service"));
    let bound = serve(&server, endpoint).await;
    (server, bound)
}

async fn serve<R: Runtime>(server: &Server<R>, endpoint: &str) -> String {
    server
        .register_sync("hello", |request| {
            let (name,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("Hello {name}"))
        })
        .unwrap();
    server
        .register("forever", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
    server.bind(endpoint).await.unwrap().into()
}

/// Where nobody listens any more.
async fn abandoned<R: Runtime>() -> String {
    let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
    server.shutdown();
    endpoint
}

fn client<R: Runtime>(endpoint: &str) -> Client<R> {
    let client = new_client::<R>(Options::client("service"));
    client.connect(endpoint).unwrap();
    client
}

/// A client that tries again fast, whatever its luck with jitter.
fn eager_client<R: Runtime>(endpoint: &str) -> Client<R> {
    let client = new_client::<R>(eager(Options::client("service")));
    client.connect(endpoint).unwrap();
    client
}

/// The same, to be set up further.
fn eager(mut options: Options) -> Options {
    options.retry.max = Duration::from_millis(100);
    options.call_timeout(SOON)
}

async fn hello<R: Runtime>(client: &Client<R>) -> String {
    soon(client.call("hello", ("Charly",))).await.unwrap()
}
