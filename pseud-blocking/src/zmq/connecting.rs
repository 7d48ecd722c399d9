//! Attempts to connect. Each has a socket of its own: libzmq keeps the id that it first learnt on one
//! (libzmq#1575), and gives up for good after some failures.

use super::dialed::INPROC;
use super::endpoints::is_ipv6;
use super::incoming::About;
use super::monitor::{self, Happened};
use super::sockets::{SocketRole, asks, router};
use super::worker::Worker;
use pseud_async::EndpointError;
use pseud_proto::{Incompatible, Reason};
use std::time::Instant;

impl Worker {
    /// Begins an attempt.
    pub(super) fn dial(&mut self, key: usize) -> Result<(), EndpointError> {
        let socket = router(&self.context, &self.options, SocketRole::Connecting);
        let socket = socket.map_err(EndpointError::Runtime)?;
        let Some(dialed) = self.routers.get_mut(key).and_then(|router| router.dialed.as_mut())
        else {
            return Ok(());
        };
        let endpoint = dialed.endpoint().clone();
        let is_told = !endpoint.starts_with(INPROC);
        let monitor = match is_told {
            true => {
                let watched = monitor::watch(&self.context, &socket);
                Some(watched.map_err(EndpointError::Runtime)?)
            }
            false => None,
        };
        let connect = || {
            socket.set_ipv6(is_ipv6(&endpoint))?;
            socket.connect(&endpoint)
        };
        connect().map_err(|error| Self::named("connect to", &endpoint, error))?;
        dialed.begin(monitor);
        self.routers[key].socket = Some(socket);
        if !is_told {
            self.connected(key);
        }
        Ok(())
    }

    /// What the monitor says.
    pub(super) fn hear(&mut self, key: usize) -> zmq::Result<()> {
        loop {
            let dialed = self.routers.get(key).and_then(|router| router.dialed.as_ref());
            let Some(monitor) = dialed.and_then(|dialed| dialed.monitor()) else { return Ok(()) };
            let Some(happened) = monitor::next(monitor)? else { return Ok(()) };
            match happened {
                Happened::Ready => self.connected(key),
                Happened::Lost => self.lost(key, Reason::PeerGone),
                Happened::Denied => self.lost(key, Reason::Denied),
                Happened::Incompatible => {
                    self.lost(key, Reason::PeerFault(Incompatible::MechanismMismatch.into()));
                }
            }
        }
    }

    /// The server is there, by the name that it was given. Where peers are asked about, only a message says
    /// who it is.
    fn connected(&mut self, key: usize) {
        if let Some(dialed) = self.routers.get_mut(key).and_then(|router| router.dialed.as_mut()) {
            dialed.ready();
        }
        let server = self.options.config.server.clone();
        if let Some(server) = server.filter(|_| !asks(&self.options.connection.mechanism))
            && self.peers.find(key, &server).is_none()
        {
            self.join(key, &server, About::default());
        }
    }

    /// The attempt, or its connection, is over.
    pub(super) fn lost(&mut self, key: usize, reason: Reason) {
        let Some(router) = self.routers.get_mut(key) else { return };
        let Some(dialed) = &mut router.dialed else { return };
        drop(router.socket.take());
        dialed.over(reason, Instant::now());
        self.peers.behind(key).into_iter().for_each(|peer| self.let_go(peer, reason));
    }

    pub(super) fn dial_again(&mut self, now: Instant) {
        let is_due = |router: &super::worker::Router| {
            router.dialed.as_ref().and_then(|dialed| dialed.again()).is_some_and(|at| at <= now)
        };
        let due = self.routers.iter().filter(|(_, router)| is_due(router));
        let due: Vec<_> = due.map(|(key, _)| key).collect();
        for key in due {
            if let Err(error) = self.dial(key) {
                tracing::info!(%error, "trying again");
                self.lost(key, Reason::PeerGone);
            }
        }
    }
}
