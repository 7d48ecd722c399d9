//! Requests of peers: from the WORK to its one answer.

use crate::base::deadline::Next;
use crate::base::slab::{MachineId, Slab};
use crate::call::{PeerId, RequestId};
use crate::dialect::WireId;
use smol_str::SmolStr;
use std::time::Instant;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Its handler runs, or its driver holds it.
    Serving,
    /// Its answer is in the peer's queue.
    Answered,
    /// Its answer was handed to the connection.
    Pulled,
}

/// One request whose answer is not written yet.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) peer: PeerId,
    pub(crate) id: WireId,
    pub(crate) progress: Progress,
    pub(crate) guard: Guard,
    /// What it calls, where its answer may be withheld.
    pub(crate) name: SmolStr,
    /// What its message takes, and what its arguments do once they are decoded, in bytes.
    pub(crate) bytes: usize,
    /// It came while we drain: nobody waits for its end.
    is_aside: bool,
}

/// Until when a request may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Its caller declared that late answers do it no harm.
    Never,
    /// Its caller's reader would die of a later one.
    Until(Instant),
    /// That moment has passed.
    Passed,
}

impl Guard {
    pub(crate) fn lets_pass(self, now: Instant) -> bool {
        match self {
            Self::Never => true,
            Self::Until(at) => now < at,
            Self::Passed => false,
        }
    }

    fn until(self) -> Option<Instant> {
        match self {
            Self::Until(at) => Some(at),
            Self::Never | Self::Passed => None,
        }
    }
}

/// The open requests of one endpoint.
#[derive(Debug)]
pub(crate) struct Requests {
    slab: Slab<Open>,
    guards: usize,
    /// Those that came while we drain.
    aside: usize,
    pub(crate) serving: usize,
    /// What the messages of those take.
    pub(crate) serving_bytes: usize,
    pub(crate) next: Next,
}

impl Requests {
    pub(crate) fn new(machine: MachineId) -> Self {
        let (slab, next) = (Slab::new(machine), Next::default());
        Self { slab, guards: 0, aside: 0, serving: 0, serving_bytes: 0, next }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn insert(
        &mut self,
        peer: PeerId,
        id: WireId,
        guard: Guard,
        bytes: usize,
    ) -> RequestId {
        if let Some(at) = guard.until() {
            self.next.note(at);
            self.guards += 1;
        }
        self.serving += 1;
        self.serving_bytes += bytes;
        let progress = Progress::Serving;
        let (name, is_aside) = (SmolStr::default(), false);
        let open = Open { peer, id, progress, guard, name, bytes, is_aside };
        RequestId(self.slab.insert(open))
    }

    /// Keeps what a request calls, to be said should its answer be withheld.
    pub(crate) fn note_name(&mut self, request: RequestId, name: &[u8]) {
        if let Some(open) = self.slab.get_mut(request.0).filter(|open| open.guard != Guard::Never) {
            open.name = std::str::from_utf8(name).map(SmolStr::new).unwrap_or_default();
        }
    }

    /// Whether that id may be of this endpoint.
    pub(crate) fn owns(&self, request: RequestId) -> bool {
        self.slab.owns(request.0)
    }

    pub(crate) fn get(&self, request: RequestId) -> Option<&Open> {
        self.slab.get(request.0)
    }

    /// Whose request that is and what it takes, while it is served.
    pub(crate) fn serving(&self, request: RequestId) -> Option<(PeerId, usize)> {
        let open = self.slab.get(request.0)?;
        (open.progress == Progress::Serving).then_some((open.peer, open.bytes))
    }

    /// One that is served takes so many bytes more.
    pub(crate) fn grow(&mut self, request: RequestId, bytes: usize) {
        if let Some(open) = self.slab.get_mut(request.0)
            && open.progress == Progress::Serving
        {
            open.bytes += bytes;
            self.serving_bytes += bytes;
        }
    }

    /// Moves a request on; `None` if it is over.
    pub(crate) fn advance(&mut self, request: RequestId, to: Progress) -> Option<&Open> {
        let open = self.slab.get_mut(request.0)?;
        if open.progress == Progress::Serving && to != Progress::Serving {
            self.serving -= 1;
            self.serving_bytes -= open.bytes;
        }
        open.progress = to;
        Some(open)
    }

    /// The caller no longer waits, but the handler still runs: the slot stays until it ends.
    pub(crate) fn guard_passed(&mut self, request: RequestId) {
        let Some(open) = self.slab.get_mut(request.0) else { return };
        if std::mem::replace(&mut open.guard, Guard::Passed).until().is_some() {
            self.drop_guard();
        }
    }

    pub(crate) fn remove(&mut self, request: RequestId) -> Option<Open> {
        let open = self.slab.remove(request.0)?;
        if open.progress == Progress::Serving {
            self.serving -= 1;
            self.serving_bytes -= open.bytes;
        }
        if open.guard.until().is_some() {
            self.drop_guard();
        }
        self.aside -= usize::from(open.is_aside);
        Some(open)
    }

    /// A request that has just come is one of those that are refused while we drain.
    pub(crate) fn set_aside(&mut self, request: RequestId) {
        if let Some(open) = self.slab.get_mut(request.0)
            && !std::mem::replace(&mut open.is_aside, true)
        {
            self.aside += 1;
        }
    }

    /// Whether there are none but those.
    pub(crate) fn is_done(&self) -> bool {
        self.slab.len() == self.aside
    }

    fn drop_guard(&mut self) {
        self.guards -= 1;
        if self.guards == 0 {
            self.next.clear();
        }
    }

    /// The requests whose guard has passed. The earliest of the others becomes `next`.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<RequestId> {
        self.next.clear();
        let mut overdue = Vec::new();
        for (key, open) in self.slab.iter() {
            match open.guard.until() {
                Some(at) if at <= now => overdue.push(RequestId(key)),
                Some(at) => self.next.note(at),
                None => {}
            }
        }
        overdue
    }

    /// How many slots have a guard, by scanning them.
    pub(crate) fn count_guards(&self) -> usize {
        self.slab.iter().filter(|(_, open)| open.guard.until().is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::slab::Key;

    /// What is counted as it changes is what a scan finds, whatever becomes of requests.
    #[test]
    fn sums_never_drift() {
        let (machine, now) = (MachineId(7), Instant::now());
        let mut requests = Requests::new(machine);
        let peer = PeerId(Key { machine, index: 0, generation: 0 });
        let mut known = Vec::new();
        let mut luck = 1_u64;
        for step in 0..2_000 {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dice = (luck >> 33) as usize;
            let some = known.get(dice % known.len().max(1)).copied();
            match (dice % 8, some) {
                (0..=2, _) | (_, None) => {
                    let id = WireId::new(b"sixteen bytes...").unwrap();
                    known.push(requests.insert(peer, id, Guard::Until(now), dice % 1_000));
                }
                (3, Some(some)) if dice.is_multiple_of(2) => requests.grow(some, dice % 900),
                (3, Some(some)) => drop(requests.remove(some)),
                (4, Some(some)) => drop(requests.advance(some, Progress::Answered)),
                (5, Some(some)) => drop(requests.advance(some, Progress::Pulled)),
                (6, Some(some)) => requests.set_aside(some),
                (_, Some(some)) => requests.guard_passed(some),
            }
            let serving = || {
                let slots = requests.slab.iter().map(|(_, open)| open);
                slots.filter(|open| open.progress == Progress::Serving)
            };
            assert_eq!(requests.serving, serving().count(), "step {step}");
            let aside = requests.slab.iter().filter(|(_, open)| open.is_aside).count();
            assert_eq!(requests.aside, aside);
            assert_eq!(requests.serving_bytes, serving().map(|open| open.bytes).sum());
        }
        for request in known {
            requests.remove(request);
        }
        assert_eq!((requests.len(), requests.serving, requests.serving_bytes), (0, 0, 0));
        assert_eq!(requests.aside, 0);
    }
}
