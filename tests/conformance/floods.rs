//! Two peers flood each other with nested calls through sockets that take next to nothing.

use crate::{assert_at_rest, at_every_chunk};
use pseud::proto::CallId;
use pseud_testkit::memory::{Ended, Pair, Setup, Talker, Work};

/// Calls that each side has in flight, besides those of its handlers.
const CALLERS: usize = 16;
const DEPTH: u64 = 3;

/// What a full socket holds, in bytes; rounds of calls that go through it.
const SOCKETS: [(usize, usize); 4] = [(1, 1), (7, 4), (64, 16), (4_096, 32)];

/// Of so many calls one is large: it fills each of those sockets.
const LARGE_EVERY: usize = 12;
const LARGE_BYTES: usize = 5_000;

/// One side's open business.
#[derive(Default)]
struct Side {
    calls: Vec<CallId>,
    handlers: Vec<(Work, CallId)>,
    begun: usize,
    values: usize,
    /// How many of its calls had ended when it looked.
    ended: usize,
}

#[test]
fn p_06_a_flood_both_ways_ends_through_tiny_sockets() {
    for (capacity, rounds) in SOCKETS {
        flood(&mut Setup::default().open(), capacity, rounds);
    }
}

#[test]
fn p_06_a_flood_both_ways_ends_at_every_size_of_pieces() {
    at_every_chunk(|setup| flood(&mut setup.open(), 64, 2));
}

/// No clock moves here: whoever waits for somebody who waits for him waits for ever, and is seen.
fn flood(pair: &mut Pair, capacity: usize, rounds: usize) {
    (pair.up.capacity, pair.down.capacity) = (capacity, capacity);
    let mut sides = [Side::default(), Side::default()];
    let total = CALLERS * rounds;
    while sides.iter().any(|side| side.values < total) {
        let mut moved = pair.step();
        moved |= sides[0].go_on(&mut pair.client, total);
        moved |= sides[1].go_on(&mut pair.server, total);
        assert!(moved, "everybody waits: {:?}", sides.map(|side| side.values));
    }
    pair.settle();
    assert_at_rest(pair);
}

impl Side {
    /// Calls, serves and answers what it can. Says whether there was anything.
    fn go_on(&mut self, talker: &mut Talker, total: usize) -> bool {
        let ended = talker.log.ended_count();
        let called = self.call(talker, total);
        if self.ended == ended && talker.log.requests.is_empty() {
            return called;
        }
        self.ended = ended;
        let served = self.serve(talker);
        let answered = self.answer(talker);
        called | served | answered | self.take_values(talker)
    }

    fn call(&mut self, talker: &mut Talker, total: usize) -> bool {
        let room = CALLERS - self.calls.len();
        let count = room.min(total - self.begun);
        for _ in 0..count {
            let large = self.begun.is_multiple_of(LARGE_EVERY);
            let body = "x".repeat(if large { LARGE_BYTES } else { 0 });
            self.calls.push(talker.call("down", (DEPTH, body)));
            self.begun += 1;
        }
        count > 0
    }

    /// A handler at the bottom answers, the others call their caller first.
    fn serve(&mut self, talker: &mut Talker) -> bool {
        let mut served = false;
        while let Some(work) = talker.next_work() {
            let (depth, body): (u64, String) = work.args();
            match depth {
                0 => talker.answer(work, body),
                _ => self.handlers.push((work, talker.call("down", (depth - 1, body)))),
            }
            served = true;
        }
        served
    }

    fn answer(&mut self, talker: &mut Talker) -> bool {
        let before = self.handlers.len();
        for (work, below) in std::mem::take(&mut self.handlers) {
            match talker.ended(below) {
                Ended::Pending => self.handlers.push((work, below)),
                Ended::Value(body) => talker.answer(work, body),
                other => panic!("{other:?}"),
            }
        }
        self.handlers.len() < before
    }

    fn take_values(&mut self, talker: &Talker) -> bool {
        let before = self.calls.len();
        self.calls.retain(|&call| match talker.ended(call) {
            Ended::Pending => true,
            Ended::Value(_) => false,
            other => panic!("{other:?}"),
        });
        self.values += before - self.calls.len();
        self.calls.len() < before
    }
}
