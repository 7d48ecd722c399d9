//! Tokio's sockets and timers, for whoever puts them to another use. Not stable.

pub use crate::listener::Listener;
pub use crate::runtime::Timer;
pub use crate::socket::{PolledSocket, ReadHalf, Stream, WriteHalf};
