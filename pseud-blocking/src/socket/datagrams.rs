//! UDP sockets of a reactor.

use super::watched::Watched;
use crate::threads::reactor::Reactor;
use mio::Interest;
use pseud_async::rpcudp::DatagramSocket;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Poll};

/// The socket of an endpoint.
#[derive(Debug)]
pub struct Socket(Arc<Watched<UdpSocket>>);

impl Socket {
    pub(crate) fn bind(reactor: &Arc<Reactor>, at: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        Watched::new(reactor, socket, both).map(Self)
    }
}

impl DatagramSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.socket().local_addr()
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0.poll_read(cx, |socket| socket.recv_from(buffer))
    }

    fn try_send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.0.try_write(|socket| socket.send_to(datagram, to)).map(drop)
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx).map(Ok)
    }
}
