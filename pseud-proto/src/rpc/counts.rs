//! Counters that sessions under locks of their own share.

use crate::call::dropped::Dropped;
use crate::rpc::stats::{Counted, Stats};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted besides what is dropped.
const SEEN: [Counted; 9] = [
    Counted::Called,
    Counted::Probe,
    Counted::Heartbeat,
    Counted::Served,
    Counted::Shed,
    Counted::Refused,
    Counted::Challenged,
    Counted::LoginRefused,
    Counted::LoginMissed,
];

const KINDS: usize = SEEN.len() + Dropped::ALL.len();

/// Counters of what sessions saw: see [`Sink::count`](crate::session::Sink::count). Each costs an
/// addition; a driver with many threads has several, and adds them up.
#[derive(Debug)]
pub struct EventCounts([AtomicU64; KINDS]);

impl Default for EventCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

fn place(what: Counted) -> usize {
    match what {
        Counted::Called => 0,
        Counted::Probe => 1,
        Counted::Heartbeat => 2,
        Counted::Served => 3,
        Counted::Shed => 4,
        Counted::Refused => 5,
        Counted::Challenged => 6,
        Counted::LoginRefused => 7,
        Counted::LoginMissed => 8,
        Counted::Dropped(cause) => SEEN.len() + cause as usize,
    }
}

impl EventCounts {
    /// EventCounts it.
    pub fn count(&self, what: Counted) {
        if let Some(count) = self.0.get(place(what)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds what was counted to those.
    pub fn add_to(&self, stats: &mut Stats) {
        let all = SEEN.into_iter().chain(Dropped::ALL.map(Counted::Dropped));
        for (what, count) in all.zip(&self.0) {
            stats.add(what, count.load(Ordering::Relaxed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_in_its_own_place() {
        let (counts, mut stats, mut expected) =
            (EventCounts::default(), Stats::default(), Stats::default());
        let all = SEEN.into_iter().chain(Dropped::ALL.map(Counted::Dropped));
        for (times, what) in all.enumerate() {
            (0..times).for_each(|_| counts.count(what));
            expected.add(what, times as u64);
        }
        counts.add_to(&mut stats);
        assert_eq!(stats, expected);
        assert_eq!(stats.dropped_total(), (SEEN.len()..KINDS).sum::<usize>() as u64);
    }
}
