//! The face of a server or a client, whatever its runtime.

mod accept;
mod backends;
mod client;
mod connect;
mod dialer;
mod drain;
pub(crate) mod events;
mod faces;
mod heartbeats;
mod key_pairs;
pub(crate) mod lifecycle;
mod names;
mod options;
mod peering;
#[cfg(feature = "_curve")]
mod rekeying;
mod revoking;
mod security;
mod server;
mod setup_error;

pub use self::backends::{AuthBackend, AuthBackends, Role, Security};
pub use self::client::{Calling, Client};
pub use self::drain::Drain;
pub use self::heartbeats::{HeartbeatBackend, HeartbeatBackends, Ticking};
pub use self::names::{check_client, check_server};
#[cfg(feature = "kaa")]
pub(crate) use self::options::common::common;
pub use self::options::{BindOptions, Options};
pub use self::peering::{Peering, node_on};
pub use self::security::check_endpoint;
pub use self::server::{Server, Serving};
pub use self::setup_error::SetupError;

use self::events::Events;
use self::lifecycle::{Drained, UntilReady};
use crate::call::Call;
use crate::call::all::CallAll;
use crate::call::peer::Peer;
use crate::call::route::Route;
use crate::call::service::Service;
use crate::engine::hub::Hub;
use crate::engine::wait_list::WaitHandle;
use crate::link::Host;
use crate::presence::feed::PresenceFeed;
use crate::presence::pages::Peers;
use crate::presence::status::PeerStatus;
use crate::presence::store::{self, PresenceStore};
use crate::presence::stream::Presence;
use crate::serve::registry::Registry;
use pseud_proto::pseud::Stats;
use pseud_proto::{Parting, PeerId, Several, To};
use serde::Serialize;
use smol_str::SmolStr;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A server or a client: it serves handlers and calls peers. Cheap to clone; all clones are one.
///
/// When the last clone is dropped, links close and pending calls end as `Closed`. A handler that
/// holds a clone keeps its node alive: use [`Request::caller`](crate::Request::caller) there, or call
/// [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct Node {
    owner: Arc<NodeOwner>,
}

/// Ends the node when the last handle goes.
struct NodeOwner {
    host: Arc<Host>,
    /// To the configured server.
    server: Arc<Route>,
}

impl Drop for NodeOwner {
    fn drop(&mut self) {
        self.host.shutdown();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    /// A handle of that node. For adapters.
    #[doc(hidden)]
    pub fn new(host: Arc<Host>) -> Self {
        let server = Route::new(host.hub().clone(), To::Server);
        Self { owner: Arc::new(NodeOwner { host, server }) }
    }

    /// What links know of the node. For adapters.
    #[doc(hidden)]
    pub fn host(&self) -> &Arc<Host> {
        &self.owner.host
    }

    fn hub(&self) -> &Arc<Hub> {
        self.host().hub()
    }

    /// What this node serves besides the [global](Registry::global) registry: its own registry, or
    /// the one that it was given. Handlers are registered there.
    pub fn registry(&self) -> Registry {
        self.host().served().registry()
    }

    /// Calls the configured server. `args` is a tuple: `("Charly",)`, `()`. A `bytes::Bytes` in it is a
    /// bin, Python's `bytes`; a `Vec<u8>` a list of numbers.
    ///
    /// The call waits for the link to the server, bounded by its own time-out. See [`Call`].
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        Call::new(self.owner.server.clone(), SmolStr::new(name), args)
    }

    /// A service of the configured server, to be called by what follows the dot:
    /// `client.service("string").call("lower", ("ABC",))`.
    pub fn service(&self, name: impl AsRef<str>) -> Service {
        Service::new(self.owner.server.clone(), name.as_ref())
    }

    /// Whoever holds that identity when it is called: the identity that a peer announced. Compared
    /// as bytes. It proves nothing: where peers are authenticated, [`user`](Self::user) does.
    pub fn peer(&self, identity: impl AsRef<[u8]>) -> Peer {
        self.to(To::Identity(identity.as_ref().to_vec().into()))
    }

    /// That user, as authentication has it, and never whoever announces its id. Of several sessions
    /// of it, the newest when it is called: see [`Peer::require_single_session`], and [`sessions`](Self::sessions) for
    /// all of them.
    pub fn user(&self, user_id: impl AsRef<[u8]>) -> Peer {
        let id = user_id.as_ref().to_vec().into();
        self.to(To::User { id, several: Several::Newest })
    }

    /// Python's `send_to`: whoever is known by that id. A session that is authenticated is known by
    /// its user's id alone, any other by its identity. Where both are there the user is meant, of
    /// several sessions the newest.
    ///
    /// A plug-in of one's own may say otherwise: [`AuthBackend::routing_id`](crate::AuthBackend::routing_id).
    ///
    /// It is what people from Python know, under NULL and under PLAIN and CURVE.
    /// [`user`](Self::user) and [`peer`](Self::peer) say which of the two they mean.
    pub fn send_to(&self, id: impl AsRef<[u8]>) -> Peer {
        let hooks = self.hub().hooks.get();
        if let Some(identity) = hooks.and_then(|hooks| hooks.routing_id(id.as_ref())) {
            return self.peer(identity);
        }
        let id = id.as_ref().to_vec().into();
        self.to(To::Known { id, several: Several::Newest })
    }

    fn to(&self, to: To) -> Peer {
        Peer::new(self.hub().clone(), to)
    }

    /// The sessions that are authenticated as that user now, the newest last: each handle means that
    /// session and no other.
    pub fn sessions(&self, user_id: impl AsRef<[u8]>) -> Vec<Peer> {
        let known = self.hub().lock().sessions_of(user_id.as_ref());
        Peer::all(known)
    }

    /// All sessions that are there now, of users and of others. [`Events::resync`] gives them to a
    /// watcher so that no event is missed or told twice.
    pub fn all_sessions(&self) -> Vec<Peer> {
        let present = self.hub().lock().sessions();
        Peer::all(present)
    }

    /// All sessions that are there, each as it is when it is looked at: who it is, since when, when it was
    /// last heard, what is open. An iterator, which looks at 256 at a time, so that others wait for
    /// no more than that.
    pub fn peers(&self) -> Peers {
        Peers::behind(self.hub(), None)
    }

    /// One page of them: at most so many (256 at most) of those behind that session, in an order that stays;
    /// the first ones where it is `None`. The last one's [`session`](PeerStatus::session) is where the next
    /// page begins; a page that is empty was the last.
    pub fn peers_after(&self, session: Option<PeerId>, max: usize) -> Vec<PeerStatus> {
        let page = self.hub().page(session, max);
        page.into_iter().map(PeerStatus::new).collect()
    }

    /// Whether that user has a session, as authentication has it. It may have ended when you act on that.
    pub fn is_connected(&self, user_id: impl AsRef<[u8]>) -> bool {
        !self.hub().lock().directory.sessions_of(user_id.as_ref()).is_empty()
    }

    /// Who is there, and then who comes and goes: see [`Presence`].
    pub fn presence(&self) -> Presence {
        Presence::new(self.hub().clone())
    }

    /// The same for others to see: by user, and of each no more than one change in that time. See
    /// [`PresenceFeed`].
    pub fn presence_feed(&self, interval: Duration) -> PresenceFeed {
        PresenceFeed::new(self.hub(), interval)
    }

    /// Tells a store of every session under that name of this node: to be spawned. It ends once the node
    /// has shut down and all who were there are told to have left. It keeps nothing alive.
    pub fn publish_presence<S: PresenceStore>(
        &self,
        name: &str,
        store: S,
    ) -> impl Future<Output = ()> + Send + use<S> {
        store::publish(self.hub().clone(), SmolStr::new(name), store)
    }

    /// Calls all of them at the same time: `node.call_all(node.sessions("alice"), "news", (7,))`.
    /// The arguments are encoded once. See [`CallAll`].
    pub fn call_all<T, A: Serialize>(
        &self,
        peers: impl IntoIterator<Item = Peer>,
        name: impl AsRef<str>,
        args: A,
    ) -> CallAll<T, A> {
        CallAll::new(peers.into_iter().collect(), SmolStr::new(name), args)
    }

    /// Ends all sessions of that user; returns how many there were. Their calls end at once, as for
    /// any link that ends; handlers that work for them are told ([`Request::cancelled`](crate::Request::cancelled)); their links
    /// close as [`Reason::Revoked`](pseud_proto::Reason).
    ///
    /// A peer of this library is told so: its calls end for the same reason, those that had not left as
    /// `NotExecuted`, and it waits longer before it connects again ([`Retry::max`](pseud_proto::backoff::Retry)
    /// to twice that), while its calls are not executed at once. A Python peer sees its link end.
    ///
    /// Have the authenticator stop admitting the user first: else it comes back. Who was admitted as
    /// that user but has no session yet does not get one.
    pub fn disconnect_user(&self, user_id: impl AsRef<[u8]>) -> usize {
        self.disconnect_user_as(user_id, Parting::Revoked)
    }

    /// The same, and says why: whoever is to come back soon, as [`Parting::Draining`], does.
    pub fn disconnect_user_as(&self, user_id: impl AsRef<[u8]>, why: Parting) -> usize {
        self.hub().disconnect_user(user_id.as_ref(), why)
    }

    /// Waits until the configured server's link is ready; at once where no server is configured,
    /// or the node has shut down. Cancel-safe. It waits for ever if nobody of that name ever answers
    /// there: wrap it in a time-out.
    pub fn ready(&self) -> UntilReady {
        UntilReady { hub: self.hub().clone(), place: WaitHandle::default() }
    }

    /// What happens to links from now on.
    pub fn events(&self) -> Events {
        Events::new(self.hub().clone())
    }

    /// Takes no new requests from now on, before this is first polled (they are refused as
    /// [`Reason::Draining`](pseud_proto::Reason::Draining)), and waits until every open request is answered, its answer written to its
    /// socket or its link over, every handler has ended, also one whose caller has left, and every call
    /// of ours has ended. It does not wait for requests that are refused meanwhile. Calls that handlers
    /// make meanwhile are still made. At once where the node has shut down. Cancel-safe; draining goes
    /// on.
    ///
    /// A handler that never ends, or a peer that does not read its answer, holds it up as long as it
    /// likes: wrap it in a time-out.
    pub fn drained(&self) -> Drained {
        self.hub().drain();
        Drained { hub: self.hub().clone(), place: WaitHandle::default() }
    }

    /// Ends everything now: links close, calls end as `Closed`, handlers are forgotten unless they are of
    /// a registry that was given to this node; those that wait are dropped: see
    /// [`OnDisconnect`](crate::OnDisconnect).
    #[doc(alias = "stop")]
    pub fn shutdown(&self) {
        self.host().shutdown();
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let mut stats = self.hub().stats();
        stats.strangers = self.host().admissions.handshakes.stats();
        stats
    }
}
