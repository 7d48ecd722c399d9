//! What is logged, under the target `rpcudp`.

use crate::engine::refusals::tally::Tally;
use pseud_proto::rpcudp::{Dropped, Silence};
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Lines of warning in a minute; what is over is counted, and told in one line.
const WARNINGS: u32 = 10;

#[derive(Debug)]
pub(crate) struct Log(Mutex<LogTallies>);

#[derive(Debug)]
struct LogTallies {
    silent: Tally<Silent>,
    /// Senders of requests for which there was no place.
    overloaded: Tally<SocketAddr>,
}

/// A request that is not answered.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) method: String,
    pub(crate) from: SocketAddr,
    pub(crate) why: Silence,
    /// What its handler failed with.
    pub(crate) fault: Option<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self(Mutex::new(LogTallies { silent: Tally::new(WARNINGS), overloaded: Tally::new(1) }))
    }
}

impl Log {
    /// A stranger's datagram: as often as they like. Only that there is no place for requests is warned of,
    /// once a minute: what would have been served is lost then.
    pub(crate) fn dropped(&self, from: SocketAddr, why: Dropped, now: Instant) {
        tracing::debug!(target: "rpcudp", %from, "dropped: {why}");
        if why == Dropped::Overloaded {
            let told = self.tallies().overloaded.count(from, now);
            if let Some(from) = told {
                overloaded(from, None);
            }
        }
    }

    pub(crate) fn not_sent(&self, to: SocketAddr, error: &io::Error) {
        tracing::debug!(target: "rpcudp", %to, %error, "a datagram could not be sent");
    }

    pub(crate) fn not_received(&self, error: &io::Error) {
        tracing::debug!(target: "rpcudp", %error, "no datagram could be received");
    }

    /// A request that is not answered: its caller hears nothing.
    pub(crate) fn silent(&self, silent: Silent, now: Instant) {
        if matches!(silent.why, Silence::NoSuchService | Silence::TooMany | Silence::Closed) {
            let Silent { method, from, why, .. } = silent;
            tracing::debug!(target: "rpcudp", ?method, %from, "not answered: {why}");
            return;
        }
        let told = self.tallies().silent.count(silent, now);
        if let Some(silent) = told {
            silent.warn(None);
        }
    }

    /// Tells of those that were counted, once their minute is over.
    pub(crate) fn catch_up(&self, now: Instant) {
        let mut tallies = self.tallies();
        let (silent, places) = (tallies.silent.take(now), tallies.overloaded.take(now));
        drop(tallies);
        if let Some((count, last)) = silent {
            last.warn(Some(count));
        }
        if let Some((count, last)) = places {
            overloaded(last, Some(count));
        }
    }

    fn tallies(&self) -> MutexGuard<'_, LogTallies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overloaded(from: SocketAddr, count: Option<u64>) {
    let why = Dropped::Overloaded;
    tracing::warn!(target: "rpcudp", %from, count, "dropped: {why}");
}

/// Characters of a fault's text that are logged.
const FAULT_CHARS_MAX: usize = 256;

impl Silent {
    fn warn(&self, count: Option<u64>) {
        let Self { method, from, why, fault } = self;
        // What a stranger has a handler say does not fill a log.
        let fault =
            fault.as_ref().map(|fault| fault.chars().take(FAULT_CHARS_MAX).collect::<String>());
        tracing::warn!(target: "rpcudp", ?method, %from, fault, count, "not answered: {why}");
    }
}
