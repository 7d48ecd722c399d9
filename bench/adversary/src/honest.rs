//! An honest peer: one call after the other, all the time.

use crate::victim::{NAME, THREADS_END};
use pseud::Client;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Bytes that the node under attack holds, and threads of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) now: usize,
    pub(crate) peak: usize,
    pub(crate) threads: usize,
}

/// What an honest peer's calls took, in microseconds, and how many had no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) failed: usize,
}

#[derive(Debug)]
pub(crate) struct Honest {
    runtime: Runtime,
    client: Client,
}

impl Honest {
    pub(crate) fn new(endpoint: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let _in = runtime.enter();
        let client = Client::new(NAME).expect("a client");
        client.connect(endpoint).expect("an endpoint");
        drop(_in);
        Self { runtime, client }
    }

    /// What is made at the first calls is there, and what each worker of the node keeps: some peers come
    /// and go.
    pub(crate) fn warm_up(&self, endpoint: &str) {
        let others: Vec<_> = (0..16).map(|_| Self::new(endpoint)).collect();
        std::thread::scope(|scope| {
            for other in &others {
                scope.spawn(|| other.measure(Duration::from_millis(300)));
            }
        });
        drop(others);
        self.measure(Duration::from_millis(300));
    }

    pub(crate) fn measure(&self, time: Duration) -> Times {
        let client = self.client.clone();
        let calls = async move {
            let (begun, mut taken, mut failed) = (Instant::now(), Vec::new(), 0);
            while begun.elapsed() < time {
                let call = Instant::now();
                match client.call::<(u64,), _>("echo", (7,)).await {
                    Ok(_) => taken.push(call.elapsed().as_secs_f64() * 1e6),
                    Err(_) => failed += 1,
                }
                // As a person's program does; and it leaves the attackers a processor.
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            (taken, failed)
        };
        let (mut taken, failed) = self.runtime.block_on(calls);
        taken.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (taken.len() as f64 * share) as usize;
            taken.get(index.min(taken.len().saturating_sub(1))).copied().unwrap_or(f64::INFINITY)
        };
        Times { p50: at(0.5), p99: at(0.99), failed }
    }

    pub(crate) fn held(&self) -> Held {
        let held = self.runtime.block_on(async { self.client.call("held", ()).await });
        let (now, peak, threads) = held.expect("an honest peer is answered");
        Held { now, peak, threads }
    }

    /// What is held once nothing more is given back, and no more threads are there than those: the attackers'
    /// links are over by then, and the runtime has ended what threads they made it have.
    pub(crate) fn settled(&self, threads: usize) -> Held {
        let begun = Instant::now();
        let mut least = self.held();
        let mut since = Instant::now();
        while (since.elapsed() < Duration::from_secs(1) || least.threads > threads)
            && begun.elapsed() < THREADS_END
        {
            std::thread::sleep(Duration::from_millis(50));
            let held = self.held();
            if held.now < least.now {
                since = Instant::now();
            }
            least = Held { now: least.now.min(held.now), ..held };
        }
        least
    }
}
