//! Failures that are counted, forgotten with time, and waited for.

use crate::auth::strangers::StrangerLimits;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Failures of one source or for one name.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// When the last one was, or the last time half of them was forgotten.
    since: Instant,
    /// When half of them was last forgiven for a success.
    forgiven: Option<Instant>,
}

impl Failures {
    /// The same with what has been forgotten since.
    fn at(self, halve_after: Duration, now: Instant) -> Self {
        let elapsed = now.saturating_duration_since(self.since);
        let halvings = elapsed.as_nanos().checked_div(halve_after.as_nanos()).unwrap_or(u128::MAX);
        match u32::try_from(halvings) {
            Ok(0) => self,
            Ok(halvings) => Self {
                count: self.count.checked_shr(halvings).unwrap_or(0),
                since: self.since + halve_after.saturating_mul(halvings),
                ..self
            },
            Err(_) => Self { count: 0, since: now, ..self },
        }
    }
}

/// Failures by source, or by name: so many at most.
#[derive(Debug)]
pub(super) struct Ledger<K> {
    known: BTreeMap<K, Failures>,
    /// When those of which nothing is left were last dropped.
    swept: Option<Instant>,
}

impl<K> Default for Ledger<K> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), swept: None }
    }
}

impl<K: Ord + Clone> Ledger<K> {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Failures that are not forgotten yet.
    pub(super) fn count<Q: Ord + ?Sized>(
        &self,
        key: &Q,
        limits: &StrangerLimits,
        now: Instant,
    ) -> u32
    where
        K: std::borrow::Borrow<Q>,
    {
        let failures = self.known.get(key);
        failures.map_or(0, |failures| failures.at(limits.failures_halve_after, now).count)
    }

    /// Until when it has to wait, where `free` failures have no consequence: from the last one on,
    /// `backoff_first` doubled for each that is not free. `None`: not at all.
    pub(super) fn waits_until<Q: Ord + ?Sized>(
        &self,
        key: &Q,
        free: u32,
        limits: &StrangerLimits,
        now: Instant,
    ) -> Option<Instant>
    where
        K: std::borrow::Borrow<Q>,
    {
        let failures = self.known.get(key)?.at(limits.failures_halve_after, now);
        let doublings = failures.count.checked_sub(free)?.checked_sub(1)?;
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = limits.backoff_first.saturating_mul(factor).min(limits.backoff_max);
        failures.since.checked_add(wait).filter(|until| now < *until)
    }

    /// One more.
    pub(super) fn add(&mut self, key: K, limits: &StrangerLimits, now: Instant) {
        let halve_after = limits.failures_halve_after;
        if let Some(failures) = self.known.get_mut(&key) {
            let count = failures.at(halve_after, now).count.saturating_add(1);
            *failures = Failures { count, since: now, ..*failures };
            return;
        }
        let swept = *self.swept.get_or_insert(now);
        if now.saturating_duration_since(swept) >= halve_after {
            self.sweep(halve_after, now);
        }
        if self.known.len() >= limits.remembered_max {
            self.make_room(limits, now);
        }
        if self.known.len() < limits.remembered_max {
            self.known.insert(key, Failures { count: 1, since: now, forgiven: None });
        }
    }

    /// Forgets half of its failures, the greater half stays; once each time that time forgets as many. Else
    /// whoever fails by one name and comes in by another in turn had never failed.
    pub(super) fn forgive<Q: Ord + ?Sized>(
        &mut self,
        key: &Q,
        limits: &StrangerLimits,
        now: Instant,
    ) where
        K: std::borrow::Borrow<Q>,
    {
        let Some(failures) = self.known.get_mut(key) else { return };
        let halve_after = limits.failures_halve_after;
        let waits = |at: Instant| now.saturating_duration_since(at) < halve_after;
        if !failures.forgiven.is_some_and(waits) {
            let now_left = failures.at(halve_after, now);
            *failures =
                Failures { count: now_left.count.div_ceil(2), forgiven: Some(now), ..now_left };
        }
    }

    /// Forgets all of its failures.
    pub(super) fn forget<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        self.known.remove(key);
    }

    /// Drops those of which nothing is left to remember.
    fn sweep(&mut self, halve_after: Duration, now: Instant) {
        self.swept = Some(now);
        self.known.retain(|_, failures| failures.at(halve_after, now).count > 0);
    }

    /// Drops a sixteenth: those with the fewest failures, of those the oldest. One by one, a flood of
    /// sources would have all of them looked at for each.
    fn make_room(&mut self, limits: &StrangerLimits, now: Instant) {
        let known = self.known.iter().map(|(key, failures)| {
            let failures = failures.at(limits.failures_halve_after, now);
            (failures.count, failures.since, key.clone())
        });
        let mut known: Vec<_> = known.collect();
        known.sort_by_key(|(count, since, _)| (*count, *since));
        for (_, _, key) in known.into_iter().take(1 + limits.remembered_max / 16) {
            self.known.remove(&key);
        }
    }
}
