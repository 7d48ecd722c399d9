//! What servers and clients do alike beside binding and connecting: the same as their nodes.

use super::events::Events;
use super::lifecycle::Drained;
use super::peering::Peering;
use crate::call::all::CallAll;
use crate::call::peer::Peer;
use crate::runtime::Runtime;
use crate::serve::registry::Registry;
use pseud_proto::pseud::Stats;
use serde::Serialize;

impl<R: Runtime, Role> Peering<R, Role> {
    /// What it serves besides the global registry. See [`Node::registry`](crate::Node::registry).
    pub fn registry(&self) -> Registry {
        self.node().registry()
    }

    crate::serve::registry::forward::forward!();

    /// Whoever holds that identity when it is called. See [`Node::peer`](crate::Node::peer).
    pub fn peer(&self, identity: impl AsRef<[u8]>) -> Peer {
        self.node().peer(identity)
    }

    /// Calls all of them at the same time. See [`Node::call_all`](crate::Node::call_all).
    pub fn call_all<T, A: Serialize>(
        &self,
        peers: impl IntoIterator<Item = Peer>,
        name: impl AsRef<str>,
        args: A,
    ) -> CallAll<T, A> {
        self.node().call_all(peers, name, args)
    }

    /// What happens to links from now on. See [`Node::events`](crate::Node::events).
    pub fn events(&self) -> Events {
        self.node().events()
    }

    /// Takes no new requests from now on, and waits until what is open has ended. See [`Node::drained`](crate::Node::drained).
    pub fn drained(&self) -> Drained {
        self.node().drained()
    }

    /// Ends everything now. See [`Node::shutdown`](crate::Node::shutdown).
    pub fn shutdown(&self) {
        self.node().shutdown()
    }

    /// Counters. See [`Node::stats`](crate::Node::stats).
    pub fn stats(&self) -> Stats {
        self.node().stats()
    }
}
