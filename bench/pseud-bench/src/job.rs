//! What a process of the bench is told: its job at birth, then commands, one JSON line each.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What one process is to be, for as long as it lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) role: Role,
    /// Its name in the table of contestants.
    pub(crate) contestant: String,
    pub(crate) runtime: Runtime,
    /// The only core it may run on; `None`: any.
    pub(crate) core: Option<usize>,
    /// Bytes of a call's argument, and of its result.
    pub(crate) size: usize,
    /// Calls that wait for their answer at the same time, on each link.
    pub(crate) in_flight: usize,
    /// Connections that a client opens; those that call a server's clients or stand idle, too.
    pub(crate) links: usize,
    /// How long a handler keeps its core busy, in microseconds.
    pub(crate) handler_micros: u64,
    /// Where the server is: `host:port`. A client's only.
    pub(crate) server: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Echoes.
    Server,
    /// Calls a server in a closed loop.
    Client,
    /// A server that calls its clients in a closed loop.
    Caller,
    /// Many clients, which connect when told to, and then answer.
    Crowd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Runtime {
    /// tokio's current_thread.
    Ct,
    /// tokio's multi_thread with two workers.
    Mt,
}

impl Runtime {
    pub(crate) fn build(self) -> std::io::Result<tokio::runtime::Runtime> {
        match self {
            Self::Ct => tokio::runtime::Builder::new_current_thread().enable_all().build(),
            Self::Mt => {
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
            }
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ct => "ct",
            Self::Mt => "mt",
        })
    }
}

/// A line on a process's standard input. Its end ends the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    /// What the process has used so far.
    Usage,
    /// Calls for so long: a client its server, a server all of its clients in turn.
    Run { seconds: f64 },
    /// A crowd connects until it has that many links, and each has made that many calls.
    Crowd { links: usize, calls: usize },
}

/// A line on its standard output: one at birth, then one for each command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It serves there, or has connected.
    Ready {
        endpoint: String,
        settings: String,
    },
    Usage(Usage),
    Ran(Ran),
    /// A crowd is as it was told to be.
    Done,
    /// Why it ends.
    Failed(String),
}

/// What a process has used since its birth.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Processor time, user and system.
    pub(crate) cpu_seconds: f64,
    /// Resident memory now.
    pub(crate) rss_bytes: u64,
}

/// One measurement of a closed loop.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ran {
    pub(crate) calls: u64,
    pub(crate) seconds: f64,
    /// Microseconds of a call, of those that were timed.
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    pub(crate) before: Usage,
    pub(crate) after: Usage,
}
