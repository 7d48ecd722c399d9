//! A world as the runtime of what speaks in datagrams.

use super::datagrams::DatagramPort;
use super::runtime::SimRuntime;
use pseud_async::rpcudp::Datagrams;
use std::io;
use std::net::SocketAddr;

/// An endpoint of datagrams in a simulated world.
pub type Endpoint = pseud_async::rpcudp::Endpoint<SimRuntime>;

impl Datagrams for SimRuntime {
    type Socket = DatagramPort;

    fn bind_datagrams(&self, at: SocketAddr) -> io::Result<DatagramPort> {
        self.0.mail.bind(at)
    }
}
