//! An honest peer that remembers what it wrote and sent.

use bytes::Bytes;
use pseud_proto::PeerError;
use pseud_proto::zmtp::{Connection, ConnectionConfig, Outgoing, Side, Token, Verdict};
use pseud_testkit::connection::{Seen, drain, feed, written};
use std::sync::Arc;
use std::time::Instant;

type Message = Vec<Vec<u8>>;

pub(crate) struct Tracked {
    connection: Connection,
    /// Whether it sends an empty message as soon as it may.
    probes: bool,
    wrote: Vec<u8>,
    /// How much of that was taken.
    taken: usize,
    sent: Vec<Message>,
    /// Where each of them ends in what was written.
    ends: Vec<usize>,
}

impl Tracked {
    pub(crate) fn new(config: Arc<ConnectionConfig>, side: Side, now: Instant) -> Self {
        let probes = config.probe;
        let connection = Connection::new(config, side, [0x9e; 32], now);
        Self { connection, probes, wrote: vec![], taken: 0, sent: vec![], ends: vec![] }
    }

    /// What the other side says is always well-formed, whatever happened to it.
    pub(crate) fn hear(&mut self, bytes: &[u8], now: Instant) {
        let was_ready = self.connection.is_ready();
        let mut told = feed(&mut self.connection, bytes, usize::MAX, now);
        if drain(&mut self.connection).iter().any(|seen| matches!(seen, Seen::Asked(_))) {
            told = told.and(self.connection.answer(Verdict::Admit("peer".into()), now));
        }
        let is_odd = matches!(told, Err(PeerError::Malformed(_) | PeerError::TooLarge { .. }));
        assert!(!is_odd, "what was said to an honest peer: {told:?}");
        self.write();
        if self.probes && !was_ready && self.connection.is_ready() {
            self.note(vec![Vec::new()]);
        }
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        let _ = self.connection.handle_timeout(now);
        self.write();
    }

    /// Sends it, if the handshake is over.
    pub(crate) fn send(&mut self, parts: Message) {
        if !self.connection.is_ready() {
            return;
        }
        let (last, frames) = parts.split_last().expect("a message has parts");
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let body = Bytes::copy_from_slice(last);
        let outgoing = Outgoing { frames: &frames, body, ..Default::default() };
        self.connection.send(outgoing, Token(0));
        self.write();
        self.note(parts);
    }

    /// The last that was written is that message.
    fn note(&mut self, message: Message) {
        self.sent.push(message);
        self.ends.push(self.wrote.len());
    }

    fn write(&mut self) {
        self.wrote.extend(written(&mut self.connection));
        drain(&mut self.connection);
    }

    /// What was written since the last time.
    pub(crate) fn take_written(&mut self) -> Vec<u8> {
        let taken = std::mem::replace(&mut self.taken, self.wrote.len());
        self.wrote[taken..].to_vec()
    }

    /// All that was ever written.
    pub(crate) fn wrote(&self) -> &[u8] {
        &self.wrote
    }

    /// The messages that end within the first `len` bytes that were written.
    pub(crate) fn sent_within(&self, len: usize) -> &[Message] {
        let count = self.ends.iter().filter(|end| **end <= len).count();
        &self.sent[..count]
    }
}
