//! kaa.rpc's stream and its pickles.
//!
//! [`kaa_stream`]: whatever bytes come, before the secret or after it, a link tells, answers and ends the
//! same however they are cut; before the secret it serves nothing and holds next to nothing.
//!
//! [`kaa_pickles`]: whatever a pickle says, it is refused, or it is a body that passes the check; and what
//! is written of that again is read back as the same.

use crate::memory::bounded;
use pseud_proto::kaa::{Channel, Config};
use pseud_proto::value::{Packed, Value};
use pseud_proto::zmtp::Side;
use pseud_proto::{Action, CallOptions, Outcome, PeerError};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// Bounds that an input of a fuzzer's size can reach.
const BYTES_MAX: usize = 64 << 10;

fn config() -> Config {
    let mut config = Config::new("s3cret");
    config.limits.body_bytes_max = BYTES_MAX;
    config.limits.values.nodes_max = 4_096;
    config.limits.values.ext_bytes_max = BYTES_MAX;
    config.limits.flood.burst = 8;
    config
}

fn channel(side: Side, now: Instant) -> Channel {
    let seed = if side == Side::Accepting { 1 } else { 2 };
    Channel::new(Arc::new(config()), side, [seed; 32], now)
}

fn written(channel: &mut Channel, now: Instant) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let mut slices = [IoSlice::new(&[]); 2];
        let count = channel.slices(&mut slices);
        let part: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        if part.is_empty() {
            return bytes;
        }
        channel.advance(part.len(), now);
        bytes.extend(part);
    }
}

/// A server and a client that have shown each other the secret.
fn pair(now: Instant) -> (Channel, Channel) {
    let (mut server, mut client) = (channel(Side::Accepting, now), channel(Side::Connecting, now));
    for _ in 0..2 {
        client.handle_input(&mut written(&mut server, now), now).unwrap();
        server.handle_input(&mut written(&mut client, now), now).unwrap();
    }
    assert!(server.peer().is_some() && client.peer().is_some());
    (server, client)
}

/// What a link did: what it served, whether it ended and by what, and what it wrote.
#[derive(Debug, PartialEq)]
struct Told {
    served: Vec<(String, Option<Vec<Value>>)>,
    result: Result<(), PeerError>,
    /// What it wrote, packet by packet: answers of one batch come in any order.
    wrote: Vec<Vec<u8>>,
}

fn feed(is_open: bool, pieces: usize, bytes: &[u8], now: Instant) -> Told {
    let mut server = if is_open { pair(now).0 } else { channel(Side::Accepting, now) };
    let mut told = Told { served: Vec::new(), result: Ok(()), wrote: Vec::new() };
    written(&mut server, now);
    for piece in bytes.chunks(pieces.max(1)) {
        // All at once, or a few packets at a time: that is no difference.
        let result = match pieces {
            usize::MAX => server.handle_input(&mut piece.to_vec(), now),
            _ => server.handle_some(&mut piece.to_vec(), now),
        };
        told.result = told.result.and(result);
        serve(&mut server, &mut told, now);
        while server.has_waiting() {
            told.result = told.result.and(server.handle_waiting(now));
            serve(&mut server, &mut told, now);
        }
        let mut wrote = written(&mut server, now);
        while !wrote.is_empty() {
            let len = u32::from_le_bytes(wrote[8..12].try_into().unwrap());
            let rest = wrote.split_off(12 + len as usize);
            told.wrote.push(std::mem::replace(&mut wrote, rest));
        }
    }
    told.wrote.sort();
    told
}

/// Answers what has come.
fn serve(server: &mut Channel, told: &mut Told, now: Instant) {
    while let Some(action) = server.poll_action() {
        let Action::Serve(request) = action else { continue };
        let name = request.name().to_owned();
        match request.open(&config().limits.values) {
            Ok(opened) => {
                let args = opened.arguments.args_values();
                let result = Packed::result(&args).map_err(|_| unreachable!());
                server.reply(opened.ticket, result, now);
                told.served.push((name, Some(args)));
            }
            Err((ticket, refusal)) => {
                server.refuse(ticket, &refusal, now);
                told.served.push((name, None));
            }
        }
    }
}

/// Anything, to a server.
pub fn kaa_stream(data: &[u8]) {
    let (&[choice, cut], bytes) = data.split_first_chunk().unwrap_or((&[0; 2], &[]));
    let (is_open, now) = (choice & 1 != 0, Instant::now());
    bounded(8 * data.len(), || {
        let mut whole = feed(is_open, usize::MAX, bytes, now);
        let mut cut = feed(is_open, usize::from(cut), bytes, now);
        if whole.result.is_err() {
            // What came in one piece with that which ended the link is answered no more.
            (whole.wrote, cut.wrote) = (Vec::new(), Vec::new());
        }
        // NaNs of the same bits are the same, and not equal.
        assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
        assert!(is_open || whole.served.is_empty(), "a stranger was served");
    });
}

/// What a client makes of a result; `None` where it is none.
fn result(pickle: &[u8], now: Instant) -> Option<Packed> {
    let (_, mut client) = pair(now);
    let arguments = Packed::call(&(), &()).unwrap();
    client.call("any", arguments, CallOptions::default(), now).unwrap();
    let len = (pickle.len() as u32).to_le_bytes();
    let mut packet = [&1u32.to_le_bytes()[..], b"RETN", &len, pickle].concat();
    client.handle_input(&mut packet, now).unwrap();
    let outcome = std::iter::from_fn(|| client.poll_action()).find_map(|action| match action {
        Action::Finish { outcome, .. } => Some(outcome),
        _ => None,
    });
    match outcome.expect("an answer ends its call") {
        Outcome::Value(body) => Some(body.check(&config().limits.values).expect("a checked body")),
        _ => None,
    }
}

/// One pickle.
pub fn kaa_pickles(data: &[u8]) {
    let (data, now) = (&data[..data.len().min(BYTES_MAX)], Instant::now());
    bounded(8 * data.len(), || {
        let Some(packed) = result(data, now) else { return };
        let (mut server, _) = pair(now);
        let mut call = [
            &7u32.to_le_bytes()[..],
            b"CALL",
            &11u32.to_le_bytes(),
            b"\x80\x02X\x01\0\0\0x)}\x87.",
        ]
        .concat();
        let len = (call.len() as u32 - 12).to_le_bytes();
        call[8..12].copy_from_slice(&len);
        server.handle_input(&mut call, now).unwrap();
        let ticket = std::iter::from_fn(|| server.poll_action()).find_map(|action| match action {
            Action::Serve(request) => Some(request.into_ticket()),
            _ => None,
        });
        server.reply(ticket.expect("a call is served"), Ok(packed.clone()), now);
        let wrote = written(&mut server, now);
        let at = wrote.windows(4).position(|kind| kind == b"RETN");
        // An object, a zone by its key or too many bytes: told as an exception.
        let Some(at) = at.filter(|at| wrote[at - 4..*at] == 7u32.to_le_bytes()) else { return };
        let again = result(&wrote[at + 8..], now);
        if let Some(again) = again {
            assert_eq!(format!("{:?}", again.value()), format!("{:?}", packed.value()));
        }
    });
}
