//! Which requests a session has made: none of them is acted on twice.

use super::wire::WireId;
use std::hash::{DefaultHasher, Hasher};

/// The most that are remembered, whatever a setting asks for.
const REMEMBERED_MAX: usize = 1 << 24;

/// The newest ids of one session, as fingerprints: 16 bytes for each, taken as they come.
///
/// A new id is taken for a known one once in 2⁵⁴ times (with 1 024 of them). Who does not know the
/// key cannot make that happen more often, nor make a search long.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// In order of coming. Once it is full, each takes the place of the oldest.
    ring: Vec<u64>,
    oldest: usize,
    /// Open addressing, at most half full: one more than a place in the ring; zero is free.
    table: Vec<u32>,
}

impl Seen {
    /// Remembers an id, as one of the newest `max`. False if it is among them already.
    pub(super) fn remember(&mut self, id: &WireId, key: u64, max: usize) -> bool {
        self.insert(fingerprint(id, key), max.min(REMEMBERED_MAX))
    }

    fn insert(&mut self, print: u64, max: usize) -> bool {
        if self.print_at(self.slot(print)).is_some() {
            return false;
        }
        match self.ring.len() < max {
            true => self.push(print),
            false => self.replace_oldest(print),
        }
        true
    }

    fn push(&mut self, print: u64) {
        self.ring.push(print);
        if 2 * self.ring.len() <= self.table.len() {
            return self.set(self.slot(print), self.ring.len() as u32);
        }
        self.table = vec![0; (2 * self.table.len()).max(16)];
        for index in 0..self.ring.len() {
            let print = self.ring.get(index).copied().unwrap_or_default();
            self.set(self.slot(print), index as u32 + 1);
        }
    }

    fn replace_oldest(&mut self, print: u64) {
        let index = self.oldest;
        let Some(&old) = self.ring.get(index) else { return };
        self.forget(old);
        self.ring.get_mut(index).into_iter().for_each(|place| *place = print);
        self.set(self.slot(print), index as u32 + 1);
        self.oldest = (index + 1) % self.ring.len();
    }

    /// Frees its slot; whoever was further on for its sake moves up.
    fn forget(&mut self, print: u64) {
        let mut slot = self.slot(print);
        self.set(slot, 0);
        loop {
            slot = self.next(slot);
            let Some(other) = self.print_at(slot) else { return };
            let better = self.slot(other);
            if better != slot {
                self.set(better, self.get(slot));
                self.set(slot, 0);
            }
        }
    }

    /// Where that fingerprint is, or the free slot where it belongs.
    fn slot(&self, print: u64) -> usize {
        let mut slot = print as usize & self.mask();
        while self.print_at(slot).is_some_and(|other| other != print) {
            slot = self.next(slot);
        }
        slot
    }

    fn next(&self, slot: usize) -> usize {
        (slot + 1) & self.mask()
    }

    fn mask(&self) -> usize {
        self.table.len().saturating_sub(1)
    }

    fn print_at(&self, slot: usize) -> Option<u64> {
        let index = self.get(slot).checked_sub(1)?;
        self.ring.get(index as usize).copied()
    }

    fn get(&self, slot: usize) -> u32 {
        self.table.get(slot).copied().unwrap_or_default()
    }

    fn set(&mut self, slot: usize, place: u32) {
        self.table.get_mut(slot).into_iter().for_each(|known| *known = place);
    }
}

fn fingerprint(id: &WireId, key: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(key);
    hasher.write(id.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn id(bytes: &[u8]) -> WireId {
        WireId::new(bytes).unwrap()
    }

    #[test]
    fn j_07_the_newest_are_known_and_the_oldest_forgotten() {
        let mut seen = Seen::default();
        let ids: Vec<_> = (0u32..100).map(|n| id(&n.to_be_bytes())).collect();
        for id in &ids {
            assert!(seen.remember(id, 9, 10));
        }
        assert!(ids[90..].iter().all(|id| !seen.remember(id, 9, 10)));
        assert!(seen.remember(&ids[89], 9, 10));
        assert!(seen.remember(&ids[90], 9, 10), "it has made room");
        assert_eq!((seen.ring.len(), seen.table.len()), (10, 32));
    }

    /// Few fingerprints, close together, so that slots are fought for.
    #[test]
    fn it_does_as_a_plain_list_would() {
        for max in [0, 1, 2, 7, 8, 9, 64] {
            let (mut seen, mut list) = (Seen::default(), VecDeque::new());
            let mut state = 1u64;
            for _ in 0..20_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let print = (state >> 40) % 150 / 3 * 61;
                let new = !list.contains(&print);
                assert_eq!(seen.insert(print, max), new);
                if new {
                    list.push_back(print);
                    list.drain(..list.len().saturating_sub(max));
                }
            }
            assert!(seen.table.iter().filter(|&&place| place > 0).count() == list.len());
        }
    }

    #[test]
    fn a_session_that_asks_nothing_holds_nothing() {
        let seen = Seen::default();
        assert_eq!((seen.ring.capacity(), seen.table.capacity()), (0, 0));
    }

    #[test]
    fn ids_are_compared_whole() {
        let mut seen = Seen::default();
        let ids = [&[0; 15][..], &[0; 16], &[0; 17], &[0; 64], &[1; 16], b"x"];
        for bytes in ids {
            assert!(seen.remember(&id(bytes), 1, 100));
        }
        assert!(ids.iter().all(|bytes| !seen.remember(&id(bytes), 1, 100)));
    }
}
