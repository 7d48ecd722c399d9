//! The closed loop of a client: so many callers, each with one call at a time.

use crate::job::Ran;
use crate::system;
use anyhow::Result;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// One caller's way to make a call and wait for its answer.
pub(crate) trait Call {
    fn call(&mut self) -> impl Future<Output = Result<()>>;
}

/// What callers look at while they run.
#[derive(Debug)]
pub(crate) struct Load {
    stopped: AtomicBool,
    /// One call of so many is timed: reading a clock is not free.
    timed_every: u64,
}

impl Load {
    pub(crate) fn new(in_flight: usize) -> Arc<Self> {
        let timed_every = if in_flight > 4 { 16 } else { 1 };
        Arc::new(Self { stopped: AtomicBool::new(false), timed_every })
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_timed(&self, call: u64) -> bool {
        call.is_multiple_of(self.timed_every)
    }
}

/// What one caller did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    /// Of the calls that were timed.
    pub(crate) latencies: Vec<Duration>,
}

/// Calls until the load stops, and hands the caller back.
pub(crate) async fn run<C: Call>(mut caller: C, load: Arc<Load>) -> Result<(C, Tally)> {
    let mut tally = Tally::default();
    while !load.is_stopped() {
        if load.is_timed(tally.calls) {
            let started = Instant::now();
            caller.call().await?;
            tally.latencies.push(started.elapsed());
        } else {
            caller.call().await?;
        }
        tally.calls += 1;
    }
    Ok((caller, tally))
}

/// The same on a thread.
pub(crate) fn run_blocking<C>(
    caller: &mut C,
    call: impl Fn(&mut C) -> Result<()>,
    load: &Load,
) -> Result<Tally> {
    let mut tally = Tally::default();
    while !load.is_stopped() {
        if load.is_timed(tally.calls) {
            let started = Instant::now();
            call(caller)?;
            tally.latencies.push(started.elapsed());
        } else {
            call(caller)?;
        }
        tally.calls += 1;
    }
    Ok(tally)
}

/// Runs every caller in a task of its own for so long.
pub(crate) async fn measure<C>(
    callers: &mut Vec<C>,
    seconds: f64,
    spawn: impl Fn(C, Arc<Load>) -> JoinHandle<Result<(C, Tally)>>,
) -> Result<Ran> {
    let load = Load::new(callers.len());
    let meter = Meter::start()?;
    let running: Vec<_> = callers.drain(..).map(|caller| spawn(caller, load.clone())).collect();
    sleep(Duration::from_secs_f64(seconds)).await;
    load.stop();
    let mut tallies = Vec::new();
    for task in running {
        let (caller, tally) = task.await??;
        callers.push(caller);
        tallies.push(tally);
    }
    meter.stop(tallies)
}

/// The clock and the usage around a measurement.
pub(crate) struct Meter {
    started: Instant,
    before: crate::job::Usage,
}

impl Meter {
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { before: system::usage()?, started: Instant::now() })
    }

    pub(crate) fn stop(self, tallies: impl IntoIterator<Item = Tally>) -> Result<Ran> {
        let seconds = self.started.elapsed().as_secs_f64();
        let after = system::usage()?;
        let mut calls = 0;
        let mut latencies = Vec::new();
        for tally in tallies {
            calls += tally.calls;
            latencies.extend(tally.latencies);
        }
        latencies.sort_unstable();
        let micros = |part| percentile(&latencies, part).map_or(0.0, |at| at.as_secs_f64() * 1e6);
        let (p50_micros, p99_micros) = (micros(0.5), micros(0.99));
        Ok(Ran { calls, seconds, p50_micros, p99_micros, before: self.before, after })
    }
}

/// Of sorted values.
fn percentile(sorted: &[Duration], part: f64) -> Option<Duration> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * part).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_sorted_values() {
        let sorted: Vec<_> = (1..=101).map(Duration::from_micros).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(Duration::from_micros(51)));
        assert_eq!(percentile(&sorted, 0.99), Some(Duration::from_micros(100)));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
