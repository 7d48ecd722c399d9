//! pseud by each mechanism, set up as by default: a full call, with names, a time-out, heartbeats,
//! bounds and outcomes.

use super::{Contestant, member_name};
use crate::child;
use crate::job::Job;
use crate::load::{self, Call};
use anyhow::{Context, Result, ensure};
use pseud::{Authenticator, Client, Fault, KeyPair, Node, Options, Peer, Secret, Server};
use serde_bytes::{ByteBuf, Bytes};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

pub(crate) const CONTESTANTS: [Contestant; 3] = [
    Contestant {
        name: "pseud",
        about: "this library, a full call, NULL",
        fits: |_| true,
        serve: |job| serve(job, Mechanism::Null),
        drive: |job| drive(job, Mechanism::Null),
        call_out: Some(|job| call_out(job, Mechanism::Null)),
    },
    Contestant {
        name: "pseud-plain",
        about: "the same with PLAIN: a name and a password",
        fits: |_| true,
        serve: |job| serve(job, Mechanism::Plain),
        drive: |job| drive(job, Mechanism::Plain),
        call_out: Some(|job| call_out(job, Mechanism::Plain)),
    },
    Contestant {
        name: "pseud-curve",
        about: "the same with CURVE: known keys, encrypted",
        fits: |_| true,
        serve: |job| serve(job, Mechanism::Curve),
        drive: |job| drive(job, Mechanism::Curve),
        call_out: Some(|job| call_out(job, Mechanism::Curve)),
    },
];

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mechanism {
    Null,
    Plain,
    Curve,
}

/// The pair of the server, and that of all clients.
pub(crate) fn key_pairs() -> [KeyPair; 2] {
    [KeyPair::generate([1; 32]), KeyPair::generate([2; 32])]
}

const PASSWORD: &str = "password";

pub(crate) fn server_options(mechanism: Mechanism) -> Options {
    let options = Options::server("service");
    match mechanism {
        Mechanism::Null => options,
        Mechanism::Plain => {
            options.plain_server(Authenticator::passwords([("bench", Secret::new(PASSWORD))]))
        }
        Mechanism::Curve => {
            let [server, client] = key_pairs();
            let known = Authenticator::keys([(*client.public(), "bench")]);
            options.curve_server([server], known)
        }
    }
}

/// By the name of the contestant.
pub(crate) fn mechanism_of(contestant: &str) -> Mechanism {
    match contestant {
        name if name.ends_with("-plain") => Mechanism::Plain,
        name if name.ends_with("-curve") => Mechanism::Curve,
        _ => Mechanism::Null,
    }
}

pub(crate) fn client_options(mechanism: Mechanism) -> Options {
    let options = Options::client("service");
    match mechanism {
        Mechanism::Null => options,
        Mechanism::Plain => options.plain_client("bench", Secret::new(PASSWORD)),
        Mechanism::Curve => {
            let [server, client] = key_pairs();
            options.curve_client(client, [*server.public()])
        }
    }
}

fn settings(options: &Options, mechanism: Mechanism) -> String {
    format!(
        "{}; call time-out {:?}, heartbeat {:?}, {} open requests a peer",
        match mechanism {
            Mechanism::Null => "NULL",
            Mechanism::Plain => "PLAIN, passwords checked",
            Mechanism::Curve => "CURVE, keys checked",
        },
        options.config.call_timeout,
        options.connection.heartbeat.interval.unwrap_or_default(),
        options.config.limits.requests_open_per_peer_max,
    )
}

/// For clients that are not ours.
#[cfg(feature = "python")]
pub(super) fn serve_null(job: &Job) -> Result<()> {
    serve(job, Mechanism::Null)
}

/// What all servers of this library serve.
pub(super) fn register_echo(node: &Node, micros: u64) -> Result<()> {
    node.registry().register("echo", move |request| async move {
        let (body,): (ByteBuf,) = request.args()?;
        child::spin(micros);
        Ok::<_, Fault>(body)
    })?;
    Ok(())
}

fn serve(job: &Job, mechanism: Mechanism) -> Result<()> {
    child::serve(job, async || {
        let options = server_options(mechanism);
        let settings = settings(&options, mechanism);
        let server = Server::with_options(options)?;
        register_echo(server.node(), job.handler_micros)?;
        let endpoint = server.bind("tcp://127.0.0.1:0").await?;
        Ok((endpoint.trim_start_matches("tcp://").to_owned(), settings, server))
    })
}

/// Calls one client after the other, so many at a time, each by its identity.
fn call_out(job: &Job, mechanism: Mechanism) -> Result<()> {
    job.runtime.build()?.block_on(async {
        let options = server_options(mechanism);
        let settings = settings(&options, mechanism);
        let server = Server::with_options(options)?;
        let endpoint = server.bind("tcp://127.0.0.1:0").await?;
        child::ready(endpoint.trim_start_matches("tcp://"), settings);
        let next = Arc::new(AtomicUsize::new(0));
        let peers: Arc<[Peer]> = (0..job.links).map(|at| server.peer(member_name(at))).collect();
        let caller = OutCaller { peers, next, body: vec![7; job.size] };
        let mut callers: Vec<_> = (0..job.in_flight).map(|_| caller.clone()).collect();
        let spawn = |caller, load| tokio::spawn(load::run(caller, load));
        child::run_commands(async |seconds| load::measure(&mut callers, seconds, spawn).await).await
    })
}

#[derive(Clone)]
struct OutCaller {
    peers: Arc<[Peer]>,
    next: Arc<AtomicUsize>,
    body: Vec<u8>,
}

impl Call for OutCaller {
    async fn call(&mut self) -> Result<()> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.peers.len();
        let result: ByteBuf = self.peers[at].call("echo", (Bytes::new(&self.body),)).await?;
        ensure!(result.len() == self.body.len(), "an echo is as long as what was sent");
        Ok(())
    }
}

fn drive(job: &Job, mechanism: Mechanism) -> Result<()> {
    child::drive(
        job,
        async || {
            let server = job.server.as_ref().context("a client needs a server")?;
            let options = client_options(mechanism);
            let settings = settings(&options, mechanism);
            let mut callers = Vec::new();
            for _ in 0..job.links {
                let client = Client::with_options(options.clone())?;
                client.connect(&format!("tcp://{server}"))?;
                timeout(Duration::from_secs(10), client.ready()).await.context("no link")?;
                let caller = |_| NodeCaller::new(client.node(), job, client.clone());
                callers.extend((0..job.in_flight).map(caller));
            }
            Ok((callers, settings))
        },
        |caller, load| tokio::spawn(load::run(caller, load)),
    )
}

/// Calls through a node, whatever that runs on, and keeps its client.
pub(super) struct NodeCaller<C> {
    node: Node,
    body: Vec<u8>,
    _client: C,
}

impl<C> NodeCaller<C> {
    pub(super) fn new(node: &Node, job: &Job, client: C) -> Self {
        Self { node: node.clone(), body: vec![7; job.size], _client: client }
    }
}

impl<C> Call for NodeCaller<C> {
    async fn call(&mut self) -> Result<()> {
        let result: ByteBuf = self.node.call("echo", (Bytes::new(&self.body),)).await?;
        ensure!(result.len() == self.body.len(), "an echo is as long as what was sent");
        Ok(())
    }
}
