//! What waits to be sent to one peer, and how far it has come.
//!
//! Each message ends at a position: the bytes of all messages up to it, in clear and counted from the
//! session's birth. Two watermarks say the rest: messages up to `pulled` were handed
//! to the connection, and may leave; messages up to `written` have left whole.

use crate::base::pieces::Pieces;
use crate::dialect::Transmit;
use crate::message::framed::Framed;
use crate::message::outgoing::Token;
use crate::rpc::session::calls::Calls;
use crate::rpc::session::entry::{ENTRY_COST, Entry, Of};
use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

/// So many bytes are handed over at once, and one message's more: what is pulled may have left.
const RUN_BYTES_MAX: usize = 64 * 1024;

/// Places that are made at least where one is taken.
const BURST: usize = 32;

/// A first-in first-out queue that knows its size in bytes.
///
/// A call that is over leaves its entry where it is, uncounted. What is over goes with a sweep, made
/// when it takes more than what lives, so that an end costs a few steps at most, and a look at the size
/// costs none. The oldest entry lives.
#[derive(Default)]
pub(crate) struct Output {
    /// The messages, finished.
    frames: Pieces,
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Answers among them.
    replies: u32,
    /// Answers that may come too late.
    guarded: u32,
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

/// Messages at the front, one behind the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Bytes of their frames.
    len: usize,
    entries: usize,
    /// Where the last one ends.
    end: u64,
}

/// Where a message ends, and what it counts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueuedMessage {
    pub(crate) end: u64,
    pub(crate) cost: usize,
}

impl Output {
    /// Lets the message wait that `put` writes.
    #[inline]
    pub(crate) fn push(&mut self, of: Of, put: impl FnOnce(&mut Pieces)) -> QueuedMessage {
        let before = self.frames.len();
        put(&mut self.frames);
        let len = self.frames.len() - before;
        self.end += len as u64;
        let entry = Entry { end: self.end, len, of };
        let cost = entry.cost();
        self.bytes += cost;
        self.replies += u32::from(matches!(of, Of::Reply(_)));
        self.guarded += u32::from(entry.is_guarded());
        if self.entries.len() == self.entries.capacity() {
            // One call after the other needs one place; where one is behind another, many may be.
            self.entries.reserve_exact(if self.entries.is_empty() {
                1
            } else {
                BURST.max(self.entries.len())
            });
        }
        self.entries.push_back(entry);
        QueuedMessage { end: self.end, cost }
    }

    /// The oldest message.
    pub(crate) fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// The messages that can be handed over together: those behind the oldest one that are due to be sent
    /// as it is, with nothing between them that is not.
    pub(crate) fn run(&self, calls: &Calls, now: Instant) -> Option<Run> {
        let first = self.entries.front()?;
        let (len, entries) = (self.frames.len(), self.entries.len());
        let is_plain = self.over.is_none() && self.guarded == 0;
        if is_plain && len <= RUN_BYTES_MAX && first.start() + len as u64 == self.end {
            return Some(Run { len, entries, end: self.end });
        }
        let mut run = Run { len: first.len, entries: 1, end: first.end };
        for entry in self.entries.iter().skip(1) {
            let len = run.len + entry.len;
            let is_due = match entry.of {
                Of::Call(_) => calls.is_live(entry),
                Of::Reply(guard) => guard.lets_pass(now),
            };
            if len > RUN_BYTES_MAX || !is_due || entry.start() != run.end {
                break;
            }
            run = Run { len, entries: run.entries + 1, end: entry.end };
        }
        Some(run)
    }

    /// Hands those over: they may leave from now on.
    pub(crate) fn hand_over<R>(
        &mut self,
        run: Run,
        calls: &Calls,
        send: impl FnOnce(Framed<'_>, Token) -> R,
    ) -> R {
        let left = self.frames.len() - run.len;
        let sent = send(Framed::new(&mut self.frames, run.len, run.entries), Token(run.end));
        self.frames.advance(self.frames.len() - left);
        if run.entries == self.entries.len() {
            self.entries.clear();
            (self.bytes, self.replies, self.guarded) = (0, 0, 0);
        } else {
            for _ in 0..run.entries {
                self.forget_front();
            }
        }
        self.pulled = run.end;
        self.tidy(calls);
        sent
    }

    /// The oldest message, handed over alone.
    pub(crate) fn pop(&mut self, calls: &Calls) -> Option<Transmit> {
        let first = self.entries.front()?;
        let run = Run { len: first.len, entries: 1, end: first.end };
        Some(self.hand_over(run, calls, |frames, token| {
            let mut message = Pieces::default();
            frames.move_to(&mut message);
            Transmit::new(message, token)
        }))
    }

    /// The oldest message is not sent.
    pub(crate) fn skip(&mut self, calls: &Calls) {
        if let Some(first) = self.entries.front() {
            let (len, end) = (first.len, first.end);
            self.frames.advance(len);
            self.forget_front();
            self.pulled = end;
            self.tidy(calls);
        }
    }

    fn forget_front(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.bytes -= entry.cost();
        self.replies -= u32::from(matches!(entry.of, Of::Reply(_)));
        self.guarded -= u32::from(entry.is_guarded());
    }

    /// The oldest entry lives, and a queue that has become empty holds room for one.
    fn tidy(&mut self, calls: &Calls) {
        self.clean(calls);
        if self.entries.is_empty() && self.entries.capacity() > 1 {
            self.entries = VecDeque::new();
        }
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
            over.bytes -= entry.cost();
            over.entries -= 1;
            self.frames.advance(entry.len);
            self.entries.pop_front();
        }
        let alive = self.entries.len() - over.entries;
        if over.bytes > self.bytes || over.entries > alive {
            over.entries = 0;
            self.sweep(calls);
        }
        if self.over.as_ref().is_some_and(|over| over.entries == 0) {
            self.over = None;
        }
    }

    /// Lets all entries go that are over.
    fn sweep(&mut self, calls: &Calls) {
        let (mut kept, frames) = (Pieces::default(), &mut self.frames);
        self.entries.retain(|entry| {
            let is_live = calls.is_live(entry);
            match is_live {
                true => frames.move_to(&mut kept, entry.len),
                false => frames.advance(entry.len),
            }
            is_live
        });
        self.frames = kept;
    }

    /// Whether more than that waits [behind the oldest entry](Self::bytes_behind).
    #[inline]
    pub(crate) fn is_over(&self, max: usize) -> bool {
        self.bytes_behind() > max
    }

    /// Bytes behind the oldest entry: that one is let in whatever its size, and is no backlog.
    fn bytes_behind(&self) -> usize {
        self.bytes - self.entries.front().map_or(0, Entry::cost)
    }

    /// How many bytes of one more answer there is room for. An empty queue takes any.
    #[inline]
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
        self.replies as usize
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("entries", &self.entries)
            .field("bytes", &self.bytes)
            .field("end", &self.end)
            .field("pulled", &self.pulled)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::slab::{Key, MachineId};
    use crate::call::late_guard::Guard;
    use crate::call::profile::Profile;
    use crate::dialect::{Answer, WorkMessage};
    use crate::rpc::session::calls::PendingCall;
    use crate::rpc::session::ids::Dialect;
    use crate::value::Packed;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use std::time::Instant;

    fn reply(output: &mut Output) -> u64 {
        let answer = Answer::refusal(&crate::Refusal::Draining, Profile::V1);
        output.push(Of::Reply(Guard::Never), |out| answer.put(out, b"")).end
    }

    fn call(output: &mut Output, calls: &mut Calls, bytes: usize, now: Instant) -> Key {
        let placed = calls.place();
        let mut arguments = Packed::call(&("x".repeat(bytes),), &()).unwrap();
        let work = WorkMessage::new("x", &mut arguments, None, Profile::V1, true).unwrap();
        let QueuedMessage { end, cost } =
            output.push(Of::Call(placed.key), |out| work.put(out, placed.id.as_bytes()));
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
                4 | 5 => drop(reply(&mut output)),
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
            let bytes =
                |entries: &[&Entry]| entries.iter().map(|entry| entry.cost()).sum::<usize>();
            assert_eq!((output.len(), output.bytes()), (alive.len(), bytes(&alive)), "step {step}");
            let known = output.over.as_ref().map(|over| (over.entries, over.bytes));
            assert_eq!(known.unwrap_or_default(), (over.len(), bytes(&over)));
            let lens = output.entries.iter().map(|entry| entry.len).sum::<usize>();
            assert_eq!(output.frames.len(), lens);
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
        let [first, second] = [(); 2].map(|()| reply(&mut output));
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
