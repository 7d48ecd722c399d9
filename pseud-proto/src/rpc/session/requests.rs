//! Requests of one peer that are being served: from the WORK to its answer.

use crate::base::deadline::Next;
use crate::call::late_guard::Guard;
use crate::call::open_request::OpenRequest;
use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

/// So many requests that are answered where they came have a bit each.
const BITS: u64 = u64::BITS as u64;

/// Places of requests that are over which are let be.
const OVER_KEPT: usize = 16;

/// The open requests of one session, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// The number of the next one.
    number: u64,
    /// How many are open, and what they take.
    open: u32,
    bytes: usize,
    in_place: InPlace,
    /// Made for the first one that waits: most peers have none.
    waiting: Option<Box<WaitingRequests>>,
}

/// Those that wait for their answers.
#[derive(Debug, Default)]
struct WaitingRequests {
    /// In the order of their numbers. The first and the last are open, and most others.
    kept: VecDeque<KeptRequest>,
    guards: usize,
    next: Next,
}

/// Requests that are answered where they came, whose drivers hold what is needed for that: which of the numbers
/// from the first on, and how many.
#[derive(Debug, Default)]
struct InPlace {
    first: u64,
    open: u64,
    /// Those whose numbers are beyond: of a read that had very many.
    #[allow(
        clippy::box_collection,
        reason = "each session has this room, and hardly one such numbers"
    )]
    beyond: Option<Box<BTreeSet<u64>>>,
    count: u32,
}

/// One that waits for its answer, until it has that.
#[derive(Debug)]
struct KeptRequest {
    number: u64,
    open: Option<OpenRequest>,
}

impl InPlace {
    /// The bit of that number.
    #[inline]
    fn bit(&self, number: u64) -> u64 {
        match number.wrapping_sub(self.first) {
            place @ 0..BITS => 1 << place,
            _ => 0,
        }
    }

    #[inline]
    fn is_open(&self, number: u64) -> bool {
        self.open & self.bit(number) != 0
            || self.beyond.as_ref().is_some_and(|beyond| beyond.contains(&number))
    }

    #[inline]
    fn leave(&mut self, number: u64) {
        match self.bit(number) {
            0 => self.leave_beyond(number),
            bit => self.open &= !bit,
        }
        self.count -= 1;
    }

    #[cold]
    fn leave_beyond(&mut self, number: u64) {
        if let Some(beyond) = &mut self.beyond {
            beyond.remove(&number);
        }
        self.beyond.take_if(|beyond| beyond.is_empty());
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        let Self { first, open, .. } = *self;
        let near = (0..BITS).filter(move |place| open >> place & 1 != 0);
        near.map(move |place| first + place)
            .chain(self.beyond.iter().flat_map(|beyond| beyond.iter().copied()))
    }
}

impl Requests {
    /// How many are open.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.open as usize
    }

    /// What they take.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.as_ref()?.next.get()
    }

    /// The number of one that has come.
    #[inline]
    pub(crate) fn count_up(&mut self) -> u64 {
        let number = self.number;
        self.number = number.wrapping_add(1);
        number
    }

    /// That one is open, and takes so many bytes.
    #[inline]
    pub(crate) fn begin(&mut self, number: u64, bytes: usize) {
        let in_place = &mut self.in_place;
        if in_place.count == 0 {
            in_place.first = number;
        }
        match in_place.bit(number) {
            0 => _ = in_place.beyond.get_or_insert_default().insert(number),
            bit => in_place.open |= bit,
        }
        in_place.count += 1;
        self.open += 1;
        self.bytes += bytes;
    }

    /// One that was to be answered where it came is over, or is kept.
    #[inline]
    pub(crate) fn end_in_place(&mut self, number: u64, bytes: usize) {
        self.in_place.leave(number);
        self.open -= 1;
        self.bytes -= bytes;
    }

    /// One of those takes so many bytes more.
    pub(crate) fn grow_in_place(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Such a one waits for its answer from now on.
    pub(crate) fn keep(&mut self, number: u64, open: OpenRequest) {
        self.in_place.leave(number);
        self.waiting.get_or_insert_with(WaitingRequests::begin).insert(number, open);
    }

    /// Whether that one is open.
    #[inline]
    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.in_place.is_open(number) || self.get(number).is_some()
    }

    /// One that is kept.
    #[inline]
    pub(crate) fn get(&self, number: u64) -> Option<&OpenRequest> {
        self.waiting.as_ref()?.get(number)
    }

    /// It takes so many bytes more.
    pub(crate) fn grow(&mut self, number: u64, bytes: usize) {
        if let Some(open) = self.waiting.as_mut().and_then(|waiting| waiting.get_mut(number)) {
            open.bytes += bytes;
            self.bytes += bytes;
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, number: u64) -> Option<OpenRequest> {
        let waiting = self.waiting.as_mut()?;
        let open = waiting.remove(number)?;
        self.open -= 1;
        self.bytes -= open.bytes;
        waiting.tidy((self.open - self.in_place.count) as usize);
        Some(open)
    }

    /// Their callers no longer wait, but their handlers still run: the places stay until those end. The
    /// earliest of the other guards becomes the next one.
    pub(crate) fn pass_guards(&mut self, now: Instant) {
        if let Some(waiting) = &mut self.waiting {
            waiting.pass_guards(now);
        }
    }

    /// How many have a guard, by scanning them.
    pub(crate) fn count_guards(&self) -> usize {
        let open = self.waiting.iter().flat_map(|waiting| waiting.all());
        open.filter(|(_, open)| open.guard.until().is_some()).count()
    }

    /// All that are open, in order.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let kept = self.waiting.iter().flat_map(|waiting| waiting.all());
        let mut numbers: Vec<_> =
            kept.map(|(number, _)| number).chain(self.in_place.numbers()).collect();
        numbers.sort_unstable();
        numbers
    }
}

impl WaitingRequests {
    #[cold]
    #[inline(never)]
    fn begin() -> Box<Self> {
        Box::default()
    }

    #[inline]
    fn insert(&mut self, number: u64, open: OpenRequest) {
        if let Some(at) = open.guard.until() {
            self.next.note(at);
            self.guards += 1;
        }
        if self.kept.capacity() == 0 {
            // A peer that asks one thing after the other needs one place.
            self.kept.reserve_exact(1);
        }
        let kept = KeptRequest { number, open: Some(open) };
        match self.kept.back() {
            Some(last) if last.number > number => {
                let place = self.kept.partition_point(|known| known.number < number);
                self.kept.insert(place, kept);
            }
            _ => self.kept.push_back(kept),
        }
    }

    #[inline]
    fn place(&self, number: u64) -> Option<usize> {
        match self.kept.front()?.number.cmp(&number) {
            Ordering::Equal => Some(0),
            Ordering::Less => self.kept.binary_search_by_key(&number, |known| known.number).ok(),
            Ordering::Greater => None,
        }
    }

    #[inline]
    fn get(&self, number: u64) -> Option<&OpenRequest> {
        self.kept.get(self.place(number)?)?.open.as_ref()
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut OpenRequest> {
        let place = self.place(number)?;
        self.kept.get_mut(place)?.open.as_mut()
    }

    fn remove(&mut self, number: u64) -> Option<OpenRequest> {
        let place = self.place(number)?;
        let open = self.kept.get_mut(place)?.open.take()?;
        if open.guard.until().is_some() {
            self.drop_guard();
        }
        Some(open)
    }

    /// Places of those that are over go where they are the first, the last, or more than those of others; each
    /// was made once, so this costs a few steps. A table without any holds room for one.
    #[inline]
    fn tidy(&mut self, open: usize) {
        while self.kept.front().is_some_and(|known| known.open.is_none()) {
            self.kept.pop_front();
        }
        while self.kept.back().is_some_and(|known| known.open.is_none()) {
            self.kept.pop_back();
        }
        if self.kept.len() > 2 * open + OVER_KEPT {
            self.kept.retain(|known| known.open.is_some());
        }
        let (places, room) = (self.kept.len(), self.kept.capacity());
        if places == 0 && room > 1 {
            self.kept = VecDeque::new();
        } else if room > OVER_KEPT && places < room / 4 {
            self.kept.shrink_to((2 * places).max(OVER_KEPT));
        }
    }

    fn drop_guard(&mut self) {
        self.guards -= 1;
        if self.guards == 0 {
            self.next.clear();
        }
    }

    fn pass_guards(&mut self, now: Instant) {
        self.next.clear();
        let mut passed = 0;
        for open in self.kept.iter_mut().filter_map(|known| known.open.as_mut()) {
            match open.guard {
                Guard::Until(at) if at <= now => {
                    open.guard = Guard::Passed;
                    passed += 1;
                }
                Guard::Until(at) => self.next.note(at),
                Guard::Never | Guard::Passed => {}
            }
        }
        self.guards -= passed;
    }

    fn all(&self) -> impl Iterator<Item = (u64, &OpenRequest)> {
        self.kept.iter().filter_map(|known| Some((known.number, known.open.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::wire_id::WireId;
    use smol_str::SmolStr;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn open(guard: Guard, bytes: usize) -> OpenRequest {
        let id = WireId::new(b"sixteen bytes...").unwrap();
        OpenRequest { id, guard, name: SmolStr::default(), bytes }
    }

    /// What is counted as it changes is what a scan finds, whatever becomes of requests.
    #[test]
    fn sums_never_drift() {
        let (mut now, mut requests) = (Instant::now(), Requests::default());
        let mut known = Vec::new();
        let mut luck = 1_u64;
        for step in 0..2_000 {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dice = (luck >> 33) as usize;
            let some = known.get(dice % known.len().max(1)).copied();
            match (dice % 6, some) {
                (0..=2, _) | (_, None) => {
                    let guard = match dice % 4 {
                        0 => Guard::Never,
                        n => Guard::Until(now + Duration::from_secs(n as u64)),
                    };
                    let number = requests.count_up();
                    let open = open(guard, dice % 1_000);
                    requests.begin(number, open.bytes);
                    requests.keep(number, open);
                    known.push(number);
                }
                (3, Some(some)) => requests.grow(some, dice % 900),
                (4, Some(some)) => drop(requests.remove(some)),
                (_, Some(_)) => {
                    now += Duration::from_millis(100);
                    requests.pass_guards(now);
                }
            }
            let waiting = requests.waiting.as_ref().unwrap();
            let open = || waiting.all().map(|(_, open)| open);
            assert_eq!(requests.len(), open().count());
            assert_eq!(requests.bytes, open().map(|open| open.bytes).sum::<usize>(), "step {step}");
            assert_eq!(waiting.guards, requests.count_guards());
            let first = open().filter_map(|open| open.guard.until()).min();
            assert_eq!(requests.next().is_none(), first.is_none());
            assert!(requests.next().is_none_or(|next| Some(next) <= first), "early, never late");
            assert!(waiting.kept.len() <= 2 * requests.len() + OVER_KEPT);
        }
        for request in known {
            requests.remove(request);
        }
        assert_eq!((requests.len(), requests.bytes(), requests.next()), (0, 0, None));
        assert!(requests.waiting.unwrap().kept.capacity() <= 1);
    }

    /// Some are answered where they came, some are kept, in any order and for however long: each is open until
    /// it is over, and no other is for its sake.
    #[test]
    fn each_is_open_until_it_is_over() {
        let (mut requests, mut known) = (Requests::default(), BTreeMap::new());
        let mut luck = 7_u64;
        for step in 0..20_000 {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dice = (luck >> 33) as usize;
            let often = if step % 2_000 < 1_000 { 5 } else { 3 };
            let some = known.keys().nth(dice / 8 % known.len().max(1)).copied();
            match (dice % 8, some) {
                (choice, _) if choice < often => {
                    let number = requests.count_up();
                    if choice > 0 {
                        requests.begin(number, 3);
                        known.insert(number, Some(open(Guard::Never, 3)));
                    }
                }
                (choice, Some(number)) => match known.remove(&number).unwrap() {
                    Some(open) if choice == 7 => {
                        requests.keep(number, open);
                        known.insert(number, None);
                    }
                    Some(open) => requests.end_in_place(number, open.bytes),
                    None => assert!(requests.remove(number).is_some()),
                },
                _ => {}
            }
            assert_eq!((requests.len(), requests.bytes()), (known.len(), 3 * known.len()));
            if step % 64 == 0 {
                let open: Vec<_> = known.keys().copied().collect();
                assert_eq!(requests.numbers(), open);
                let is_open = |number: &u64| requests.is_open(*number);
                assert_eq!((0..requests.number).filter(is_open).collect::<Vec<_>>(), open);
            }
        }
    }
}
