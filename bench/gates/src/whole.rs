//! Whole calls over loopback, both ends on one thread, as an application makes them: names, time-outs,
//! heartbeats, events and bounds on, as by default.

use crate::steady::Steady;
use pseud::tokio::Options;
use pseud::{Authenticator, Fault, KeyPair};
use pseud_async::adapter::Runtime as Adapter;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

type Client = pseud_async::Client<Steady>;
type Server = pseud_async::Server<Steady>;

const TEXT: &str = "0123456789abcdef";

/// A server that gives back what it gets, and its client, on one thread.
pub(crate) struct Pair {
    runtime: Runtime,
    client: Client,
    _server: Option<Server>,
}

impl Pair {
    pub(crate) fn null() -> Self {
        Self::new(Options::server("server"), Options::client("server"))
    }

    fn curve() -> Self {
        let [client, server] = curve();
        Self::new(server, client)
    }

    fn new(server: Options, client: Options) -> Self {
        Self::on(runtime(), server, client)
    }

    fn on(runtime: Runtime, server: Options, client: Options) -> Self {
        let (server, endpoint) = runtime.block_on(async {
            let server = echo(server);
            let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("a free port");
            (server, endpoint)
        });
        let client = connected(&runtime, client, &endpoint);
        Self { runtime, client, _server: Some(server) }
    }

    /// The client alone: its server is elsewhere.
    pub(crate) fn with_server_at(client: Options, endpoint: &str) -> Self {
        let runtime = runtime();
        let client = connected(&runtime, client, endpoint);
        Self { runtime, client, _server: None }
    }

    /// One call after the other.
    pub(crate) fn calls<T>(&self, body: T, times: usize)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Send + PartialEq + 'static,
    {
        self.runtime.block_on(async {
            for _ in 0..times {
                let answer: T = self.client.call("echo", (&body,)).await.expect("an answer");
                assert!(answer == body);
            }
        });
    }

    /// By 256 callers, each one after the other.
    fn in_flight(&self, times: usize) {
        self.runtime.block_on(async {
            let client = Arc::new(self.client.clone());
            let callers: Vec<_> =
                (0..256).map(|_| tokio::spawn(caller(client.clone(), times / 256))).collect();
            for caller in callers {
                caller.await.expect("every call is answered");
            }
        });
    }
}

/// A client's and a server's, with the same keys in every process.
pub(crate) fn curve() -> [Options; 2] {
    let [ours, theirs] = [1, 2].map(|byte| KeyPair::generate([byte; 32]));
    let who = Authenticator::keys([(*ours.public(), "client")]);
    let client = Options::client("server").curve_client(ours, [*theirs.public()]);
    [client, Options::server("server").curve_server([theirs], who)]
}

fn connected(runtime: &Runtime, options: Options, endpoint: &str) -> Client {
    runtime.block_on(async {
        let client = Client::with_options(options).expect("a client");
        client.connect(endpoint).expect("the server is there");
        client.ready().await;
        client
    })
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) fn echo<R: Adapter>(options: Options) -> pseud_async::Server<R> {
    let server = pseud_async::Server::with_options(options).expect("a server");
    let registered = server.register("echo", |request| async move {
        let (value,): (pseud::Value,) = request.args()?;
        Ok::<_, Fault>(value)
    });
    registered.expect("a good name");
    server
}

async fn caller(client: Arc<Client>, times: usize) {
    for _ in 0..times {
        let answer: String = client.call("echo", (TEXT,)).await.expect("an answer");
        assert_eq!(answer, TEXT);
    }
}

pub(crate) fn null_1(times: usize) {
    Pair::null().calls(TEXT.to_owned(), times);
}

pub(crate) fn null_256(times: usize) {
    Pair::null().in_flight(times);
}

/// On tokio's other scheduler, whose worker polls the task that was woken last before all others.
pub(crate) fn worker_256(times: usize) {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    Pair::on(runtime, Options::server("server"), Options::client("server")).in_flight(times);
}

pub(crate) fn curve_1(times: usize) {
    Pair::curve().calls(TEXT.to_owned(), times);
}

pub(crate) fn curve_256(times: usize) {
    Pair::curve().in_flight(times);
}
