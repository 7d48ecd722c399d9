//! Joins and leaves as a stream: first who is there, then what changes, nothing missed or told twice.

use crate::call::peer::Peer;
use crate::engine::event::{KeptEvent, LinkEvent};
use crate::engine::hub::Hub;
use crate::engine::listing::PAGE_MAX;
use futures_core::Stream;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerId, Reason};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Somebody came, or left.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PresenceEvent {
    /// A session is there: it began, or was there when the stream was made.
    Joined {
        /// A handle to exactly this session.
        peer: Peer,
        /// The session.
        session: PeerId,
        /// Who is behind it.
        info: Arc<PeerInfo>,
    },
    /// A session that had joined is there no more; or it has logged in, and joins again as its user. It is of
    /// the same user as its `Joined`.
    Left {
        /// The session.
        session: PeerId,
        /// Who it was.
        info: Arc<PeerInfo>,
        /// Why. `None`: it has logged in, and joins again; or that was among what was [missed](Self::Lagged).
        reason: Option<Reason>,
    },
    /// The stream's reader was too slow: so many changes were missed. Nothing is to be done: the events
    /// behind this one make up for it.
    Lagged(u64),
}

/// A stream of [`PresenceEvent`]s: first a `Joined` for every session that is there, then what changes.
///
/// For each session `Joined` and `Left` alternate, beginning with `Joined`, whatever was missed: 256 changes
/// wait for a reader, and one that is slower is told so ([`PresenceEvent::Lagged`]) and then what is
/// otherwise than it was told before. So a set that is kept by its events is right whenever the stream has
/// nothing to tell. It remembers whom it has told of: some 64 bytes a session.
///
/// ```no_run
/// use pseud::{PresenceEvent, Server};
///
/// # async fn run(server: Server) {
/// let mut presence = server.presence();
/// while let Some(event) = presence.next().await {
///     match event {
///         PresenceEvent::Joined { info, .. } => println!("{} is there", info.address),
///         PresenceEvent::Left { info, .. } => println!("{} has left", info.address),
///         _ => {}
///     }
/// }
/// # }
/// ```
pub struct Presence {
    hub: Arc<Hub>,
    key: usize,
    /// Who was told to be there, and the last look at all that found them.
    known: BTreeMap<PeerId, (Arc<PeerInfo>, u64)>,
    looks: u64,
    /// Where the look that is under way goes on, behind that session. `None`: none is.
    look: Option<Option<PeerId>>,
    /// The oldest look whose unseen are not swept yet.
    unswept: Option<Finished>,
    /// The newest look that has ended.
    finished: Finished,
    ready: VecDeque<PresenceEvent>,
}

/// A look at all who are there that has ended.
///
/// Who was told of before it and not seen by it has left. Why says an event that happened before its end, or
/// that was lost: once as many are over, whoever is still unseen leaves without. That is counted, not waited
/// for: where there is much coming and going, an event waits always, and who has left would be kept for ever.
#[derive(Debug, Clone, Copy, Default)]
struct Finished {
    look: u64,
    /// How many events had happened by then.
    events: u64,
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Presence {
    /// Changes wait from now on: what happens while all who are there are looked at is not missed.
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let key = hub.lock().watchers.join_for_sessions();
        let (known, ready) = (BTreeMap::new(), VecDeque::new());
        let finished = Finished::default();
        Self { hub, key, known, looks: 1, look: Some(None), unswept: None, finished, ready }
    }

    /// The next event; `None` once the node has shut down and all who were there have left. Cancel-safe.
    pub async fn next(&mut self) -> Option<PresenceEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next event, polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<PresenceEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            if let Some(after) = self.look {
                self.look_behind(after);
                continue;
            }
            let change = self.poll_change(cx);
            match change {
                Poll::Ready(Some(change)) => self.take(change),
                _ if !self.ready.is_empty() => {}
                ended => return ended.map(|_| None),
            }
        }
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<KeptEvent>> {
        let mut inner = self.hub.lock();
        let is_over = inner.all_told;
        let before = inner.watchers.progress(self.key).over;
        let (next, old) = inner.watchers.poll_next(self.key, is_over, cx);
        drop(inner);
        drop(old);
        self.sweep(before);
        next
    }

    /// Looks at one page of who is there.
    fn look_behind(&mut self, after: Option<PeerId>) {
        let page = self.hub.page_of_infos(after);
        self.look = match page.last() {
            Some((last, _)) if page.len() == PAGE_MAX => Some(Some(last.peer)),
            _ => None,
        };
        if self.look.is_none() {
            let events = self.hub.lock().watchers.progress(self.key).happened;
            self.finished = Finished { look: self.looks, events };
            self.unswept.get_or_insert(self.finished);
        }
        for (seat, info) in page {
            self.see(seat.peer, info, true, |_, _, info| Peer::of_session(seat, info));
        }
    }

    /// That session is there, as that user. `is_now`: that is no older than what was told of it.
    fn see(
        &mut self,
        session: PeerId,
        info: Arc<PeerInfo>,
        is_now: bool,
        handle: impl FnOnce(&Arc<Hub>, PeerId, Arc<PeerInfo>) -> Peer,
    ) {
        if let Some((told, look)) = self.known.get_mut(&session) {
            *look = self.looks;
            // Who was nobody leaves, and that user joins: each is told of with who it is.
            if !is_now || told.user.id() == info.user.id() {
                return;
            }
            self.forget(session, None);
        }
        self.known.insert(session, (info.clone(), self.looks));
        let peer = handle(&self.hub, session, info.clone());
        self.ready.push_back(PresenceEvent::Joined { peer, session, info });
    }

    fn take(&mut self, change: KeptEvent) {
        match change {
            LinkEvent::Connected { peer: info, session, .. } => {
                // A look may have found it since, logged in: nobody logs out.
                self.see(session, info, false, Peer::once);
            }
            LinkEvent::LoggedIn { peer: info, session, .. } => {
                self.see(session, info, true, Peer::once);
            }
            LinkEvent::Disconnected { session, reason, .. } => self.forget(session, Some(reason)),
            LinkEvent::Lagged(missed) => {
                self.ready.push_back(PresenceEvent::Lagged(missed));
                self.looks += 1;
                self.look = Some(None);
            }
            LinkEvent::Challenged { .. }
            | LinkEvent::Authenticated { .. }
            | LinkEvent::Connecting { .. }
            | LinkEvent::ConnectFailed { .. }
            | LinkEvent::HandshakeFailed { .. } => {}
        }
    }

    /// One that was never told of came and left while others were looked at.
    fn forget(&mut self, session: PeerId, reason: Option<Reason>) {
        if let Some((info, _)) = self.known.remove(&session) {
            self.ready.push_back(PresenceEvent::Left { session, info, reason });
        }
    }

    /// So many events are over: who was unseen by a look that ended before the last of them has left.
    fn sweep(&mut self, over: u64) {
        while let Some(Finished { look: seen_by, .. }) =
            self.unswept.take_if(|finished| finished.events <= over)
        {
            let unseen = self.known.iter().filter(|(_, (_, look))| *look < seen_by);
            let unseen: Vec<_> = unseen.map(|(session, _)| *session).collect();
            unseen.into_iter().for_each(|session| self.forget(session, None));
            self.unswept = Some(self.finished).filter(|finished| finished.look > seen_by);
        }
    }
}

/// Ends once the node has shut down.
impl Stream for Presence {
    type Item = PresenceEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<PresenceEvent>> {
        self.get_mut().poll_next(cx)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.leave(self.key);
        drop(watcher);
    }
}

#[cfg(test)]
mod tests;
