//! The floor of tokio: the bytes alone, a task a connection. With many calls in flight all that came
//! back is sent anew in one write: no framing and no calls can be as fast.

use super::Contestant;
use crate::child;
use crate::job::{Job, Ran};
use crate::load::{self, Call, Load, Meter, Tally};
use anyhow::{Context, Result, bail, ensure};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const CONTESTANT: Contestant = Contestant {
    name: "raw-tokio",
    about: "the bytes alone over tokio's sockets, a task a connection: the floor of all ratios",
    fits: |_| true,
    serve,
    drive,
    call_out: Some(call_out),
};

const SETTINGS: &str = "TCP_NODELAY; no framing, no time-outs";

fn serve(job: &Job) -> Result<()> {
    child::serve(job, async || {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = listener.local_addr()?.to_string();
        let accepting = tokio::spawn(accept(listener, job.clone()));
        Ok((endpoint, SETTINGS.into(), accepting))
    })
}

async fn accept(listener: TcpListener, job: Job) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(echo(stream, job.size, job.in_flight, job.handler_micros));
    }
}

/// Whole calls are sent back, as many as came.
async fn echo(mut stream: TcpStream, size: usize, in_flight: usize, micros: u64) -> Result<()> {
    let mut buffer = vec![0; super::raw_buffer(size, in_flight)];
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let whole = filled / size * size;
        for _ in 0..whole / size {
            child::spin(micros);
        }
        stream.write_all(&buffer[..whole]).await?;
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn drive(job: &Job) -> Result<()> {
    job.runtime.build()?.block_on(async {
        let server = job.server.as_ref().context("a client needs a server")?;
        let mut links = Vec::new();
        for _ in 0..job.links {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            links.push(Link::new(stream, job));
        }
        child::ready("", SETTINGS);
        child::run_commands(async |seconds| measure(&mut links, seconds, job).await).await
    })
}

async fn measure(links: &mut Vec<Link>, seconds: f64, job: &Job) -> Result<Ran> {
    let load = Load::new(job.in_flight * job.links);
    let meter = Meter::start()?;
    let running: Vec<_> =
        links.drain(..).map(|link| tokio::spawn(link.run(load.clone()))).collect();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    load.stop();
    let mut tallies = Vec::new();
    for task in running {
        let (link, tally) = task.await??;
        links.push(link);
        tallies.push(tally);
    }
    meter.stop(tallies)
}

/// One connection with a window of calls.
struct Link {
    stream: TcpStream,
    size: usize,
    in_flight: usize,
    /// As much as one write may take.
    body: Vec<u8>,
    buffer: Vec<u8>,
}

impl Link {
    fn new(stream: TcpStream, job: &Job) -> Self {
        let buffer = super::raw_buffer(job.size, job.in_flight);
        let (body, buffer) = (vec![7; buffer], vec![0; buffer]);
        Self { stream, size: job.size, in_flight: job.in_flight, body, buffer }
    }

    /// Keeps the window full until the load stops, then empties it.
    async fn run(mut self, load: Arc<Load>) -> Result<(Self, Tally)> {
        let mut tally = Tally::default();
        let (mut sent, mut came) = (0, 0);
        let mut due = self.in_flight * self.size;
        // When which byte was to leave: one call of a window is timed.
        let mut timed = Some((due, Instant::now()));
        loop {
            let count = self.exchange(&mut due, &mut sent).await?;
            if count == 0 {
                bail!("the server is gone");
            }
            let before = came / self.size;
            came += count;
            let calls = came / self.size - before;
            tally.calls += calls as u64;
            if let Some((_, since)) = timed.take_if(|(at, _)| *at <= came) {
                tally.latencies.push(since.elapsed());
            }
            if !load.is_stopped() {
                due += calls * self.size;
                if timed.is_none() && calls > 0 {
                    timed = Some((sent + due, Instant::now()));
                }
            } else if came == sent + due {
                ensure!(self.buffer[0] == 7, "an echo is what was sent");
                return Ok((self, tally));
            }
        }
    }

    /// Writes what is due as far as it goes, and waits for bytes that come.
    async fn exchange(&mut self, due: &mut usize, sent: &mut usize) -> Result<usize> {
        let Self { stream, body, buffer, .. } = self;
        let count = poll_fn(|cx| {
            while *due > 0 {
                let part = &body[..body.len().min(*due)];
                match Pin::new(&mut *stream).poll_write(cx, part) {
                    Poll::Ready(count) => {
                        let count = count?;
                        *due -= count;
                        *sent += count;
                    }
                    Poll::Pending => break,
                }
            }
            let mut into = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut into))?;
            Poll::Ready(std::io::Result::Ok(into.filled().len()))
        });
        Ok(count.await?)
    }
}

/// Calls one client after the other, so many at a time: a client is a connection.
fn call_out(job: &Job) -> Result<()> {
    job.runtime.build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        child::ready(listener.local_addr()?, SETTINGS);
        let clients = Clients::default();
        let (accepting, size) = (clients.clone(), job.size);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(welcome(stream, size, accepting.clone()));
            }
        });
        let caller = Caller { clients, body: vec![7; job.size], result: vec![0; job.size] };
        let mut callers: Vec<_> = (0..job.in_flight).map(|_| caller.clone()).collect();
        let spawn = |caller, load| tokio::spawn(load::run(caller, load));
        child::run_commands(async |seconds| load::measure(&mut callers, seconds, spawn).await).await
    })
}

type Clients = Arc<Mutex<VecDeque<TcpStream>>>;

/// A client's first call is its handshake.
async fn welcome(mut stream: TcpStream, size: usize, clients: Clients) -> Result<()> {
    let mut body = vec![0; size];
    stream.set_nodelay(true)?;
    stream.read_exact(&mut body).await?;
    stream.write_all(&body).await?;
    clients.lock().expect("nobody panics").push_back(stream);
    Ok(())
}

#[derive(Clone)]
struct Caller {
    /// Those that are not being called; the next one first.
    clients: Clients,
    body: Vec<u8>,
    result: Vec<u8>,
}

impl Call for Caller {
    async fn call(&mut self) -> Result<()> {
        let next = self.clients.lock().expect("nobody panics").pop_front();
        let mut stream = next.context("fewer clients than calls at a time")?;
        stream.write_all(&self.body).await?;
        stream.read_exact(&mut self.result).await?;
        self.clients.lock().expect("nobody panics").push_back(stream);
        Ok(())
    }
}
