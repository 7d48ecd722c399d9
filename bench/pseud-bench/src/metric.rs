//! What is measured.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Metric {
    CallsPerSecond,
    P50Micros,
    P99Micros,
    /// Seconds of processor time for 100 000 calls.
    ClientCpuSeconds,
    ServerCpuSeconds,
    BothCpuSeconds,
    ClientRssMib,
    ServerRssMib,
    /// System calls of a call.
    ClientSyscalls,
    ServerSyscalls,
    HandshakesPerSecond,
    /// Microseconds of the server's processor time.
    HandshakeCpuMicros,
    /// Resident memory of the server for a connected peer, above that before the first.
    IdleKib,
    /// The same after each has made one call.
    CalledKib,
    /// The same when all are gone.
    ClosedKib,
}

/// One measurement of one contestant.
pub(crate) type Sample = BTreeMap<Metric, f64>;

impl Metric {
    /// Heads a column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CallsPerSecond => "calls/s",
            Self::P50Micros => "p50 µs",
            Self::P99Micros => "p99 µs",
            Self::ClientCpuSeconds => "client CPU s/100k",
            Self::ServerCpuSeconds => "server CPU s/100k",
            Self::BothCpuSeconds => "CPU s/100k, both ends",
            Self::ClientRssMib => "client RSS MiB",
            Self::ServerRssMib => "server RSS MiB",
            Self::ClientSyscalls => "client syscalls/call",
            Self::ServerSyscalls => "server syscalls/call",
            Self::HandshakesPerSecond => "handshakes/s",
            Self::HandshakeCpuMicros => "server CPU µs/handshake",
            Self::IdleKib => "KiB/peer idle",
            Self::CalledKib => "after a call",
            Self::ClosedKib => "after close",
        }
    }

    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::CallsPerSecond | Self::HandshakesPerSecond => thousands(value),
            Self::ClientCpuSeconds | Self::ServerCpuSeconds | Self::BothCpuSeconds => {
                format!("{value:.3}")
            }
            Self::ClientSyscalls | Self::ServerSyscalls => format!("{value:.3}"),
            Self::IdleKib | Self::CalledKib | Self::ClosedKib => format!("{value:.2}"),
            _ => format!("{value:.1}"),
        }
    }

    /// Whether it is counted apart from the rounds, where it can be.
    pub(crate) fn is_counted(self) -> bool {
        matches!(self, Self::ClientSyscalls | Self::ServerSyscalls)
    }

    /// Whether more of it is better.
    pub(crate) fn is_rate(self) -> bool {
        matches!(self, Self::CallsPerSecond | Self::HandshakesPerSecond)
    }
}

fn thousands(value: f64) -> String {
    match value {
        1e6.. => format!("{:.2} M", value / 1e6),
        1e4.. => format!("{:.0} k", value / 1e3),
        1e3.. => format!("{:.1} k", value / 1e3),
        _ => format!("{value:.0}"),
    }
}

/// The middle of several measurements, and between what they lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), least, most })
    }

    /// As a ratio.
    pub(crate) fn show(self) -> String {
        let Self { median, least, most } = self;
        format!("{} ({}–{})", ratio(median), ratio(least), ratio(most))
    }
}

fn ratio(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.095.. => format!("{value:.2}"),
        0.0095.. => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0]);
        assert_eq!(spread, Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(spread.unwrap().show(), "2.50 (1.00–4.00)");
    }
}
