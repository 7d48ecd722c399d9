//! The adapters over sockets.

use super::{Adapter, Peering, client, server};
use crate::end::Driver;
use pseud::{Drain, Node, Options};
use std::future::Future;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

/// tokio, on two workers.
pub(crate) struct Tokio;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
});

pub(crate) fn tokio() -> Driver {
    whole::<Tokio>("tokio")
}

/// `async-io`, awaited under smol; with the feature `async-std` its tasks are on that one's executor.
pub(crate) struct Smol;

pub(crate) fn smol() -> Driver {
    whole::<Smol>(if cfg!(feature = "async-std") { "async-std" } else { "smol" })
}

/// Plain threads.
pub(crate) struct Blocking;

pub(crate) fn blocking() -> Driver {
    whole::<Blocking>("blocking")
}

/// One that can do everything.
fn whole<A: Adapter>(name: &'static str) -> Driver {
    Driver {
        name,
        server: Box::new(server::<A>),
        client: Box::new(client::<A>),
        side_by_side: true,
        not_as_server: Vec::new(),
        not_as_client: Vec::new(),
    }
}

/// libzmq's sockets.
#[cfg(feature = "zmq")]
pub(crate) struct Zmq;

#[cfg(feature = "zmq")]
pub(crate) fn zmq() -> Driver {
    // Asked when it runs: it is the linked libzmq's.
    let without = if pseud_blocking::zmq::has_curve() { &[] } else { NO_CURVE_IN_LIBZMQ };
    Driver {
        not_as_server: without.to_vec(),
        not_as_client: without.to_vec(),
        ..whole::<Zmq>("zmq")
    }
}

#[cfg(feature = "zmq")]
const NO_CURVE_IN_LIBZMQ: &[(&str, &str)] = &[
    ("CURVE", "the linked libzmq is built without"),
    ("an unknown key", "the linked libzmq is built without CURVE"),
];

impl Adapter for Tokio {
    type Server = pseud::Server;
    type Client = pseud::Client;

    fn server(options: Options) -> Self::Server {
        let _entered = RUNTIME.enter();
        pseud::Server::with_options(options).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        let _entered = RUNTIME.enter();
        pseud::Client::with_options(options).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        RUNTIME.block_on(future)
    }

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Adapter for Smol {
    type Server = pseud_asyncstd::Server;
    type Client = pseud_asyncstd::Client;

    fn server(options: Options) -> Self::Server {
        pseud_asyncstd::Server::with_options(options).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        pseud_asyncstd::Client::with_options(options).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }

    async fn sleep(duration: Duration) {
        smol::Timer::after(duration).await;
    }
}

impl Adapter for Blocking {
    type Server = pseud_blocking::Server;
    type Client = pseud_blocking::Client;

    fn server(options: Options) -> Self::Server {
        pseud_blocking::Server::with_options(options).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        pseud_blocking::Client::with_options(options).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        pseud_blocking::block_on(future).unwrap()
    }

    async fn sleep(duration: Duration) {
        smol::Timer::after(duration).await;
    }
}

#[cfg(feature = "zmq")]
impl Adapter for Zmq {
    type Server = pseud_blocking::zmq::Server;
    type Client = pseud_blocking::zmq::Client;

    fn server(options: Options) -> Self::Server {
        let context = pseud_blocking::zmq::Context::new();
        pseud_blocking::zmq::Server::with_options(options, context).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        let context = pseud_blocking::zmq::Context::new();
        pseud_blocking::zmq::Client::with_options(options, context).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        pseud_blocking::block_on(future).unwrap()
    }

    async fn sleep(duration: Duration) {
        smol::Timer::after(duration).await;
    }
}

super::asynchronous!(Tokio, pseud::Server, pseud::Client);
super::asynchronous!(Smol, pseud_asyncstd::Server, pseud_asyncstd::Client);
super::blocking!(pseud_blocking::Server, pseud_blocking::Client);
#[cfg(feature = "zmq")]
super::blocking!(pseud_blocking::zmq::Server, pseud_blocking::zmq::Client);
