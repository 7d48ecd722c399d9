//! One link, whole: an endpoint and its only link.

use crate::auth::question::{Question, Verdict};
use crate::base::side::Side;
use crate::call::{Action, CallId, CallOptions, PeerId, Ticket, To};
use crate::error::{CallRefused, Fault, PeerError, Reason, Refusal};
use crate::link::Link;
use crate::rpc::config::Config;
use crate::rpc::endpoint::Endpoint;
use crate::value::Packed;
use crate::wire::zmtp::{Connection, ConnectionConfig};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// A peer with one link: bytes in, bytes and actions out.
///
/// For a client, a test, or anything that owns one stream. Many links take one
/// [`Endpoint`] and a [`Link`] each, driven alike. The loop:
///
/// 1. after anything you do to it, drain [`poll_action`](Self::poll_action) until `None`. A server of
///    PLAIN or CURVE looks at [`poll_question`](Self::poll_question), too, and
///    [answers](Self::answer) now or later;
/// 2. write [`slices`](Self::slices) and [`advance`](Self::advance) by what was written;
/// 3. wait for input, a command of yours, or [`poll_timeout`](Self::poll_timeout);
/// 4. tell the channel, and go to 1;
/// 5. after an `Err(PeerError)`, the stream's end, or an [`Action::Close`] it takes no more input:
///    drain, write what `slices` still holds (at most 1 s), close. Of messages it holds nothing then:
///    its calls were told whether they had left.
///
/// ```no_run
/// use pseud_proto::pseud::Channel;
/// use pseud_proto::zmtp::{ConnectionConfig, Side};
/// use pseud_proto::value::{Packed, ValueLimits};
/// use pseud_proto::{Action, CallOptions, Config};
/// use std::io::{IoSlice, Read, Write};
/// use std::net::TcpStream;
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// # fn run(random: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::default();
/// config.server = Some("service".into());
/// let (link, mut stream) = (ConnectionConfig::default(), TcpStream::connect("127.0.0.1:5555")?);
/// let (config, link, now) = (Arc::new(config), Arc::new(link), Instant::now());
/// let mut channel = Channel::new(config, link, Side::Connecting, random, now);
/// let call = channel.call("hello", Packed::call(&("Charly",), &())?, CallOptions::default(), now)?;
/// let mut input = [0; 4096];
/// loop {
///     while let Some(action) = channel.poll_action() {
///         if let Action::Finish { outcome, .. } = action {
///             println!("{call:?}: {outcome:?}");
///             return Ok(());
///         }
///     }
///     let mut slices = [IoSlice::new(&[]); 8];
///     let count = channel.slices(&mut slices);
///     if count > 0 {
///         let written = stream.write_vectored(&slices[..count])?;
///         channel.advance(written, Instant::now());
///         continue;
///     }
///     // A driver of more than an example waits for `poll_timeout` as well.
///     let len = stream.read(&mut input)?;
///     channel.handle_input(&mut input[..len], Instant::now())?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Channel {
    link: Link,
    endpoint: Endpoint,
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
        let mut endpoint = Endpoint::new(config, seed);
        endpoint.outbox.tell_no_flush();
        let link = Link::new(&endpoint, connection, side, seed, now);
        Self { link, endpoint }
    }

    /// Bytes came. All of them are taken; they may be changed in place.
    ///
    /// # Errors
    /// The peer broke the protocol: this link is over, and all its calls have ended.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        let result = self.link.handle_input(&mut self.endpoint, input, now);
        self.pump(now);
        result
    }

    /// The stream ended.
    ///
    /// # Errors
    /// It ended inside the handshake or a message. The calls have ended either way.
    pub fn handle_eof(&mut self, now: Instant) -> Result<(), PeerError> {
        let result = self.link.handle_eof(&mut self.endpoint, now);
        self.pump(now);
        result
    }

    /// Time has passed.
    ///
    /// # Errors
    /// The peer was silent for too long: this link is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.endpoint.handle_timeout(now);
        let result = self.link.handle_timeout(&mut self.endpoint, now);
        self.pump(now);
        result
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.link.poll_timeout(), self.endpoint.poll_timeout()) {
            (Some(link), Some(calls)) => Some(link.min(calls)),
            (link, calls) => link.or(calls),
        }
    }

    /// The next thing to do. There is no `Flush` among it: that is done here already.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.endpoint.poll_action()
    }

    /// Whether the peer may come in: see [`Link::poll_question`].
    pub fn poll_question(&mut self) -> Option<Question> {
        self.link.poll_question()
    }

    /// Answers it: see [`Link::answer`].
    ///
    /// # Errors
    /// The peer is not admitted, or the answer comes after the handshake's time: this link is over.
    pub fn answer(&mut self, verdict: Verdict, now: Instant) -> Result<(), PeerError> {
        let result = self.link.answer(&mut self.endpoint, verdict, now);
        self.pump(now);
        result
    }

    /// Fills `out` with what is to be written, in order; returns how many slices it filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.link.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    pub fn advance(&mut self, written: usize, now: Instant) {
        if written == 0 {
            return;
        }
        self.link.advance(&mut self.endpoint, written, now);
        self.pump(now);
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
        let to = self.link.peer().map_or(To::Server, To::Peer);
        let call = self.endpoint.call(to, name, arguments, options, now)?;
        self.pump(now);
        Ok(call)
    }

    /// Counts what decoding a request's arguments may take: see [`Endpoint::charge`].
    ///
    /// # Errors
    /// What it is to be [refused](Self::refuse) with.
    pub fn charge(&mut self, ticket: &Ticket, bytes: usize) -> Result<(), Refusal> {
        self.endpoint.charge(ticket, bytes)
    }

    /// Answers a request: see [`Endpoint::reply`].
    pub fn reply(&mut self, ticket: Ticket, result: Result<Packed, Fault>, now: Instant) {
        self.endpoint.reply(ticket, result, now);
        self.pump(now);
    }

    /// Answers a request whose handler was not run: see [`Endpoint::refuse`].
    pub fn refuse(&mut self, ticket: Ticket, refusal: &Refusal, now: Instant) {
        self.endpoint.refuse(ticket, refusal, now);
        self.pump(now);
    }

    /// A handler ended without an answer: see [`Endpoint::abandon`].
    pub fn abandon(&mut self, ticket: Ticket, now: Instant) {
        self.endpoint.abandon(ticket, now);
        self.pump(now);
    }

    /// Gives a call up: see [`Endpoint::cancel`].
    pub fn cancel(&mut self, call: CallId, now: Instant) {
        self.endpoint.cancel(call, now);
        self.pump(now);
    }

    /// Takes no new requests, and what is open goes on: see [`Endpoint::drain`].
    pub fn drain(&mut self) {
        self.endpoint.drain();
    }

    /// Whether no call and no request is open, and every answer is written: see
    /// [`Endpoint::is_idle`].
    pub fn is_idle(&self) -> bool {
        self.endpoint.is_idle()
    }

    /// Ends everything: see [`Endpoint::shutdown`].
    pub fn shutdown(&mut self, now: Instant) {
        self.endpoint.shutdown(now);
        self.pump(now);
    }

    /// The session, once the handshake is over and until the link ends.
    pub fn peer(&self) -> Option<PeerId> {
        self.link.peer()
    }

    /// The two machines, to look at.
    pub fn machines(&self) -> (&Connection, &Endpoint) {
        (self.link.connection(), &self.endpoint)
    }

    /// Moves messages into the connection, and ends the link whose session has ended.
    fn pump(&mut self, now: Instant) {
        self.link.pull(&mut self.endpoint, now);
        if self.link.peer().is_some_and(|peer| self.endpoint.peer_info(peer).is_none()) {
            self.link.end(&mut self.endpoint, Reason::PeerGone, now);
        }
        self.give_up();
    }

    /// No other link will come for calls that still wait for one.
    fn give_up(&mut self) {
        if self.link.is_over() {
            let why = self.link.refused().unwrap_or(Reason::NotConnected);
            self.endpoint.end_parked_calls(why);
        }
    }
}
