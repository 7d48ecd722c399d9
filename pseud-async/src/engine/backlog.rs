//! Calls to one peer that wait for room, in the order in which they were made.

use pseud_proto::session::NewCall;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Where so many wait at least, those whose time is up are looked for this seldom: a look is at all.
const MANY: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Those calls. A session has none unless one waits: what they cost is a pointer.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    calls: BTreeMap<u64, NewCall>,
    /// Places given so far.
    places: u64,
    /// A lower bound of their deadlines.
    next: Option<Instant>,
    /// It is this peer's turn to take what the node has room for.
    pub(super) has_turn: bool,
}

impl Backlog {
    /// A call waits behind all others; its place.
    pub(super) fn push(&mut self, call: NewCall) -> u64 {
        self.note(call.deadline);
        self.places += 1;
        self.calls.insert(self.places, call);
        self.places
    }

    /// Whose turn is next, with its place.
    pub(super) fn pop(&mut self) -> Option<(u64, NewCall)> {
        self.calls.pop_first()
    }

    /// It is not sent yet, and keeps its place.
    pub(super) fn put_back(&mut self, place: u64, call: NewCall) {
        self.calls.insert(place, call);
    }

    /// All of them wait no more.
    pub(super) fn take_all(&mut self) -> Vec<NewCall> {
        std::mem::take(&mut self.calls).into_values().collect()
    }

    /// It waits no more.
    pub(super) fn remove(&mut self, place: u64) -> Option<NewCall> {
        self.calls.remove(&place)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// When [`overdue`](Self::overdue) has something to give; perhaps later than that by a little.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn note(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    /// Those whose time is up.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<NewCall> {
        if self.next.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let is_over = |(place, call): (&u64, &NewCall)| (call.deadline <= now).then_some(*place);
        let places: Vec<u64> = self.calls.iter().filter_map(is_over).collect();
        let over = places.iter().filter_map(|place| self.calls.remove(place)).collect();
        self.next = self.calls.values().map(|call| call.deadline).min();
        if self.calls.len() >= MANY {
            self.next = self.next.map(|next| next.max(now + LOOK_EVERY));
        }
        over
    }
}
