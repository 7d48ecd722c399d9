//! The callers: a thread and a socket a link.

use super::{Mechanism, SERVER, router, settings};
use crate::child;
use crate::job::{Answer, Command, Job};
use crate::load::{Load, Meter, Tally};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};
use zmq::{Context, SNDMORE, Socket};

pub(super) fn drive(job: &Job, mechanism: Mechanism, head: &[&[u8]]) -> Result<()> {
    let server = job.server.as_ref().context("a client needs a server")?;
    let context = Context::new();
    let mut sockets = Vec::new();
    for _ in 0..job.links {
        let socket = router(&context, mechanism, false)?;
        socket.connect(&format!("tcp://{server}"))?;
        first_call(&socket, head, job.size)?;
        sockets.push(socket);
    }
    child::ready("", settings(mechanism));
    let mut commands = child::commands();
    while let Some(command) = commands.blocking_recv() {
        let Command::Run { seconds } = command else { bail!("a client is not told {command:?}") };
        let load = Load::new(job.in_flight * job.links);
        let meter = Meter::start()?;
        let tallies: Result<Vec<_>> = thread::scope(|scope| {
            let load = &load;
            // A socket belongs to one thread at a time: it goes there and comes back.
            let pump = |socket| {
                scope.spawn(move || {
                    let tally = pump(&socket, head, job, load);
                    (socket, tally)
                })
            };
            let running: Vec<_> = sockets.drain(..).map(pump).collect();
            thread::sleep(Duration::from_secs_f64(seconds));
            load.stop();
            let mut tallies = Vec::new();
            for thread in running {
                let (socket, tally) = thread.join().expect("it does not panic");
                sockets.push(socket);
                tallies.push(tally?);
            }
            Ok(tallies)
        });
        child::say(&Answer::Ran(meter.stop(tallies?)?));
    }
    Ok(())
}

/// A ROUTER cannot send before the handshake told it who is there.
fn first_call(socket: &Socket, head: &[&[u8]], size: usize) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(10);
    let body = vec![7; size];
    loop {
        match socket.send(SERVER, SNDMORE) {
            Ok(()) => break,
            Err(zmq::Error::EHOSTUNREACH) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error).context("no link"),
        }
    }
    send(socket, head, &body)?;
    answer(socket, size)
}

/// What follows the server's name.
fn send(socket: &Socket, head: &[&[u8]], body: &[u8]) -> Result<()> {
    for frame in head {
        socket.send(*frame, SNDMORE)?;
    }
    Ok(socket.send(body, 0)?)
}

fn answer(socket: &Socket, size: usize) -> Result<()> {
    let mut frame = socket.recv_msg(0)?;
    while frame.get_more() {
        socket.recv(&mut frame, 0)?;
    }
    ensure!(frame.len() == size, "an echo is as long as what was sent");
    Ok(())
}

/// Keeps the window full until the load stops, then empties it. Answers come in order.
fn pump(socket: &Socket, head: &[&[u8]], job: &Job, load: &Load) -> Result<Tally> {
    let mut tally = Tally::default();
    let body = vec![7; job.size];
    let mut sent = 0;
    let mut waiting = VecDeque::new();
    loop {
        while !load.is_stopped() && waiting.len() < job.in_flight {
            waiting.push_back(load.is_timed(sent).then(Instant::now));
            socket.send(SERVER, SNDMORE)?;
            send(socket, head, &body)?;
            sent += 1;
        }
        let Some(since) = waiting.pop_front() else { return Ok(tally) };
        answer(socket, job.size)?;
        tally.latencies.extend(since.map(|since| since.elapsed()));
        tally.calls += 1;
    }
}
