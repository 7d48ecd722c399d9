//! Binding and connecting, as they are asked for.

use super::commands::SocketCommand;
use super::dialed::{DialedSocket, INPROC};
use super::monitor;
use super::sockets::{SocketRole, router};
use super::worker::{Router, Worker};
use pseud_async::adapter::check_endpoint;
use pseud_proto::address::Address;
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

    fn bind(&mut self, endpoint: &str) -> io::Result<String> {
        self.check(endpoint, "bind", Address::to_bind)?;
        let key = match self.bound() {
            Some(key) => key,
            None => {
                let socket = router(&self.context, &self.options, SocketRole::Binding)?;
                let closing = Some(monitor::watch_closing(&self.context, &socket)?);
                self.routers.insert(Router { socket: Some(socket), dialed: None, closing })
            }
        };
        let Some(socket) = &self.routers[key].socket else { return Err(not_in_use(endpoint)) };
        let bind = || {
            socket.set_ipv6(is_ipv6(endpoint))?;
            socket.bind(endpoint)?;
            Ok(socket.get_last_endpoint()?.unwrap_or_else(|_| endpoint.to_owned()))
        };
        let bound = bind().map_err(|error| Self::named("bind", endpoint, error))?;
        self.host.listens();
        self.bound.insert(bound.clone());
        tracing::info!(endpoint = %bound, "listening");
        Ok(bound)
    }

    fn bound(&self) -> Option<usize> {
        self.routers.iter().find(|(_, router)| router.dialed.is_none()).map(|(key, _)| key)
    }

    fn unbind(&mut self, endpoint: &str) -> io::Result<()> {
        let router = self.bound().and_then(|key| self.routers.get(key));
        let socket = router.and_then(|router| router.socket.as_ref());
        let socket = socket.ok_or_else(|| not_in_use(endpoint))?;
        socket.unbind(endpoint).map_err(|error| match error {
            zmq::Error::ENOENT => not_in_use(endpoint),
            error => Self::named("unbind", endpoint, error),
        })?;
        // Between threads there is nothing that libzmq would have to close.
        if let Some(closing) = router.and_then(|router| router.closing.as_ref())
            && !endpoint.starts_with(INPROC)
        {
            monitor::closed(closing, FREE_WITHIN);
        }
        self.bound.remove(endpoint);
        Ok(())
    }

    /// When this returns all endpoints are free. A context that has ended has seen to that.
    pub(super) fn unbind_all(&mut self) {
        for endpoint in std::mem::take(&mut self.bound) {
            if let Err(error) = self.unbind(&endpoint) {
                tracing::debug!(%error, "an endpoint was not bound any more");
            }
        }
    }

    fn connect(&mut self, endpoint: &str) -> io::Result<()> {
        self.check(endpoint, "connect to", Address::to_connect)?;
        if self.dialed(endpoint).is_some() {
            let text = format!("cannot connect to {endpoint}: that was asked for already");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        let dialed = DialedSocket::new(self.host.hub(), endpoint, self.options.retry);
        let key = self.routers.insert(Router { socket: None, dialed: Some(dialed), closing: None });
        let dialed = self.dial(key);
        if dialed.is_err() {
            self.routers.remove(key);
        }
        dialed
    }

    fn dialed(&self, endpoint: &str) -> Option<usize> {
        let is_it = |dialed: &DialedSocket| dialed.endpoint() == endpoint;
        let mut all = self.routers.iter();
        all.find(|(_, router)| router.dialed.as_ref().is_some_and(is_it)).map(|(key, _)| key)
    }

    fn disconnect(&mut self, endpoint: &str) -> io::Result<()> {
        let key = self.dialed(endpoint).ok_or_else(|| not_in_use(endpoint))?;
        drop(self.routers.remove(key));
        for peer in self.peers.behind(key) {
            if let Some(peer) = self.peers.remove(peer) {
                peer.link.end(pseud_proto::Reason::Disconnected);
            }
        }
        Ok(())
    }

    /// What libzmq's binding would panic at, and passwords that would leave in clear. `inproc` is between
    /// threads of this process.
    fn check<E: std::error::Error + Send + Sync + 'static>(
        &self,
        endpoint: &str,
        verb: &str,
        parse: impl FnOnce(&str) -> Result<Address, E>,
    ) -> io::Result<()> {
        let invalid = |error: Box<dyn std::error::Error + Send + Sync>| {
            io::Error::new(io::ErrorKind::InvalidInput, error)
        };
        if endpoint.contains('\0') {
            return Err(invalid(format!("{endpoint:?} has a zero byte").into()));
        }
        if endpoint.starts_with(INPROC) {
            return Ok(());
        }
        let address = parse(endpoint).map_err(|error| invalid(error.into()))?;
        check_endpoint(&self.options, &address, verb, endpoint)
    }
}

/// libzmq looks for IPv4 alone unless told otherwise, and so do Python's peers.
pub(super) fn is_ipv6(endpoint: &str) -> bool {
    endpoint.starts_with("tcp://[")
}

fn not_in_use(endpoint: &str) -> io::Error {
    let text = format!("{endpoint} is not among the endpoints in use");
    io::Error::new(io::ErrorKind::NotFound, text)
}
