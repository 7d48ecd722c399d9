//! The sockets and timers of `async-io`, for whoever puts them to another use. Not stable.

pub use crate::listener::Listener;
pub use crate::runtime::Timer;
pub use crate::socket::{AsyncSocket, ReadHalf, Stream, WriteHalf};
