//! pseud on other drivers than tokio: the same full call, NULL, set up as by default.

use super::Contestant;
use super::ours::{self, NodeCaller};
use crate::child;
use crate::job::{Answer, Command, Job};
use crate::load::{self, Load, Meter};
use anyhow::{Context, Result, bail, ensure};
use pseud::blocking::Wait;
use pseud::{Node, Options, asyncstd, blocking};
use serde_bytes::{ByteBuf, Bytes};
use std::time::Duration;

pub(crate) const CONTESTANTS: [Contestant; 2] = [
    Contestant {
        name: "pseud-smol",
        about: "this library under smol",
        fits: |_| true,
        serve: serve_smol,
        drive: drive_smol,
        call_out: None,
    },
    Contestant {
        name: "pseud-blocking",
        about: "this library on plain threads, a thread a caller",
        fits: |shape| shape.in_flight * shape.links <= CALLERS_MAX,
        serve: serve_blocking,
        drive: drive_blocking,
        call_out: None,
    },
];

#[cfg(feature = "libzmq")]
pub(crate) const OVER_LIBZMQ: Contestant = Contestant {
    name: "pseud-zmq",
    about: "this library over libzmq, a thread a caller",
    fits: |shape| shape.in_flight * shape.links <= CALLERS_MAX,
    serve: serve_zmq,
    drive: drive_zmq,
    call_out: None,
};

/// Threads that call: with more of them the system's scheduler is what is measured.
const CALLERS_MAX: usize = 16;

/// How long a link may take to be there.
const READY: Duration = Duration::from_secs(10);

/// What does not differ by driver.
const SETTINGS: &str = "NULL; as pseud";

fn serve_smol(job: &Job) -> Result<()> {
    let server = asyncstd::Server::with_options(Options::server("service"))?;
    ours::register_echo(server.node(), job.handler_micros)?;
    let endpoint = smol::block_on(server.bind("tcp://127.0.0.1:0"))?;
    serve(&endpoint)
}

fn serve_blocking(job: &Job) -> Result<()> {
    let server = blocking::Server::with_options(Options::server("service"))?;
    ours::register_echo(server.node(), job.handler_micros)?;
    serve(&server.bind("tcp://127.0.0.1:0")?)
}

#[cfg(feature = "libzmq")]
fn serve_zmq(job: &Job) -> Result<()> {
    let server = blocking::zmq::Server::new("service")?;
    ours::register_echo(server.node(), job.handler_micros)?;
    serve(&server.bind("tcp://127.0.0.1:*")?)
}

/// Until the parent is gone, while the server of the caller lives.
fn serve(endpoint: &str) -> Result<()> {
    child::ready(endpoint.trim_start_matches("tcp://"), SETTINGS);
    let mut commands = child::commands();
    while commands.blocking_recv().is_some() {}
    Ok(())
}

fn endpoint(job: &Job) -> Result<String> {
    Ok(format!("tcp://{}", job.server.as_ref().context("a client needs a server")?))
}

/// One thread polls all callers.
fn drive_smol(job: &Job) -> Result<()> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let mut callers = Vec::new();
        for _ in 0..job.links {
            let client = asyncstd::Client::new("service")?;
            client.connect(&endpoint(job)?)?;
            let late = async {
                smol::Timer::after(READY).await;
                bail!("no link")
            };
            let ready = async {
                client.ready().await;
                Ok(())
            };
            smol::future::or(ready, late).await?;
            let caller = |_| NodeCaller::new(client.node(), job, client.clone());
            callers.extend((0..job.in_flight).map(caller));
        }
        child::ready("", SETTINGS);
        let mut commands = child::commands();
        while let Some(command) = commands.recv().await {
            let Command::Run { seconds } = command else {
                bail!("a client is not told {command:?}")
            };
            let (load, meter) = (Load::new(callers.len()), Meter::start()?);
            let run = |caller| executor.spawn(load::run(caller, load.clone()));
            let running: Vec<_> = callers.drain(..).map(run).collect();
            smol::Timer::after(Duration::from_secs_f64(seconds)).await;
            load.stop();
            let mut tallies = Vec::new();
            for task in running {
                let (caller, tally) = task.await?;
                callers.push(caller);
                tallies.push(tally);
            }
            child::say(&Answer::Ran(meter.stop(tallies)?));
        }
        Ok(())
    }))
}

fn drive_blocking(job: &Job) -> Result<()> {
    let mut clients = Vec::new();
    for _ in 0..job.links {
        let client = blocking::Client::new("service")?;
        client.connect(&endpoint(job)?)?;
        client.ready()?;
        clients.push(client);
    }
    drive_threads(job, &clients.iter().map(|client| client.node().clone()).collect::<Vec<_>>())
}

#[cfg(feature = "libzmq")]
fn drive_zmq(job: &Job) -> Result<()> {
    let mut clients = Vec::new();
    for _ in 0..job.links {
        let client = blocking::zmq::Client::new("service")?;
        client.connect(&endpoint(job)?)?;
        client.ready()?;
        clients.push(client);
    }
    drive_threads(job, &clients.iter().map(|client| client.node().clone()).collect::<Vec<_>>())
}

fn drive_threads(job: &Job, nodes: &[Node]) -> Result<()> {
    let each = nodes.iter().flat_map(|node| (0..job.in_flight).map(move |_| node.clone()));
    let callers = each.map(|node| (node, vec![7; job.size]));
    child::drive_threads(callers.collect(), SETTINGS, |(node, body)| {
        let result: ByteBuf = node.call("echo", (Bytes::new(body),)).wait()?;
        ensure!(result.len() == body.len(), "an echo is as long as what was sent");
        Ok(())
    })
}
