//! Whole nodes in memory: servers and clients on a runtime without sockets, threads or a clock.
//!
//! A [`Sim`] is one world. Its tasks run on the thread that runs it, one at a time; which of those that
//! are ready comes next its seed picks, so each seed is another interleaving. Its clock stands still
//! until nobody is ready, and jumps then to the next moment for which anybody sleeps: minutes of
//! time-outs pass in microseconds. Links live under [`Conditions`]: latency, pieces, full sockets, losses,
//! connects that are refused. Everything that is random, what nodes take for entropy too, comes from the
//! seed: the same one is the same run, and has the same [digest](Sim::digest).
//!
//! | file | what it is |
//! |---|---|
//! | `clock`, `trace`, `conditions` | time, what was done, and what is random about links |
//! | `pipe`, `stream`, `network` | bytes on their way, connections, and who listens where |
//! | `datagrams`, `endpoint` | sockets of datagrams, and who speaks in them, with the feature `rpcudp` |
//! | `tasks`, `runtime` | the executor, and all of it as a node's runtime |
//! | `task` | what conversations do besides: tasks, sleeps |
//! | `seeds` | which seeds a run is of |

mod clock;
mod conditions;
#[cfg(feature = "rpcudp")]
mod datagrams;
#[cfg(feature = "rpcudp")]
mod endpoint;
mod network;
mod pipe;
mod runtime;
mod seeds;
mod stream;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod trace;

pub use pseud_async::adapter;

pub use conditions::Conditions;
#[cfg(feature = "rpcudp")]
pub use datagrams::DatagramPort;
#[cfg(feature = "rpcudp")]
pub use endpoint::Endpoint;
pub use network::Listener;
pub use runtime::{SimRuntime, Timer};
pub use seeds::seeds;
pub use stream::{ReadHalf, Stream, WriteHalf};
pub use task::{Aborted, Task, join_all, now, sleep, spawn, timeout, world, yield_now};

use crate::luck::Luck;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A server in a simulated world.
pub type Server = pseud_async::Server<SimRuntime>;

/// A client in a simulated world.
pub type Client = pseud_async::Client<SimRuntime>;

/// What a world lasts at most, by its clock and in turns: a conversation that takes longer never ends.
const LASTS_MAX: Duration = Duration::from_secs(7 * 86_400);
const TURNS_MAX: u64 = 2_000_000;

/// One world.
#[derive(Debug)]
pub struct Sim {
    seed: u64,
    order: Luck,
    runtime: SimRuntime,
}

impl Sim {
    /// A world under those conditions, in which nobody is yet.
    pub fn new(seed: u64, conditions: Conditions) -> Self {
        let mut luck = Luck::new(seed);
        let order = luck.fork();
        Self { seed, order, runtime: SimRuntime::new(conditions, &mut luck) }
    }

    /// The world, for whoever wants to change it meanwhile.
    pub fn runtime(&self) -> &SimRuntime {
        &self.runtime
    }

    /// Runs the world until that future is ready. Tasks that are not over then wait for the next run, or
    /// for the world's end.
    ///
    /// # Panics
    /// Everybody waits for somebody else, or it takes for ever; and where a task does.
    pub fn run<F: Future>(&mut self, future: F) -> F::Output {
        let _here = Here(SimRuntime::stand(Some(self.runtime.clone())), self.seed);
        let world = &self.runtime.0;
        let (mut future, root) = (pin!(future), world.tasks.root());
        let waker = root.into();
        std::task::Waker::wake_by_ref(&waker);
        loop {
            let due = match world.tasks.next(&mut self.order) {
                None => world.air.clock.jump().expect("everybody waits, and nobody for a moment"),
                Some(task) => {
                    let passed = world.air.clock.passed();
                    let turns = world.air.trace.turn(task.id, passed.as_micros() as u64);
                    let is_long = turns >= TURNS_MAX || passed >= LASTS_MAX;
                    assert!(!is_long, "no end after {turns} turns and {passed:?}");
                    if task.id == tasks::ROOT {
                        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                        if let Poll::Ready(output) = polled {
                            return output;
                        }
                    } else {
                        world.tasks.poll(&task);
                    }
                    world.air.clock.turn()
                }
            };
            due.into_iter().for_each(std::task::Waker::wake);
        }
    }

    /// What was done until now, as one number.
    pub fn digest(&self) -> u64 {
        self.runtime.0.air.trace.digest()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _here = Here(SimRuntime::stand(Some(self.runtime.clone())), self.seed);
        self.runtime.0.tasks.end();
        self.runtime.0.air.clock.clear();
    }
}

/// The world that runs on this thread goes when it does.
struct Here(Option<SimRuntime>, u64);

impl Drop for Here {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("PSEUD_SEED={}", self.1);
        }
        SimRuntime::stand(self.0.take());
    }
}
