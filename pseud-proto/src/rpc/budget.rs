//! What all sessions of a node may take together: atomics, so that sessions under locks of their own
//! share them.

use crate::error::{CallRefused, Refusal};
use crate::rpc::config::{Config, Limits};
use crate::rpc::session::entry::{NewCall, Place};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set in the count of requests while the node drains: taking a place then fails in the same step.
const CLOSED: usize = 1 << (usize::BITS - 1);
/// The most places that are taken at once.
const PORTION_MAX: usize = 8;

/// The node's places and bytes: requests that are served, calls that are pending, bytes that wait to be
/// written. Each is given back by whoever took it.
#[derive(Debug)]
pub struct Budget {
    requests_max: usize,
    request_bytes_max: usize,
    calls_max: usize,
    output_bytes_max: usize,
    /// With [`CLOSED`].
    requests: Count,
    request_bytes: Count,
    calls: Count,
    calls_waiting: Count,
    output_bytes: Count,
    partial_bytes: Count,
    sessions: Count,
    /// Sessions whose answers are not all written, counted while it is closed.
    owing: Count,
}

/// One of its counts, in a line of memory of its own, and apart from the next by two since processors
/// fetch those in pairs: who takes a place does not slow down who queues bytes.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicUsize);

impl Deref for Count {
    type Target = AtomicUsize;

    fn deref(&self) -> &AtomicUsize {
        &self.0
    }
}

/// What of the budget is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Requests that are served, and places that were taken for more.
    pub requests: usize,
    /// What their messages and decoded arguments take, in bytes.
    pub request_bytes: usize,
    /// Calls of ours that are pending.
    pub calls: usize,
    /// Calls of ours that wait for room: see [`WhenFull`](crate::WhenFull).
    pub calls_waiting: usize,
    /// What waits to be written, in bytes.
    pub output_bytes: usize,
    /// What has come of messages that are not whole, in bytes.
    pub partial_bytes: usize,
    /// Sessions.
    pub sessions: usize,
}

impl Budget {
    /// All of what that configuration allows.
    pub fn new(config: &Config) -> Self {
        let limits = &config.limits;
        Self {
            requests_max: limits.requests_open_max.min(CLOSED - 1),
            request_bytes_max: limits.requests_open_bytes_max,
            calls_max: limits.calls_pending_max,
            output_bytes_max: limits.queue_bytes_total_max,
            requests: Count::default(),
            request_bytes: Count::default(),
            calls: Count::default(),
            calls_waiting: Count::default(),
            output_bytes: Count::default(),
            partial_bytes: Count::default(),
            sessions: Count::default(),
            owing: Count::default(),
        }
    }

    /// From now on no request is given a place: the node drains.
    pub fn close(&self) {
        self.requests.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Whether it is [closed](Self::close).
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.requests.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether nothing is open: no call, no request, and no answer that is not written, once it is closed
    /// and all sessions [have noted](crate::rpc::session::Session::note_owing) what they owe. An answer is
    /// counted before its request's place is free, so this misses nothing; a call that is made meanwhile
    /// is seen by the second look.
    pub fn is_idle(&self) -> bool {
        let is_zero = |count: &AtomicUsize| count.load(Ordering::SeqCst) == 0;
        let look = || {
            let requests = self.requests.load(Ordering::SeqCst) & !CLOSED;
            let calls = is_zero(&self.calls) && is_zero(&self.calls_waiting);
            requests == 0 && calls && is_zero(&self.owing)
        };
        look() && look()
    }

    pub(crate) fn note_owing(&self, owes: bool) {
        match owes {
            true => self.owing.fetch_add(1, Ordering::SeqCst),
            false => self.owing.fetch_sub(1, Ordering::SeqCst),
        };
    }

    /// A call that waited in the directory, and was taken out of it, is given up.
    pub fn give_up_call(&self, call: &NewCall) {
        match call.place {
            Place::None => {}
            Place::Waiting => self.leave_wait(),
            Place::Pending => self.give_calls(1),
        }
    }

    /// A call of ours begins to wait for room, or for somebody without having any.
    pub fn wait_for_room(&self, call: &mut NewCall) {
        if call.place != Place::Waiting {
            self.calls_waiting.fetch_add(1, Ordering::SeqCst);
            self.give_up_call(call);
            call.place = Place::Waiting;
        }
    }

    /// Such a call is sent, or over.
    pub fn leave_wait(&self) {
        self.calls_waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Requests that are served, and places that were taken for more.
    #[inline]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire) & !CLOSED
    }

    /// Calls that are pending.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// What is taken now.
    pub fn taken(&self) -> Taken {
        Taken {
            requests: self.requests(),
            request_bytes: self.request_bytes.load(Ordering::Acquire),
            calls: self.calls.load(Ordering::Acquire),
            calls_waiting: self.calls_waiting.load(Ordering::Acquire),
            output_bytes: self.output_bytes.load(Ordering::Acquire),
            partial_bytes: self.partial_bytes.load(Ordering::Acquire),
            sessions: self.sessions.load(Ordering::Acquire),
        }
    }

    /// Whether what waits to be written, and what has come of messages that are not whole, is more than all
    /// sessions may have together: whoever
    /// [holds most](crate::rpc::directory::Directory::largest_holder) is to be closed.
    #[inline]
    pub fn is_over(&self) -> bool {
        let partial = self.partial_bytes.load(Ordering::Relaxed);
        let output = self.output_bytes.load(Ordering::Relaxed);
        output.saturating_add(partial) > self.output_bytes_max
    }

    /// One place for a request of a session whose user has few open, or many: those leave the last
    /// quarter to others.
    fn take_request(&self, has_few: bool) -> Result<(), Refusal> {
        let max = self.requests_max;
        let max = if has_few { max } else { max - max / 4 };
        let taken = self.requests.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < max).then_some(count + 1)
        });
        match taken {
            Ok(_) => Ok(()),
            Err(count) if count & CLOSED != 0 => Err(Refusal::Draining),
            Err(_) => Err(Refusal::Overloaded { max, what: "requests are open" }),
        }
    }

    /// So many places of requests, if none of them is of the last quarter.
    fn take_ahead(&self, places: usize) -> bool {
        let max = self.requests_max - self.requests_max / 4;
        let take = |count: usize| (count.saturating_add(places) <= max).then_some(count + places);
        self.requests.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    pub(crate) fn give_requests(&self, places: usize) {
        self.requests.fetch_sub(places, Ordering::SeqCst);
    }

    /// Bytes of a request that has a place, which takes `size` of them already.
    pub(crate) fn take_request_bytes(&self, size: usize, bytes: usize) -> Result<(), Refusal> {
        let max = self.request_bytes_max;
        let taken = self.request_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            let others = open.saturating_sub(size);
            Limits::has_room(others, size.saturating_add(bytes), max)
                .then_some(open.saturating_add(bytes))
        });
        let refusal = |_| Refusal::Overloaded { max, what: "bytes of requests are open" };
        taken.map(drop).map_err(refusal)
    }

    pub(crate) fn give_request_bytes(&self, bytes: usize) {
        self.request_bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// How many calls may be pending for a peer that has [few](Limits::CALLS_FEW), or many: those leave
    /// the last quarter to others.
    fn calls_max(&self, has_few: bool) -> usize {
        if has_few { self.calls_max } else { self.calls_max - self.calls_max / 4 }
    }

    /// Whether there is room for one more call to a peer that has few pending, or many.
    pub fn has_room_for_call(&self, has_few: bool) -> bool {
        self.calls.load(Ordering::SeqCst) < self.calls_max(has_few)
    }

    /// One more pending call, to a peer that has few of them, or many.
    #[inline]
    pub(crate) fn take_call(&self, has_few: bool) -> Result<(), CallRefused> {
        let max = self.calls_max(has_few);
        let taken = self.calls.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < max).then_some(count + 1)
        });
        taken.map(drop).map_err(|_| CallRefused::TooManyPending { max })
    }

    pub(crate) fn give_calls(&self, calls: usize) {
        self.calls.fetch_sub(calls, Ordering::SeqCst);
    }

    pub(crate) fn take_output(&self, bytes: usize) {
        self.output_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give_output(&self, bytes: usize) {
        self.output_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn take_partial(&self, bytes: usize) {
        self.partial_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn give_partial(&self, bytes: usize) {
        self.partial_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn joined(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn left(&self) {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Places for requests, taken together before a session's lock and given back after it: what is not
/// used goes back as this is dropped.
///
/// It is a small part of what is free, so that what others cannot take meanwhile matters little. Before
/// a request is refused for want of a place, one is tried exactly.
#[derive(Debug)]
pub struct Portion<'a> {
    budget: &'a Budget,
    places: usize,
}

impl<'a> Portion<'a> {
    /// At most 8 places, and no more than a quarter of each session's share of what is free.
    pub fn take(budget: &'a Budget) -> Self {
        let sessions = budget.sessions.load(Ordering::Acquire);
        let free = budget.requests_max.saturating_sub(budget.requests());
        let places = PORTION_MAX.min(free / (4 * sessions.max(1)));
        let places = if places > 0 && budget.take_ahead(places) { places } else { 0 };
        Self { budget, places }
    }

    /// Nothing ahead: each place is taken as it is needed. For who has one thread.
    pub fn exact(budget: &'a Budget) -> Self {
        Self { budget, places: 0 }
    }

    /// A place for one request of that size.
    pub(crate) fn take_request(&mut self, has_few: bool, bytes: usize) -> Result<(), Refusal> {
        if self.budget.is_closed() {
            return Err(Refusal::Draining);
        }
        match self.places.checked_sub(1) {
            Some(left) => self.places = left,
            None => self.budget.take_request(has_few)?,
        }
        let bytes = self.budget.take_request_bytes(0, bytes);
        if bytes.is_err() {
            self.places += 1;
        }
        bytes
    }
}

impl Drop for Portion<'_> {
    fn drop(&mut self) {
        if self.places > 0 {
            self.budget.give_requests(self.places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(requests: usize, bytes: usize) -> Budget {
        let mut config = Config::default();
        config.limits.requests_open_max = requests;
        config.limits.requests_open_bytes_max = bytes;
        Budget::new(&config)
    }

    #[test]
    fn tiny_limits_mean_exactly_that() {
        for max in 0..=8 {
            for ahead in [false, true] {
                let budget = budget(max, usize::MAX);
                (0..max).for_each(|_| budget.joined());
                let take = || {
                    let mut portion = match ahead {
                        true => Portion::take(&budget),
                        false => Portion::exact(&budget),
                    };
                    portion.take_request(true, 1)
                };
                for n in 0..max {
                    assert_eq!(take(), Ok(()), "{n} of {max}");
                    assert_eq!(budget.taken().requests, n + 1);
                }
                let full = Refusal::Overloaded { max, what: "requests are open" };
                assert_eq!(take(), Err(full));
                budget.give_requests(max);
            }
        }
    }

    #[test]
    fn the_last_quarter_is_for_who_has_few() {
        let budget = budget(8, usize::MAX);
        let mut portion = Portion::exact(&budget);
        assert!((0..6).all(|_| portion.take_request(false, 1).is_ok()));
        assert!(portion.take_request(false, 1).is_err());
        assert!((0..2).all(|_| portion.take_request(true, 1).is_ok()));
        assert!(portion.take_request(true, 1).is_err());
    }

    #[test]
    fn what_is_not_used_goes_back_and_a_closed_budget_gives_nothing() {
        let budget = budget(1_000, 10_000);
        budget.joined();
        let mut portion = Portion::take(&budget);
        assert_eq!(budget.taken().requests, PORTION_MAX);
        assert_eq!(portion.take_request(true, 9_000), Ok(()));
        let full = Refusal::Overloaded { max: 10_000, what: "bytes of requests are open" };
        assert_eq!(portion.take_request(true, 5_000), Err(full), "its place stays");
        drop(portion);
        assert_eq!((budget.taken().requests, budget.taken().request_bytes), (1, 9_000));
        let mut ahead = Portion::take(&budget);
        budget.close();
        assert_eq!(ahead.take_request(true, 1), Err(Refusal::Draining), "though it was taken");
        assert_eq!(Portion::exact(&budget).take_request(true, 1), Err(Refusal::Draining));
        drop(ahead);
        assert!(budget.is_closed());
        assert_eq!(budget.taken().requests, 1);
    }

    #[test]
    fn threads_never_take_more_than_there_is() {
        let budget = budget(100, usize::MAX);
        (0..4).for_each(|_| budget.joined());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let mut portion = Portion::take(&budget);
                        let taken = (0..30).filter(|_| portion.take_request(true, 1).is_ok());
                        let taken = taken.count();
                        assert!(budget.taken().requests <= 100);
                        budget.give_request_bytes(taken);
                        budget.give_requests(taken);
                    }
                });
            }
        });
        assert_eq!((budget.taken().requests, budget.taken().request_bytes), (0, 0));
    }
}
