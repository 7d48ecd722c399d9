//! Who came and went, for others: told once in an interval for each, and the last state always.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How many who are there no more are remembered: beyond that, who leaves is told of at once, and forgotten.
/// Else whoever comes again and again under another name would fill this.
pub(crate) const ABSENT_MAX: usize = 16_384;

/// Whether each of many is there, coalesced: a change is told at once if that of its owner before it was
/// told an interval ago, else when that is over, and not at all if it was undone by then.
#[derive(Debug)]
pub(crate) struct Flaps<K> {
    interval: Duration,
    all: BTreeMap<K, KnownPeer>,
    due: BTreeSet<(Instant, K)>,
    /// Of `all`, those without a session.
    absent: usize,
}

#[derive(Debug, Default)]
struct KnownPeer {
    sessions: usize,
    is_told: bool,
    /// Before that nothing more is told of it.
    silent_until: Option<Instant>,
}

impl<K: Ord + Clone> Flaps<K> {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, all: BTreeMap::new(), due: BTreeSet::new(), absent: 0 }
    }

    /// One more session of it. `Some`: that is to be told.
    pub(crate) fn joined(&mut self, who: K, now: Instant) -> Option<(K, bool)> {
        let is_back = self.all.get(&who).is_some_and(|known| known.sessions == 0);
        self.absent -= usize::from(is_back);
        self.all.entry(who.clone()).or_default().sessions += 1;
        self.settle(who, now)
    }

    /// One session less.
    pub(crate) fn left(&mut self, who: K, now: Instant) -> Option<(K, bool)> {
        let known = self.all.get_mut(&who)?;
        if known.sessions > 0 {
            known.sessions -= 1;
            self.absent += usize::from(known.sessions == 0);
        }
        self.settle(who, now)
    }

    /// What is to be told now that time has passed; asked again until `None`.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<(K, bool)> {
        while self.deadline().is_some_and(|at| at <= now) {
            let (_, who) = self.due.pop_first()?;
            if let Some(known) = self.all.get_mut(&who) {
                known.silent_until = None;
            }
            if let Some(told) = self.settle(who, now) {
                return Some(told);
            }
        }
        None
    }

    /// When to ask again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    fn settle(&mut self, who: K, now: Instant) -> Option<(K, bool)> {
        let known = self.all.get_mut(&who)?;
        let is_there = known.sessions > 0;
        if !is_there && self.absent > ABSENT_MAX {
            let known = self.forget(&who)?;
            return known.is_told.then_some((who, false));
        }
        if known.silent_until.is_some() {
            return None;
        }
        if known.is_told == is_there {
            // Watchers know already that this peer is gone: nothing of it is left to be remembered.
            if !is_there {
                self.forget(&who);
            }
            return None;
        }
        known.is_told = is_there;
        let until = now.checked_add(self.interval);
        known.silent_until = until;
        self.due.extend(until.map(|until| (until, who.clone())));
        Some((who, is_there))
    }

    /// One without a session.
    fn forget(&mut self, who: &K) -> Option<KnownPeer> {
        let known = self.all.remove(who)?;
        self.absent -= 1;
        if let Some(until) = known.silent_until {
            self.due.remove(&(until, who.clone()));
        }
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn k_05_flapping_is_told_once_in_an_interval_and_ends_with_the_truth() {
        let (mut flaps, start) = (Flaps::new(SECOND), Instant::now());
        let (mut told, mut now) = (Vec::new(), start);
        for step in 0..20_001 {
            now = start + step * Duration::from_micros(150);
            while let Some(change) = flaps.handle_timeout(now) {
                told.push((now, change));
            }
            let change = match step % 2 {
                0 => flaps.joined("alice", now),
                _ => flaps.left("alice", now),
            };
            told.extend(change.map(|change| (now, change)));
        }
        assert!((1..=4).contains(&told.len()), "{told:?}");
        assert!(
            told.windows(2).all(|pair| pair[1].0 >= pair[0].0 + SECOND && pair[0].1 != pair[1].1)
        );
        while let Some(at) = flaps.deadline() {
            told.extend(flaps.handle_timeout(at).map(|change| (at, change)));
        }
        assert_eq!(told.last().unwrap().1, ("alice", true));
        assert_eq!(flaps.left("alice", now + 9 * SECOND), Some(("alice", false)));
        assert_eq!(flaps.handle_timeout(now + 10 * SECOND), None);
        assert!(flaps.all.is_empty() && flaps.due.is_empty(), "who is gone is forgotten");
    }

    /// Whoever comes under ever new names is told of each time, and fills nothing.
    #[test]
    fn k_05_who_has_left_is_remembered_up_to_a_bound() {
        let (mut flaps, now) = (Flaps::new(SECOND), Instant::now());
        let many = 3 * ABSENT_MAX;
        let mut told = BTreeMap::new();
        for name in 0..many {
            let changes = [flaps.joined(name, now), flaps.left(name, now)];
            told.extend(changes.into_iter().flatten());
            assert!(flaps.all.len() <= ABSENT_MAX + 1 && flaps.due.len() <= ABSENT_MAX + 1);
        }
        while let Some(at) = flaps.deadline() {
            told.extend(flaps.handle_timeout(at));
        }
        assert!(told.len() == many && told.values().all(|is_there| !is_there));
        assert_eq!((flaps.all.len(), flaps.due.len(), flaps.absent), (0, 0, 0));
    }

    #[test]
    fn a_user_is_there_as_long_as_one_of_its_sessions_is() {
        let (mut flaps, now) = (Flaps::new(Duration::ZERO), Instant::now());
        assert_eq!(flaps.joined("alice", now), Some(("alice", true)));
        flaps.handle_timeout(now);
        assert_eq!(flaps.joined("alice", now), None);
        assert_eq!(flaps.left("alice", now), None);
        assert_eq!(flaps.left("alice", now), Some(("alice", false)));
    }
}
