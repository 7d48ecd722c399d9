//! What came of it, as a table.

use crate::honest::Times;

/// One attack's figures; those of several rounds are medians.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    /// Bytes that the attackers sent.
    pub(crate) sent: u64,
    /// Bytes that the node holds: before, at most, and after.
    pub(crate) held: [usize; 3],
    /// Bytes that may be held longer: sources are remembered for a while.
    pub(crate) slack: usize,
    /// An honest peer's calls: before, during, and after.
    pub(crate) times: [Times; 3],
}

/// What a node with default limits may hold for its peers: 256 MiB queued, and 256 MiB of requests.
const HELD_MAX: usize = 512 << 20;
const MIB: f64 = (1 << 20) as f64;

impl Row {
    pub(crate) fn print(&self) {
        let [before, peak, after] = self.held.map(|bytes| bytes as f64 / MIB);
        println!("{} {}", self.id, self.what);
        println!(
            "    sent {:.1} MiB; held {before:.2} MiB, at most {peak:.1}, after {after:.2}",
            self.sent as f64 / MIB
        );
        for (when, times) in ["before", "during", "after"].iter().zip(&self.times) {
            let Times { p50, p99, failed } = times;
            println!(
                "    honest peer {when}: p50 {p50:.0} µs, p99 {p99:.0} µs, {failed} without answer"
            );
        }
    }

    /// What should not be.
    pub(crate) fn broken(&self) -> Vec<String> {
        let [before, peak, after] = self.held;
        let mut broken = Vec::new();
        if peak > HELD_MAX {
            broken.push(format!("{}: held {peak} bytes at most", self.id));
        }
        // A page of slack: the counters themselves are kept somewhere.
        if after > before + before / 20 + 4096 + self.slack {
            broken.push(format!("{}: held {before} bytes before and {after} after", self.id));
        }
        let [quiet, during, later] = self.times;
        // What is promised of strangers who leave their handshakes half open.
        if self.slack > 0 && during.p99 > 2.0 * quiet.p99 {
            broken.push(format!(
                "{}: p99 {:.0} µs before and {:.0} during",
                self.id, quiet.p99, during.p99
            ));
        }
        if later.p99 > 1.5 * quiet.p99 {
            broken.push(format!(
                "{}: p99 {:.0} µs before and {:.0} after",
                self.id, quiet.p99, later.p99
            ));
        }
        for (when, times) in [("during", during), ("after", later)] {
            if times.failed > 0 {
                broken.push(format!("{}: {} calls without answer {when}", self.id, times.failed));
            }
        }
        broken
    }
}

/// The rows of all rounds.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    pub(crate) fn push(&mut self, row: Row) {
        self.0.push(row);
    }

    /// One row for each attack.
    pub(crate) fn medians(self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for row in &self.0 {
            if rows.iter().any(|known| known.id == row.id) {
                continue;
            }
            let all: Vec<&Row> = self.0.iter().filter(|other| other.id == row.id).collect();
            let median = |of: &dyn Fn(&Row) -> f64| {
                let mut values: Vec<f64> = all.iter().map(|row| of(row)).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            let times = |at: usize| Times {
                p50: median(&|row| row.times[at].p50),
                p99: median(&|row| row.times[at].p99),
                failed: median(&|row| row.times[at].failed as f64) as usize,
            };
            rows.push(Row {
                sent: median(&|row| row.sent as f64) as u64,
                held: [0, 1, 2].map(|at| median(&|row| row.held[at] as f64) as usize),
                times: [times(0), times(1), times(2)],
                ..row.clone()
            });
        }
        rows
    }
}
