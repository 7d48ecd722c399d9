//! Packets to the messages that sessions speak, and back: the envelope of the dialect `pseud`, whose ids
//! stand for numbers of packets here.

use super::pickle::body::PickleBounds;
use super::pickle::read::BadPickle;
use super::pickle::write::{Reads, Unwritable};
use super::{
    CallPacket, is_python2, read_call, read_fault, read_result, write_call, write_fault,
    write_result,
};
use crate::error::{Exception, Fault};
use crate::message::outgoing::Outgoing;
use crate::message::packet::PacketKind;
use crate::message::parts::Parts;
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::{Packed, ValueLimits};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

const WORK: u8 = 0x03;
const OK: u8 = 0x01;
const ERROR: u8 = 0x10;

/// Calls of ours whose answers may still come. More than may be pending: those that were given up are
/// among them, and a peer may never answer them. Where more may be pending it is twice as many as may.
const CALLS_MAX: usize = 16_384;

/// Numbers and ids of one link.
#[derive(Debug)]
pub(crate) struct Messages {
    bounds: PickleBounds,
    packet_bytes_max: usize,
    calls_max: usize,
    reads: Reads,
    /// Our calls by their numbers, and these from the oldest on.
    calls: BTreeMap<u32, Bytes>,
    order: VecDeque<u32>,
    last_seq: u32,
    /// How many calls have come: numbers of packets may repeat, ids of requests must not.
    came: u64,
}

/// What a packet is within.
pub(crate) enum ReadPacket {
    Message(Parts),
    /// It makes no sense: this answers it.
    Answer(Vec<u8>),
}

/// What a message is on the wire.
pub(crate) enum WrittenMessage {
    Packet(Vec<u8>),
    /// No pickle says it: this answers the call.
    Refused(Parts),
    /// There is no such packet.
    Nothing,
}

impl Messages {
    pub(crate) fn new(
        values: &ValueLimits,
        bytes_max: usize,
        packet_bytes_max: usize,
        calls_pending_max: usize,
    ) -> Self {
        Self {
            bounds: PickleBounds::new(values, bytes_max),
            packet_bytes_max,
            calls_max: CALLS_MAX.max(calls_pending_max.saturating_mul(2)),
            reads: Reads::Any,
            calls: BTreeMap::new(),
            order: VecDeque::new(),
            last_seq: 0,
            came: 0,
        }
    }

    /// A message that brings nothing: it is counted as such.
    pub(crate) fn flood() -> Parts {
        message(&[], OK, &[])
    }

    pub(crate) fn read(&mut self, seq: u32, kind: PacketKind, payload: &[u8]) -> ReadPacket {
        match kind {
            PacketKind::Call => self.read_call(seq, payload),
            PacketKind::Retn => {
                let Some(id) = self.calls.remove(&seq) else { return Self::useless() };
                let body = read_result(payload, self.bounds);
                // 0xc1 is no msgpack: the call was executed, and its result cannot be had.
                ReadPacket::Message(message(&id, OK, &body.unwrap_or(Bytes::from_static(&[0xc1]))))
            }
            _ => {
                let Some(id) = self.calls.remove(&seq) else { return Self::useless() };
                let fault = read_fault(payload, self.bounds);
                let body = fault.map_or(Bytes::from_static(&[0xc1]), |fault| error_body(&fault));
                ReadPacket::Message(message(&id, ERROR, &body))
            }
        }
    }

    /// An answer that nobody waits for: what it says is not even read.
    fn useless() -> ReadPacket {
        ReadPacket::Message(Self::flood())
    }

    fn read_call(&mut self, seq: u32, payload: &[u8]) -> ReadPacket {
        if is_python2(payload) {
            self.reads = Reads::Python2;
        }
        match read_call(payload, self.bounds) {
            Ok(CallPacket { name: Some(name), arguments }) => {
                self.came += 1;
                let id = [&self.came.to_be_bytes()[..], &seq.to_le_bytes()].concat();
                let head = Packed::result(&name).map(Packed::into_bytes).unwrap_or_default();
                let body = [&[0x93][..], &head, &arguments].concat();
                ReadPacket::Message(message(&id, WORK, &body))
            }
            Ok(CallPacket { name: None, .. }) => {
                self.raise(seq, &Fault::new(Exception::KeyError, "a command is a text"))
            }
            Err(bad @ (BadPickle::NodeLimit(_) | BadPickle::SizeLimit(_))) => {
                self.raise(seq, &Fault::new("TooLarge", bad.to_string()))
            }
            Err(bad) => self.raise(seq, &Fault::new(Exception::TypeError, bad.to_string())),
        }
    }

    fn raise(&self, seq: u32, fault: &Fault) -> ReadPacket {
        ReadPacket::Answer(self.fault(seq, fault))
    }

    /// One that is too large itself is told so.
    fn fault(&self, seq: u32, fault: &Fault) -> Vec<u8> {
        let large = Fault::new("TooLarge", "an exception of more bytes than a packet may have");
        write_fault(seq, fault, self.packet_bytes_max)
            .or_else(|_| write_fault(seq, &large, usize::MAX))
            .unwrap_or_default()
    }

    pub(crate) fn write(&mut self, message: &Outgoing<'_>) -> WrittenMessage {
        let [_, _, id, [kind]] = message.frames else { return WrittenMessage::Nothing };
        let body = [message.head, &message.body, message.tail].concat();
        match *kind {
            WORK => self.write_call(id, &body),
            OK => self.write_result(id, &body),
            ERROR => {
                let (Some(seq), Some(fault)) = (seq_of(id), fault_of(&body)) else {
                    return WrittenMessage::Nothing;
                };
                WrittenMessage::Packet(self.fault(seq, &fault))
            }
            _ => WrittenMessage::Nothing,
        }
    }

    fn write_call(&mut self, id: &[u8], body: &[u8]) -> WrittenMessage {
        let mut reader = HeadReader { rest: body };
        let (Ok(Head::Array(_)), Ok(Head::Str(name))) = (reader.head(), reader.head()) else {
            return WrittenMessage::Nothing;
        };
        let Ok(name) = std::str::from_utf8(name) else { return WrittenMessage::Nothing };
        let seq = self.next_seq();
        match write_call(seq, name, reader.rest, self.packet_bytes_max, self.reads) {
            Ok(packet) => {
                self.remember(seq, Bytes::copy_from_slice(id));
                WrittenMessage::Packet(packet)
            }
            Err(why) => WrittenMessage::Refused(not_executed(id, &why)),
        }
    }

    fn write_result(&self, id: &[u8], body: &[u8]) -> WrittenMessage {
        let Some(seq) = seq_of(id) else { return WrittenMessage::Nothing };
        WrittenMessage::Packet(
            write_result(seq, body, self.packet_bytes_max, self.reads).unwrap_or_else(|why| {
                let fault = match why {
                    Unwritable::TooLarge { max } => {
                        Fault::new("TooLarge", format!("a result of more than {max} bytes"))
                    }
                    Unwritable::Unknown(why) => Fault::new(Exception::TypeError, why),
                };
                self.fault(seq, &fault)
            }),
        )
    }

    /// Packets are numbered from 1 in each direction, as kaa.rpc counts (`src/rpc.py`, `_next_seq`); a number
    /// whose answer may still come is skipped.
    fn next_seq(&self) -> u32 {
        let mut seq = self.last_seq.wrapping_add(1).max(1);
        while self.calls.contains_key(&seq) {
            seq = seq.wrapping_add(1).max(1);
        }
        seq
    }

    fn remember(&mut self, seq: u32, id: Bytes) {
        self.last_seq = seq;
        self.calls.insert(seq, id);
        self.order.push_back(seq);
        // Numbers that were answered leave `order` where they reach its front, or where it is too long.
        while let Some(oldest) = self.order.front()
            && (!self.calls.contains_key(oldest) || self.calls.len() > self.calls_max)
        {
            self.calls.remove(oldest);
            self.order.pop_front();
        }
        if self.order.len() > self.calls_max.saturating_mul(2) {
            self.order.retain(|seq| self.calls.contains_key(seq));
        }
    }
}

/// The number of the packet that a request came in.
fn seq_of(id: &[u8]) -> Option<u32> {
    id.last_chunk().map(|seq| u32::from_le_bytes(*seq))
}

fn message(id: &[u8], kind: u8, body: &[u8]) -> Parts {
    Parts::from_frames(&[&[], b"v1".as_slice(), id, &[kind], body]).unwrap_or_default()
}

fn error_body(fault: &Fault) -> Bytes {
    let told = (&fault.class, &fault.message, &fault.traceback);
    Packed::result(&told).map(Packed::into_bytes).unwrap_or_default()
}

/// A call that never left.
fn not_executed(id: &[u8], why: &Unwritable) -> Parts {
    let (code, text) = match why {
        Unwritable::TooLarge { max } => ("too_large", format!("a call of more than {max} bytes")),
        Unwritable::Unknown(why) => ("bad_call", why.clone()),
    };
    let map = BTreeMap::from([("outcome", "not_executed"), ("code", code)]);
    let body = Packed::result(&("TypeError", text, "", map)).map(Packed::into_bytes);
    message(id, ERROR, &body.unwrap_or_default())
}

/// `[class, message, traceback, …]`.
fn fault_of(body: &[u8]) -> Option<Fault> {
    let mut reader = HeadReader { rest: body };
    let Ok(Head::Array(3..)) = reader.head() else { return None };
    let mut text = || match reader.head() {
        Ok(Head::Str(text)) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    };
    let fault = Fault::new(text()?, text()?);
    Some(match text() {
        Some(traceback) => fault.with_traceback(traceback),
        None => fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(messages: &mut Messages, id: u32) {
        let id = id.to_be_bytes();
        let frames: [&[u8]; 4] = [b"", b"v1", &id, &[WORK]];
        let body = (&b"\x93\xa1x\x90\x80"[..]).into();
        let message = Outgoing { frames: &frames, body, ..Outgoing::default() };
        assert!(matches!(messages.write(&message), WrittenMessage::Packet(_)));
    }

    fn answered(messages: &mut Messages, seq: u32) -> Vec<u8> {
        match messages.read(seq, PacketKind::Retn, b"\x80\x02K\x01.") {
            ReadPacket::Message(message) => message.get(2).unwrap().to_vec(),
            ReadPacket::Answer(_) => panic!("an answer is not answered"),
        }
    }

    #[test]
    fn as_many_calls_as_may_be_pending_are_answered() {
        for (pending, calls) in [(1, CALLS_MAX), (20_000, 40_000)] {
            let calls = u32::try_from(calls).unwrap();
            let values = ValueLimits::default();
            let mut messages = Messages::new(&values, 1 << 20, 1 << 20, pending);
            for id in 1..=calls {
                called(&mut messages, id);
            }
            assert_eq!(answered(&mut messages, 1), 1u32.to_be_bytes());
            assert!(answered(&mut messages, 1).is_empty(), "once");
            for id in calls + 1..=calls + 2 {
                called(&mut messages, id);
            }
            assert!(answered(&mut messages, 2).is_empty(), "the oldest was given up");
            assert_eq!(answered(&mut messages, 3), 3u32.to_be_bytes());
            assert_eq!(answered(&mut messages, calls), calls.to_be_bytes());
        }
    }

    #[test]
    fn what_has_no_hash_is_no_key_and_in_no_set() {
        let ext = |code: i8, inner: &[u8]| {
            [&[0xc7, inner.len() as u8, code.cast_unsigned()], inner].concat()
        };
        use crate::dialect::kaa::exts::{FROZEN_SET, SET};
        let set = ext(SET, b"\x91\x01");
        let frozen = ext(FROZEN_SET, b"\x91\x01");
        let keyed = |key: &[u8]| [&[0x81], key, &[0xc0]].concat();
        let around = |inner: &[u8]| [&[0x91], inner].concat();
        let written = |body: &[u8]| write_result(1, body, 1 << 20, Reads::Any);
        for good in [
            set.clone(),
            around(&set),
            keyed(&frozen),
            ext(SET, &around(&frozen)),
            ext(SET, &around(&around(b"\x01"))),
            [&b"\x81\x01"[..], &set].concat(),
        ] {
            assert!(written(&good).is_ok(), "{}", good.escape_ascii());
        }
        for bad in [
            keyed(&set),
            keyed(&around(&set)),
            keyed(&ext(FROZEN_SET, &around(&set))),
            ext(SET, &around(&set)),
            ext(SET, &around(&around(&set))),
            ext(FROZEN_SET, &around(&set)),
            ext(SET, b"\x91\x80"),
        ] {
            let why = written(&bad);
            assert!(matches!(why, Err(Unwritable::Unknown(_))), "{}", bad.escape_ascii());
        }
    }
}
