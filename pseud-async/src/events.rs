//! What happens to links, for whoever wants to watch: a bounded stream that says what it lost.

mod happened;

pub(crate) use happened::{Happened, shown};

use crate::hub::{Hub, Inner};
use crate::peer::Peer;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerError, PeerId, Reason, User};
use slab::Slab;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many events wait for a watcher before the oldest are dropped.
const EVENTS_MAX: usize = 256;

/// Something that happened to a link.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// We are about to connect.
    Connecting {
        /// Where to.
        endpoint: String,
    },
    /// There is no connection to be had there now; it is tried again.
    Failed {
        /// Where to.
        endpoint: String,
        /// The operating system's words.
        error: String,
    },
    /// The handshake failed: one of the two refused the other, or the peer does not speak ZMTP. Of those
    /// who come to us 128 a minute are told one by one, the others by their number: they cannot drive out
    /// what is told of sessions.
    Refused {
        /// Where the peer is.
        address: String,
        /// Why.
        error: PeerError,
        /// How many more there were since the last such event, of which nothing else is told.
        more: u64,
    },
    /// A session began.
    Ready {
        /// A handle to call exactly this session. What [it says of it](Peer::info) stays.
        peer: Peer,
        /// The session. It never means another one.
        session: PeerId,
        /// Who authentication says it is.
        user: User,
        /// Its routing id.
        identity: Vec<u8>,
        /// Where it is.
        address: String,
    },
    /// A session ended. It was `Ready` before, once.
    Lost {
        /// The session.
        session: PeerId,
        /// Who it was.
        user: User,
        /// Its routing id.
        identity: Vec<u8>,
        /// Where it was.
        address: String,
        /// Why.
        reason: Reason,
    },
    /// The watcher was too slow: that many events before this one are missing.
    /// [`Events::resync`] says what is there now.
    Lagged(u64),
}

#[derive(Debug, Default)]
struct Watcher {
    events: VecDeque<Happened>,
    lost: u64,
    waker: Option<Waker>,
}

/// All who watch.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Slab<Watcher>);

impl Watchers {
    /// Tells everybody; returns whom to wake.
    pub(crate) fn tell(&mut self, happened: &Happened) -> Vec<Waker> {
        let mut wakers = Vec::new();
        for (_, watcher) in &mut self.0 {
            if watcher.events.len() == EVENTS_MAX {
                watcher.events.pop_front();
                watcher.lost += 1;
            }
            watcher.events.push_back(happened.clone());
            wakers.extend(watcher.waker.take());
        }
        wakers
    }

    pub(crate) fn wake_all(&mut self) -> Vec<Waker> {
        self.0.iter_mut().filter_map(|(_, watcher)| watcher.waker.take()).collect()
    }
}

/// A stream of [`ConnectionEvent`]s, from when it was made. Dropping it is enough.
///
/// It holds 256 events; a watcher that does not keep up is told how many it missed.
pub struct Events {
    hub: Arc<Hub>,
    key: usize,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let key = hub.lock().watchers.0.insert(Watcher::default());
        Self { hub, key }
    }

    /// The next event; `None` once the node has shut down. Cancel-safe.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next event, polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut inner = self.hub.lock();
        let shut_down = inner.shut_down;
        let Some(watcher) = inner.watchers.0.get_mut(self.key) else { return Poll::Ready(None) };
        if watcher.lost > 0 {
            return Poll::Ready(Some(ConnectionEvent::Lagged(std::mem::take(&mut watcher.lost))));
        }
        let Some(happened) = watcher.events.pop_front() else {
            if shut_down {
                return Poll::Ready(None);
            }
            let old = watcher.waker.replace(cx.waker().clone());
            drop(inner);
            drop(old);
            return Poll::Pending;
        };
        drop(inner);
        Poll::Ready(Some(self.show(happened)))
    }

    fn show(&self, happened: Happened) -> ConnectionEvent {
        match happened {
            Happened::Connecting { endpoint } => ConnectionEvent::Connecting { endpoint },
            Happened::Failed { endpoint, error } => ConnectionEvent::Failed { endpoint, error },
            Happened::Refused { address, error, more } => {
                ConnectionEvent::Refused { address, error, more }
            }
            Happened::Ready { session, info } => {
                let (user, identity) = (info.user.clone(), info.identity.to_vec());
                let address = info.address.clone();
                let peer = Peer::of_session(self.hub.clone(), session, info);
                ConnectionEvent::Ready { peer, session, user, identity, address }
            }
            Happened::Lost { session, info, reason } => {
                let (user, identity) = (info.user.clone(), info.identity.to_vec());
                let address = info.address.clone();
                ConnectionEvent::Lost { session, user, identity, address, reason }
            }
        }
    }

    /// All sessions that are there now. What waits here to be told is forgotten: the next event is the first one behind this moment, so that a watcher that
    /// [lagged](ConnectionEvent::Lagged) knows again what is there.
    pub fn resync(&mut self) -> Vec<Peer> {
        let mut inner = self.hub.lock();
        let watcher = inner.watchers.0.get_mut(self.key);
        let forgotten = watcher.map(|watcher| {
            watcher.lost = 0;
            std::mem::take(&mut watcher.events)
        });
        let present = inner.sessions();
        drop(inner);
        drop(forgotten);
        self.hub.peers(present)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.0.try_remove(self.key);
        drop(watcher);
    }
}

impl Hub {
    pub(crate) fn tell(&self, happened: &Happened) {
        let wakers = self.lock().watchers.tell(happened);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn tell_refused(&self, address: String, error: PeerError, more: u64) {
        self.tell(&Happened::Refused { address, error, more });
    }

    /// Handles to those sessions.
    pub(crate) fn peers(self: &Arc<Self>, present: Vec<(PeerId, Arc<PeerInfo>)>) -> Vec<Peer> {
        let peer = |(session, info)| Peer::of_session(self.clone(), session, info);
        present.into_iter().map(peer).collect()
    }
}

impl Inner {
    /// Who is there.
    pub(crate) fn sessions(&self) -> Vec<(PeerId, Arc<PeerInfo>)> {
        self.present.iter().map(|(session, info)| (*session, info.clone())).collect()
    }

    /// A session began: remembered until it ends, to say then who it was.
    pub(crate) fn joined(
        &mut self,
        session: PeerId,
        info: Arc<PeerInfo>,
    ) -> (Happened, Vec<Waker>) {
        self.present.insert(session, info.clone());
        let happened = Happened::Ready { session, info };
        let wakers = self.watchers.tell(&happened);
        (happened, wakers)
    }

    pub(crate) fn left(
        &mut self,
        session: PeerId,
        reason: Reason,
    ) -> Option<(Happened, Vec<Waker>)> {
        let info = self.present.remove(&session)?;
        let happened = Happened::Lost { session, info, reason };
        let wakers = self.watchers.tell(&happened);
        Some((happened, wakers))
    }
}
