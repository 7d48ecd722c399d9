//! Questions of a transport that authenticates by itself, such as libzmq's ZAP (RFC 27): the same admission
//! answers them.

use super::admission::ask;
use super::places::Admissions;
use crate::engine::any_link::AnyLink;
use crate::engine::hub::Hub;
use crate::engine::hub::Inner;
use crate::engine::pending_link::{PendingLink, PendingLinks};
use atomic_waker::AtomicWaker;
use pseud_proto::zmtp::{Question, Verdict};
use pseud_proto::{Reason, User};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

/// What is done with an answer.
type OnVerdict = Box<dyn FnOnce(Verdict) + Send>;

/// One question, and then whoever was admitted by its answer, for as long as the transport keeps its
/// connection: who is disconnected meanwhile gets no further session by it.
pub struct Asking {
    hub: Arc<Hub>,
    answer: Mutex<Option<OnVerdict>>,
    /// Where the hub knows it.
    stranger: AtomicU64,
    by: Instant,
    /// Nobody waits for the answer any more.
    ended: AtomicBool,
    waiting: AtomicWaker,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

impl Asking {
    /// Asks whether that peer may come in. `answer` hears it once, now or later, on any thread; an answer
    /// means something until `by`.
    pub(crate) fn ask(
        hub: &Arc<Hub>,
        admissions: &Admissions,
        question: Question,
        address: &str,
        by: Instant,
        answer: impl FnOnce(Verdict) + Send + 'static,
    ) -> Arc<Self> {
        let answer: OnVerdict = Box::new(answer);
        let stranger = AtomicU64::new(PendingLinks::NONE);
        let (ended, waiting) = (AtomicBool::new(false), AtomicWaker::new());
        let answer = Mutex::new(Some(answer));
        let asking = Arc::new(Self { hub: hub.clone(), answer, stranger, by, ended, waiting });
        let link: Arc<dyn AnyLink> = asking.clone();
        let key = hub.lock().strangers.insert(PendingLink::new(link.clone(), None, None, None));
        asking.stranger.store(key, Ordering::Relaxed);
        match ask(hub, admissions, &link, question, address) {
            Some(verdict) => asking.notify(verdict),
            None => asking.clone().expire(),
        }
        asking
    }

    /// Who was admitted is not waited for any more.
    pub fn forget(&self) {
        let stranger = self.take(&mut self.hub.lock());
        drop(stranger);
    }

    /// It has come, the first time or again: says whether it is welcome still. `user` is then as last updated. It
    /// stays known, so that who is disconnected between two sessions, or in one, has no other behind it.
    pub(crate) fn arrive(&self, inner: &mut Inner, user: &mut User) -> bool {
        let stranger = inner.strangers.get(self.stranger.load(Ordering::Relaxed));
        let Some(stranger) = stranger.filter(|stranger| !stranger.is_barred(user)) else {
            return false;
        };
        *user = stranger.as_updated(user.clone());
        true
    }

    /// As whom it was admitted.
    pub fn admitted(&self, user: &User) {
        let mut inner = self.hub.lock();
        if let Some(stranger) = inner.strangers.get_mut(self.stranger.load(Ordering::Relaxed)) {
            stranger.user = Some(user.id().clone());
        }
    }

    fn take(&self, inner: &mut Inner) -> Option<PendingLink> {
        inner.strangers.remove(self.stranger.swap(PendingLinks::NONE, Ordering::Relaxed))
    }

    /// The transport does not tell when it gives up, so that is known by time.
    fn expire(self: Arc<Self>) {
        let (hub, late) = (self.hub.clone(), self.hub.runtime.sleep(self.by));
        hub.runtime.spawn(Box::pin(async move {
            late.await;
            self.ended.store(true, Ordering::Release);
            self.waiting.wake();
        }));
    }

    fn notify(&self, verdict: Verdict) {
        if !matches!(verdict, Verdict::Admit(_)) {
            self.forget();
        }
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(answer) = answer {
            answer(verdict);
        }
    }
}

impl AnyLink for Asking {
    fn flush_now(&self) {}

    fn wake_to_flush(&self) {}

    fn close(&self, _: Reason) {
        drop(self.answer.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn answer(self: Arc<Self>, verdict: Verdict) {
        self.notify(verdict);
    }

    fn answer_by(&self) -> Option<Instant> {
        Some(self.by)
    }

    fn denies(&self, who: String) {
        tracing::info!(%who, "a peer was not let in");
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waiting.register(cx.waker());
        match self.ended.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}
