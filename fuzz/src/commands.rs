//! Whatever the body of a command, a link refuses it, answers it, counts it or asks about it exactly as
//! ZMTP 3.1 says, in the handshake of each mechanism as behind it; and none but a right one ends a
//! handshake well.
//!
//! The first byte chooses who hears the command: a link behind its handshake, a server of PLAIN, a client
//! of PLAIN or of NULL; the rest is the command's body.

use crate::memory::bounded;
use crate::metadata;
use crate::rules::{Rules, same};
use crate::twins::{Pieces, Twins};
use pseud_proto::zmtp::{MechanismConfig, Question, Secret, Side, Verdict};
use pseud_proto::{Incompatible, Malformed, PeerError};
use pseud_testkit::connection::{Seen, config};
use pseud_testkit::raw::{COMMAND, frame, greeting, handshake};
use std::time::Instant;

/// One command, whoever hears it.
pub fn commands(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    // Longer ones are refused before they are looked at: the target `frames` has them.
    let body = &body[..body.len().min(4_096)];
    bounded(data.len(), || match choice % 4 {
        0 => behind_a_handshake(body),
        1 => plain_hello(body),
        2 => to_client(
            MechanismConfig::PlainClient { username: "u".into(), password: Secret::new("p") },
            body,
        ),
        _ => to_client(MechanismConfig::Null, body),
    });
}

fn link(mechanism: MechanismConfig, side: Side, now: Instant) -> Twins {
    let config = config(|config| config.mechanism = mechanism);
    Twins::new(config, side, Pieces::new(3), Verdict::Admit("somebody".into()), now)
}

fn plain_greeting() -> Vec<u8> {
    let mut greeting = greeting();
    greeting[12..17].copy_from_slice(b"PLAIN");
    greeting
}

fn behind_a_handshake(body: &[u8]) {
    let now = Instant::now();
    let mut link = link(MechanismConfig::Null, Side::Accepting, now);
    link.feed(&handshake(), now);
    let (before, mut rules) = (link.poll_timeout(), Rules::default());
    let wrote = link.feed(&frame(COMMAND, body), now);
    let told = rules.command(body);
    assert!(same(link.failed, told.err()), "{:?} for {told:?}", link.failed);
    assert_eq!(wrote, rules.pongs.concat());
    assert_eq!(link.seen.len(), 1, "a command is no event");
    if told.is_ok() {
        assert_eq!(*link.stats(), rules.stats);
        assert!(link.poll_timeout() <= before, "a command makes nothing wait longer");
    }
}

/// PLAIN's HELLO: name length (1) | name | password length (1) | password.
fn hello(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = body.strip_prefix(b"\x05HELLO")?.split_first()?;
    let (username, rest) = rest.split_at_checked(usize::from(*len))?;
    let (len, password) = rest.split_first()?;
    (password.len() == usize::from(*len)).then_some((username, password))
}

fn plain_hello(body: &[u8]) {
    let now = Instant::now();
    let mut link = link(MechanismConfig::PlainServer, Side::Accepting, now);
    link.feed(&plain_greeting(), now);
    let wrote = link.feed(&frame(COMMAND, body), now);
    match (hello(body), &link.seen[..]) {
        (
            Some((username, password)),
            [Seen::Asked(Question::Plain { username: who, password: shown })],
        ) => {
            assert_eq!((username, password), (&who[..], shown.expose()));
            assert_eq!(wrote, frame(COMMAND, b"\x07WELCOME"));
            assert_eq!(link.failed, None);
        }
        (None, []) => assert!(link.failed.is_some() && wrote.is_empty()),
        (hello, seen) => panic!("{hello:?} made {seen:?}"),
    }
}

fn to_client(mechanism: MechanismConfig, body: &[u8]) {
    let (now, is_plain) =
        (Instant::now(), matches!(mechanism, MechanismConfig::PlainClient { .. }));
    let mut link = link(mechanism, Side::Connecting, now);
    link.feed(&if is_plain { plain_greeting() } else { greeting() }, now);
    let wrote = link.feed(&frame(COMMAND, body), now);
    let refused = body.strip_prefix(b"\x05ERROR").or(body.strip_prefix(b"^RROR"));
    let is_welcome = is_plain && body == b"\x07WELCOME";
    assert_eq!(
        is_welcome,
        is_plain && wrote.starts_with(b"\x04"),
        "INITIATE answers WELCOME alone"
    );
    match (body.strip_prefix(b"\x05READY"), refused) {
        (Some(block), _) if !is_plain => {
            let limits = config(|_| {}).limits;
            metadata::compare(&link, &metadata::read(block, &limits));
        }
        (_, Some(reason)) if link.failed == Some(code(reason)) => {}
        _ => assert!(link.failed.is_some() != is_welcome, "{:?}", link.failed),
    }
    assert!(link.seen.is_empty() || !is_plain);
}

/// An ERROR's reason: its length (1) and itself, of which three digits are a code.
fn code(data: &[u8]) -> PeerError {
    match data.split_first() {
        Some((len, reason)) if reason.len() == usize::from(*len) => {
            let digits = reason.len() == 3 && reason.iter().all(u8::is_ascii_digit);
            let code = std::str::from_utf8(reason).ok().filter(|_| digits);
            Incompatible::Refused(code.and_then(|code| code.parse().ok()).unwrap_or(0)).into()
        }
        _ => Malformed::BadCommand.into(),
    }
}
