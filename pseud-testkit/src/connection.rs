//! What one connection of the core makes of bytes.

use crate::raw;
use bytes::{BufMut, Bytes};
use pseud_proto::PeerError;
use pseud_proto::zmtp::{
    Connection, ConnectionConfig, Event, Outgoing, Parts, Question, Ready, Side, Token,
};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// An event that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Ready(Ready),
    Asked(Question),
    Message(Vec<Vec<u8>>),
    TooLarge(Vec<Vec<u8>>, PeerError),
    Written(u64),
}

pub fn message(parts: &[&[u8]]) -> Seen {
    Seen::Message(parts.iter().map(|part| part.to_vec()).collect())
}

pub fn parts_of(parts: &Parts) -> Vec<Vec<u8>> {
    parts.iter().map(<[u8]>::to_vec).collect()
}

pub fn config(change: impl FnOnce(&mut ConnectionConfig)) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::default();
    change(&mut config);
    Arc::new(config)
}

pub fn named(identity: &'static str) -> Arc<ConnectionConfig> {
    config(|config| config.identity = Bytes::from_static(identity.as_bytes()))
}

/// The accepting side, just opened.
pub fn accepting(config: Arc<ConnectionConfig>, now: Instant) -> Connection {
    Connection::new(config, Side::Accepting, [1; 32], now)
}

/// The accepting side behind a handshake with a DEALER; its output and events are drained.
pub fn ready(config: Arc<ConnectionConfig>, now: Instant) -> Connection {
    let mut connection = accepting(config, now);
    feed(&mut connection, &raw::handshake(), usize::MAX, now).unwrap();
    assert!(matches!(drain(&mut connection)[..], [Seen::Ready(_)]));
    written(&mut connection);
    connection
}

/// Hands `bytes` over in pieces.
pub fn feed(
    connection: &mut Connection,
    bytes: &[u8],
    chunk: usize,
    now: Instant,
) -> Result<(), PeerError> {
    bytes.chunks(chunk).try_for_each(|piece| connection.handle_input(&mut piece.to_vec(), now))
}

/// The same, but large frames are read straight into their place.
pub fn feed_in_place(connection: &mut Connection, bytes: &[u8], now: Instant) {
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

pub fn drain(connection: &mut Connection) -> Vec<Seen> {
    std::iter::from_fn(|| connection.poll_event())
        .map(|event| match event {
            Event::Ready(ready) => Seen::Ready(*ready),
            Event::Message(parts) => Seen::Message(parts_of(&parts)),
            Event::TooLarge(large) => Seen::TooLarge(parts_of(&large.head), large.error()),
            Event::Written(Token(token)) => Seen::Written(token),
            Event::Ask(question) => Seen::Asked(question),
            _ => panic!("an unknown event"),
        })
        .collect()
}

/// Takes all output.
pub fn written(connection: &mut Connection) -> Vec<u8> {
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

pub fn send(connection: &mut Connection, parts: &[&[u8]], token: u64) {
    let (last, frames) = parts.split_last().unwrap();
    let body = Bytes::copy_from_slice(last);
    connection.send(Outgoing { frames, body, ..Default::default() }, Token(token));
}

/// Carries bytes both ways in pieces until neither side has more to say.
pub fn converse(a: &mut Connection, b: &mut Connection, chunk: usize, now: Instant) {
    while a.backlog() + b.backlog() > 0 {
        let (from_a, from_b) = (written(a), written(b));
        feed(b, &from_a, chunk, now).unwrap();
        feed(a, &from_b, chunk, now).unwrap();
    }
}
