//! Somebody at an address.

use super::call::Call;
use super::shared::SharedSocket;
use serde::Serialize;
use smol_str::SmolStr;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Whoever is at an address: a handle to call it from this endpoint's socket. Cheap to clone; it does not
/// keep the endpoint open.
#[derive(Clone)]
pub struct Peer {
    shared: Arc<SharedSocket>,
    address: SocketAddr,
}

impl Peer {
    pub(crate) fn new(shared: Arc<SharedSocket>, address: SocketAddr) -> Self {
        Self { shared, address }
    }

    /// Its address. Of a request's sender: what is written in its datagram, where anybody may write any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has lately answered a call of ours: only then a large answer goes there. See
    /// [`Config::amplification_max`](pseud_proto::rpcudp::Config::amplification_max).
    pub fn is_proven(&self) -> bool {
        let now = self.shared.now();
        self.shared.lock().machine.is_proven(self.address, now)
    }

    /// Calls it. `args` is a tuple: `("Snake",)`, `()`. See [`Call`].
    pub fn call<T, A: Serialize>(&self, name: impl AsRef<str>, args: A) -> Call<T, A> {
        Call::new(self.shared.clone(), self.address, SmolStr::new(name), args)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.address).finish()
    }
}
