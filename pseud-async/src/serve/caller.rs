//! Who makes a request, and the way back to them.

use crate::call::Call;
use crate::call::peer::Peer;
use crate::call::service::Service;
use crate::engine::seat::Seat;
use bytes::Bytes;
use pseud_proto::peer::PeerInfo;
#[cfg(feature = "kaa")]
use pseud_proto::zmtp::MechanismName;
use pseud_proto::{Provenance, User};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// The peer that made a request: who it is, and a handle to call it back. Cheap to clone.
///
/// What it says was true when the request came, and stays so: it never means anybody else, also after
/// its link has ended. All of it comes from the session, nothing from the request's arguments: it is
/// what handlers with Python's `with_identity` are told, and what predicates of domains check. But the
/// user may be one that a trusted gateway names: see [`user`](Self::user).
///
/// ```no_run
/// use pseud::{Fault, Request};
///
/// /// Asks whoever calls, on the link that it opened, before it answers.
/// async fn hello(request: Request) -> Result<String, Fault> {
///     let name: String = request.caller().call("name", ()).await?;
///     Ok(format!("Hello {name}"))
/// }
/// ```
#[derive(Clone)]
#[doc(alias = "with_identity")]
pub struct Caller {
    /// Of a datagram: one that is over.
    pub(crate) seat: Arc<Seat>,
    pub(crate) info: Arc<PeerInfo>,
    pub(crate) provenance: Provenance,
    /// Who sent it, where it came in a datagram.
    #[cfg(feature = "rpcudp")]
    pub(crate) sender: Option<crate::datagram::peer::Peer>,
}

/// Which wire a request came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wire {
    /// A session of pseud's, over ZeroMQ.
    Pseud,
    /// A link of kaa.rpc: its peer has shown that it knows the secret.
    Kaa,
    /// A datagram of `rpcudp`: who sent it may have written any address as its own, and nobody is a user.
    Rpcudp,
}

impl Caller {
    pub(crate) fn of_session(seat: Arc<Seat>, info: Arc<PeerInfo>, provenance: Provenance) -> Self {
        Self {
            seat,
            info,
            provenance,
            #[cfg(feature = "rpcudp")]
            sender: None,
        }
    }

    /// Which wire the request came on.
    pub fn wire(&self) -> Wire {
        match self.info.mechanism {
            _ if self.is_sender() => Wire::Rpcudp,
            #[cfg(feature = "kaa")]
            MechanismName::Kaa => Wire::Kaa,
            _ => Wire::Pseud,
        }
    }

    #[cfg(feature = "rpcudp")]
    fn is_sender(&self) -> bool {
        self.sender.is_some()
    }

    #[cfg(not(feature = "rpcudp"))]
    fn is_sender(&self) -> bool {
        false
    }

    /// Who sent it, to be called at the address that it came from; `None` where it came in a session.
    #[cfg(feature = "rpcudp")]
    pub fn rpcudp(&self) -> Option<&crate::datagram::peer::Peer> {
        self.sender.as_ref()
    }

    /// Whose request it is, and what that user may do: who authentication says the peer is; or, where
    /// the peer [may forward](User::FORWARD) requests and made this one in another's name, that other
    /// user, without any permission.
    pub fn user(&self) -> &User {
        &self.provenance.user
    }

    /// The peer's own user, where it made the request in the name of [another](Self::user).
    pub fn forwarded_by(&self) -> Option<&User> {
        self.provenance.is_forwarded.then_some(&self.info.user)
    }

    /// How many calls led to the request, each made while the one before was served.
    pub fn hops(&self) -> u32 {
        self.provenance.hops
    }

    /// Those of calls that are made while the request is served.
    pub(crate) fn hops_of_calls(&self) -> u32 {
        self.hops().saturating_add(1)
    }

    /// Its identity: the identity that it announced, or the one that it was given.
    pub fn identity(&self) -> &Bytes {
        &self.info.identity
    }

    /// Where it is, as text; empty if unknown. A proxy's address where there is one: no proof of
    /// anything.
    pub fn address(&self) -> &str {
        &self.info.address
    }

    /// All that is known of its link: its socket, its mechanism, who opened it.
    pub fn info(&self) -> &PeerInfo {
        &self.info
    }

    /// A handle to that session and no other. Of a datagram it names nobody: its sender is called by
    /// `Caller::rpcudp`.
    pub fn peer(&self) -> Peer {
        Peer::of_session(self.seat.clone(), self.info.clone())
    }

    /// Calls it back on the connection that it opened. See [`Peer::call`]. The call is one hop further
    /// than the request: two sides that call each other back for ever are stopped.
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        self.peer().call(name, args).hops(self.hops_of_calls())
    }

    /// A service of its, for calls that are a part of serving the request: as far as those of
    /// [`call`](Self::call). See [`Service`].
    pub fn service(&self, name: impl AsRef<str>) -> Service {
        self.peer().service(name).hops(self.hops_of_calls())
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.seat.peer).field(self.user()).finish()
    }
}
