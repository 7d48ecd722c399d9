//! Bytes as a peer writes them, and what a connection makes of them.
#![allow(dead_code, reason = "each test file uses its own share")]

use bytes::{BufMut, Bytes};
use pseud_proto::PeerError;
use pseud_proto::zmtp::{
    Connection, ConnectionConfig, Event, Outgoing, Parts, Question, Ready, Side, Token,
};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

pub(crate) const MORE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const COMMAND: u8 = 4;

/// An event that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Ready(Ready),
    Asked(Question),
    Message(Vec<Vec<u8>>),
    TooLarge(Vec<Vec<u8>>, PeerError),
    Written(u64),
}

pub(crate) fn message(parts: &[&[u8]]) -> Seen {
    Seen::Message(parts.iter().map(|part| part.to_vec()).collect())
}

pub(crate) fn parts_of(parts: &Parts) -> Vec<Vec<u8>> {
    parts.iter().map(<[u8]>::to_vec).collect()
}

pub(crate) fn config(change: impl FnOnce(&mut ConnectionConfig)) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::default();
    change(&mut config);
    Arc::new(config)
}

pub(crate) fn named(identity: &'static str) -> Arc<ConnectionConfig> {
    config(|config| config.identity = Bytes::from_static(identity.as_bytes()))
}

/// The accepting side, just opened.
pub(crate) fn accepting(config: Arc<ConnectionConfig>, now: Instant) -> Connection {
    Connection::new(config, Side::Accepting, [1; 32], now)
}

/// The accepting side behind a handshake with a DEALER; its output and events are drained.
pub(crate) fn ready(config: Arc<ConnectionConfig>, now: Instant) -> Connection {
    let mut connection = accepting(config, now);
    feed(&mut connection, &handshake(), usize::MAX, now).unwrap();
    assert!(matches!(drain(&mut connection)[..], [Seen::Ready(_)]));
    written(&mut connection);
    connection
}

pub(crate) fn greeting() -> Vec<u8> {
    let mut bytes = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    bytes.resize(64, 0);
    bytes
}

/// A greeting and a DEALER's READY.
pub(crate) fn handshake() -> Vec<u8> {
    [greeting(), ready_command(&[(b"Socket-Type", b"DEALER"), (b"Identity", b"")])].concat()
}

pub(crate) fn ready_command(properties: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, value) in properties {
        data.push(name.len() as u8);
        data.extend_from_slice(name);
        data.extend_from_slice(&(value.len() as u32).to_be_bytes());
        data.extend_from_slice(value);
    }
    command("READY", &data)
}

pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[&[name.len() as u8], name.as_bytes(), data].concat())
}

/// An ERROR as libzmq's PLAIN spells it.
pub(crate) fn libzmq_error(reason: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[b"^RROR", reason].concat())
}

/// A frame with those flags; LONG is set where the body needs it.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(size) if flags & LONG == 0 => [&[flags, size], body].concat(),
        _ => [long_header(flags, body.len() as u64), body.to_vec()].concat(),
    }
}

pub(crate) fn long_header(flags: u8, size: u64) -> Vec<u8> {
    [&[flags | LONG][..], &size.to_be_bytes()].concat()
}

/// Hands `bytes` over in pieces.
pub(crate) fn feed(
    connection: &mut Connection,
    bytes: &[u8],
    chunk: usize,
    now: Instant,
) -> Result<(), PeerError> {
    bytes.chunks(chunk).try_for_each(|piece| connection.handle_input(&mut piece.to_vec(), now))
}

/// The same, but large frames are read straight into their place.
pub(crate) fn feed_in_place(connection: &mut Connection, bytes: &[u8], now: Instant) {
    let (first, mut rest) = bytes.split_at(1_000);
    feed(connection, first, usize::MAX, now).unwrap();
    let behind_first = rest.len();
    while let Some(mut place) = connection.large() {
        let (piece, behind) = rest.split_at(place.chunk_mut().len().min(10_000));
        place.put_slice(piece);
        rest = behind;
        connection.handle_filled(now).unwrap();
    }
    assert!(rest.len() < behind_first, "no frame was offered a place");
    feed(connection, rest, usize::MAX, now).unwrap();
}

pub(crate) fn drain(connection: &mut Connection) -> Vec<Seen> {
    std::iter::from_fn(|| connection.poll_event())
        .map(|event| match event {
            Event::Ready(ready) => Seen::Ready(ready),
            Event::Message(parts) => Seen::Message(parts_of(&parts)),
            Event::TooLarge(large) => Seen::TooLarge(parts_of(&large.head), large.error()),
            Event::Written(Token(token)) => Seen::Written(token),
            Event::Ask(question) => Seen::Asked(question),
            _ => panic!("an unknown event"),
        })
        .collect()
}

/// Takes all output.
pub(crate) fn written(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while connection.backlog() > 0 {
        let mut slices = [IoSlice::new(&[]); 3];
        let count = connection.slices(&mut slices);
        assert!(count > 0, "a backlog without slices");
        let next: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        connection.advance(next.len());
        bytes.extend(next);
    }
    bytes
}

pub(crate) fn send(connection: &mut Connection, parts: &[&[u8]], token: u64) {
    let (last, frames) = parts.split_last().unwrap();
    let body = Bytes::copy_from_slice(last);
    connection.send(Outgoing { frames, body, ..Default::default() }, Token(token));
}

/// Carries bytes both ways in pieces until neither side has more to say.
pub(crate) fn converse(a: &mut Connection, b: &mut Connection, chunk: usize, now: Instant) {
    while a.backlog() + b.backlog() > 0 {
        let (from_a, from_b) = (written(a), written(b));
        feed(b, &from_a, chunk, now).unwrap();
        feed(a, &from_b, chunk, now).unwrap();
    }
}
