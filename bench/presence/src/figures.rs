//! What was measured, and how it is told.

use std::fmt::Write;
use std::time::Duration;

/// What one round measured.
pub(crate) struct Figures {
    pub(crate) idle_bytes: usize,
    pub(crate) idle_rss: usize,
    pub(crate) joining: Duration,
    pub(crate) leaving: Duration,
    pub(crate) pages: Vec<Duration>,
    /// What the processor took for each.
    pub(crate) busy: Vec<Duration>,
    pub(crate) lists: Vec<Duration>,
    pub(crate) quiet: Duration,
    pub(crate) beside: Duration,
}

impl Figures {
    /// A table of Markdown: the medians of all rounds.
    pub(crate) fn table(peers: usize, mechanism: &str, rounds: &[Self]) -> String {
        let median = |of: &dyn Fn(&Self) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or_default()
        };
        let most = |of: &dyn Fn(&Self) -> f64| rounds.iter().map(of).fold(0.0, f64::max);
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let of = |times: &[Duration], q: f64| micros(quantile(&mut times.to_vec(), q));
        let rate = |time: Duration| peers as f64 / time.as_secs_f64();
        let lines = [
            (
                "KiB of heap for an idle peer, what a Presence keeps of it included",
                median(&|round| round.idle_bytes as f64 / 1_024.0),
            ),
            ("KiB of memory (RSS) for the same", median(&|round| round.idle_rss as f64 / 1_024.0)),
            ("joins a second", median(&|round| rate(round.joining))),
            ("leaves a second", median(&|round| rate(round.leaving))),
            ("µs of a page of 256, median", median(&|round| of(&round.pages, 0.5))),
            ("µs of a page of 256, p99", median(&|round| of(&round.pages, 0.99))),
            ("µs of a page of 256, longest of all", most(&|round| of(&round.pages, 1.0))),
            ("µs of the processor for a page, median", median(&|round| of(&round.busy, 0.5))),
            ("µs of the processor for a page, p99", median(&|round| of(&round.busy, 0.99))),
            ("µs of the processor for a page, most of all", most(&|round| of(&round.busy, 1.0))),
            ("µs of a list of all, median", median(&|round| of(&round.lists, 0.5))),
            ("p99 µs of another's calls", median(&|round| micros(round.quiet))),
            ("the same beside lists without end", median(&|round| micros(round.beside))),
        ];
        let mut table = format!(
            "| {peers} peers, {mechanism}, {} rounds | median |\n|---|--:|\n",
            rounds.len()
        );
        for (what, number) in lines {
            let _ = writeln!(table, "| {what} | {number:.1} |");
        }
        table
    }
}

/// That quantile, the nearest rank.
pub(crate) fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    let rank = (times.len() as f64 * q).ceil() as usize;
    times.get(rank.clamp(1, times.len().max(1)) - 1).copied().unwrap_or_default()
}
