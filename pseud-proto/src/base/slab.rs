//! Slots with generations: a key names one occupant for ever, never the next one in its place, and
//! never one of another machine.

/// Which machine a key is of: drawn at its birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MachineId(pub(crate) u32);

/// A slot of a machine's table and the generation of its occupant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) machine: MachineId,
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A table whose keys are never reused, while its slots are.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    machine: MachineId,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self { machine, slots: Vec::new(), free: Vec::new() }
    }

    /// Whether that key may be of this table. One of another machine is its caller's mistake; to act
    /// on it would hit whoever has that slot here.
    pub(crate) fn owns(&self, key: Key) -> bool {
        let ours = key.machine == self.machine;
        debug_assert!(ours, "an id or a ticket of another endpoint");
        ours
    }

    fn key(&self, index: u32, generation: u32) -> Key {
        Key { machine: self.machine, index, generation }
    }

    /// Which machine's table it is.
    pub(crate) fn machine(&self) -> MachineId {
        self.machine
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key that the next `insert` returns.
    pub(crate) fn next_key(&self) -> Key {
        match self.free.last() {
            Some(&index) => self.key(index, self.generation(index)),
            None => self.key(self.slots.len() as u32, 0),
        }
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        let key = self.next_key();
        match self.slots.get_mut(key.index as usize) {
            Some(slot) => {
                slot.value = Some(value);
                self.free.pop();
            }
            None => self.slots.push(Slot { generation: 0, value: Some(value) }),
        }
        key
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        if !self.owns(key) {
            return None;
        }
        let slot = self.slots.get(key.index as usize)?;
        slot.value.as_ref().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        if !self.owns(key) {
            return None;
        }
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.value.as_mut().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        if !self.owns(key) {
            return None;
        }
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index);
        Some(value)
    }

    /// Who lives in that slot now, whatever the generation.
    pub(crate) fn occupant(&self, index: u32) -> Option<(Key, &T)> {
        let slot = self.slots.get(index as usize)?;
        Some((self.key(index, slot.generation), slot.value.as_ref()?))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| {
            Some((self.key(index, slot.generation), slot.value.as_ref()?))
        })
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.iter().map(|(key, _)| key).collect()
    }

    fn generation(&self, index: u32) -> u32 {
        self.slots.get(index as usize).map_or(0, |slot| slot.generation)
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
}
