//! What [`Threads`](crate::Threads) is as a runtime of nodes. Not for applications, and not stable.

pub use crate::runtime::Timer;
pub use crate::socket::listener::Listener;
pub use crate::socket::raw::RawSocket;
pub use crate::socket::stream::{ReadHalf, Stream, WriteHalf};
