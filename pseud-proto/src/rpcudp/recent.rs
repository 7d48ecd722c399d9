//! What was lately so: a table of bounded size and age.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Values by key. The oldest go first, where there are too many or they are too old.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    entries: BTreeMap<K, RecentEntry<V>>,
    /// By age; an entry that was renewed stands here more than once, and counts where it stands last.
    order: VecDeque<(K, u64)>,
    entries_max: usize,
    age_max: Duration,
    renewals: u64,
}

#[derive(Debug)]
struct RecentEntry<V> {
    value: V,
    since: Instant,
    renewal: u64,
}

impl<K: Ord + Copy, V> Recent<K, V> {
    pub(super) fn new(entries_max: usize, age_max: Duration) -> Self {
        let (entries, order) = (BTreeMap::new(), VecDeque::new());
        Self { entries, order, entries_max, age_max, renewals: 0 }
    }

    /// What is there and not too old.
    pub(super) fn get_mut(&mut self, key: &K, now: Instant) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        let age = now.saturating_duration_since(entry.since);
        (age < self.age_max).then_some(&mut entry.value)
    }

    /// Puts it there as the newest; `gone` hears what had to go.
    pub(super) fn put(&mut self, key: K, value: V, now: Instant, mut gone: impl FnMut(V)) {
        if self.entries_max == 0 || self.age_max.is_zero() {
            return;
        }
        self.renewals += 1;
        let entry = RecentEntry { value, since: now, renewal: self.renewals };
        if let Some(old) = self.entries.insert(key, entry) {
            gone(old.value);
        }
        self.order.push_back((key, self.renewals));
        while let Some(&(oldest, renewal)) = self.order.front() {
            match self.entries.get(&oldest) {
                Some(entry) if entry.renewal == renewal => {
                    let age = now.saturating_duration_since(entry.since);
                    if age < self.age_max && self.entries.len() <= self.entries_max {
                        break;
                    }
                    if let Some(old) = self.entries.remove(&oldest) {
                        gone(old.value);
                    }
                }
                // That key was renewed since it was put into the order, or is gone.
                _ => {}
            }
            self.order.pop_front();
        }
        self.shrink();
    }

    /// Renewals of entries behind an older one pile up: dropped once they outweigh what lives.
    fn shrink(&mut self) {
        if self.order.len() > 2 * self.entries.len() + 16 {
            let entries = &self.entries;
            let lives = |(key, renewal): &(K, u64)| {
                entries.get(key).is_some_and(|entry| entry.renewal == *renewal)
            };
            self.order.retain(lives);
        }
    }

    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        (self.entries.len(), self.order.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_forgets_the_oldest() {
        let (mut now, mut gone) = (Instant::now(), 0);
        let mut recent = Recent::new(10, Duration::from_secs(5));
        for key in 0..1_000 {
            recent.put(key, key, now, |_| gone += 1);
        }
        assert_eq!((recent.len().0, gone), (10, 990));
        assert_eq!(recent.get_mut(&989, now), None);
        assert_eq!(recent.get_mut(&990, now), Some(&mut 990));
        now += Duration::from_secs(5);
        assert_eq!(recent.get_mut(&999, now), None);
        recent.put(1, 1, now, |_| gone += 1);
        assert_eq!((recent.len(), gone), ((1, 1), 1_000));
    }

    #[test]
    fn renewing_one_for_ever_takes_no_room() {
        let now = Instant::now();
        let mut recent = Recent::new(10, Duration::from_secs(5));
        recent.put(0, 0, now, drop);
        for value in 0..10_000 {
            recent.put(1, value, now, drop);
        }
        assert!(recent.len().1 < 32, "{:?}", recent.len());
        assert_eq!(recent.get_mut(&1, now), Some(&mut 9_999));
    }

    #[test]
    fn of_no_size_or_age_it_keeps_nothing() {
        let now = Instant::now();
        for (size, age) in [(0, 5), (10, 0)] {
            let mut recent = Recent::new(size, Duration::from_secs(age));
            recent.put(1, (), now, |()| panic!("nothing was there"));
            assert_eq!(recent.get_mut(&1, now), None);
        }
    }
}
