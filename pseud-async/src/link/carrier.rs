//! What carries a link's messages: ZMTP, or kaa.rpc's packets.

use pseud_proto::zmtp::{
    Connection, ConnectionConfig, Event, Heartbeat, Incoming, MechanismConfig, MechanismName,
    OpenedMessages, Side, Verdict,
};
use pseud_proto::{Config, PeerError, Siblings};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// How the links of an endpoint are set up.
#[derive(Debug, Clone)]
pub enum CarrierConfig {
    /// ZMTP.
    Zmtp(Arc<ConnectionConfig>),
    /// kaa.rpc.
    #[cfg(feature = "kaa")]
    Kaa {
        /// Its secret, time-outs and limits.
        config: Arc<pseud_proto::kaa::Config>,
        /// Bytes of its sockets' buffers, where they are not to be the system's.
        buffer_size: Option<usize>,
    },
}

impl CarrierConfig {
    /// Links are of that mechanism from now on.
    pub(crate) fn set_mechanism(&mut self, mechanism: MechanismConfig) {
        match self {
            Self::Zmtp(config) => Arc::make_mut(config).mechanism = mechanism,
            #[cfg(feature = "kaa")]
            Self::Kaa { .. } => {}
        }
    }

    /// Bytes of its sockets' buffers, where they are not to be the system's.
    pub(crate) fn buffer_size(&self) -> Option<usize> {
        match self {
            Self::Zmtp(_) => None,
            #[cfg(feature = "kaa")]
            Self::Kaa { buffer_size, .. } => *buffer_size,
        }
    }
}

/// One link's machine.
pub(crate) enum Carrier {
    Zmtp(Box<Connection>),
    #[cfg(feature = "kaa")]
    Kaa(Box<pseud_proto::kaa::Connection>),
}

/// Does the same to either.
macro_rules! either {
    ($this:expr, $carrier:ident => $does:expr) => {
        match $this {
            Carrier::Zmtp($carrier) => $does,
            #[cfg(feature = "kaa")]
            Carrier::Kaa($carrier) => $does,
        }
    };
}

impl Carrier {
    pub(crate) fn new(
        config: CarrierConfig,
        node: &Config,
        (side, attempt): (Side, u32),
        siblings: &Siblings,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        match config {
            CarrierConfig::Zmtp(config) => {
                let config = node.announced_beside(config, siblings);
                let connection = Connection::for_attempt(config, side, attempt, seed, now);
                Self::Zmtp(Box::new(connection.skip_too_large()))
            }
            #[cfg(feature = "kaa")]
            CarrierConfig::Kaa { config, .. } => {
                let connection = pseud_proto::kaa::Connection::new(config, side, seed, now);
                Self::Kaa(Box::new(connection))
            }
        }
    }

    pub(crate) fn handle_input(&mut self, input: &mut [u8], now: Instant) -> Result<(), PeerError> {
        either!(self, carrier => carrier.handle_input(input, now))
    }

    /// The same of the next messages, which are cut off `input`: sealed ones are opened where they lie, `max`
    /// of them.
    pub(crate) fn open_some<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        max: usize,
        now: Instant,
    ) -> (OpenedMessages<'i>, Result<(), PeerError>) {
        match self {
            Self::Zmtp(connection) => connection.open_some(input, max, now),
            #[cfg(feature = "kaa")]
            Self::Kaa(connection) => {
                let handled = connection.handle_some(std::mem::take(input), now);
                (OpenedMessages::default(), handled)
            }
        }
    }

    /// What of that nobody has taken waits.
    pub(crate) fn keep_opened(&mut self, opened: &mut OpenedMessages<'_>) {
        match self {
            Self::Zmtp(connection) => connection.keep_opened(opened),
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => {}
        }
    }

    /// Whether it shows messages where they [came](Self::receive). Sealed ones are opened before their session
    /// is locked.
    pub(crate) fn receives_in_place(&self) -> bool {
        match self {
            Self::Zmtp(connection) => {
                matches!(connection.mechanism(), MechanismName::Null | MechanismName::Plain)
            }
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => false,
        }
    }

    /// Whether nothing is kept of what was taken: there is no more than what its driver has.
    #[inline]
    pub(crate) fn is_drained(&self) -> bool {
        match self {
            Self::Zmtp(connection) => connection.is_drained() && self.receives_in_place(),
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => false,
        }
    }

    /// The next thing that came: what was taken before, then what the front of `input` holds, which is cut
    /// off, where messages are shown where they came.
    #[inline]
    pub(crate) fn receive<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
        now: Instant,
    ) -> Result<Option<Incoming<'a>>, PeerError> {
        match self {
            Self::Zmtp(connection) => connection.receive(input, now),
            #[cfg(feature = "kaa")]
            Self::Kaa(connection) => Ok(connection.poll_event().map(Incoming::Event)),
        }
    }

    /// What was taken and left where it was has its turn: the next of it.
    pub(crate) fn handle_waiting(&mut self, _now: Instant) -> Result<(), PeerError> {
        match self {
            Self::Zmtp(_) => Ok(()),
            #[cfg(feature = "kaa")]
            Self::Kaa(connection) => connection.handle_waiting(_now),
        }
    }

    /// Whether something was taken and left where it was. ZMTP's driver keeps that itself.
    pub(crate) fn has_waiting(&self) -> bool {
        match self {
            Self::Zmtp(_) => false,
            #[cfg(feature = "kaa")]
            Self::Kaa(connection) => connection.has_waiting(),
        }
    }

    pub(crate) fn handle_eof(&mut self) -> Result<(), PeerError> {
        either!(self, carrier => carrier.handle_eof())
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        either!(self, carrier => carrier.handle_timeout(now))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        either!(self, carrier => carrier.poll_timeout())
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        either!(self, carrier => carrier.poll_event())
    }

    /// Whether messages wait until others had their turn.
    pub(crate) fn has_events(&self) -> bool {
        either!(self, carrier => carrier.has_events())
    }

    /// What was written, ahead of messages that wait; of kaa.rpc also the end of a call that its wire has
    /// no words for.
    pub(crate) fn poll_written(&mut self) -> Option<Event> {
        match self {
            Self::Zmtp(connection) => connection.poll_written().map(Event::Written),
            #[cfg(feature = "kaa")]
            Self::Kaa(connection) => connection.poll_written(),
        }
    }

    /// Whether more may follow from a write than what [was written](Self::poll_written).
    pub(crate) fn has_words_for_all(&self) -> bool {
        match self {
            Self::Zmtp(_) => true,
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => false,
        }
    }

    pub(crate) fn send(
        &mut self,
        messages: pseud_proto::zmtp::Framed<'_>,
        token: pseud_proto::zmtp::Token,
    ) {
        either!(self, carrier => carrier.send_framed(messages, token));
    }

    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        either!(self, carrier => carrier.slices(out))
    }

    pub(crate) fn advance(&mut self, written: usize) {
        either!(self, carrier => carrier.advance(written));
    }

    pub(crate) fn backlog(&self) -> usize {
        either!(self, carrier => carrier.backlog())
    }

    /// Bytes that have come and make no message yet.
    pub(crate) fn partial_bytes(&self) -> usize {
        either!(self, carrier => carrier.partial_bytes())
    }

    /// The machine of ZMTP, for what only that knows: large frames that are read in place.
    pub(crate) fn zmtp(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Zmtp(connection) => Some(connection),
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => None,
        }
    }

    /// Whether a frame is partial that may be read to its own place.
    pub(crate) fn may_be_large(&mut self) -> bool {
        self.zmtp().is_some_and(|connection| connection.may_be_large())
    }

    pub(crate) fn handle_filled(&mut self, now: Instant) -> Result<(), PeerError> {
        self.zmtp().map_or(Ok(()), |connection| connection.handle_filled(now))
    }

    /// kaa.rpc asks nobody: who knows the secret comes in.
    pub(crate) fn answer(&mut self, verdict: Verdict, now: Instant) -> Result<(), PeerError> {
        self.zmtp().map_or(Ok(()), |connection| connection.answer(verdict, now))
    }

    /// Within which bounds the socket is to find out that its peer is gone, where the wire has no PING.
    pub(crate) fn without_pings(&self) -> Option<Heartbeat> {
        match self {
            Self::Zmtp(connection) => connection.without_pings(),
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => Some(Heartbeat::default()),
        }
    }

    /// The mechanism that the peer offered, and ours.
    pub(crate) fn mechanisms(&self) -> (Option<String>, &'static str) {
        match self {
            Self::Zmtp(connection) => {
                (connection.offered_mechanism(), connection.mechanism().as_str())
            }
            #[cfg(feature = "kaa")]
            Self::Kaa(_) => (None, "kaa.rpc"),
        }
    }
}
