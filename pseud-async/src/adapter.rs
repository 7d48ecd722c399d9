//! What adapters implement, and what they may use. Not for applications, and not stable.

pub use crate::engine::dial::Dial;
pub use crate::engine::hub::Hub;
pub use crate::link::{CarrierConfig, Fed, Flushed, Host, Link, Origin};
pub use crate::os::*;
pub use crate::runtime::{
    Executor, Listener, Reader, Runtime, SocketAddress, Stream, Timer, Writer, unsupported,
};
