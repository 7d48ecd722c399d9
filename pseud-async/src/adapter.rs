//! What adapters implement, and what they may use. Not for applications, and not stable.

pub use crate::auth::asking::Asking;
pub use crate::engine::dial::Dial;
pub use crate::engine::sockets::{Listening, OpenSocket, SocketsClosed};
pub use crate::entropy::seed;
pub use crate::link::{
    CarrierConfig, Flushed, Host, Ingest, MessageLink, MessageSocket, Origin, StreamLink,
};
pub use crate::node::{check_client, check_endpoint, check_server, node_on};
pub use crate::os::*;
pub use crate::runtime::time::after;
pub use crate::runtime::{
    Executor, Listener, Reader, Runtime, SocketAddress, Stream, Timer, Writer, unsupported,
};
