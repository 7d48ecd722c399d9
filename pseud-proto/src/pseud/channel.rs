//! One link, whole: a connection and an endpoint that know each other.

use super::endpoint::Endpoint;
use super::session::PeerInfo;
use super::wire::Transmit;
use crate::call::{Action, CallId, CallOptions, PeerId, Ticket, To};
use crate::config::Config;
use crate::error::{CallRefused, Fault, PeerError, Reason};
use crate::value::Packed;
use crate::zmtp::{Connection, ConnectionConfig, Event, Side, Verdict};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// Bytes that a connection may hold before a driver stops pulling messages into it: two socket
/// buffers' worth, so a write never waits for a pull.
pub const BACKLOG_BYTES_LOW: usize = 128 << 10;

/// A peer with one link: bytes in, bytes and actions out.
///
/// For a client, a test, or anything that owns one stream. Many links take one
/// [`Endpoint`] and a [`Connection`] each, driven alike. The loop:
///
/// 1. after anything you do to it, drain [`poll_action`](Self::poll_action) until `None`;
/// 2. write [`slices`](Self::slices) and [`advance`](Self::advance) by what was written;
/// 3. wait for input, a command of yours, or [`poll_timeout`](Self::poll_timeout);
/// 4. tell the channel, and go to 1;
/// 5. after an `Err(PeerError)`, or an [`Action::Close`], it takes no more input: drain, write what
///    `slices` still holds (at most 1 s), close.
#[derive(Debug)]
pub struct Channel {
    connection: Connection,
    endpoint: Endpoint,
    side: Side,
    peer: Option<PeerId>,
    actions: VecDeque<Action>,
}

impl Channel {
    /// A channel over a fresh stream. Its greeting waits in [`slices`](Self::slices) already.
    pub fn new(
        config: Arc<Config>,
        connection: Arc<ConnectionConfig>,
        side: Side,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        Self {
            connection: Connection::new(connection, side, seed, now),
            endpoint: Endpoint::new(config, seed),
            side,
            peer: None,
            actions: VecDeque::new(),
        }
    }

    /// Bytes came. All of them are taken; they may be changed in place.
    ///
    /// # Errors
    /// The peer broke the protocol: this link is over, and all its calls have ended.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        let result = self.connection.handle_input(input, now);
        self.settle(result, now)
    }

    /// The stream ended.
    ///
    /// # Errors
    /// It ended inside the handshake or a message. The calls have ended either way.
    pub fn handle_eof(&mut self, now: Instant) -> Result<(), PeerError> {
        let result = self.connection.handle_eof();
        self.settle(result, now)?;
        self.end(Reason::PeerGone, now);
        Ok(())
    }

    /// Time has passed.
    ///
    /// # Errors
    /// The peer was silent for too long: this link is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.endpoint.handle_timeout(now);
        let result = self.connection.handle_timeout(now);
        self.settle(result, now)
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.connection.poll_timeout(), self.endpoint.poll_timeout()) {
            (Some(link), Some(calls)) => Some(link.min(calls)),
            (link, calls) => link.or(calls),
        }
    }

    /// The next thing to do. `Flush` is done here already.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.connection.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize, now: Instant) {
        self.connection.advance(written);
        // An error was told when it happened; here is only what `advance` itself gave rise to.
        let _ = self.settle(Ok(()), now);
    }

    /// Calls whoever is behind the link. Before the handshake is over the call waits, if a server
    /// is configured ([`Config::server`]).
    ///
    /// # Errors
    /// [`CallRefused`], with nothing sent.
    pub fn call(
        &mut self,
        name: &str,
        arguments: Packed,
        options: CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        let to = self.peer.map_or(To::Server, To::Peer);
        let call = self.endpoint.call(to, name, arguments, options, now)?;
        self.pump(now);
        Ok(call)
    }

    /// Answers a request: see [`Endpoint::reply`].
    pub fn reply(&mut self, ticket: Ticket, result: Result<Packed, Fault>, now: Instant) {
        self.endpoint.reply(ticket, result, now);
        self.pump(now);
    }

    /// Gives a call up: see [`Endpoint::cancel`].
    pub fn cancel(&mut self, call: CallId, now: Instant) {
        self.endpoint.cancel(call, now);
        self.pump(now);
    }

    /// Ends everything: see [`Endpoint::shutdown`].
    pub fn shutdown(&mut self, now: Instant) {
        self.endpoint.shutdown(now);
        self.pump(now);
    }

    /// The session, once the handshake is over and until the link ends.
    pub fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    /// The two machines, to look at.
    pub fn machines(&self) -> (&Connection, &Endpoint) {
        (&self.connection, &self.endpoint)
    }

    /// Lets both machines come to rest after one of them was told something.
    fn settle(&mut self, result: Result<(), PeerError>, now: Instant) -> Result<(), PeerError> {
        let result = self.translate(now).and(result);
        if let Err(error) = result {
            self.end(Reason::PeerFault(error), now);
        }
        self.pump(now);
        result
    }

    fn translate(&mut self, now: Instant) -> Result<(), PeerError> {
        while let Some(event) = self.connection.poll_event() {
            match (event, self.peer) {
                (Event::Ready(ready), _) => {
                    let info = PeerInfo::new(ready.identity)
                        .with_socket_type(ready.socket_type)
                        .with_side(self.side);
                    self.peer = Some(self.endpoint.handle_connected(info, now));
                }
                (Event::Message(parts), Some(peer)) => {
                    self.endpoint.handle_message(peer, parts, now)?;
                }
                (Event::Written(token), Some(peer)) => {
                    self.endpoint.handle_written(peer, token, now);
                }
                // Nobody is here to be asked.
                (Event::Ask(_), _) => self.connection.answer(Verdict::Unavailable, now)?,
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn end(&mut self, reason: Reason, now: Instant) {
        if let Some(peer) = self.peer.take() {
            self.endpoint.handle_gone(peer, reason, now);
        }
        self.pump(now);
    }

    /// Moves actions on and messages into the connection, until both rest.
    fn pump(&mut self, now: Instant) {
        self.pull(now);
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Flush(_) => self.pull(now),
                action => {
                    if let Action::Close(..) = action {
                        self.peer = None;
                    }
                    self.actions.push_back(action);
                }
            }
        }
    }

    fn pull(&mut self, now: Instant) {
        let Some(peer) = self.peer else { return };
        while self.connection.backlog() < BACKLOG_BYTES_LOW {
            let Some(transmit) = self.endpoint.poll_transmit(peer, now) else { return };
            Transmit::with(transmit, |message, token| self.connection.send(message, token));
        }
    }
}
