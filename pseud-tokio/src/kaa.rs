//! Servers and clients of kaa.rpc on tokio: see [`pseud_async::kaa`].

use crate::Tokio;
#[doc(inline)]
pub use pseud_async::kaa::{
    Address, BigInt, Complex, Config, FrozenSet, Options, PickledObject, Set, exts,
};

/// A server of kaa.rpc on tokio: see [`pseud_async::kaa::Server`].
pub type Server = pseud_async::kaa::Server<Tokio>;

/// A client of kaa.rpc on tokio: see [`pseud_async::kaa::Client`].
pub type Client = pseud_async::kaa::Client<Tokio>;
