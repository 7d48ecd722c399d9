//! Requests of one peer that are being served: from the WORK to its answer.

use crate::base::deadline::Next;
use crate::base::slab::{Key, MachineId, Slab};
use crate::dialect::WireId;
use crate::rpc::session::late::Guard;
use smol_str::SmolStr;
use std::time::Instant;

/// One request whose handler runs, or whose driver holds it.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub(crate) id: WireId,
    pub(crate) guard: Guard,
    /// What it calls, where its answer may be withheld.
    pub(crate) name: SmolStr,
    /// What its message takes, and what its arguments do once they are decoded, in bytes.
    pub(crate) bytes: usize,
}

/// The open requests of one session.
#[derive(Debug)]
pub(crate) struct Requests {
    slab: Slab<OpenRequest>,
    guards: usize,
    /// What they take.
    bytes: usize,
    next: Next,
}

impl Requests {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self { slab: Slab::new(machine), guards: 0, bytes: 0, next: Next::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.get()
    }

    pub(crate) fn insert(&mut self, open: OpenRequest) -> Key {
        if let Some(at) = open.guard.until() {
            self.next.note(at);
            self.guards += 1;
        }
        self.bytes += open.bytes;
        self.slab.insert(open)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&OpenRequest> {
        self.slab.get(key)
    }

    /// It takes so many bytes more.
    pub(crate) fn grow(&mut self, key: Key, bytes: usize) {
        if let Some(open) = self.slab.get_mut(key) {
            open.bytes += bytes;
            self.bytes += bytes;
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<OpenRequest> {
        let open = self.slab.remove(key)?;
        self.bytes -= open.bytes;
        if open.guard.until().is_some() {
            self.drop_guard();
        }
        Some(open)
    }

    fn drop_guard(&mut self) {
        self.guards -= 1;
        if self.guards == 0 {
            self.next.clear();
        }
    }

    /// Their callers no longer wait, but their handlers still run: the slots stay until those end. The
    /// earliest of the other guards becomes the next one.
    pub(crate) fn pass_guards(&mut self, now: Instant) {
        self.next.clear();
        let mut passed = 0;
        for open in self.slab.values_mut() {
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

    /// How many have a guard, by scanning them.
    pub(crate) fn count_guards(&self) -> usize {
        self.slab.iter().filter(|(_, open)| open.guard.until().is_some()).count()
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.slab.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What is counted as it changes is what a scan finds, whatever becomes of requests.
    #[test]
    fn sums_never_drift() {
        let (mut now, mut requests) = (Instant::now(), Requests::new(MachineId(7)));
        let mut known = Vec::new();
        let mut luck = 1_u64;
        for step in 0..2_000 {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dice = (luck >> 33) as usize;
            let some = known.get(dice % known.len().max(1)).copied();
            match (dice % 6, some) {
                (0..=2, _) | (_, None) => {
                    let id = WireId::new(b"sixteen bytes...").unwrap();
                    let guard = match dice % 4 {
                        0 => Guard::Never,
                        n => Guard::Until(now + Duration::from_secs(n as u64)),
                    };
                    let (name, bytes) = (SmolStr::default(), dice % 1_000);
                    known.push(requests.insert(OpenRequest { id, guard, name, bytes }));
                }
                (3, Some(some)) => requests.grow(some, dice % 900),
                (4, Some(some)) => drop(requests.remove(some)),
                (_, Some(_)) => {
                    now += Duration::from_millis(100);
                    requests.pass_guards(now);
                }
            }
            let open = || requests.slab.iter().map(|(_, open)| open);
            assert_eq!(requests.bytes, open().map(|open| open.bytes).sum::<usize>(), "step {step}");
            assert_eq!(requests.guards, requests.count_guards());
            let first = open().filter_map(|open| open.guard.until()).min();
            assert_eq!(requests.next().is_none(), first.is_none());
            assert!(requests.next().is_none_or(|next| Some(next) <= first), "early, never late");
        }
        for request in known {
            requests.remove(request);
        }
        assert_eq!((requests.len(), requests.bytes, requests.next()), (0, 0, None));
    }
}
