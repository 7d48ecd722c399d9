//! Binding and connecting, as they are asked for.

use super::commands::SocketCommand;
use super::dialed::{DialedSocket, INPROC};
use super::monitor;
use super::sockets::{SocketRole, router};
use super::worker::{Router, Worker};
use pseud_async::adapter::check_endpoint;
use pseud_async::{Address, BadAddress, EndpointError};
use std::io;

/// How long libzmq may take to close what listens, in milliseconds.
const FREE_WITHIN: i64 = 1_000;

impl Worker {
    pub(super) fn obey(&mut self, command: SocketCommand) {
        // Whoever asked may have left.
        match command {
            SocketCommand::Bind(endpoint, answer) => drop(answer.send(self.bind(&endpoint))),
            SocketCommand::Connect(endpoint, answer) => drop(answer.send(self.connect(&endpoint))),
            SocketCommand::Unbind(endpoint, answer) => drop(answer.send(self.unbind(&endpoint))),
            SocketCommand::Disconnect(endpoint, answer) => {
                drop(answer.send(self.disconnect(&endpoint)))
            }
            SocketCommand::Stop(answer) => self.stopped.push(answer),
        }
    }

    fn bind(&mut self, address: &Address) -> Result<Address, EndpointError> {
        self.check(address, "bind", Address::for_binding)?;
        let key = match self.bound() {
            Some(key) => key,
            None => self.listening().map_err(EndpointError::Runtime)?,
        };
        let Some(socket) = &self.routers[key].socket else {
            return Err(not_in_use("bind", address));
        };
        let bind = || {
            socket.set_ipv6(is_ipv6(address))?;
            socket.bind(address)?;
            Ok(socket.get_last_endpoint()?.ok().and_then(|text| text.parse().ok()))
        };
        let bound = bind().map_err(|error| Self::named("bind", address, error))?;
        let bound: Address = bound.unwrap_or_else(|| address.clone());
        self.host.listens();
        self.bound.insert(bound.clone());
        tracing::info!(endpoint = %bound, "listening");
        Ok(bound)
    }

    fn listening(&mut self) -> io::Result<usize> {
        let socket = router(&self.context, &self.options, SocketRole::Binding)?;
        let closing = Some(monitor::watch_closing(&self.context, &socket)?);
        Ok(self.routers.insert(Router { socket: Some(socket), dialed: None, closing }))
    }

    fn bound(&self) -> Option<usize> {
        self.routers.iter().find(|(_, router)| router.dialed.is_none()).map(|(key, _)| key)
    }

    fn unbind(&mut self, address: &Address) -> Result<(), EndpointError> {
        let router = self.bound().and_then(|key| self.routers.get(key));
        let socket = router.and_then(|router| router.socket.as_ref());
        let socket = socket.ok_or_else(|| not_in_use("unbind", address))?;
        socket.unbind(address).map_err(|error| match error {
            zmq::Error::ENOENT => not_in_use("unbind", address),
            error => Self::named("unbind", address, error),
        })?;
        // Between threads there is nothing that libzmq would have to close.
        if let Some(closing) = router.and_then(|router| router.closing.as_ref())
            && !address.starts_with(INPROC)
        {
            monitor::closed(closing, FREE_WITHIN);
        }
        self.bound.remove(address);
        Ok(())
    }

    /// When this returns all endpoints are free. A context that has ended has seen to that.
    pub(super) fn unbind_all(&mut self) {
        for address in std::mem::take(&mut self.bound) {
            if let Err(error) = self.unbind(&address) {
                tracing::debug!(%error, "an endpoint was not bound any more");
            }
        }
    }

    fn connect(&mut self, address: &Address) -> Result<(), EndpointError> {
        self.check(address, "connect to", Address::for_connecting)?;
        if self.dialed(address).is_some() {
            return Err(EndpointError::AlreadyConnected(address.to_string()));
        }
        let dialed = DialedSocket::new(&self.host, address, self.options.retry);
        let key = self.routers.insert(Router { socket: None, dialed: Some(dialed), closing: None });
        let dialed = self.dial(key);
        if dialed.is_err() {
            self.routers.remove(key);
        }
        dialed
    }

    fn dialed(&self, endpoint: &Address) -> Option<usize> {
        let is_it = |dialed: &DialedSocket| dialed.endpoint() == endpoint;
        let mut all = self.routers.iter();
        all.find(|(_, router)| router.dialed.as_ref().is_some_and(is_it)).map(|(key, _)| key)
    }

    fn disconnect(&mut self, address: &Address) -> Result<(), EndpointError> {
        let key = self.dialed(address).ok_or_else(|| not_in_use("disconnect", address))?;
        drop(self.routers.remove(key));
        for peer in self.peers.behind(key) {
            if let Some(peer) = self.peers.remove(peer) {
                peer.link.end(pseud_proto::Reason::Disconnected);
            }
        }
        Ok(())
    }

    /// Passwords that would leave in clear, and what no socket could do. `inproc` is between threads of
    /// this process.
    fn check(
        &self,
        address: &Address,
        verb: &'static str,
        may: impl FnOnce(Address) -> Result<Address, BadAddress>,
    ) -> Result<(), EndpointError> {
        if !address.starts_with(INPROC) {
            may(address.clone())?;
        }
        Ok(check_endpoint(&self.options, address, verb)?)
    }
}

/// libzmq looks for IPv4 alone unless told otherwise, and so do Python's peers.
pub(super) fn is_ipv6(endpoint: &str) -> bool {
    endpoint.starts_with("tcp://[")
}

fn not_in_use(verb: &'static str, address: &Address) -> EndpointError {
    EndpointError::NotInUse { verb, endpoint: address.to_string() }
}
