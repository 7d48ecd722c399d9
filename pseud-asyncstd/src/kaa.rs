//! Servers and clients of kaa.rpc on `async-io`: see [`pseud_async::kaa`].

use crate::AsyncIo;
#[doc(inline)]
pub use pseud_async::kaa::{
    Address, BigInt, Complex, Config, FrozenSet, Options, PickledObject, Set, exts,
};

/// A server of kaa.rpc on `async-io`: see [`pseud_async::kaa::Server`].
pub type Server = pseud_async::kaa::Server<AsyncIo>;

/// A client of kaa.rpc on `async-io`: see [`pseud_async::kaa::Client`].
pub type Client = pseud_async::kaa::Client<AsyncIo>;
