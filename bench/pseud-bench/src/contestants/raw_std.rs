//! The floor of blocking sockets: the bytes alone, a thread a connection.

use super::Contestant;
use crate::child;
use crate::job::{Answer, Command, Job};
use crate::load::{Load, Meter, Tally};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const CONTESTANT: Contestant = Contestant {
    name: "raw-std",
    about: "the bytes alone over blocking sockets of std, a thread a connection",
    fits: |shape| shape.in_flight == 1,
    serve,
    drive,
    call_out: None,
};

const SETTINGS: &str = "TCP_NODELAY; no framing, no time-outs";

fn serve(job: &Job) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    child::ready(listener.local_addr()?, SETTINGS);
    let _commands = child::commands();
    let (size, micros) = (job.size, job.handler_micros);
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || echo(stream, size, micros));
    }
}

/// Whole calls are sent back, as many as came.
fn echo(mut stream: TcpStream, size: usize, micros: u64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; super::raw_buffer(size, 1)];
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..])?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let whole = filled / size * size;
        for _ in 0..whole / size {
            child::spin(micros);
        }
        stream.write_all(&buffer[..whole])?;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn drive(job: &Job) -> Result<()> {
    let server = job.server.as_ref().context("a client needs a server")?;
    let mut streams = Vec::new();
    for _ in 0..job.links {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    child::ready("", SETTINGS);
    let mut commands = child::commands();
    while let Some(command) = commands.blocking_recv() {
        let Command::Run { seconds } = command else { bail!("a client is not told {command:?}") };
        let load = Load::new(job.links);
        let meter = Meter::start()?;
        let tallies: Result<Vec<_>> = thread::scope(|scope| {
            let load = &load;
            let call = |stream| scope.spawn(move || call_again(stream, job.size, load));
            let running: Vec<_> = streams.iter().map(call).collect();
            thread::sleep(Duration::from_secs_f64(seconds));
            load.stop();
            running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        child::say(&Answer::Ran(meter.stop(tallies?)?));
    }
    Ok(())
}

/// One call after the other.
fn call_again(mut stream: &TcpStream, size: usize, load: &Load) -> Result<Tally> {
    let mut tally = Tally::default();
    let (body, mut result) = (vec![7; size], vec![0; size]);
    while !load.is_stopped() {
        let started = Instant::now();
        stream.write_all(&body)?;
        stream.read_exact(&mut result)?;
        tally.latencies.push(started.elapsed());
        tally.calls += 1;
    }
    anyhow::ensure!(tally.calls == 0 || result == body, "an echo is what was sent");
    Ok(tally)
}
