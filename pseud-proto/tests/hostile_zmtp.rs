//! Hostile greetings and frames, where only the connection itself shows what must hold. What has one answer
//! whoever looks is in `attacks`.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

use pseud_proto::zmtp::{Connection, SocketType};
use pseud_proto::{Malformed, Misbehaved, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{
    COMMAND, LONG, MORE, command, frame, greeting, greeting_with, handshake, long_header,
};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const FRAME_MAX: u64 = (8 * 1024 + 64) * 1024;

/// What a connection behind its handshake makes of bytes, with the connection as it was left.
fn behind_handshake(bytes: &[u8]) -> (Result<(), PeerError>, Connection) {
    same_in_pieces(bytes, |now| ready(config(|_| {}), now))
}

fn same_in_pieces(
    bytes: &[u8],
    birth: impl Fn(Instant) -> Connection,
) -> (Result<(), PeerError>, Connection) {
    let now = Instant::now();
    let [mut whole, mut bytewise] = [birth(now), birth(now)];
    let outcome = feed(&mut whole, bytes, usize::MAX, now);
    assert_eq!(feed(&mut bytewise, bytes, 1, now), outcome);
    assert_eq!(bytewise.stats(), whole.stats());
    (outcome, whole)
}

fn too_large(what: &'static str, size: u64, max: u64) -> Result<(), PeerError> {
    Err(PeerError::TooLarge { what, size, max })
}

#[test]
fn a_02_one_byte_a_second() {
    let start = Instant::now();
    let mut server = accepting(config(|_| {}), start);
    for (second, byte) in (0..).zip(&handshake()[..3]) {
        let now = start + second * SECOND;
        server.handle_timeout(now).unwrap();
        server.handle_input(&mut [*byte], now).unwrap();
    }
    assert_eq!(server.poll_timeout(), Some(start + 3 * SECOND));
    assert_eq!(server.handle_timeout(start + 3 * SECOND), Err(Misbehaved::HandshakeTimeout.into()));
    assert_eq!(server.poll_timeout(), None);
}

#[test]
fn a_02_a_slow_ready_behind_a_quick_greeting() {
    let start = Instant::now();
    let mut server = accepting(config(|_| {}), start);
    feed(&mut server, &greeting(), usize::MAX, start).unwrap();
    for (second, byte) in (1..10).zip(&handshake()[64..]) {
        let now = start + second * SECOND;
        server.handle_timeout(now).unwrap();
        server.handle_input(&mut [*byte], now).unwrap();
    }
    assert_eq!(server.poll_timeout(), Some(start + 10 * SECOND));
    assert_eq!(
        server.handle_timeout(start + 10 * SECOND),
        Err(Misbehaved::HandshakeTimeout.into())
    );
}

#[test]
fn a_07_later_versions_are_spoken_to_as_3_1() {
    for version in [[3, 9], [4, 0], [4, 7], [255, 255]] {
        let now = Instant::now();
        let mut server = accepting(config(|_| {}), now);
        let bytes = [greeting_with(10, &version), handshake().split_off(64)].concat();
        feed(&mut server, &bytes, 1, now).unwrap();
        let [Seen::Ready(ready)] = &drain(&mut server)[..] else { panic!("{version:?}") };
        assert_eq!((ready.minor, ready.socket_type), (1, SocketType::Dealer));
    }
}

#[test]
fn a_10_silence_from_the_start() {
    let start = Instant::now();
    let mut server = accepting(config(|_| {}), start);
    let deadline = server.poll_timeout().unwrap();
    assert_eq!(deadline, start + 3 * SECOND);
    assert_eq!(server.handle_timeout(deadline - SECOND), Ok(()));
    assert_eq!(server.handle_timeout(deadline), Err(Misbehaved::HandshakeTimeout.into()));
}

#[test]
fn b_01_nothing_is_reserved_for_a_giant_length() {
    for size in [u64::MAX, 1 << 63, usize::MAX as u64 - 8, 0xffff_ffff_ffff_ff98] {
        let (outcome, mut server) = behind_handshake(&long_header(0, size));
        assert_eq!(outcome, too_large("frame bytes", size, FRAME_MAX));
        assert!(server.large().is_none());
    }
}

/// What the frames before it say may be worth to know: an answer's id. The link lives.
#[test]
fn b_02_a_last_frame_over_the_limit_is_passed_over_where_that_was_asked_for() {
    let skips =
        |now| ready(config(|config| config.limits.frame_bytes_max = 10), now).skip_too_large();
    let answer = [frame(MORE, b""), frame(MORE, b"id"), frame(0, &[7; 300])].concat();
    let ping = command("PING", b"\0\0");
    let bytes = [&frame(0, b"before")[..], &answer, &ping, &answer, &frame(0, b"after")].concat();
    let (outcome, mut server) = same_in_pieces(&bytes, skips);
    assert_eq!((outcome, server.stats().pings), (Ok(()), 1));
    let error = PeerError::TooLarge { what: "frame bytes", size: 300, max: 10 };
    let passed = || Seen::TooLarge(vec![vec![], b"id".to_vec()], error);
    let seen = drain(&mut server);
    assert_eq!(seen, [message(&[b"before"]), passed(), passed(), message(&[b"after"])]);
}

#[test]
fn b_02_nothing_else_over_a_limit_is_passed_over() {
    let skips =
        |now| ready(config(|config| config.limits.frame_bytes_max = 10), now).skip_too_large();
    let long = |flags, size| [frame(MORE, b"id"), long_header(flags, size)].concat();
    for bytes in [
        frame(0, &[7; 11]),
        [frame(MORE, b"id"), frame(MORE, &[7; 11])].concat(),
        long(0, u64::from(u32::MAX) + 1),
        long(0, u64::MAX),
        [frame(MORE, b"").repeat(16), frame(0, &[7; 11])].concat(),
        long(COMMAND, 5_000),
    ] {
        let (outcome, _) = same_in_pieces(&bytes, skips);
        assert!(matches!(outcome, Err(PeerError::TooLarge { .. })), "{outcome:?}");
    }
}

#[test]
fn who_stops_inside_a_frame_that_is_passed_over_has_stalled() {
    let now = Instant::now();
    let quiet = config(|config| {
        config.heartbeat.interval = None;
        config.limits.frame_bytes_max = 10;
    });
    let skips = |now| ready(quiet.clone(), now).skip_too_large();
    let mut server = skips(now);
    let begun = [frame(MORE, b"id"), long_header(0, 300)].concat();
    feed(&mut server, &begun, usize::MAX, now).unwrap();
    assert!(server.large().is_none(), "none of it is kept");
    assert_eq!(server.poll_timeout(), Some(now + 30 * SECOND));
    assert_eq!(server.handle_timeout(now + 30 * SECOND), Err(Misbehaved::Stalled.into()));
    let mut server = skips(now);
    feed(&mut server, &begun, 1, now).unwrap();
    assert_eq!(server.handle_eof(), Err(Malformed::Truncated.into()));
}

#[test]
fn b_02_limits_without_limit_still_refuse_what_cannot_be_held() {
    let now = Instant::now();
    let config = config(|config| {
        config.limits.frame_bytes_max = usize::MAX;
        config.limits.message_bytes_max = usize::MAX;
        config.limits.frames_max = usize::MAX;
    });
    for size in [u64::MAX, u64::from(u32::MAX)] {
        let mut server = ready(config.clone(), now);
        let outcome = feed(&mut server, &long_header(0, size), 1, now);
        assert!(matches!(outcome, Err(PeerError::TooLarge { what: "message bytes", .. })));
    }
    let mut server = ready(config, now);
    let outcome = feed(&mut server, &[MORE, 0].repeat(17), 1, now);
    assert_eq!(outcome, too_large("frames of a message", 17, 16));
}

#[test]
fn b_12_ttl_0_and_65535() {
    let now = Instant::now();
    let idle = config(|config| config.heartbeat.interval = None);
    for (ttl, deadline) in [(0, None), (65_535, Some(now + Duration::from_millis(6_553_500)))] {
        let mut server = ready(idle.clone(), now);
        let ping = command("PING", &u16::to_be_bytes(ttl));
        feed(&mut server, &ping, usize::MAX, now).unwrap();
        written(&mut server);
        assert_eq!(server.poll_timeout(), deadline);
    }
}

#[test]
fn b_12_a_flood_of_pings_shows_in_the_backlog() {
    let (outcome, server) = behind_handshake(&command("PING", b"\0\0").repeat(1_000));
    assert_eq!((outcome, server.stats().pings), (Ok(()), 1_000));
    assert_eq!(server.backlog(), 1_000 * command("PONG", b"").len());
}

#[test]
fn b_13_two_pieces_cut_at_every_byte() {
    let now = Instant::now();
    let stream = [
        handshake(),
        [frame(MORE, b"a"), command("PING", b"\0\0x"), frame(0, &[1; 260])].concat(),
        [command("FOO", b""), frame(LONG, b"b"), frame(0x80, b"")].concat(),
    ]
    .concat();
    let after = |cut: usize| {
        let mut server = accepting(config(|_| {}), now);
        let (first, second) = stream.split_at(cut);
        feed(&mut server, first, usize::MAX, now).unwrap();
        feed(&mut server, second, usize::MAX, now).unwrap();
        (drain(&mut server), *server.stats(), written(&mut server))
    };
    for cut in 0..=stream.len() {
        assert_eq!(after(cut), after(0), "{cut}");
    }
}
