//! One link: bytes to packets and back.

use super::handshake::{HandshakeStep, KaaHandshake};
use super::output::PacketOutput;
use super::proof::{PROOF_BYTES, Proof};
use crate::base::deadline::after;
use crate::base::pieces::halved_to;
use crate::base::progress::{Progress, ProgressLimit};
use crate::base::secret::Secret;
use crate::base::side::Side;
use crate::error::{Insecure, Malformed, Misbehaved, PeerError};
use crate::message::packet::{HEADER_BYTES, PacketHeader, PacketKind, put_header};
use bytes::{Bytes, BytesMut};
use std::io::IoSlice;
use std::time::{Duration, Instant};

/// An input buffer over this is let go once it is empty.
const KEEP_MAX: usize = 64 * 1024;

/// What a link needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long the handshake may take.
    pub(crate) handshake_timeout: Duration,
    /// How long a packet that was begun may stand still.
    pub(crate) packet_timeout: Duration,
    /// How slowly it may go on, and the peer may read.
    pub(crate) progress: ProgressLimit,
    /// Bytes of a payload that the peer may send.
    pub(crate) payload_bytes_max: usize,
}

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum PacketEvent {
    /// The peer has shown that it knows the secret.
    Open,
    /// A packet with a meaning.
    Packet(u32, PacketKind, Bytes),
    /// One without: of a type that nobody knows, or of the handshake that is over. kaa.rpc logs it and goes on
    /// (`src/rpc.py`, `_handle_packet_after_auth`).
    Useless,
}

/// The sans-IO machine of one stream.
#[derive(Debug)]
pub(crate) struct PacketConnection {
    settings: Settings,
    handshake: KaaHandshake,
    input: BytesMut,
    output: PacketOutput,
    /// Until when the handshake has to be over, or the packet that was begun has to go on.
    deadline: Option<Instant>,
    /// Packets that were taken.
    packets: u64,
    coming: Progress,
    leaving: Progress,
    born: Instant,
}

/// The random bytes of one link.
#[derive(Debug)]
pub(crate) struct KaaEntropy {
    pub(crate) nonce: [u8; 10],
    pub(crate) salt: [u8; 20],
}

impl PacketConnection {
    pub(crate) fn new(
        settings: Settings,
        secret: Secret,
        side: Side,
        entropy: KaaEntropy,
        now: Instant,
    ) -> Self {
        let handshake = KaaHandshake::new(secret, side, entropy.nonce, entropy.salt);
        let deadline = Some(after(now, settings.handshake_timeout));
        let input = BytesMut::new();
        let [coming, leaving] = Default::default();
        let mut this = Self {
            settings,
            handshake,
            input,
            output: PacketOutput::default(),
            deadline,
            packets: 0,
            coming,
            leaving,
            born: now,
        };
        if let Some(proof) = this.handshake.first() {
            this.put_proof(0, PacketKind::Auth, &proof);
        }
        this
    }

    /// Bytes came: to be followed by [`poll_event`](Self::poll_event) until `None`.
    pub(crate) fn handle_input(&mut self, input: &[u8]) {
        self.reserve_for(input.len());
        self.input.extend_from_slice(input);
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self, now: Instant) -> Result<Option<PacketEvent>, PeerError> {
        while let Some(header) = PacketHeader::read(&self.input) {
            self.check_header(&header)?;
            let len = header.len as usize;
            if self.input.len() - HEADER_BYTES < len {
                break;
            }
            self.packets += 1;
            let mut packet = self.input.split_to(HEADER_BYTES + len).freeze();
            let payload = packet.split_off(HEADER_BYTES);
            if let Some(event) = self.packet(header, payload)? {
                return Ok(Some(event));
            }
        }
        self.rest(now);
        Ok(None)
    }

    /// Whether the next event, or an error, is there already.
    pub(crate) fn has_packet(&self) -> bool {
        let Some(header) = PacketHeader::read(&self.input) else { return false };
        let is_whole = self.input.len() - HEADER_BYTES >= header.len as usize;
        is_whole || self.check_header(&header).is_err()
    }

    /// Decided before its payload is awaited: a stranger's packets are AUTH and RESP of 60 bytes, and no others.
    /// kaa.rpc closes at any other as well, or at more than 1 024 bytes that it could not parse yet
    /// (`src/rpc.py`, `_handle_packet_before_auth` and `_handle_read`).
    fn check_header(&self, header: &PacketHeader) -> Result<(), PeerError> {
        if !self.handshake.is_done() {
            return match header.kind {
                Some(PacketKind::Auth | PacketKind::Resp) if header.len as usize == PROOF_BYTES => {
                    Ok(())
                }
                Some(PacketKind::Call | PacketKind::Retn | PacketKind::Excp) => {
                    Err(Misbehaved::EarlyMessage.into())
                }
                _ => Err(Malformed::BadHeader.into()),
            };
        }
        let max = self.settings.payload_bytes_max as u64;
        match u64::from(header.len) {
            len if len <= max => Ok(()),
            size => Err(PeerError::TooLarge { what: "packet bytes", size, max }),
        }
    }

    fn packet(
        &mut self,
        header: PacketHeader,
        payload: Bytes,
    ) -> Result<Option<PacketEvent>, PeerError> {
        let seq = header.seq;
        if self.handshake.is_done() {
            // It is whole: what is behind it has a time of its own, once nothing else is to be read.
            self.deadline = None;
            return Ok(Some(match header.kind {
                Some(kind @ (PacketKind::Call | PacketKind::Retn | PacketKind::Excp)) => {
                    PacketEvent::Packet(seq, kind, payload)
                }
                _ => PacketEvent::Useless,
            }));
        }
        let Some((kind, proof)) = header.kind.zip(Proof::read(&payload)) else {
            return Err(Malformed::BadHeader.into());
        };
        let (answer, event) = match self.handshake.take(kind, &proof)? {
            HandshakeStep::Answer(proof) => (Some(proof), None),
            HandshakeStep::Open(proof) => (proof, Some(PacketEvent::Open)),
        };
        if let Some(proof) = answer {
            self.put_proof(seq, PacketKind::Resp, &proof);
        }
        if event.is_some() {
            self.deadline = None;
        }
        Ok(event)
    }

    /// Nothing is left to be read, or a packet that is not whole.
    fn rest(&mut self, now: Instant) {
        if self.input.is_empty() && self.input.capacity() > KEEP_MAX {
            self.input = BytesMut::new();
        }
        if self.handshake.is_done() {
            let wait = self.settings.packet_timeout;
            self.deadline = (!self.input.is_empty()).then(|| after(now, wait));
            if self.deadline.is_some() {
                self.coming.note(self.packets, self.input.len() as u64, now);
            }
        }
    }

    /// Makes room for so many bytes more. A large packet's buffer doubles, and its last size is the packet's.
    fn reserve_for(&mut self, more: usize) {
        let len = self.input.len() + more;
        let Some(header) = PacketHeader::read(&self.input) else { return };
        let end = HEADER_BYTES + header.len as usize;
        let is_taken = self.check_header(&header).is_ok();
        if is_taken && end > KEEP_MAX && len <= end && len > self.input.capacity() {
            let mut size = halved_to(end, KEEP_MAX);
            while size < len {
                size *= 2;
            }
            self.input.reserve(size - self.input.len());
        }
    }

    /// The stream ended.
    pub(crate) fn handle_eof(&self) -> Result<(), PeerError> {
        match () {
            () if self.handshake.is_answered() => Err(Insecure::SecretRefused.into()),
            () if !self.is_open() => Err(Misbehaved::HandshakeIncomplete.into()),
            () if !self.input.is_empty() => Err(Malformed::Truncated.into()),
            () => Ok(()),
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        match self.deadline {
            Some(deadline) if deadline <= now && self.is_open() => Err(Misbehaved::Stalled.into()),
            Some(deadline) if deadline <= now => Err(Misbehaved::HandshakeTimeout.into()),
            _ => self.check_progress(now),
        }
    }

    fn check_progress(&mut self, now: Instant) -> Result<(), PeerError> {
        let (limit, came) = (self.settings.progress, self.input.len() as u64);
        if !self.is_open() {
            return Ok(());
        }
        if came > 0 && !self.has_packet() && !self.coming.is_made(self.packets, came, now, &limit) {
            return Err(Misbehaved::Stalled.into());
        }
        let (end, written) = (self.output.end(), self.output.written());
        if self.backlog() > 0 {
            let end = self.leaving.of().filter(|end| *end > written).unwrap_or(end);
            if !self.leaving.is_made(end, written, now, &limit) {
                return Err(Misbehaved::Unread.into());
            }
        }
        Ok(())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let limit = &self.settings.progress;
        let is_coming = self.is_open() && !self.input.is_empty() && !self.has_packet();
        let enough = is_coming.then(|| self.coming.deadline(self.packets, limit)).flatten();
        [self.deadline, enough, self.leaves_by()].into_iter().flatten().min()
    }

    /// When the peer must have read enough of what waits for it: now, where that is not looked at yet.
    fn leaves_by(&self) -> Option<Instant> {
        if self.backlog() == 0 || !self.is_open() {
            return None;
        }
        match self.leaving.of().filter(|end| *end > self.output.written()) {
            Some(end) => self.leaving.deadline(end, &self.settings.progress),
            None => Some(self.born),
        }
    }

    /// Bytes that it takes to keep what has come and is not taken.
    pub(crate) fn held(&self) -> usize {
        self.input.capacity()
    }

    /// Whether the peer is authenticated.
    pub(crate) fn is_open(&self) -> bool {
        self.handshake.is_done()
    }

    /// Queues a whole packet; returns the position at which it ends.
    pub(crate) fn put(&mut self, packet: Vec<u8>) -> u64 {
        self.output.put(packet)
    }

    fn put_proof(&mut self, seq: u32, kind: PacketKind, proof: &Proof) {
        let mut packet = Vec::with_capacity(HEADER_BYTES + PROOF_BYTES);
        put_header(&mut packet, seq, kind, PROOF_BYTES as u32);
        proof.put(&mut packet);
        self.output.put(packet);
    }

    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.output.slices(out)
    }

    pub(crate) fn advance(&mut self, written: usize) {
        self.output.advance(written);
    }

    pub(crate) fn backlog(&self) -> usize {
        self.output.backlog()
    }

    /// The position at which all that is queued ends.
    pub(crate) fn end(&self) -> u64 {
        self.output.end()
    }

    pub(crate) fn written(&self) -> u64 {
        self.output.written()
    }
}
