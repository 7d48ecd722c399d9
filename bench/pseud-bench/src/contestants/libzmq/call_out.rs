//! A server that calls its clients.

use super::{Mechanism, router, settings};
use crate::child;
use crate::contestants::member_name;
use crate::job::{Answer, Command, Job};
use crate::load::{Load, Meter, Tally};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use zmq::{Context, DONTWAIT, SNDMORE, Socket};

pub(super) fn call_out(job: &Job) -> Result<()> {
    let context = Context::new();
    let socket = router(&context, Mechanism::Null, true)?;
    socket.set_router_mandatory(true)?;
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = socket.get_last_endpoint()?.ok().context("an endpoint is text")?;
    child::ready(endpoint.trim_start_matches("tcp://"), settings(Mechanism::Null));
    let mut commands = child::commands();
    while let Some(command) = commands.blocking_recv() {
        let Command::Run { seconds } = command else { bail!("it is not told {command:?}") };
        let load = Load::new(job.in_flight);
        let meter = Meter::start()?;
        let tally = pump(&socket, job, &load, Instant::now() + Duration::from_secs_f64(seconds))?;
        child::say(&Answer::Ran(meter.stop([tally])?));
    }
    Ok(())
}

/// Calls one client after the other, so many at a time. Answers come in about that order.
fn pump(socket: &Socket, job: &Job, load: &Load, until: Instant) -> Result<Tally> {
    let mut tally = Tally::default();
    let body = vec![7; job.size];
    let names: Vec<_> = (0..job.links).map(member_name).collect();
    let mut names = names.iter().cycle();
    let mut sent = 0;
    let mut waiting = VecDeque::new();
    loop {
        while waiting.len() < job.in_flight && Instant::now() < until {
            let name = names.next().context("there are clients")?;
            waiting.push_back(load.is_timed(sent).then(Instant::now));
            socket.send(name.as_bytes(), SNDMORE)?;
            socket.send(&body, DONTWAIT)?;
            sent += 1;
        }
        let Some(since) = waiting.pop_front() else { return Ok(tally) };
        socket.recv_msg(0)?;
        ensure!(socket.recv_msg(0)?.len() == job.size, "an echo is as long as what was sent");
        tally.latencies.extend(since.map(|since| since.elapsed()));
        tally.calls += 1;
    }
}
