//! What waits to be sent to one peer, and how far it has come.
//!
//! Each message ends at a position: what all messages up to it take, counted from the session's birth,
//! before they are framed and sealed. Two watermarks say the rest: messages up to `pulled` were handed
//! to the connection, and may leave; messages up to `written` have left whole.

use crate::dialect::Transmit;
use crate::message::outgoing::Token;
use crate::rpc::session::calls::Calls;
use crate::rpc::session::entry::{ENTRY_COST, Entry, Of};
use std::collections::VecDeque;

/// A first-in first-out queue that knows its size in bytes.
///
/// A call that is over leaves its entry where it is, uncounted. What is over goes with a sweep, made
/// when it takes more than what lives, so that an end costs a few steps at most, and a look at the size
/// costs none. The oldest entry lives.
#[derive(Debug, Default)]
pub(crate) struct Output {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Answers among them.
    replies: usize,
    /// Entries of calls that are over, and what they take. Few peers ever have such.
    over: Option<Box<Over>>,
    end: u64,
    pulled: u64,
    written: u64,
}

#[derive(Debug, Default)]
struct Over {
    entries: usize,
    bytes: usize,
}

impl Output {
    /// Lets a message wait; returns where it ends.
    pub(crate) fn push(&mut self, mut entry: Entry) -> u64 {
        self.replies += usize::from(matches!(entry.of, Of::Reply(_)));
        self.end += entry.cost as u64;
        self.bytes += entry.cost;
        entry.transmit.set_token(Token(self.end));
        if self.entries.capacity() == 0 {
            // One call after the other needs no more.
            self.entries.reserve_exact(1);
        }
        self.entries.push_back(entry);
        self.end
    }

    /// The oldest message, to be handed to the connection, and then [popped](Self::pop).
    pub(crate) fn front(&mut self) -> Option<&mut Entry> {
        self.entries.front_mut()
    }

    /// The oldest message is handed to the connection. A queue that has become empty holds
    /// room for one.
    pub(crate) fn pop(&mut self, calls: &Calls) -> Option<Transmit> {
        let Entry { of, transmit, cost } = self.entries.pop_front()?;
        self.replies -= usize::from(matches!(of, Of::Reply(_)));
        self.bytes -= cost;
        let Token(end) = transmit.token();
        self.pulled = end;
        self.clean(calls);
        if self.entries.is_empty() && self.entries.capacity() > 1 {
            self.entries = VecDeque::new();
        }
        Some(transmit)
    }

    /// All up to there was written. A position that was not pulled is none of ours.
    pub(crate) fn written_to(&mut self, position: u64) -> u64 {
        if position <= self.pulled {
            self.written = self.written.max(position);
        }
        self.written
    }

    /// Whether a message that ends there was handed to the connection: its bytes may yet leave, or have
    /// left.
    pub(crate) fn has_pulled(&self, end: u64) -> bool {
        end <= self.pulled
    }

    /// Whether it has left whole.
    pub(crate) fn has_written(&self, end: u64) -> bool {
        end <= self.written
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
            over.bytes -= entry.cost;
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
    fn bytes_behind(&self) -> usize {
        self.bytes - self.entries.front().map_or(0, |entry| entry.cost)
    }

    /// How many bytes of one more answer there is room for. An empty queue takes any.
    pub(crate) fn room(&self, max: usize) -> usize {
        match self.entries.is_empty() {
            true => usize::MAX,
            false => max.saturating_sub(self.bytes_behind() + ENTRY_COST),
        }
    }

    /// Entries that are not over.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.over.as_ref().map_or(0, |over| over.entries)
    }

    /// Bytes of those that are not over.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that its entries take, over or not.
    pub(crate) fn bytes_held(&self) -> usize {
        self.bytes + self.over.as_ref().map_or(0, |over| over.bytes)
    }

    /// Answers that wait.
    pub(crate) fn replies(&self) -> usize {
        self.replies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::slab::{Key, MachineId};
    use crate::call::profile::Profile;
    use crate::dialect::{Answer, WireId};
    use crate::rpc::session::calls::PendingCall;
    use crate::rpc::session::ids::Dialect;
    use crate::rpc::session::late::Guard;
    use crate::value::Packed;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use smol_str::SmolStr;
    use std::time::Instant;

    fn reply() -> Entry {
        let (id, answer) =
            (WireId::new(b"").unwrap(), Answer::refusal(&crate::Refusal::Draining, Profile::V1));
        Entry::new(Of::Reply(Guard::Never), Transmit::answer(id, answer))
    }

    fn call(output: &mut Output, calls: &mut Calls, bytes: usize, now: Instant) -> Key {
        let placed = calls.place();
        let arguments = Packed::call(&("x".repeat(bytes),), &()).unwrap();
        let (id, name) = (WireId::new(placed.id.as_bytes()).unwrap(), SmolStr::new("x"));
        let work = Transmit::work(id, name, arguments, None, Profile::V1, true).unwrap();
        let entry = Entry::new(Of::Call(placed.key), work);
        let cost = entry.cost;
        let end = output.push(entry);
        calls.insert(PendingCall { tag: 0, id: placed.id, deadline: now, end, cost })
    }

    /// Calls end and entries leave in any order: what is counted is what a scan finds, and what is over
    /// takes no more than what lives.
    #[test]
    fn s_11_sizes_never_drift_and_what_is_over_goes() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let (mut calls, mut output, mut live) =
            (Calls::new(MachineId(7), Dialect::Pseud, &mut rng), Output::default(), Vec::new());
        let now = Instant::now();
        for step in 0..50_000 {
            let dice = rng.next_u32() as usize;
            // It fills for a while, then empties.
            match dice % 10 + 3 * (step / 5_000 % 2) {
                0..=3 => live.push(call(&mut output, &mut calls, dice % 3 * 100, now)),
                4 | 5 => drop(output.push(reply())),
                6..=9 if !live.is_empty() => {
                    let key = live.swap_remove(dice / 16 % live.len());
                    let cost = calls.remove(key).unwrap().cost;
                    output.call_over(cost, &calls);
                }
                _ => {
                    let before = output.pulled;
                    let call = output.front().and_then(|entry| entry.call());
                    let popped = output.pop(&calls);
                    assert!(popped.is_none_or(|transmit| transmit.token() > Token(before)));
                    if let Some(key) = call {
                        live.retain(|known| *known != key);
                        calls.remove(key).expect("what is over is not handed out");
                    }
                }
            }
            let (alive, over): (Vec<_>, Vec<_>) =
                output.entries.iter().partition(|entry| calls.is_live(entry));
            let bytes = |entries: &[&Entry]| entries.iter().map(|entry| entry.cost).sum::<usize>();
            assert_eq!((output.len(), output.bytes()), (alive.len(), bytes(&alive)), "step {step}");
            let known = output.over.as_ref().map(|over| (over.entries, over.bytes));
            assert_eq!(known.unwrap_or_default(), (over.len(), bytes(&over)));
            assert!(over.len() <= alive.len() && bytes(&over) <= bytes(&alive));
            assert!(output.entries.front().is_none_or(|entry| calls.is_live(entry)));
            let replies = alive.iter().filter(|entry| entry.call().is_none()).count();
            assert_eq!(output.replies(), replies);
        }
    }

    #[test]
    fn positions_say_how_far_a_message_has_come() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let calls = Calls::new(MachineId(7), Dialect::Pseud, &mut rng);
        let mut output = Output::default();
        let [first, second] = [(); 2].map(|()| output.push(reply()));
        assert!(first < second && !output.has_pulled(first));
        output.pop(&calls);
        assert!(output.has_pulled(first) && !output.has_written(first));
        for (position, written) in [(second, 0), (u64::MAX, 0), (first, first), (0, first)] {
            assert_eq!(output.written_to(position), written);
        }
        output.pop(&calls);
        assert_eq!(output.written_to(second), second);
    }
}
