//! Links over real sockets: endpoints, losses and returns, giving up, and the end.

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
mod guarded;
#[cfg(unix)]
mod ipc;
mod nested;
mod on_disconnect;
mod presence;
mod returned;
mod returning;
#[cfg(feature = "_curve")]
mod security;
mod siblings;
mod silence;
mod telling;
mod typed;
mod urgent;
mod users;

use pseud::{Client, Fault, Options, Server};
use std::future::Future;
use std::time::Duration;

/// No test waits longer than this for anything.
const SOON: Duration = Duration::from_secs(20);

/// What `future` gives, which must be soon.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("it takes too long")
}

/// A server with `hello` and `forever`, bound to `endpoint`.
async fn server(endpoint: &str) -> (Server, String) {
    let server = Server::new("service").unwrap();
    let bound = serve(&server, endpoint).await;
    (server, bound)
}

async fn serve(server: &Server, endpoint: &str) -> String {
    server
        .register_sync("hello", |request| {
            let (name,): (String,) = request.args()?;
            Ok::<_, Fault>(format!("Hello {name}"))
        })
        .unwrap();
    server
        .register("forever", |_| async { std::future::pending::<Result<(), Fault>>().await })
        .unwrap();
    server.bind(endpoint).await.unwrap()
}

fn client(endpoint: &str) -> Client {
    let client = Client::new("service").unwrap();
    client.connect(endpoint).unwrap();
    client
}

/// A client that tries again fast, whatever its luck with jitter.
fn eager_client(endpoint: &str) -> Client {
    let client = Client::with_options(eager(Options::client("service"))).unwrap();
    client.connect(endpoint).unwrap();
    client
}

/// The same, to be set up further.
fn eager(mut options: Options) -> Options {
    options.retry.max = Duration::from_millis(100);
    options.call_timeout(SOON)
}

async fn hello(client: &Client) -> String {
    soon(client.call("hello", ("Charly",))).await.unwrap()
}
