//! What others ask of a link, whatever its socket is.

use super::{Flushed, StreamLink};
use crate::engine::activity::Activity;
use crate::engine::any_link::AnyLink;
use crate::runtime::Writer;
use pseud_proto::Reason;
use pseud_proto::zmtp::Verdict;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How long an answer to a HELLO is waited for: as long as a handshake takes by default. Its asker is then
/// told that nobody can tell.
pub(super) const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

impl<W: Writer> AnyLink for StreamLink<W> {
    fn flush_now(&self) {
        let connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return self.wake_to_flush(),
        };
        match self.flush_locked(connection, usize::MAX) {
            Ok((Flushed::All, _)) => {}
            Ok((Flushed::Blocked | Flushed::Part, _)) => self.wake_to_flush(),
            Err(_) => self.close(Reason::PeerGone),
        }
    }

    fn will_flush(&self) -> bool {
        self.wants_flush.load(Ordering::Acquire)
    }

    fn wake_to_flush(&self) {
        if !self.wants_flush.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    fn close(&self, reason: Reason) {
        // What another task is writing now may be a reply that has become too late. A stranger has no
        // such; what is queued for it says why it is refused.
        if self.is_ready() {
            self.over.store(true, Ordering::Relaxed);
        }
        let _ = self.closing.set(Box::new(reason));
        self.waker.wake();
    }

    fn activity(&self) -> Option<&Activity> {
        Some(&self.activity)
    }

    fn answer_by(&self) -> Option<Instant> {
        match self.is_ready() {
            true => self.hub().now().checked_add(LOGIN_TIMEOUT),
            false => self.poll_timeout(),
        }
    }

    fn denies(&self, who: String) {
        self.asked.deny(who);
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked.register(cx.waker());
        match self.ended.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn answer(self: Arc<Self>, verdict: Verdict) {
        self.asked.answered();
        let fed = self.answered(verdict);
        match self.settle(fed) {
            Ok(()) => {
                self.flush_now();
                // The link's task sleeps for the handshake's end; PINGs are due earlier.
                self.waker.wake();
            }
            // What is queued tells the peer so: the link's task writes it before it closes.
            Err(error) => self.close(error.into()),
        }
    }
}
