//! zeromq.rs: DEALER to ROUTER, pseud's five frames echoed. No RPC.

use super::{Contestant, pseud_frames};
use crate::child;
use crate::job::{Job, Ran};
use crate::load::{Load, Meter, Tally};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeromq::{DealerSocket, RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage};

pub(crate) const CONTESTANT: Contestant = Contestant {
    name: "zeromq",
    about: "zeromq.rs, DEALER to ROUTER: pseud's five frames echoed, no RPC",
    fits: |_| true,
    serve,
    drive,
    call_out: None,
};

const SETTINGS: &str = "NULL; no time-outs, no heartbeats, no bounds";

fn serve(job: &Job) -> Result<()> {
    child::serve(job, async || {
        let mut socket = RouterSocket::new();
        let endpoint = socket.bind("tcp://127.0.0.1:0").await?.to_string();
        let echoing = tokio::spawn(echo(socket, job.handler_micros));
        Ok((endpoint.trim_start_matches("tcp://").to_owned(), SETTINGS.into(), echoing))
    })
}

async fn echo(mut socket: RouterSocket, micros: u64) -> Result<()> {
    loop {
        let message = socket.recv().await?;
        child::spin(micros);
        // Who has gone meanwhile cannot be answered.
        let _ = socket.send(message).await;
    }
}

fn drive(job: &Job) -> Result<()> {
    job.runtime.build()?.block_on(async {
        let server = job.server.as_ref().context("a client needs a server")?;
        let mut sockets = Vec::new();
        for _ in 0..job.links {
            let mut socket = DealerSocket::new();
            socket.connect(&format!("tcp://{server}")).await?;
            sockets.push(socket);
        }
        child::ready("", SETTINGS);
        child::run_commands(async |seconds| measure(&mut sockets, seconds, job).await).await
    })
}

async fn measure(sockets: &mut Vec<DealerSocket>, seconds: f64, job: &Job) -> Result<Ran> {
    let load = Load::new(job.in_flight * job.links);
    let meter = Meter::start()?;
    let pump = |socket| tokio::spawn(pump(socket, job.size, job.in_flight, load.clone()));
    let running: Vec<_> = sockets.drain(..).map(pump).collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    load.stop();
    let mut tallies = Vec::new();
    for task in running {
        let (socket, tally) = task.await??;
        sockets.push(socket);
        tallies.push(tally);
    }
    meter.stop(tallies)
}

/// Keeps the window full until the load stops, then empties it. Answers come in order.
async fn pump(
    mut socket: DealerSocket,
    size: usize,
    in_flight: usize,
    load: Arc<Load>,
) -> Result<(DealerSocket, Tally)> {
    let mut tally = Tally::default();
    let body = Bytes::from(vec![7; size]);
    let mut sent = 0;
    let mut waiting = VecDeque::new();
    loop {
        while !load.is_stopped() && waiting.len() < in_flight {
            waiting.push_back(load.is_timed(sent).then(Instant::now));
            socket.send(message(&body)?).await?;
            sent += 1;
        }
        let Some(since) = waiting.pop_front() else { return Ok((socket, tally)) };
        let answer = socket.recv().await?;
        let last = answer.get(pseud_frames::COUNT - 1);
        ensure!(
            last.is_some_and(|frame| frame.len() == size),
            "an echo is as long as what was sent"
        );
        tally.latencies.extend(since.map(|since| since.elapsed()));
        tally.calls += 1;
    }
}

fn message(body: &Bytes) -> Result<ZmqMessage> {
    let mut frames: Vec<_> = pseud_frames::HEAD.iter().copied().map(Bytes::from_static).collect();
    frames.push(body.clone());
    ZmqMessage::try_from(frames).map_err(|_| anyhow::anyhow!("there are frames"))
}
