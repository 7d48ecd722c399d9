//! What is done with each contestant.

use crate::job::Runtime;
use crate::metric::Metric;
use clap::ValueEnum;
use serde::Serialize;

/// One kind of work, and who does it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    pub(crate) cores: Cores,
    pub(crate) shape: Shape,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A client calls a server.
    Calls,
    /// A client with one call at a time, while another client keeps `greedy` in flight.
    Quiet { greedy: Shape },
    /// A server calls its clients in turn.
    CallOut,
    /// Peers connect, stay, call once, stay, and go.
    Idle,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Shape {
    /// Bytes of argument and result.
    pub(crate) size: usize,
    /// Calls on their way, on each link.
    pub(crate) in_flight: usize,
    pub(crate) links: usize,
    pub(crate) handler_micros: u64,
}

impl Shape {
    pub(crate) fn new(size: usize, in_flight: usize, links: usize) -> Self {
        Self { size, in_flight, links, handler_micros: 0 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cores {
    /// Both ends on the same core: what a call costs, waiting left out.
    One,
    /// Wherever the system runs them.
    Free,
}

/// A contestant on a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Entry {
    pub(crate) contestant: String,
    pub(crate) runtime: Runtime,
}

impl Entry {
    pub(crate) fn label(&self) -> String {
        match self.runtime {
            Runtime::Ct => self.contestant.clone(),
            Runtime::Mt => format!("{} mt", self.contestant),
        }
    }
}

impl Scenario {
    /// What ratios are made of.
    pub(crate) fn main_metric(&self) -> Metric {
        match self.kind {
            Kind::Calls if self.shape.in_flight * self.shape.links > 1 => Metric::CallsPerSecond,
            Kind::Calls => Metric::P50Micros,
            Kind::Quiet { .. } => Metric::P99Micros,
            Kind::CallOut => Metric::ServerCpuSeconds,
            Kind::Idle => Metric::HandshakesPerSecond,
        }
    }

    /// The columns besides that one.
    pub(crate) fn other_metrics(&self) -> &'static [Metric] {
        match self.kind {
            Kind::Calls if self.main_metric() == Metric::CallsPerSecond => &[
                Metric::P50Micros,
                Metric::P99Micros,
                Metric::BothCpuSeconds,
                Metric::ClientRssMib,
                Metric::ServerRssMib,
                Metric::ClientSyscalls,
                Metric::ServerSyscalls,
            ],
            Kind::Calls => &[
                Metric::P99Micros,
                Metric::CallsPerSecond,
                Metric::BothCpuSeconds,
                Metric::ClientRssMib,
                Metric::ServerRssMib,
                Metric::ClientSyscalls,
                Metric::ServerSyscalls,
            ],
            Kind::Quiet { .. } => &[Metric::P50Micros],
            Kind::CallOut => &[Metric::CallsPerSecond, Metric::P50Micros, Metric::P99Micros],
            Kind::Idle => {
                &[Metric::HandshakeCpuMicros, Metric::IdleKib, Metric::CalledKib, Metric::ClosedKib]
            }
        }
    }
}

/// Bytes for people.
pub(crate) fn bytes(size: usize) -> String {
    match size {
        0x10_0000.. if size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        0x400.. if size.is_multiple_of(1 << 10) => format!("{} KiB", size >> 10),
        _ => format!("{size} B"),
    }
}
