//! A server of thousands of peers, which another process plays: what an idle peer holds, how fast they come
//! and go, how long a page of them holds the node's lock, and what others notice of it.
//!
//!     cargo run --release -p presence
//!     cargo run --release -p presence -- --peers 1000 --rounds 1

mod crowd;
mod figures;

use anyhow::{Context, Result, ensure};
use cap::Cap;
use clap::Parser;
use figures::Figures;
use pseud::{Authenticator, Client, Fault, KeyPair, Options, Presence, PresenceEvent, Server};
use std::alloc::System;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// How often all are listed.
const LISTS: usize = 20;
/// Calls of somebody else, without and with lists beside them.
const CALLS: usize = 5_000;
/// What is idle is let alone for so long, before its memory is looked at.
const IDLE: Duration = Duration::from_secs(2);

#[derive(Debug, Parser)]
struct Arguments {
    /// How many peers connect. Both processes need as many open descriptors (`ulimit -Hn`).
    #[arg(long, default_value_t = 10_000)]
    peers: usize,
    /// How often; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Peers come under CURVE.
    #[arg(long)]
    curve: bool,
    /// Play the peers of the server there, until stdin ends.
    #[arg(long, hide = true)]
    crowd_at: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match &arguments.crowd_at {
        Some(server) => runtime.block_on(crowd::play(server, arguments.peers, arguments.curve)),
        None => runtime.block_on(measure(&arguments)),
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let mut rounds = Vec::new();
    for number in 0..arguments.rounds {
        rounds.push(
            round(arguments.peers, arguments.curve)
                .await
                .with_context(|| format!("round {number}"))?,
        );
    }
    let mechanism = if arguments.curve { "CURVE" } else { "NULL" };
    print!("{}", Figures::table(arguments.peers, mechanism, &rounds));
    Ok(())
}

async fn round(peers: usize, curve: bool) -> Result<Figures> {
    let (mut serves, mut calls) = (Options::server("service"), Options::client("service"));
    if curve {
        let pair = crowd::server_pair();
        calls = calls.curve_client(KeyPair::generate([1; 32]), [*pair.public()]);
        serves = serves.curve_server([pair], Authenticator::any_key());
    }
    let server = Server::with_options(serves)?;
    server.register_sync("hello", |_| Ok::<_, Fault>(7))?;
    let endpoint = server.bind("tcp://127.0.0.1:0").await?.to_string();
    let caller = Client::with_options(calls)?;
    caller.connect(&endpoint)?;
    caller.ready().await;
    let mut presence = server.presence();
    come_or_go(&mut presence, 1, true).await?;
    let (before, rss_before) = (ALLOCATOR.allocated(), rss()?);
    let mut crowd = crowd_at(&endpoint, peers, curve)?;
    let joining = come_or_go(&mut presence, peers, true).await?;
    tokio::time::sleep(IDLE).await;
    let idle_bytes = ALLOCATOR.allocated().saturating_sub(before) / peers;
    let idle_rss = rss()?.saturating_sub(rss_before) / peers;
    ensure!(server.peers().count() == peers + 1, "some have left");
    let quiet = p99_of_calls(&caller).await?;
    let (pages, busy, lists) = list(&server);
    let listing = {
        let server = server.clone();
        tokio::task::spawn_blocking(move || {
            let (began, mut lists) = (Instant::now(), 0);
            while began.elapsed() < Duration::from_millis(500) {
                lists += server.peers().count();
            }
            lists
        })
    };
    let beside = p99_of_calls(&caller).await?;
    listing.await?;
    // Its peers leave when their process hears that nobody listens.
    drop(crowd.stdin.take());
    let leaving = come_or_go(&mut presence, peers, false).await?;
    crowd.wait().await?;
    server.shutdown();
    Ok(Figures { idle_bytes, idle_rss, joining, leaving, pages, busy, lists, quiet, beside })
}

fn crowd_at(endpoint: &str, peers: usize, curve: bool) -> Result<Child> {
    let program = std::env::current_exe()?;
    let mut command = Command::new(program);
    command.args(["--crowd-at", endpoint, "--peers", &peers.to_string()]);
    command.args(curve.then_some("--curve"));
    Ok(command.stdin(Stdio::piped()).kill_on_drop(true).spawn()?)
}

/// Waits until so many have come, or gone: the time from the first to the last.
async fn come_or_go(presence: &mut Presence, count: usize, come: bool) -> Result<Duration> {
    let (mut first, mut seen) = (None, 0);
    while seen < count {
        let event = tokio::time::timeout(Duration::from_secs(120), presence.next()).await;
        match event.context("a crowd stalls")? {
            Some(PresenceEvent::Joined { .. }) if come => seen += 1,
            Some(PresenceEvent::Left { .. }) if !come => seen += 1,
            Some(PresenceEvent::Lagged(_)) => {}
            other => anyhow::bail!("{other:?}"),
        }
        first.get_or_insert_with(Instant::now);
    }
    Ok(first.unwrap_or_else(Instant::now).elapsed())
}

/// What this process holds in memory.
fn rss() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim_end_matches("kB").trim().parse::<usize>()? * 1_024)
}

/// How long this thread has run: what others of the machine took from it does not count.
fn busy_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// All peers, some times: the times of each page, by the clock and of the processor, and of each list.
fn list(server: &Server) -> (Vec<Duration>, Vec<Duration>, Vec<Duration>) {
    let (mut pages, mut busy, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..LISTS {
        let (began, mut after) = (Instant::now(), None);
        loop {
            let (at, ran) = (Instant::now(), busy_time());
            let page = server.peers_after(after, 256);
            pages.push(at.elapsed());
            busy.push(busy_time() - ran);
            match page.last() {
                Some(last) => after = Some(last.session),
                None => break,
            }
        }
        lists.push(began.elapsed());
    }
    (pages, busy, lists)
}

async fn p99_of_calls(caller: &Client) -> Result<Duration> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        let seven: i32 = caller.call("hello", ()).await?;
        times.push(began.elapsed());
        ensure!(seven == 7, "another's answer");
    }
    Ok(figures::quantile(&mut times, 0.99))
}
