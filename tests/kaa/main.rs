//! Servers and clients of kaa.rpc over real sockets.

#![allow(missing_docs, reason = "tests")]

#[cfg(target_os = "linux")]
mod buffers;
mod calls;
mod ending;
#[cfg(unix)]
mod pairs;
#[cfg(unix)]
#[path = "../runtimes/mod.rs"]
mod runtimes;
mod secret;
#[cfg(unix)]
mod sockets;
mod turns;
mod wires;

use pseud::Fault;
use pseud::tokio::kaa::{Client, Options, Server};
use std::future::Future;
use std::time::Duration;

const SECRET: &str = "s3cret";

/// Long enough for anything that is not stuck.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

/// A server that adds, and where it is.
async fn server() -> (Server, String) {
    let server = Server::new(SECRET).unwrap();
    server
        .register("add", |request| async move {
            let (a, b): (i64, i64) = request.args()?;
            Ok::<_, Fault>(a + b)
        })
        .unwrap();
    let address = server.bind("127.0.0.1:0").await.unwrap();
    (server, address.to_string())
}

fn client(address: &str) -> Client {
    client_with(Options::new(SECRET), address)
}

fn client_with(options: Options, address: &str) -> Client {
    let client = Client::with_options(options).unwrap();
    client.connect(address).unwrap();
    client
}

/// Fast enough for a test that waits for the next attempt.
fn retrying(secret: &str) -> Options {
    Options::new(secret).retry(Duration::from_millis(20)).call_timeout(Duration::from_secs(15))
}
