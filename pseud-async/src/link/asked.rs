//! What others ask of a link, whatever its socket is.

use super::{Flushed, Link};
use crate::hub::Hub;
use crate::runtime::Writer;
use pseud_proto::Reason;
use pseud_proto::zmtp::Verdict;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};
use std::task::{Context, Poll};
use std::time::Instant;

/// What the hub asks of a link.
pub(crate) trait AnyLink: fmt::Debug + Send + Sync {
    /// Writes at once from this task if the link is free, else wakes the link's own task.
    fn flush_now(&self, hub: &Arc<Hub>);
    /// Lets the link's task gather and write.
    fn wake_to_flush(&self);
    /// Its session has ended.
    fn close(&self, reason: Reason);
    /// Somebody has decided whether its peer may come in.
    fn answer(self: Arc<Self>, hub: &Arc<Hub>, verdict: Verdict);
    /// Until when an answer means something.
    fn answer_by(&self) -> Option<Instant>;
    /// That is who is not let in, for the line that says that the link has failed.
    fn denies(&self, who: String);
    /// Ready once the link has ended. One task may wait for it: that which asks about the peer.
    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()>;
}

impl<W: Writer> AnyLink for Link<W> {
    fn flush_now(&self, hub: &Arc<Hub>) {
        let connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return self.wake_to_flush(),
        };
        match self.flush_locked(connection, hub) {
            Ok(Flushed::All) => {}
            Ok(Flushed::Blocked) => self.wake_to_flush(),
            Err(_) => self.close(Reason::PeerGone),
        }
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
        let _ = self.closing.set(reason);
        self.waker.wake();
    }

    fn answer_by(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn denies(&self, who: String) {
        let _ = self.denied.set(who.into());
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.asking.register(cx.waker());
        match self.ended.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn answer(self: Arc<Self>, hub: &Arc<Hub>, verdict: Verdict) {
        let fed = self.feed(hub, |connection, now| connection.answer(verdict, now));
        match self.settle(hub, fed) {
            Ok(()) => {
                self.flush_now(hub);
                // The link's task sleeps for the handshake's end; PINGs are due earlier.
                self.waker.wake();
            }
            // What is queued tells the peer so: the link's task writes it before it closes.
            Err(error) => self.close(error.into()),
        }
    }
}
