//! The inside of a server's or client's process: it says that it is ready, then obeys its parent.

use crate::job::{Answer, Command, Job, Ran};
use crate::load::{self, Call, Load, Meter, Tally};
use crate::system;
use anyhow::Result;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// Nothing that a process is told takes as long; whatever hangs ends by itself.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// Ends this process after [`LIFETIME`].
pub(crate) fn end_in_time() {
    thread::spawn(|| {
        thread::sleep(LIFETIME);
        fail(&anyhow::anyhow!("still running after {LIFETIME:?}"));
    });
}

/// What the parent says. Usage is answered at once, by the thread that reads; the rest comes here.
/// When the parent is gone the process ends.
pub(crate) fn commands() -> UnboundedReceiver<Command> {
    let (sender, receiver) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lock().lines() {
            let Ok(line) = line else { break };
            match serde_json::from_str(&line) {
                Ok(Command::Usage) => match system::usage() {
                    Ok(usage) => say(&Answer::Usage(usage)),
                    Err(error) => fail(&error),
                },
                Ok(command) => drop(sender.send(command)),
                Err(error) => fail(&error.into()),
            }
        }
        std::process::exit(0);
    });
    receiver
}

pub(crate) fn say(answer: &Answer) {
    let mut line = serde_json::to_string(answer).expect("answers are JSON");
    line.push('\n');
    // A parent that is gone ends us by the end of standard input.
    let _ = stdout().lock().write_all(line.as_bytes());
    let _ = stdout().lock().flush();
}

/// Ends the process; its parent shows why.
pub(crate) fn fail(error: &anyhow::Error) -> ! {
    say(&Answer::Failed(format!("{error:#}")));
    std::process::exit(1);
}

pub(crate) fn ready(endpoint: impl ToString, settings: impl Into<String>) {
    say(&Answer::Ready { endpoint: endpoint.to_string(), settings: settings.into() });
}

/// A server on tokio, which lives as long as its parent: `start` returns where it serves, its
/// settings, and whatever must be kept.
pub(crate) fn serve<S>(
    job: &Job,
    start: impl AsyncFnOnce() -> Result<(String, String, S)>,
) -> Result<()> {
    job.runtime.build()?.block_on(serve_here(start))
}

/// The same on a runtime that runs already.
pub(crate) async fn serve_here<S>(
    start: impl AsyncFnOnce() -> Result<(String, String, S)>,
) -> Result<()> {
    let (endpoint, settings, kept) = start().await?;
    ready(endpoint, settings);
    let mut commands = commands();
    while commands.recv().await.is_some() {}
    drop(kept);
    Ok(())
}

/// A client on tokio: `connect` opens all links and returns its callers, `in_flight` a link.
pub(crate) fn drive<C: Call>(
    job: &Job,
    connect: impl AsyncFnOnce() -> Result<(Vec<C>, String)>,
    spawn: impl Fn(C, Arc<Load>) -> JoinHandle<Result<(C, Tally)>>,
) -> Result<()> {
    job.runtime.build()?.block_on(drive_here(connect, spawn))
}

/// The same on a runtime that runs already.
pub(crate) async fn drive_here<C: Call>(
    connect: impl AsyncFnOnce() -> Result<(Vec<C>, String)>,
    spawn: impl Fn(C, Arc<Load>) -> JoinHandle<Result<(C, Tally)>>,
) -> Result<()> {
    let (mut callers, settings) = connect().await?;
    ready("", settings);
    run_commands(async |seconds| load::measure(&mut callers, seconds, &spawn).await).await
}

/// Answers each [`Command::Run`].
pub(crate) async fn run_commands(mut run: impl AsyncFnMut(f64) -> Result<Ran>) -> Result<()> {
    let mut commands = commands();
    while let Some(command) = commands.recv().await {
        match command {
            Command::Run { seconds } => say(&Answer::Ran(run(seconds).await?)),
            other => anyhow::bail!("a client is not told {other:?}"),
        }
    }
    Ok(())
}

/// A client that blocks: a thread for each caller, as long as a measurement lasts.
pub(crate) fn drive_threads<C: Send>(
    mut callers: Vec<C>,
    settings: &str,
    call: impl Fn(&mut C) -> Result<()> + Sync,
) -> Result<()> {
    ready("", settings);
    let mut commands = commands();
    while let Some(command) = commands.blocking_recv() {
        let Command::Run { seconds } = command else {
            anyhow::bail!("a client is not told {command:?}")
        };
        let (load, call) = (&*Load::new(callers.len()), &call);
        let meter = Meter::start()?;
        let tallies: Result<Vec<_>> = thread::scope(|scope| {
            let run = |caller| scope.spawn(move || load::run_blocking(caller, call, load));
            let running: Vec<_> = callers.iter_mut().map(run).collect();
            thread::sleep(Duration::from_secs_f64(seconds));
            load.stop();
            running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
        });
        say(&Answer::Ran(meter.stop(tallies?)?));
    }
    Ok(())
}

/// Keeps the core busy, as a handler that computes.
pub(crate) fn spin(micros: u64) {
    if micros > 0 {
        let until = Instant::now() + Duration::from_micros(micros);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
}
