//! Which requests a session has made: none of them is acted on twice.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

/// The most that are remembered, whatever a setting asks for.
const REMEMBERED_MAX: usize = 1 << 24;

/// So many ids are looked through one by one.
const UNINDEXED_MAX: usize = 8;

/// Kept ids that are looked through for such as are over, at the least.
const KEPT_MIN: usize = 16;

/// The newest ids of one session, and those of its requests that are open, as fingerprints: 16 bytes
/// for each of the newest, taken as they come.
///
/// A new id is taken for a known one once in 2⁵⁴ times (with 1 024 of them). Who does not know the
/// key cannot make that happen more often, nor make a search long.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Many a peer asks once.
    One {
        print: NonZeroU64,
        number: u64,
    },
    More(Option<Box<Window>>),
}

impl Default for Seen {
    fn default() -> Self {
        Self::More(None)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Window {
    /// In order of coming. Once it is full, each takes the place of the oldest.
    ring: Vec<Known>,
    oldest: usize,
    /// Open addressing, at most half full: one more than a place in the ring; zero is free. Empty as
    /// long as the ring is short.
    table: Vec<u32>,
    /// Those whose place was taken while their requests were open.
    kept: BTreeMap<u64, u64>,
    /// How many of those there may be until such as are over go.
    kept_max: usize,
}

/// An id's fingerprint, and the number of the request that brought it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) print: u64,
    pub(crate) number: u64,
}

impl Seen {
    /// Whether the id of that fingerprint is among the newest, or its request is open.
    #[inline]
    pub(crate) fn is_known(&self, print: u64, is_open: impl Fn(u64) -> bool) -> bool {
        match self {
            Self::One { print: known, .. } => known.get() == print,
            Self::More(None) => false,
            Self::More(Some(window)) => window.is_known(print, is_open),
        }
    }

    /// Remembers an id that [is not known](Self::is_known), as one of the newest `max`, and as long as
    /// its request is open.
    #[inline]
    pub(crate) fn remember(&mut self, known: Known, max: usize, is_open: impl Fn(u64) -> bool) {
        match self {
            Self::More(Some(window)) => window.remember(known, max, is_open),
            _ => self.begin(known, max, is_open),
        }
    }

    /// The same of the first ones.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, known: Known, max: usize, is_open: impl Fn(u64) -> bool) {
        *self = match (&self, NonZeroU64::new(known.print)) {
            (Self::More(None), Some(print)) if max > 0 => Self::One { print, number: known.number },
            _ => {
                let mut window = Window::behind(self);
                window.remember(known, max, is_open);
                Self::More(Some(Box::new(window)))
            }
        };
    }
}

impl Window {
    /// With the one that was known before.
    fn behind(seen: &Seen) -> Self {
        let mut window = Self::default();
        if let Seen::One { print, number } = *seen {
            window.ring.push(Known { print: print.get(), number });
        }
        window
    }

    #[inline]
    fn is_known(&self, print: u64, is_open: impl Fn(u64) -> bool) -> bool {
        self.place(print).is_some() || self.kept.get(&print).is_some_and(|&number| is_open(number))
    }

    #[inline]
    fn remember(&mut self, known: Known, max: usize, is_open: impl Fn(u64) -> bool) {
        let oldest = self.insert(known, max.min(REMEMBERED_MAX));
        if let Some(old) = oldest.filter(|old| is_open(old.number)) {
            self.keep(old, is_open);
        }
    }

    /// Keeps what lives; as `remember` of sessions does, it costs a few steps and twice that room.
    fn keep(&mut self, old: Known, is_open: impl Fn(u64) -> bool) {
        if self.kept.len() >= self.kept_max.max(KEPT_MIN) {
            self.kept.retain(|_, &mut number| is_open(number));
            self.kept_max = 2 * self.kept.len();
        }
        self.kept.insert(old.print, old.number);
    }

    /// Returns whose place it took, if any.
    fn insert(&mut self, known: Known, max: usize) -> Option<Known> {
        if max == 0 {
            return Some(known);
        }
        if self.ring.len() < max {
            self.push(known);
            return None;
        }
        self.replace_oldest(known)
    }

    fn push(&mut self, known: Known) {
        self.ring.push(known);
        let (print, len) = (known.print, self.ring.len());
        if len <= UNINDEXED_MAX {
            return;
        }
        if 2 * len <= self.table.len() {
            return self.set(self.slot(print), len as u32);
        }
        self.table = vec![0; (2 * len).next_power_of_two()];
        for index in 0..self.ring.len() {
            let print = self.ring.get(index).map_or(0, |known| known.print);
            self.set(self.slot(print), index as u32 + 1);
        }
    }

    fn replace_oldest(&mut self, known: Known) -> Option<Known> {
        let index = self.oldest;
        let old = *self.ring.get(index)?;
        let is_indexed = !self.table.is_empty();
        if is_indexed {
            self.forget(old.print);
        }
        self.ring.get_mut(index).into_iter().for_each(|place| *place = known);
        if is_indexed {
            self.set(self.slot(known.print), index as u32 + 1);
        }
        self.oldest = (index + 1) % self.ring.len();
        Some(old)
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

    /// Where in the ring that fingerprint is.
    fn place(&self, print: u64) -> Option<usize> {
        if self.table.is_empty() {
            return self.ring.iter().position(|known| known.print == print);
        }
        Some(self.get(self.slot(print)).checked_sub(1)? as usize)
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
        self.ring.get(index as usize).map(|known| known.print)
    }

    fn get(&self, slot: usize) -> u32 {
        self.table.get(slot).copied().unwrap_or_default()
    }

    fn set(&mut self, slot: usize, place: u32) {
        self.table.get_mut(slot).into_iter().for_each(|known| *known = place);
    }
}

/// The fingerprint of an id; `None` for the empty one, which is none.
///
/// Each 8 bytes are folded into what came before by one multiplication of 64 by 64 bits under the key,
/// as in wyhash. Nobody sees a fingerprint, and who makes two ids of its own meet has only its own
/// second request dropped.
pub(crate) fn fingerprint(id: &[u8], key: u64) -> Option<u64> {
    if id.is_empty() {
        return None;
    }
    let (pieces, rest) = id.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
    let start = fold(key ^ id.len() as u64, SECOND_KEY);
    let print =
        pieces.iter().fold(start, |print, piece| mix(print, u64::from_le_bytes(*piece), key));
    Some(mix(print, u64::from_le_bytes(last), key))
}

/// Any odd constant: here wyhash's second secret.
const SECOND_KEY: u64 = 0xe703_7ed1_a0b4_28db;

fn mix(print: u64, piece: u64, key: u64) -> u64 {
    fold(print ^ piece, key | 1) ^ piece.rotate_left(32)
}

fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::wire_id::WireId;
    use std::collections::VecDeque;

    const KEY: u64 = 0x9e37_79b9_7f4a_7c15;

    /// Asks whether an id is new, and remembers it then, of a request that is over.
    fn is_new(seen: &mut Seen, id: &WireId, max: usize) -> bool {
        let print = fingerprint(id.as_bytes(), KEY).unwrap();
        let new = !seen.is_known(print, |_| false);
        if new {
            seen.remember(Known { print, number: 0 }, max, |_| false);
        }
        new
    }

    fn window(seen: &Seen) -> &Window {
        let Seen::More(Some(window)) = seen else { panic!("{seen:?}") };
        window
    }

    fn id(bytes: &[u8]) -> WireId {
        WireId::new(bytes).unwrap()
    }

    #[test]
    fn j_07_the_newest_are_known_and_the_oldest_forgotten() {
        let mut seen = Seen::default();
        let ids: Vec<_> = (0u32..100).map(|n| id(&n.to_be_bytes())).collect();
        for id in &ids {
            assert!(is_new(&mut seen, id, 10));
        }
        assert!(ids[90..].iter().all(|id| !is_new(&mut seen, id, 10)));
        assert!(is_new(&mut seen, &ids[89], 10));
        assert!(is_new(&mut seen, &ids[90], 10), "it has made room");
        let window = window(&seen);
        assert_eq!((window.ring.len(), window.table.len()), (10, 32));
    }

    /// Few fingerprints, close together, so that slots are fought for.
    #[test]
    fn it_does_as_a_plain_list_would() {
        for max in [0, 1, 2, 7, 8, 9, 64] {
            let (mut seen, mut list) = (Window::default(), VecDeque::new());
            let mut state = 1u64;
            for _ in 0..20_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let print = (state >> 40) % 150 / 3 * 61;
                let new = !list.contains(&print);
                assert_eq!(seen.place(print).is_none(), new);
                if new {
                    seen.insert(Known { print, number: 0 }, max);
                    list.push_back(print);
                    list.drain(..list.len().saturating_sub(max));
                }
            }
            let indexed = seen.table.iter().filter(|&&place| place > 0).count();
            let expected = if list.len() > UNINDEXED_MAX { list.len() } else { 0 };
            assert_eq!((seen.ring.len(), indexed), (list.len(), expected));
        }
    }

    #[test]
    fn s_15_an_open_id_is_known_however_many_came_since() {
        for max in [0, 1, 10, 1_024] {
            let mut seen = Seen::default();
            let print = |n: u32| fingerprint(&n.to_be_bytes(), KEY).unwrap();
            let known = |n| Known { print: print(n), number: n.into() };
            let open = |known: u64| known.is_multiple_of(100);
            // Every hundredth is open; then only the first is.
            for n in 0..10_000 {
                assert!(!seen.is_known(print(n), |_| true), "{n} of {max}");
                seen.remember(known(n), max, open);
            }
            assert!((0..10_000).step_by(100).all(|n| seen.is_known(print(n), open)));
            assert!(!seen.is_known(print(1), open), "it is over, and forgotten");
            assert!(window(&seen).kept.len() <= 200, "{}", window(&seen).kept.len());
            let first = |known: u64| known == 0;
            for n in 10_000..20_000 {
                seen.remember(known(n), max, first);
            }
            assert!(seen.is_known(print(0), first) && !seen.is_known(print(100), first));
            for n in 20_000..22_000 {
                seen.remember(known(n), max, |known| known >= 20_000);
            }
            for n in 22_000..32_000 {
                seen.remember(known(n), max, |known| known % 100 == 1);
            }
            assert!(window(&seen).kept.len() <= 4_000, "{}", window(&seen).kept.len());
        }
    }

    #[test]
    fn a_session_that_asks_nothing_holds_nothing() {
        assert!(matches!(Seen::default(), Seen::More(None)));
    }

    #[test]
    fn ids_are_compared_whole() {
        let mut seen = Seen::default();
        let ids = [&[0; 15][..], &[0; 16], &[0; 17], &[0; 64], &[1; 16], b"x"];
        for bytes in ids {
            assert!(is_new(&mut seen, &id(bytes), 100));
        }
        assert!(ids.iter().all(|bytes| !is_new(&mut seen, &id(bytes), 100)));
    }

    /// From the first one on, which is kept in place, as a plain list with open requests would.
    #[test]
    fn the_face_does_as_a_plain_list_would() {
        for max in [0usize, 1, 2, 7, 8, 9, 64] {
            for seed in 1..200u64 {
                let (mut seen, mut list) = (Seen::default(), VecDeque::<(u64, u64)>::new());
                let mut kept: Vec<(u64, u64)> = Vec::new();
                let mut open = std::collections::BTreeSet::new();
                let mut state = seed;
                for number in 0..200u64 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Zero among them.
                    let print = (state >> 40) % 30 / 3 * 61;
                    let known = list.iter().any(|k| k.0 == print)
                        || kept.iter().any(|k| k.0 == print && open.contains(&k.1));
                    assert_eq!(
                        seen.is_known(print, |n| open.contains(&n)),
                        known,
                        "{max} {seed} {number}"
                    );
                    if !known {
                        open.insert(number);
                        seen.remember(Known { print, number }, max, |n| open.contains(&n));
                        list.push_back((print, number));
                        while list.len() > max {
                            let old = list.pop_front().unwrap();
                            kept.retain(|k| k.0 != old.0);
                            kept.push(old);
                        }
                    }
                    // Some are answered.
                    if state >> 20 & 1 == 0
                        && let Some(&n) =
                            open.iter().nth((state >> 21) as usize % open.len().max(1))
                    {
                        open.remove(&n);
                    }
                }
            }
        }
    }
}
