//! Opening a connection without blocking a thread.

use super::raw::RawSocket;
use super::stream::{Stream, connected};
use crate::threads::reactor::Reactor;
use pseud_async::adapter::{SocketAddress, socket};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// Opens a connection. Dropping the future gives that up.
pub(crate) async fn connect(reactor: &Arc<Reactor>, to: &SocketAddress) -> io::Result<Stream> {
    // Known to the reactor only once it connects: before, the system calls it hung up.
    let raw = RawSocket::new(reactor, socket::connecting(to)?)?;
    established(&raw).await?;
    connected(raw)
}

/// The system says by "writable" that it has connected, or why it has not.
async fn established(raw: &RawSocket) -> io::Result<()> {
    loop {
        socket::connected(&SockRef::from(&raw.socket))?;
        match raw.socket.peer_addr() {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotConnected => raw.expect_writable(),
            Err(error) => return Err(error),
        }
        // An event between the two looks would not be waited for.
        if raw.socket.peer_addr().is_ok() {
            return Ok(());
        }
        poll_fn(|cx| raw.poll_write_ready(cx)).await?;
    }
}
