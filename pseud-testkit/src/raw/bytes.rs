//! Bytes as an attacker writes them by hand (ZMTP 3.1 and pseud's envelope).

use super::{COMMAND, LONG, MORE};
use std::sync::atomic::{AtomicU64, Ordering};

pub const OK: u8 = 0x01;
pub const HELLO: u8 = 0x02;
pub const WORK: u8 = 0x03;
pub const AUTHENTICATED: u8 = 0x04;
pub const HEARTBEAT: u8 = 0x06;
pub const ERROR: u8 = 0x10;
pub const UNAUTHORIZED: u8 = 0x11;

/// An id that no other request has: a session serves each id once.
pub fn fresh_id() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:016}", NEXT.fetch_add(1, Ordering::Relaxed)).into_bytes()
}

/// So many calls of `name` without an id: they are all different.
pub fn works(name: &str, count: usize) -> Vec<u8> {
    work(b"", name).repeat(count)
}

/// A sound greeting, with `bytes` put at `offset`.
pub fn greeting_with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL".to_vec();
    greeting.resize(64, 0);
    greeting[offset..offset + bytes.len()].copy_from_slice(bytes);
    greeting
}

pub fn greeting() -> Vec<u8> {
    greeting_with(0, &[])
}

/// A sound greeting that names that mechanism, as a client of it sends it.
pub fn greeting_of(mechanism: &str) -> Vec<u8> {
    let mut name = mechanism.as_bytes().to_vec();
    name.resize(20, 0);
    greeting_with(12, &name)
}

/// READY of that socket type and identity.
pub fn ready(socket_type: &str, identity: &str) -> Vec<u8> {
    command("READY", &metadata(socket_type, identity))
}

/// The same, declaring that besides.
pub fn ready_declaring(socket_type: &str, identity: &str, declares: &str) -> Vec<u8> {
    let declared = property("X-Pseud", declares.as_bytes());
    command("READY", &[metadata(socket_type, identity), declared].concat())
}

/// What READY and INITIATE tell of those who send them.
pub fn metadata(socket_type: &str, identity: &str) -> Vec<u8> {
    let names = property("Socket-Type", socket_type.as_bytes());
    [names, property("Identity", identity.as_bytes())].concat()
}

/// READY of those properties, whatever they are.
pub fn ready_command(properties: &[(&[u8], &[u8])]) -> Vec<u8> {
    command("READY", &properties_of(properties))
}

/// A metadata block of those properties.
pub fn properties_of(properties: &[(&[u8], &[u8])]) -> Vec<u8> {
    let property = |&(name, value): &(&[u8], &[u8])| {
        let len = (value.len() as u32).to_be_bytes();
        [&[name.len() as u8], name, &len, value].concat()
    };
    properties.iter().flat_map(property).collect()
}

/// One property of a metadata block.
pub fn property(name: &str, value: &[u8]) -> Vec<u8> {
    properties_of(&[(name.as_bytes(), value)])
}

/// All that a server of ours under NULL says by itself, if it is called `service`.
pub fn opening() -> Vec<u8> {
    let ready = ready_declaring("ROUTER", "service", "1;caps=f;max=8388608");
    [greeting_with(8, &[8]), ready].concat()
}

/// A greeting and a DEALER's READY.
pub fn handshake() -> Vec<u8> {
    [greeting(), ready("DEALER", "")].concat()
}

pub fn command(name: &str, data: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[&[name.len() as u8], name.as_bytes(), data].concat())
}

/// An ERROR as libzmq's PLAIN spells it (`plain_server.cpp`: the length byte of its name is missing).
pub fn libzmq_error(reason: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[b"^RROR", reason].concat())
}

/// A frame; of the long form where its body needs it or `LONG` is among the flags.
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(len) if flags & LONG == 0 => [&[flags, len], body].concat(),
        _ => [&long_header(flags, body.len() as u64)[..], body].concat(),
    }
}

pub fn long_header(flags: u8, size: u64) -> Vec<u8> {
    [&[flags | LONG][..], &size.to_be_bytes()].concat()
}

/// Frames that make one message, with those flags besides.
pub fn message_with(flags: u8, parts: &[&[u8]]) -> Vec<u8> {
    let last = parts.len().saturating_sub(1);
    let more = |index| if index < last { MORE } else { 0 };
    parts.iter().enumerate().flat_map(|(index, part)| frame(flags | more(index), part)).collect()
}

pub fn message(parts: &[&[u8]]) -> Vec<u8> {
    message_with(0, parts)
}

/// A message of pseud's.
pub fn envelope(id: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
    message(&[b"", b"v1", id, &[kind], body])
}

/// A call of `name` without arguments.
pub fn work(id: &[u8], name: &str) -> Vec<u8> {
    envelope(id, WORK, &work_body(name))
}

pub fn work_body(name: &str) -> Vec<u8> {
    [&[0x93, 0xa0 | name.len() as u8], name.as_bytes(), &[0x90, 0x80]].concat()
}

/// A msgpack str.
pub fn text(text: &str) -> Vec<u8> {
    [&[0xdb][..], &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}
