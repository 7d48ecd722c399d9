//! What adapters over an operating system's sockets share.

#[cfg(any(unix, windows))]
mod buffers;
#[cfg(any(unix, windows))]
mod halves;
#[cfg(any(unix, windows))]
mod keep_alive;
#[cfg(unix)]
pub mod socket;
#[cfg(unix)]
mod socket_file;

#[cfg(any(unix, windows))]
pub use crate::os::halves::{PolledRead, RuntimeSocket, SocketReader, SocketStream, SocketWriter};
#[cfg(unix)]
pub use crate::os::socket_file::{SocketFile, bind as bind_socket_file};
