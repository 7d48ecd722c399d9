//! The floor of blocking sockets: the bytes alone, a thread a connection.

use super::Contestant;
use crate::child;
use crate::job::Job;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

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
    let mut callers = Vec::new();
    for _ in 0..job.links {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        callers.push((stream, vec![7; job.size], vec![0; job.size]));
    }
    child::drive_threads(callers, SETTINGS, |(stream, body, result)| {
        stream.write_all(body)?;
        stream.read_exact(result)?;
        ensure!(result == body, "an echo is what was sent");
        Ok(())
    })
}
