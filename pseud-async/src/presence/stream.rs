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
    /// A session that had joined is there no more; or it has logged in, and joins again as its user.
    Left {
        /// The session.
        session: PeerId,
        /// Who it was.
        info: Arc<PeerInfo>,
        /// Why. `None`: that was among what was [missed](Self::Lagged).
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
    look: Look,
    ready: VecDeque<PresenceEvent>,
}

/// How far a look at all who are there has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Behind that session.
    At(Option<PeerId>),
    /// All were seen: who was not has left, unless the events that wait say more.
    Seen,
    Done,
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
        Self { hub, key, known, looks: 1, look: Look::At(None), ready }
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
            if let Look::At(after) = self.look {
                self.look_behind(after);
                continue;
            }
            match self.poll_change(cx) {
                Poll::Ready(Some(change)) => self.take(change),
                // Every change that waited was told, and each page was looked at: who was on none of them has left.
                _ if self.look == Look::Seen => self.sweep(),
                ended => return ended.map(|_| None),
            }
        }
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<KeptEvent>> {
        let mut inner = self.hub.lock();
        let is_over = inner.all_told;
        let (next, old) = inner.watchers.poll_next(self.key, is_over, cx);
        drop(inner);
        drop(old);
        next
    }

    /// Looks at one page of who is there.
    fn look_behind(&mut self, after: Option<PeerId>) {
        let page = self.hub.page_of_infos(after);
        self.look = match page.last() {
            Some((last, _)) if page.len() == PAGE_MAX => Look::At(Some(last.peer)),
            _ => Look::Seen,
        };
        for (seat, info) in page {
            self.see(seat.peer, info, |_, _, info| Peer::of_session(seat, info));
        }
    }

    /// That session is there.
    fn see(
        &mut self,
        session: PeerId,
        info: Arc<PeerInfo>,
        handle: impl FnOnce(&Arc<Hub>, PeerId, Arc<PeerInfo>) -> Peer,
    ) {
        let told = self.known.insert(session, (info.clone(), self.looks));
        if told.is_none() {
            let peer = handle(&self.hub, session, info.clone());
            self.ready.push_back(PresenceEvent::Joined { peer, session, info });
        }
    }

    fn take(&mut self, change: KeptEvent) {
        match change {
            LinkEvent::Connected { peer: info, session, .. } => {
                self.see(session, info, Peer::once);
            }
            // Who was nobody leaves, and that user joins: each is told of with who it is.
            LinkEvent::LoggedIn { peer: info, session, .. } => {
                self.forget(session, None);
                self.see(session, info, Peer::once);
            }
            LinkEvent::Disconnected { session, reason, .. } => self.forget(session, Some(reason)),
            LinkEvent::Lagged(missed) => {
                self.ready.push_back(PresenceEvent::Lagged(missed));
                self.looks += 1;
                self.look = Look::At(None);
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

    fn sweep(&mut self) {
        self.look = Look::Done;
        let unseen = self.known.iter().filter(|(_, (_, look))| *look != self.looks);
        let unseen: Vec<_> = unseen.map(|(session, _)| *session).collect();
        unseen.into_iter().for_each(|session| self.forget(session, None));
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
