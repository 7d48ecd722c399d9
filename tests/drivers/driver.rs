//! The drivers, by what the suite asks of one.

use pseud_blocking::{Drain, Node, Options};
use std::future::Future;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

/// A way to have servers and clients. Their nodes are alike; how they are made, bound and waited for is
/// the driver's.
pub(crate) trait Driver {
    /// A server.
    type Server: End;
    /// A client.
    type Client: End;
    /// How it is called in the README's table.
    const NAME: &'static str;

    fn server(options: Options) -> Self::Server;
    fn client(options: Options) -> Self::Client;
    /// Waits as this driver's users do.
    fn wait<F: Future>(future: F) -> F::Output;
}

/// One end of a link.
pub(crate) trait End {
    fn inner(&self) -> &Node;
    fn listen_at(&self, endpoint: &str) -> io::Result<String>;
    fn connect_to(&self, endpoint: &str) -> io::Result<()>;
    fn end_within(&self, at_most: Duration) -> Drain;
}

/// tokio, on two workers.
pub(crate) struct Tokio;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
});

impl Driver for Tokio {
    type Server = pseud::Server;
    type Client = pseud::Client;
    const NAME: &'static str = "tokio";

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
}

/// `async-io`, awaited under smol.
pub(crate) struct Smol;

impl Driver for Smol {
    type Server = pseud_asyncstd::Server;
    type Client = pseud_asyncstd::Client;
    const NAME: &'static str = "smol";

    fn server(options: Options) -> Self::Server {
        pseud_asyncstd::Server::with_options(options).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        pseud_asyncstd::Client::with_options(options).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }
}

/// Plain threads.
pub(crate) struct Blocking;

impl Driver for Blocking {
    type Server = pseud_blocking::Server;
    type Client = pseud_blocking::Client;
    const NAME: &'static str = "blocking";

    fn server(options: Options) -> Self::Server {
        pseud_blocking::Server::with_options(options).unwrap()
    }

    fn client(options: Options) -> Self::Client {
        pseud_blocking::Client::with_options(options).unwrap()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        pseud_blocking::block_on(future).unwrap()
    }
}

/// libzmq's sockets.
#[cfg(feature = "zmq")]
pub(crate) struct Zmq;

#[cfg(feature = "zmq")]
impl Driver for Zmq {
    type Server = pseud_blocking::zmq::Server;
    type Client = pseud_blocking::zmq::Client;
    const NAME: &'static str = "zmq";

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
}

/// An end whose binding and draining are futures.
macro_rules! asynchronous {
    ($driver:ident, $($end:ty),*) => {$(
        impl End for $end {
            fn inner(&self) -> &Node {
                self.node()
            }

            fn listen_at(&self, endpoint: &str) -> io::Result<String> {
                $driver::wait(self.bind(endpoint))
            }

            fn connect_to(&self, endpoint: &str) -> io::Result<()> {
                self.connect(endpoint)
            }

            fn end_within(&self, at_most: Duration) -> Drain {
                $driver::wait(self.drain(at_most))
            }
        }
    )*};
}

/// An end whose binding and draining block.
macro_rules! blocking {
    ($($end:ty),*) => {$(
        impl End for $end {
            fn inner(&self) -> &Node {
                self.node()
            }

            fn listen_at(&self, endpoint: &str) -> io::Result<String> {
                self.bind(endpoint)
            }

            fn connect_to(&self, endpoint: &str) -> io::Result<()> {
                self.connect(endpoint)
            }

            fn end_within(&self, at_most: Duration) -> Drain {
                self.drain(at_most).unwrap()
            }
        }
    )*};
}

asynchronous!(Tokio, pseud::Server, pseud::Client);
asynchronous!(Smol, pseud_asyncstd::Server, pseud_asyncstd::Client);
blocking!(pseud_blocking::Server, pseud_blocking::Client);
#[cfg(feature = "zmq")]
blocking!(pseud_blocking::zmq::Server, pseud_blocking::zmq::Client);
