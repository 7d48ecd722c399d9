//! One session under its link's lock, and who waits for what of it.

use super::any_link::AnyLink;
use super::backlog::Backlog;
use super::wait_list::{WaitHandle, WaitList};
use super::waiters::Waiters;
use pseud_proto::session::Session;
use pseud_proto::value::Packed;
use pseud_proto::{PeerId, Reason, RequestId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// One session, from its handshake until nobody holds it any more.
///
/// Under its lock no waker is woken, no handler runs and nothing of a user's is dropped: what an
/// operation gives rise to is collected and done after. `H` is what its node has besides. It is taken behind the
/// connection's lock where that is held, and never beside the node's.
pub(crate) struct SeatOf<H> {
    pub(crate) hub: Arc<H>,
    pub(crate) peer: PeerId,
    pub(super) state: Mutex<Seated>,
    /// Why its session has ended: no handler is begun for it.
    pub(super) over: OnceLock<Box<Reason>>,
    /// When its session wants to be told the time, for the node's timer: see [`Hub::offset`].
    pub(super) due: AtomicU64,
    /// How many calls are pending and how many requests are open, for whoever lists peers.
    pub(super) open: AtomicU64,
}

/// What its lock guards.
pub(super) struct Seated {
    pub(super) session: Session,
    pub(super) waiters: Waiters,
    /// Who waits to hear that a request's caller is gone.
    pub(super) cancelling: Cancelling,
    /// Until the session has ended.
    pub(super) link: Option<Arc<dyn AnyLink>>,
    /// Calls that wait for room; hardly ever there.
    pub(super) backlog: Option<Box<Backlog>>,
    /// What [`SeatOf::due`] was computed from.
    pub(super) due: Option<Instant>,
}

/// Who waits to hear that the callers of which requests are gone; made where somebody does.
pub(super) type Cancelling = Option<Box<CancelWaiters>>;

#[derive(Default)]
pub(super) struct CancelWaiters(pub(super) BTreeMap<RequestId, WaitList>);

impl<H> fmt::Debug for SeatOf<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").field(&self.peer).finish()
    }
}

impl<H> SeatOf<H> {
    /// Of a session of that node.
    pub(crate) fn new(hub: Arc<H>, session: Session, link: Option<Arc<dyn AnyLink>>) -> Arc<Self> {
        let peer = session.id();
        let (waiters, cancelling) = (Waiters::default(), None);
        let (backlog, due) = (None, None);
        let seated = Seated { session, waiters, cancelling, link, backlog, due };
        let state = Mutex::new(seated);
        let (due, open) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Arc::new(Self { hub, peer, state, over: OnceLock::new(), due, open })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Seated> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody wait to hear that the caller of that request is gone; `false` where it is, or has its
    /// answer.
    pub(crate) fn wait_for_cancel(&self, request: RequestId, place: &WaitHandle) -> bool {
        let mut seated = self.lock();
        let waits = seated.session.is_awaited(request);
        if waits {
            seated.cancelling.get_or_insert_default().0.entry(request).or_default().join(place);
        }
        waits
    }

    /// Looks at who waits.
    pub(crate) fn wait<R>(&self, look: impl FnOnce(&mut Waiters) -> R) -> R {
        look(&mut self.lock().waiters)
    }

    /// Looks at the session.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        look(&self.lock().session)
    }

    /// When its session wants to be told the time.
    pub(crate) fn due(&self) -> u64 {
        self.due.load(Ordering::SeqCst)
    }

    /// How many calls are pending, and how many requests are open.
    pub(crate) fn open(&self) -> (usize, usize) {
        let open = self.open.load(Ordering::Relaxed);
        ((open >> 32) as usize, open as u32 as usize)
    }

    /// Whether its session has ended: no handler is begun for it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get().is_some()
    }

    /// Why its session has ended, once it has.
    pub(crate) fn over(&self) -> Option<Reason> {
        self.over.get().map(|reason| **reason)
    }

    /// A body of that peer's was checked: what not everybody could be sent may go back there.
    pub(crate) fn learn(&self, body: &Packed) {
        if !body.is_v1_safe() {
            self.lock().session.learn(body);
        }
    }

    /// Writes at once what it has for its link, if that is free.
    pub(crate) fn flush_now(&self) {
        let link = self.lock().link.clone();
        link.inspect(|link| link.flush_now());
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use crate::engine::hub::Hub;
    use crate::engine::seat::Seat;
    use crate::engine::state::Present;

    /// In bytes: each peer has them, however long it is idle.
    #[test]
    fn a_seat_stays_small() {
        assert!(size_of::<Seat>() <= 536);
        assert!(size_of::<Option<Present<Hub>>>() <= 32);
    }
}
