//! A peer that is known by an identity, and serves.

use super::peering::Peering;
use super::security::warn_unasked;
use super::setup_error::SetupError;
use super::{Options, names};
use crate::call::peer::Peer;
use crate::presence::feed::PresenceFeed;
use crate::presence::pages::Peers;
use crate::presence::status::PeerStatus;
use crate::presence::stream::Presence;
use crate::runtime::Runtime;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::{Parting, PeerId, User};
use std::time::Duration;

/// A peer that is known by an identity, and serves. It may call its clients, too.
///
/// ```no_run
/// use pseud::{Fault, Server};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new("service")?;
/// server.register("hello", |request| async move {
///     let (name,): (String,) = request.args()?;
///     Ok::<_, Fault>(format!("Hello {name}"))
/// })?;
/// server.bind("tcp://127.0.0.1:5555").await?;
/// let sum: i64 = server.user("charly").call("add", (2, 4)).await?;
/// # Ok(()) }
/// ```
pub type Server<R> = Peering<R, Serving>;

/// The role of a [`Server`].
#[derive(Debug)]
pub enum Serving {}

impl<R: Runtime> Peering<R, Serving> {
    /// A server known by `user_id`: 1 to 255 bytes, the first not zero.
    ///
    /// # Errors
    /// The identity is empty, over 255 bytes or begins with a zero byte
    /// ([`SetupError::Identity`]); it is called outside a runtime, or in one that lacks what a node
    /// needs (of tokio: the time or the I/O driver, which `enable_all` turns on); the operating system
    /// gives no entropy.
    pub fn new(user_id: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        Self::with_options(Options::server(user_id))
    }

    /// With settings of its own. It needs an identity there.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and [`SetupError::Mechanism`].
    pub fn with_options(options: Options) -> Result<Self, SetupError> {
        names::check_server(&options)?;
        warn_unasked(&options);
        Self::start(options)
    }

    /// That user, as authentication has it. See [`Node::user`](crate::Node::user).
    pub fn user(&self, user_id: impl AsRef<[u8]>) -> Peer {
        self.node().user(user_id)
    }

    /// Python's `send_to`: whoever is known by that id. See [`Node::send_to`](crate::Node::send_to).
    pub fn send_to(&self, id: impl AsRef<[u8]>) -> Peer {
        self.node().send_to(id)
    }

    /// The sessions that are authenticated as that user now. See [`Node::sessions`](crate::Node::sessions).
    pub fn sessions(&self, user_id: impl AsRef<[u8]>) -> Vec<Peer> {
        self.node().sessions(user_id)
    }

    /// All sessions that are there now. See [`Node::all_sessions`](crate::Node::all_sessions).
    pub fn all_sessions(&self) -> Vec<Peer> {
        self.node().all_sessions()
    }

    /// All sessions that are there, each as it is when it is looked at. See [`Node::peers`](crate::Node::peers).
    pub fn peers(&self) -> Peers {
        self.node().peers()
    }

    /// One page of them. See [`Node::peers_after`](crate::Node::peers_after).
    pub fn peers_after(&self, session: Option<PeerId>, max: usize) -> Vec<PeerStatus> {
        self.node().peers_after(session, max)
    }

    /// Whether that user has a session. See [`Node::is_connected`](crate::Node::is_connected).
    pub fn is_connected(&self, user_id: impl AsRef<[u8]>) -> bool {
        self.node().is_connected(user_id)
    }

    /// Who is there, and then who comes and goes. See [`Presence`].
    pub fn presence(&self) -> Presence {
        self.node().presence()
    }

    /// The same for others to see, coalesced. See [`PresenceFeed`].
    pub fn presence_feed(&self, interval: Duration) -> PresenceFeed {
        self.node().presence_feed(interval)
    }

    /// Ends all sessions of that user; returns how many there were. See [`Node::disconnect_user`](crate::Node::disconnect_user).
    pub fn disconnect_user(&self, user_id: impl AsRef<[u8]>) -> usize {
        self.node().disconnect_user(user_id)
    }

    /// The same, and says why. See [`Node::disconnect_user_as`](crate::Node::disconnect_user_as).
    pub fn disconnect_user_as(&self, user_id: impl AsRef<[u8]>, why: Parting) -> usize {
        self.node().disconnect_user_as(user_id, why)
    }

    /// Lets that user in no more, and ends its sessions; returns how many there were. See
    /// [`Node::revoke_user`](crate::Node::revoke_user).
    pub fn revoke_user(&self, user_id: impl AsRef<[u8]>) -> usize {
        self.node().revoke_user(user_id)
    }

    /// Lets that user in again. See [`Node::reinstate_user`](crate::Node::reinstate_user).
    pub fn reinstate_user(&self, user_id: impl AsRef<[u8]>) -> bool {
        self.node().reinstate_user(user_id)
    }

    /// Lets nobody in by that key any more. See [`Node::revoke_key`](crate::Node::revoke_key).
    #[cfg(feature = "_curve")]
    pub fn revoke_key(&self, key: &PublicKey) -> usize {
        self.node().revoke_key(key)
    }

    /// Lets whoever proves that key in again. See [`Node::reinstate_key`](crate::Node::reinstate_key).
    #[cfg(feature = "_curve")]
    pub fn reinstate_key(&self, key: &PublicKey) -> bool {
        self.node().reinstate_key(key)
    }

    /// Changes what the sessions of that user may do. See [`Node::update_user`](crate::Node::update_user).
    pub fn update_user(&self, user: &User) -> usize {
        self.node().update_user(user)
    }
}
