//! What happens to links, for whoever wants to watch: a bounded stream that says what it lost.

use crate::hub::{Hub, Inner};
use crate::peer::Peer;
use pseud_proto::peer::PeerInfo;
use pseud_proto::{PeerError, PeerId, Reason, To};
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
    /// The handshake failed: one of the two refused the other, or the peer does not speak ZMTP.
    Refused {
        /// Where the peer is.
        address: String,
        /// Why.
        error: PeerError,
    },
    /// A session began.
    Ready {
        /// A handle to call exactly this session.
        peer: Peer,
        /// Its routing id.
        identity: Vec<u8>,
        /// Where it is.
        address: String,
    },
    /// A session ended. It was `Ready` before, once.
    Lost {
        /// Its routing id.
        identity: Vec<u8>,
        /// Where it was.
        address: String,
        /// Why.
        reason: Reason,
    },
    /// The watcher was too slow: that many events before this one are missing.
    Lagged(u64),
}

/// An event as the hub keeps it: it owns no handle, which would own the hub.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    Connecting { endpoint: String },
    Failed { endpoint: String, error: String },
    Refused { address: String, error: PeerError },
    Ready { peer: PeerId, info: Arc<PeerInfo> },
    Lost { info: Arc<PeerInfo>, reason: Reason },
}

impl Happened {
    /// For operators. Whoever listens to logs is a user's: never under a lock.
    pub(crate) fn log(&self) {
        match self {
            Self::Ready { info, .. } => {
                let PeerInfo { identity, address, user, .. } = &**info;
                let user = (!user.is_anonymous()).then(|| tracing::field::display(user));
                tracing::info!(identity = %shown(identity), %address, user, "peer ready");
            }
            Self::Lost { info, reason } => {
                let PeerInfo { identity, address, .. } = &**info;
                tracing::info!(identity = %shown(identity), %address, %reason, "peer left");
            }
            Self::Connecting { .. } | Self::Failed { .. } | Self::Refused { .. } => {}
        }
    }
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
            Happened::Refused { address, error } => ConnectionEvent::Refused { address, error },
            Happened::Ready { peer, info } => {
                let peer = Peer::new(self.hub.clone(), To::Peer(peer));
                let (identity, address) = (info.identity.to_vec(), info.address.clone());
                ConnectionEvent::Ready { peer, identity, address }
            }
            Happened::Lost { info, reason } => {
                let (identity, address) = (info.identity.to_vec(), info.address.clone());
                ConnectionEvent::Lost { identity, address, reason }
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.0.try_remove(self.key);
        drop(watcher);
    }
}

impl Hub {
    fn tell(&self, happened: &Happened) {
        let wakers = self.lock().watchers.tell(happened);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// For adapters: a connection is about to be made.
    pub fn tell_connecting(&self, endpoint: &str) {
        self.tell(&Happened::Connecting { endpoint: endpoint.to_owned() });
    }

    /// For adapters: there was no connection to be had.
    pub fn tell_failed(&self, endpoint: &str, error: &std::io::Error) {
        let (endpoint, error) = (endpoint.to_owned(), error.to_string());
        self.tell(&Happened::Failed { endpoint, error });
    }

    pub(crate) fn tell_refused(&self, address: &str, error: PeerError) {
        self.tell(&Happened::Refused { address: address.to_owned(), error });
    }
}

/// A routing id for logs. One that was made here, for a peer that announced none, is only good to
/// recognise it by.
pub(crate) fn shown(identity: &[u8]) -> String {
    match identity {
        [0, a, b, c, d, ..] => format!("anonymous-{a:02x}{b:02x}{c:02x}{d:02x}"),
        named => named.escape_ascii().to_string(),
    }
}

impl Inner {
    /// A session began: remembered until it ends, to say then who it was.
    pub(crate) fn joined(&mut self, peer: PeerId, info: Arc<PeerInfo>) -> (Happened, Vec<Waker>) {
        self.present.insert(peer, info.clone());
        let happened = Happened::Ready { peer, info };
        let wakers = self.watchers.tell(&happened);
        (happened, wakers)
    }

    pub(crate) fn left(&mut self, peer: PeerId, reason: Reason) -> Option<(Happened, Vec<Waker>)> {
        let info = self.present.remove(&peer)?;
        let happened = Happened::Lost { info, reason };
        let wakers = self.watchers.tell(&happened);
        Some((happened, wakers))
    }
}
