//! One peer's session: who it is, and what waits to be sent to it.

use crate::base::budget::Budget;
use crate::call::peer::PeerInfo;
use crate::call::{CallId, RequestId};
use crate::dialect::Answer;
use crate::dialect::Claim;
use crate::dialect::WireId;
use crate::rpc::calls::Calls;
use crate::rpc::heard::Heard;
use crate::rpc::replay_window::Seen;
use crate::value::Packed;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::Arc;

/// A message that waits in a queue. Whether it still makes sense is judged when it is pulled.
#[derive(Debug)]
pub(crate) enum Queued {
    Call { call: CallId, name: SmolStr, body: Packed, claim: Claim },
    Reply { request: RequestId, id: WireId, answer: Answer },
}

/// About what a queued message takes besides its body and name, in bytes.
pub(crate) const QUEUED_COST: usize = 64;

impl Queued {
    /// What it counts for in the queue's bounds: its body, and about what its frames take.
    pub(crate) fn cost(&self) -> usize {
        QUEUED_COST
            + match self {
                Self::Call { name, body, claim, .. } => {
                    let origin = claim.origin.as_ref().map_or(0, |user| user.len());
                    name.len() + body.as_bytes().len() + origin
                }
                Self::Reply { answer, .. } => answer.len(),
            }
    }
}

/// A first-in first-out queue that knows its size in bytes.
///
/// A call that is over leaves its entry where it is, uncounted. What is over goes with a sweep, made
/// when it takes more than what lives, so that an end costs a few steps at most, and a look at the size
/// costs none. The oldest entry lives.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: VecDeque<Queued>,
    bytes: usize,
    /// Entries of calls that are over, and what they take. Few peers ever have such.
    over: Option<Box<Over>>,
}

#[derive(Debug, Default)]
struct Over {
    entries: usize,
    bytes: usize,
}

impl Queue {
    pub(crate) fn push(&mut self, entry: Queued) {
        self.bytes += entry.cost();
        self.entries.push_back(entry);
    }

    pub(crate) fn pop(&mut self, calls: &Calls) -> Option<Queued> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.cost();
        self.clean(calls);
        Some(entry)
    }

    /// A call whose entry takes that much is over.
    pub(crate) fn call_over(&mut self, cost: usize, calls: &Calls) {
        self.bytes -= cost;
        let over = self.over.get_or_insert_default();
        over.bytes += cost;
        over.entries += 1;
        self.clean(calls);
    }

    /// Lets the oldest entries go as long as they are over, and all that are where they take too much.
    fn clean(&mut self, calls: &Calls) {
        let Some(over) = &mut self.over else { return };
        while over.entries > 0
            && let Some(entry) = self.entries.front()
            && !calls.is_live(entry)
        {
            over.bytes -= entry.cost();
            over.entries -= 1;
            self.entries.pop_front();
        }
        let alive = self.entries.len() - over.entries;
        if over.bytes > self.bytes || over.entries > alive {
            self.entries.retain(|entry| calls.is_live(entry));
            over.entries = 0;
        }
        if over.entries == 0 {
            self.over = None;
        }
    }

    /// Whether more than that waits [behind the oldest entry](Self::bytes_behind).
    pub(crate) fn is_over(&self, max: usize) -> bool {
        self.bytes_behind() > max
    }

    /// Bytes behind the oldest entry: that one is let in whatever its size, and is no backlog.
    pub(crate) fn bytes_behind(&self) -> usize {
        self.bytes - self.entries.front().map_or(0, Queued::cost)
    }

    /// Entries that are not over.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.over.as_ref().map_or(0, |over| over.entries)
    }

    /// Bytes of those.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// One peer's state.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) info: Arc<PeerInfo>,
    pub(crate) queue: Queue,
    /// Whether the driver was told to pull and has not found the queue empty since.
    pub(crate) flushing: bool,
    /// Calls of ours at this peer, some of which may be over: see [`Session::remember`].
    pub(crate) calls: Vec<CallId>,
    pub(crate) calls_pending: usize,
    /// Requests of this peer, some of which may be over.
    pub(crate) requests: Vec<RequestId>,
    pub(crate) requests_open: usize,
    /// What the messages of those take, in bytes.
    pub(crate) requests_open_bytes: usize,
    /// Its ids; `None` as long as it has made no request.
    pub(crate) seen: Option<Box<Seen>>,
    /// Made where there is something: hardly ever.
    pub(crate) heard: Option<Box<Heard>>,
    pub(crate) bad_envelopes: u8,
    /// Whether it was told that its version of the protocol is not ours.
    pub(crate) version_told: bool,
    pub(crate) noise: Budget,
    /// Answers that may yet come though nobody waits for them: they are no noise.
    pub(crate) answers_due: u32,
}

impl Session {
    /// `answers_due`: as many as its peer may have been asked for over an earlier link.
    pub(crate) fn new(info: Arc<PeerInfo>, answers_due: u32) -> Self {
        Self {
            info,
            queue: Queue::default(),
            flushing: false,
            calls: Vec::new(),
            calls_pending: 0,
            requests: Vec::new(),
            requests_open: 0,
            requests_open_bytes: 0,
            seen: None,
            heard: None,
            bad_envelopes: 0,
            version_told: false,
            noise: Budget::default(),
            answers_due,
        }
    }
}

/// Adds an id to a session's list. What is over is not taken out one by one: the list is swept when
/// it has doubled, so remembering costs a push and the list stays within twice what lives.
pub(crate) fn remember<T: Copy>(list: &mut Vec<T>, id: T, alive: impl Fn(T) -> bool) {
    if list.len() == list.capacity() && list.len() >= 16 {
        list.retain(|&known| alive(known));
        // Also where nearly all of them live, the next sweep is as far off as this one was long.
        list.reserve(list.len());
    }
    list.push(id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::slab::{Key, MachineId};
    use crate::call::PeerId;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use std::time::Instant;

    fn reply() -> Queued {
        let key = Key { machine: MachineId(7), index: 0, generation: 0 };
        let (id, answer) = (
            WireId::new(b"").unwrap(),
            Answer::refusal(&crate::Refusal::Draining, crate::call::profile::Profile::V1),
        );
        Queued::Reply { request: RequestId(key), id, answer }
    }

    /// Calls end and entries leave in any order: what is counted is what a scan finds, and what is over
    /// takes no more than what lives.
    #[test]
    fn s_11_sizes_never_drift_and_what_is_over_goes() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let (mut calls, mut queue, mut live) =
            (Calls::new(MachineId(7), &mut rng), Queue::default(), Vec::new());
        let (now, peer) =
            (Instant::now(), PeerId(Key { machine: MachineId(7), index: 0, generation: 0 }));
        for step in 0..50_000 {
            let dice = rng.next_u32() as usize;
            // It fills for a while, then empties.
            match dice % 10 + 3 * (step / 5_000 % 2) {
                0..=3 => {
                    let call = calls.insert(now, now, false, &mut rng);
                    let body = Packed::result(&"x".repeat(dice % 3 * 100)).unwrap();
                    let (name, claim) = (SmolStr::new("x"), Claim::default());
                    let entry = Queued::Call { call, name, body, claim };
                    calls.queue_at(call, peer, entry.cost());
                    live.push(call);
                    queue.push(entry);
                }
                4 | 5 => queue.push(reply()),
                6..=9 if !live.is_empty() => {
                    let call = live.swap_remove(dice / 16 % live.len());
                    let cost = calls.remove(call).unwrap().cost;
                    queue.call_over(cost, &calls);
                }
                _ => {
                    if let Some(Queued::Call { call, .. }) = queue.pop(&calls) {
                        live.retain(|known| *known != call);
                        calls.remove(call).expect("what is over is not handed out");
                    }
                }
            }
            let (alive, over): (Vec<_>, Vec<_>) =
                queue.entries.iter().partition(|entry| calls.is_live(entry));
            let bytes =
                |entries: &[&Queued]| entries.iter().map(|entry| entry.cost()).sum::<usize>();
            assert_eq!((queue.len(), queue.bytes()), (alive.len(), bytes(&alive)), "step {step}");
            let known = queue.over.as_ref().map(|over| (over.entries, over.bytes));
            assert_eq!(known.unwrap_or_default(), (over.len(), bytes(&over)));
            assert!(over.len() <= alive.len() && bytes(&over) <= bytes(&alive));
            assert!(queue.entries.front().is_none_or(|entry| calls.is_live(entry)));
        }
    }
}
