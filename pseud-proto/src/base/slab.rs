//! Slots with generations: a key names one occupant for ever, never the next one in its place, and
//! never one of another machine.

/// Which machine a key is of: drawn at its birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MachineId(pub(crate) u32);

impl MachineId {
    /// Whether that key may be of one of this machine's tables.
    pub(crate) fn owns(self, key: Key) -> bool {
        let ours = key.machine == self;
        debug_assert!(ours, "an id or a ticket of another endpoint");
        ours
    }
}

/// A slot of a machine's table and the generation of its occupant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) machine: MachineId,
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A table whose keys are never reused, while its slots are. Free slots behind the last occupant are
/// given up, and an empty table holds room for one.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    machine: MachineId,
    slots: Vec<Slot<T>>,
    /// The free slot that is taken next; [`NONE`] where there is none.
    free: u32,
    live: u32,
    /// The generation of the next occupant: counted over all slots, so that one which was given up
    /// and comes again does not begin anew.
    generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    state: Occupancy<T>,
}

#[derive(Debug)]
enum Occupancy<T> {
    Taken(T),
    /// Its neighbours in the list of free slots: so that list needs no memory of its own.
    Free {
        before: u32,
        after: u32,
    },
}

/// No slot.
const NONE: u32 = u32::MAX;
/// Room that is kept however few slots are in use.
const SLOTS_KEPT: usize = 16;
/// Slots that are made at least where one is taken.
const BURST: usize = 7;

impl<T> Slab<T> {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self { machine, slots: Vec::new(), free: NONE, live: 0, generation: 0 }
    }

    /// Whether that key may be of this table. One of another machine is its caller's mistake; to act
    /// on it would hit whoever has that slot here.
    pub(crate) fn owns(&self, key: Key) -> bool {
        self.machine.owns(key)
    }

    fn key(&self, index: u32, generation: u32) -> Key {
        Key { machine: self.machine, index, generation }
    }

    /// Which machine's table it is.
    pub(crate) fn machine(&self) -> MachineId {
        self.machine
    }

    pub(crate) fn len(&self) -> usize {
        self.live as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key that the next `insert` returns.
    pub(crate) fn next_key(&self) -> Key {
        let index = if self.free == NONE { self.slots.len() as u32 } else { self.free };
        self.key(index, self.generation)
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let key = self.next_key();
        self.generation = self.generation.wrapping_add(1);
        self.live += 1;
        let slot = Slot { generation: key.generation, state: Occupancy::Taken(value) };
        match self.slots.get_mut(key.index as usize) {
            Some(place) => {
                if let Occupancy::Free { before, after } = std::mem::replace(place, slot).state {
                    self.unlink(before, after);
                }
            }
            None => {
                if self.slots.len() == self.slots.capacity() {
                    self.grow();
                }
                self.slots.push(slot);
            }
        }
        key
    }

    /// A peer that is called one call after the other needs one slot; where one is behind another, several may be.
    #[cold]
    fn grow(&mut self) {
        let more = if self.slots.is_empty() { 1 } else { BURST.max(self.slots.len()) };
        self.slots.reserve_exact(more);
    }

    /// The free slot between those is free no more.
    fn unlink(&mut self, before: u32, after: u32) {
        match self.slots.get_mut(before as usize).map(|slot| &mut slot.state) {
            Some(Occupancy::Free { after: behind, .. }) => *behind = after,
            _ => self.free = after,
        }
        let next = self.slots.get_mut(after as usize).map(|slot| &mut slot.state);
        if let Some(Occupancy::Free { before: ahead, .. }) = next {
            *ahead = before;
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        if !self.owns(key) {
            return None;
        }
        let slot = self.slots.get(key.index as usize)?;
        slot.value().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        if !self.owns(key) {
            return None;
        }
        match self.slots.get_mut(key.index as usize)? {
            Slot { generation, state: Occupancy::Taken(value) }
                if *generation == key.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        if !self.owns(key) {
            return None;
        }
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation || slot.value().is_none() {
            return None;
        }
        let free = Occupancy::Free { before: NONE, after: self.free };
        let Occupancy::Taken(value) = std::mem::replace(&mut slot.state, free) else { return None };
        self.live -= 1;
        let next = self.slots.get_mut(self.free as usize).map(|slot| &mut slot.state);
        if let Some(Occupancy::Free { before, .. }) = next {
            *before = key.index;
        }
        self.free = key.index;
        if key.index as usize + 1 == self.slots.len() {
            self.shrink();
        }
        Some(value)
    }

    /// Each slot is given up once for each time that it was made, so this costs a few steps.
    fn shrink(&mut self) {
        while let Some(&Slot { state: Occupancy::Free { before, after }, .. }) = self.slots.last() {
            self.slots.pop();
            self.unlink(before, after);
        }
        let slots = self.slots.len();
        if slots == 0 && self.slots.capacity() > 1 {
            self.slots = Vec::new();
        } else if self.slots.capacity() > SLOTS_KEPT && slots < self.slots.capacity() / 4 {
            self.slots.shrink_to((2 * slots).max(SLOTS_KEPT));
        }
    }

    /// Who lives in that slot now, whatever the generation.
    pub(crate) fn occupant(&self, index: u32) -> Option<(Key, &T)> {
        let slot = self.slots.get(index as usize)?;
        Some((self.key(index, slot.generation), slot.value()?))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots
            .iter()
            .zip(0u32..)
            .filter_map(|(slot, index)| Some((self.key(index, slot.generation), slot.value()?)))
    }

    /// The same from that slot on.
    pub(crate) fn iter_from(&self, start: u32) -> impl Iterator<Item = (Key, &T)> {
        let slots = self.slots.get(start as usize..).unwrap_or_default();
        // The slots first: there may be no index behind `start`.
        slots
            .iter()
            .zip(start..)
            .filter_map(|(slot, index)| Some((self.key(index, slot.generation), slot.value()?)))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().filter_map(|slot| match &mut slot.state {
            Occupancy::Taken(value) => Some(value),
            Occupancy::Free { .. } => None,
        })
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

impl<T> Slot<T> {
    fn value(&self) -> Option<&T> {
        match &self.state {
            Occupancy::Taken(value) => Some(value),
            Occupancy::Free { .. } => None,
        }
    }
}

/// What belongs to the keys of another table: looked up by slot, believed by the whole key.
#[derive(Debug)]
pub(crate) struct Secondary<T> {
    machine: MachineId,
    slots: Vec<Option<(Key, Box<T>)>>,
}

impl<T> Secondary<T> {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self { machine, slots: Vec::new() }
    }

    pub(crate) fn insert(&mut self, key: Key, value: T) {
        let index = key.index as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some((key, Box::new(value)));
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        if !self.machine.owns(key) {
            return None;
        }
        let (owner, value) = self.slots.get(key.index as usize)?.as_ref()?;
        (*owner == key).then_some(value)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        if !self.machine.owns(key) {
            return None;
        }
        let (owner, value) = self.slots.get_mut(key.index as usize)?.as_mut()?;
        (*owner == key).then_some(value)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Box<T>> {
        if !self.machine.owns(key) {
            return None;
        }
        let slot = self.slots.get_mut(key.index as usize)?;
        let (_, value) = slot.take_if(|(owner, _)| *owner == key)?;
        while self.slots.last().is_some_and(Option::is_none) {
            self.slots.pop();
        }
        if self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(2 * self.slots.len());
        }
        Some(value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().flatten().map(|(key, value)| (*key, &**value))
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_never_names_the_next_occupant() {
        let mut slab = Slab::new(MachineId(7));
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(first.index, second.index);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn it_is_walked_through_from_any_slot_on() {
        let mut slab = Slab::new(MachineId(7));
        let keys: Vec<_> = (0..3).map(|n| slab.insert(n)).collect();
        slab.remove(keys[1]);
        let behind = |start| slab.iter_from(start).map(|(key, &n)| (key, n)).collect::<Vec<_>>();
        assert_eq!(behind(0), [(keys[0], 0), (keys[2], 2)]);
        assert_eq!(behind(1), [(keys[2], 2)]);
        for start in [3, 4, u32::MAX - 1, u32::MAX] {
            assert_eq!(behind(start), []);
        }
    }

    #[test]
    fn s_03_a_table_shrinks_to_what_lives() {
        let mut slab = Slab::new(MachineId(7));
        let keys: Vec<_> = (0..250_000).map(|n| slab.insert(n)).collect();
        for &key in &keys[10..] {
            slab.remove(key);
        }
        let room = |slab: &Slab<_>| slab.slots.capacity();
        assert!(room(&slab) <= 64, "{}", room(&slab));
        assert!(keys[..10].iter().all(|&key| slab.get(key).is_some()));
        // Slots that were given up come back under new generations.
        let again: Vec<_> = (0..1_000).map(|n| slab.insert(n)).collect();
        assert!(keys[10..1_010].iter().all(|&key| slab.get(key).is_none()));
        for key in keys[..10].iter().chain(&again) {
            assert!(slab.remove(*key).is_some());
        }
        assert!(slab.is_empty() && room(&slab) <= 1);
    }

    #[test]
    fn keys_and_slots_are_what_a_plain_map_says() {
        let (mut slab, mut map) = (Slab::new(MachineId(7)), std::collections::BTreeMap::new());
        let mut luck = 1_u64;
        for step in 0..20_000_u32 {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dice = (luck >> 33) as usize;
            // It fills, empties, and fills again.
            if dice % 10 < 2 + 6 * (step as usize / 1_000 % 2) {
                let key = slab.insert(step);
                assert!(map.insert(key, step).is_none(), "a key is never reused");
            } else if let Some(key) = map.keys().nth(dice % map.len().max(1)).copied() {
                assert_eq!(slab.remove(key), map.remove(&key));
                assert_eq!(slab.get(key), None);
            }
            assert_eq!(slab.len(), map.len());
        }
        assert!(
            slab.iter()
                .map(|(key, value)| (key, *value))
                .eq(slab.keys().into_iter().map(|key| (key, map[&key])))
        );
    }

    #[test]
    fn what_belongs_to_a_key_goes_with_it() {
        let (mut slab, mut beside) = (Slab::new(MachineId(7)), Secondary::new(MachineId(7)));
        let [first, second] = [1, 2].map(|n| slab.insert(n));
        beside.insert(first, "first");
        beside.insert(second, "second");
        assert_eq!(beside.remove(first).as_deref(), Some(&"first"));
        slab.remove(first);
        let third = slab.insert(3);
        assert_eq!((third.index, beside.get(third), beside.get(first)), (first.index, None, None));
        beside.insert(third, "third");
        assert_eq!((beside.get(first), beside.keys()), (None, vec![third, second]));
        assert_eq!(beside.get_mut(second).copied(), Some("second"));
        assert!(beside.remove(second).is_some() && beside.remove(third).is_some());
        assert!(beside.slots.is_empty());
    }
}
