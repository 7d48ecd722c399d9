//! What happens to links, for whoever wants to watch: a bounded stream that says what it lost.

use crate::call::peer::Peer;
use crate::engine::happened::Happened;
use crate::engine::hub::Hub;
use crate::engine::watchers::Next;
use pseud_proto::{PeerError, PeerId, Reason, User};
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

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

/// A stream of [`ConnectionEvent`]s, from when it was made. Dropping it is enough.
///
/// It holds 256 events; a watcher that does not keep up is told how many it missed.
///
/// ```no_run
/// use pseud::{ConnectionEvent, Server};
///
/// # async fn run(server: Server) {
/// let mut events = server.events();
/// while let Some(event) = events.next().await {
///     if let ConnectionEvent::Lost { address, reason, .. } = event {
///         println!("{address} is gone: {reason}");
///     }
/// }
/// # }
/// ```
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
        let key = hub.lock().watchers.join();
        Self { hub, key }
    }

    /// The next event; `None` once the node has shut down. Cancel-safe.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next event, polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut inner = self.hub.lock();
        let is_over = inner.shut_down;
        let (next, old) = inner.watchers.poll_next(self.key, is_over, cx);
        drop(inner);
        drop(old);
        next.map(|next| match next {
            Next::Happened(happened) => Some(self.show(happened)),
            Next::Lagged(lost) => Some(ConnectionEvent::Lagged(lost)),
            Next::Over => None,
        })
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
        let forgotten = inner.watchers.forget(self.key);
        let present = inner.sessions();
        drop(inner);
        drop(forgotten);
        Peer::all(&self.hub, present)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.leave(self.key);
        drop(watcher);
    }
}
