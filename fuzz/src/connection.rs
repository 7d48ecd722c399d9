//! Whatever somebody on the path does to the bytes of a link (flip, cut, delete, double, swap, replay,
//! insert), the side they reach neither panics nor sees more in pieces than at once, stays well-formed in
//! what it says, and holds no more memory than was sent; under CURVE it delivers only what its peer sent,
//! in that order, up to the first frame that was changed, and nothing behind it.
//!
//! An honest peer, real cryptography included, talks to the side under test; the input says what happens
//! to its frames on the way. The first two bytes choose roles, limits, the verdict and how input is cut.

use crate::memory;
use crate::path::{GREETING_LEN, Path};
use crate::reference::{self, Frame};
use crate::script::Script;
use crate::tracked::Tracked;
use crate::twins::{Pieces, Twins};
use pseud_proto::zmtp::{ConnectionConfig, KeyPair, MechanismConfig, Secret, Side, Verdict};
use pseud_testkit::connection::{Seen, config};
use std::sync::Arc;
use std::time::Instant;

/// Steps of one input. More of them find nothing that fewer don't.
const STEPS_MAX: usize = 64;
/// What a CURVE peer sends between its greeting and its traffic: HELLO and INITIATE, or WELCOME and
/// READY.
const CURVE_HANDSHAKE_FRAMES: usize = 2;

/// Over NULL.
pub fn connection_null(data: &[u8]) {
    run(data, &(MechanismConfig::Null, MechanismConfig::Null));
}

/// Over PLAIN, in either role.
pub fn connection_plain(data: &[u8]) {
    let (username, password) = ("user".into(), Secret::new("password"));
    run(data, &(MechanismConfig::PlainClient { username, password }, MechanismConfig::PlainServer));
}

/// Over CURVE, in either role.
pub fn connection_curve(data: &[u8]) {
    let server = KeyPair::generate([0x51; 32]);
    let server_keys = vec![*server.public()];
    let key_pair = KeyPair::generate([0xc1; 32]);
    let client = MechanismConfig::CurveClient { server_keys, key_pair };
    run(data, &(client, MechanismConfig::CurveServer { key_pairs: vec![server] }));
}

fn run(data: &[u8], (client, server): &(MechanismConfig, MechanismConfig)) {
    let mut script = Script::new(data);
    let choice = script.byte();
    let (theirs, ours) = match choice & 1 {
        0 => (client, server),
        _ => (server, client),
    };
    memory::paid(|| {
        let mut path = open(choice, script.byte(), theirs, ours);
        for _ in 0..STEPS_MAX {
            if script.is_over() || path.is_over {
                break;
            }
            path.step(&mut script);
        }
        path.finish();
        check(&path, is_sealed(ours));
        data.len() + path.bytes()
    });
}

fn is_sealed(mechanism: &MechanismConfig) -> bool {
    matches!(mechanism, MechanismConfig::CurveClient { .. } | MechanismConfig::CurveServer { .. })
}

fn side_of(
    mechanism: &MechanismConfig,
    choice: u8,
    change: impl FnOnce(&mut ConnectionConfig),
) -> Arc<ConnectionConfig> {
    config(|config| {
        config.mechanism = mechanism.clone();
        config.identity = "somebody".into();
        config.properties = vec![("X-Pseud".into(), "1;caps=f;max=8388608".into())];
        config.probe = choice & 4 != 0;
        change(config);
    })
}

fn open(choice: u8, cut: u8, theirs: &MechanismConfig, ours: &MechanismConfig) -> Path {
    let now = Instant::now();
    let (side, other) = match choice & 2 {
        0 => (Side::Accepting, Side::Connecting),
        _ => (Side::Connecting, Side::Accepting),
    };
    let verdict = match choice >> 5 {
        6 => Verdict::Deny,
        7 => Verdict::Unavailable,
        _ => Verdict::Admit("admitted".into()),
    };
    let peer = Tracked::new(side_of(theirs, choice, |_| {}), other, now);
    let ours = side_of(ours, 0, |config| {
        config.strict = choice & 8 != 0;
        if choice & 16 != 0 {
            config.limits.frame_bytes_max = 300;
            config.limits.message_bytes_max = 500;
            config.limits.frames_max = 3;
            config.limits.flood.burst = 3;
        }
    });
    let tested = Twins::new(ours, side, Pieces::new(cut), verdict, now);
    let tested = if cut % 2 == 1 { tested.skip_too_large() } else { tested };
    Path::new(peer, tested, now)
}

fn check(path: &Path, is_sealed: bool) {
    let same = unchanged(path, is_sealed);
    let delivered = path.tested.messages();
    let sent = path.peer.sent_within(same.end);
    if is_sealed {
        assert!(delivered.len() <= sent.len(), "something behind a changed frame was delivered");
        assert!(delivered.iter().zip(sent).all(|(got, sent)| *got == sent));
        if let Some(ready) = path.tested.ready() {
            assert!(same.frames >= CURVE_HANDSHAKE_FRAMES, "a changed handshake was accepted");
            assert_eq!((&ready.identity[..], ready.properties.len()), (&b"somebody"[..], 1));
        }
    }
    if path.tested.is_ready() {
        let is_message = |seen: &&Seen| matches!(seen, Seen::Message(_) | Seen::TooLarge(..));
        let came: Vec<_> = path.tested.seen.iter().filter(is_message).collect();
        assert!(came.len() >= sent.len(), "{} of {} unchanged ones came", came.len(), sent.len());
        let is_same = |(seen, sent): (&&Seen, &Vec<Vec<u8>>)| match seen {
            Seen::Message(got) => got == sent,
            Seen::TooLarge(head, _) => sent.starts_with(head),
            _ => false,
        };
        assert!(came.iter().zip(sent).all(is_same), "in order, whole or passed over");
    }
}

/// How much of what the peer wrote has reached the tested side as it was, whole frames only. Where
/// they are sealed their headers are not looked at: nothing vouches for those.
fn unchanged(path: &Path, is_sealed: bool) -> Unchanged {
    let frames = |bytes| reference::frames(behind_greeting(bytes));
    let (wrote, reached) = (frames(path.peer.wrote()), frames(&path.reached));
    let is_same = |(wrote, reached): &(Frame<'_>, Frame<'_>)| {
        wrote.body == reached.body && (is_sealed || wrote.header == reached.header)
    };
    let same: Vec<_> = wrote.into_iter().zip(reached).take_while(is_same).collect();
    let end = same.last().map_or(0, |(wrote, _)| wrote.end);
    Unchanged { frames: same.len(), end: GREETING_LEN + end }
}

fn behind_greeting(bytes: &[u8]) -> &[u8] {
    bytes.get(GREETING_LEN..).unwrap_or_default()
}

struct Unchanged {
    frames: usize,
    /// Where the last of them ends in what the peer wrote.
    end: usize,
}
