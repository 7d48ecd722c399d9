//! One measurement: the processes of a scenario, brought up, asked, and ended.

use crate::job::{Command, Job, Ran, Role, Runtime, Usage};
use crate::metric::{Metric, Sample};
use crate::process::Process;
use crate::scenario::{Cores, Entry, Kind, Scenario, Shape};
use crate::system;
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};

/// How long things are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) warm_up: f64,
    pub(crate) seconds: f64,
}

/// What came of a measurement.
pub(crate) struct Measured {
    pub(crate) sample: Sample,
    pub(crate) server: String,
    pub(crate) client: String,
}

pub(crate) fn measure(scenario: &Scenario, entry: &Entry, span: Span) -> Result<Measured> {
    match scenario.kind {
        Kind::Calls => calls(scenario, entry, span),
        Kind::Quiet { greedy } => quiet(scenario, entry, span, greedy),
        Kind::CallOut => call_out(scenario, entry, span),
        Kind::Idle => idle(scenario, entry),
    }
}

pub(crate) fn job(scenario: &Scenario, entry: &Entry, role: Role, shape: Shape) -> Result<Job> {
    let core = match scenario.cores {
        Cores::One => Some(*system::cores()?.last().context("no core")?),
        Cores::Free => None,
    };
    Ok(Job {
        role,
        contestant: entry.contestant.clone(),
        runtime: entry.runtime,
        core,
        size: shape.size,
        in_flight: shape.in_flight,
        links: shape.links,
        handler_micros: shape.handler_micros,
        server: None,
    })
}

/// A server and one client of it, ready.
pub(crate) fn pair(scenario: &Scenario, entry: &Entry) -> Result<[Process; 2]> {
    let server = Process::start(&job(scenario, entry, Role::Server, scenario.shape)?)?;
    let client = client_of(&server, scenario, entry, scenario.shape)?;
    Ok([server, client])
}

fn client_of(
    server: &Process,
    scenario: &Scenario,
    entry: &Entry,
    shape: Shape,
) -> Result<Process> {
    let mut job = job(scenario, entry, Role::Client, shape)?;
    job.server = Some(server.endpoint.clone());
    Process::start(&job)
}

fn calls(scenario: &Scenario, entry: &Entry, span: Span) -> Result<Measured> {
    let [mut server, mut client] = pair(scenario, entry)?;
    client.run(span.warm_up)?;
    let before = server.usage()?;
    let ran = client.run(span.seconds)?;
    let after = server.usage()?;
    ensure!(ran.calls > 0, "no call was answered");
    let mut sample = loop_sample(&ran);
    let client_cpu = per_100k(ran.before, ran.after, ran.calls);
    let server_cpu = per_100k(before, after, ran.calls);
    sample.extend([
        (Metric::ClientCpuSeconds, client_cpu),
        (Metric::ServerCpuSeconds, server_cpu),
        (Metric::BothCpuSeconds, client_cpu + server_cpu),
        (Metric::ClientRssMib, mib(ran.after)),
        (Metric::ServerRssMib, mib(after)),
    ]);
    Ok(Measured { sample, server: server.settings.clone(), client: client.settings.clone() })
}

/// The greedy client runs longer on both sides of what is looked at.
fn quiet(scenario: &Scenario, entry: &Entry, span: Span, greedy: Shape) -> Result<Measured> {
    // A raw server must know how long calls are: one size for both.
    let mut server = Process::start(&job(scenario, entry, Role::Server, greedy)?)?;
    let mut busy = client_of(&server, scenario, entry, greedy)?;
    let mut client = client_of(&server, scenario, entry, scenario.shape)?;
    // Few calls are answered beside some greedy peers, and a p99 wants many.
    let span = Span { seconds: 4.0 * span.seconds, ..span };
    let greedy_seconds = 2.0 * span.warm_up + span.seconds + 0.1;
    busy.tell(&Command::Run { seconds: greedy_seconds })?;
    client.run(span.warm_up)?;
    let ran = client.run(span.seconds)?;
    let busy = busy.ran()?;
    server.usage()?;
    ensure!(ran.calls > 0, "no quiet call was answered");
    ensure!(busy.seconds > span.seconds, "the greedy client ended first");
    Ok(Measured {
        sample: loop_sample(&ran),
        server: server.settings.clone(),
        client: client.settings.clone(),
    })
}

fn call_out(scenario: &Scenario, entry: &Entry, span: Span) -> Result<Measured> {
    let mut server = Process::start(&job(scenario, entry, Role::Caller, scenario.shape)?)?;
    let mut crowd = crowd_of(&server, scenario, entry)?;
    crowd.crowd(scenario.shape.links, 0)?;
    server.run(span.warm_up)?;
    let ran = server.run(span.seconds)?;
    ensure!(ran.calls > 0, "no call was answered");
    let mut sample = loop_sample(&ran);
    sample.insert(Metric::ServerCpuSeconds, per_100k(ran.before, ran.after, ran.calls));
    Ok(Measured { sample, server: server.settings.clone(), client: String::new() })
}

fn idle(scenario: &Scenario, entry: &Entry) -> Result<Measured> {
    let peers = scenario.shape.links;
    let mut server = Process::start(&job(scenario, entry, Role::Server, scenario.shape)?)?;
    let mut crowd = crowd_of(&server, scenario, entry)?;
    let (before, started) = (server.usage()?, Instant::now());
    crowd.crowd(peers, 0)?;
    let seconds = started.elapsed().as_secs_f64();
    let idle = settled(&mut server)?;
    crowd.crowd(peers, 1)?;
    let called = settled(&mut server)?;
    crowd.crowd(0, 0)?;
    let closed = settled(&mut server)?;
    let each =
        |usage: Usage| (usage.rss_bytes as f64 - before.rss_bytes as f64) / 1024.0 / peers as f64;
    let sample = Sample::from([
        (Metric::HandshakesPerSecond, peers as f64 / seconds),
        (Metric::HandshakeCpuMicros, (idle.cpu_seconds - before.cpu_seconds) * 1e6 / peers as f64),
        (Metric::IdleKib, each(idle)),
        (Metric::CalledKib, each(called)),
        (Metric::ClosedKib, each(closed)),
    ]);
    Ok(Measured { sample, server: server.settings.clone(), client: String::new() })
}

/// The clients of a server, none of them connected yet.
fn crowd_of(server: &Process, scenario: &Scenario, entry: &Entry) -> Result<Process> {
    let crowd = Entry { runtime: Runtime::Ct, ..entry.clone() };
    let mut job = job(scenario, &crowd, Role::Crowd, scenario.shape)?;
    job.server = Some(server.endpoint.clone());
    Process::start(&job)
}

/// What a server has used once it has nothing more to do.
fn settled(server: &mut Process) -> Result<Usage> {
    let (step, until) = (Duration::from_millis(50), Instant::now() + Duration::from_secs(10));
    let mut last = server.usage()?;
    loop {
        std::thread::sleep(step);
        let usage = server.usage()?;
        if usage.cpu_seconds - last.cpu_seconds < 0.002 {
            return Ok(usage);
        }
        ensure!(Instant::now() < until, "a server with idle peers is busy");
        last = usage;
    }
}

fn loop_sample(ran: &Ran) -> Sample {
    Sample::from([
        (Metric::CallsPerSecond, ran.calls as f64 / ran.seconds),
        (Metric::P50Micros, ran.p50_micros),
        (Metric::P99Micros, ran.p99_micros),
    ])
}

pub(crate) fn per_100k(before: Usage, after: Usage, calls: u64) -> f64 {
    (after.cpu_seconds - before.cpu_seconds) * 1e5 / calls as f64
}

fn mib(usage: Usage) -> f64 {
    usage.rss_bytes as f64 / f64::from(1 << 20)
}
