//! Hostile greetings, frames and handshakes: each has one exact answer.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

use pseud_proto::zmtp::{Connection, ConnectionConfig, SocketType};
use pseud_proto::{Incompatible, Malformed, Misbehaved, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{
    COMMAND, LONG, MORE, command, frame, greeting, handshake, long_header, ready_command,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const FRAME_MAX: u64 = (8 * 1024 + 64) * 1024;

/// What a fresh accepting connection answers to `bytes`, whole and a byte at a time.
fn fresh(bytes: &[u8]) -> Result<(), PeerError> {
    same_in_pieces(bytes, |now| accepting(config(|_| {}), now)).0
}

/// The same behind a handshake, with the connection as it was left.
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

fn with<const N: usize>(at: usize, bytes: [u8; N]) -> Vec<u8> {
    let mut greeting = greeting();
    greeting[at..at + N].copy_from_slice(&bytes);
    greeting
}

fn too_large(what: &'static str, size: u64, max: u64) -> Result<(), PeerError> {
    Err(PeerError::TooLarge { what, size, max })
}

#[test]
fn a_01_greeting_cut_at_each_byte() {
    let now = Instant::now();
    for cut in 0..64 {
        let mut server = accepting(config(|_| {}), now);
        feed(&mut server, &greeting()[..cut], usize::MAX, now).unwrap();
        assert_eq!(server.handle_eof(), Err(Misbehaved::HandshakeIncomplete.into()), "{cut}");
        assert_eq!((server.poll_timeout(), drain(&mut server)), (None, vec![]));
    }
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
fn a_03_signature_with_a_wrong_end() {
    for byte in [0, 2, 0x7e, 0xfe] {
        assert_eq!(fresh(&with(9, [byte])[..10]), Err(Malformed::NotZmtp.into()));
    }
    assert_eq!(fresh(&with(9, [0x01])), Ok(()));
}

#[test]
fn a_06_zmtp_1_and_2() {
    let anonymous_1_0 = [0x01, 0x00];
    assert_eq!(fresh(&anonymous_1_0), Err(Malformed::NotZmtp.into()));
    for revision in [0, 1, 2] {
        let refused = fresh(&with(10, [revision])[..11]);
        assert_eq!(refused, Err(Incompatible::UnsupportedVersion.into()));
    }
}

#[test]
fn a_07_later_versions_are_spoken_to_as_3_1() {
    for version in [[3, 9], [4, 0], [4, 7], [255, 255]] {
        let now = Instant::now();
        let mut server = accepting(config(|_| {}), now);
        let bytes = [with(10, version), handshake().split_off(64)].concat();
        feed(&mut server, &bytes, 1, now).unwrap();
        let [Seen::Ready(ready)] = &drain(&mut server)[..] else { panic!("{version:?}") };
        assert_eq!((ready.minor, ready.socket_type), (1, SocketType::Dealer));
    }
}

#[test]
fn a_08_another_mechanism() {
    let mismatch = Err(Incompatible::MechanismMismatch.into());
    for name in [&b"PLAIN"[..], b"CURVE", b"null", b"NULL ", b"NULLNULLNULLNULLNULL", b"NUL", b""] {
        let mut padded = [0; 20];
        padded[..name.len()].copy_from_slice(name);
        let (outcome, mut server) =
            same_in_pieces(&with(12, padded), |now| accepting(named("server"), now));
        assert_eq!(outcome, mismatch, "{name:?}");
        assert_eq!(written(&mut server)[12..16], *b"NULL", "our greeting still leaves");
    }
    assert_eq!(fresh(&with(31, [1])), mismatch);
}

#[test]
fn a_09_other_protocols() {
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x02\0\x01", b"SSH-2.0-OpenSSH_9.9", b"\0"]
    {
        assert_eq!(fresh(bytes), Err(Malformed::NotZmtp.into()));
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
fn a_11_as_server_is_never_judged() {
    for byte in [0, 1, 255] {
        assert_eq!(fresh(&with(32, [byte])), Ok(()));
    }
}

#[test]
fn a_12_padding_and_filler_are_never_judged() {
    assert_eq!(fresh(&with(1, [0xaa; 8])), Ok(()));
    assert_eq!(fresh(&with(33, [0xaa; 31])), Ok(()));
}

#[test]
fn b_01_giant_lengths() {
    for size in [u64::MAX, 1 << 63, usize::MAX as u64 - 8, 0xffff_ffff_ffff_ff98] {
        let refused = too_large("frame bytes", size, FRAME_MAX);
        let (outcome, mut server) = behind_handshake(&long_header(0, size));
        assert_eq!(outcome, refused);
        assert!(server.large().is_none());
        assert_eq!(fresh(&[greeting(), long_header(0, size)].concat()), refused);
        let command = behind_handshake(&long_header(COMMAND, size)).0;
        assert_eq!(command, too_large("command bytes", size, 4096));
    }
}

#[test]
fn b_02_one_over_the_limit() {
    assert_eq!(behind_handshake(&long_header(0, FRAME_MAX)).0, Ok(()));
    for size in [FRAME_MAX + 1, 1 << 31, 1 << 48] {
        let refused = too_large("frame bytes", size, FRAME_MAX);
        assert_eq!(behind_handshake(&long_header(0, size)).0, refused);
    }
    assert_eq!(behind_handshake(&long_header(COMMAND, 4096)).0, Ok(()));
    let refused = too_large("command bytes", 4097, 4096);
    assert_eq!(behind_handshake(&long_header(COMMAND, 4097)).0, refused);
}

#[test]
fn b_02_frames_that_are_too_much_together() {
    let now = Instant::now();
    let config = config(|config| config.limits.message_bytes_max = 10);
    let mut server = ready(config, now);
    feed(&mut server, &[frame(MORE, &[0; 6]), frame(0, &[0; 4])].concat(), 1, now).unwrap();
    feed(&mut server, &frame(MORE, &[0; 6]), 1, now).unwrap();
    let outcome = feed(&mut server, &[0, 5], 1, now);
    assert_eq!(outcome, too_large("message bytes", 11, 10));
    assert_eq!(drain(&mut server), [message(&[&[0; 6], &[0; 4]])]);
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
fn b_04_long_form_of_a_small_size() {
    let (outcome, mut server) =
        behind_handshake(&[frame(LONG, b""), frame(LONG | MORE, b"a"), frame(LONG, b"b")].concat());
    assert_eq!(outcome, Ok(()));
    assert_eq!(drain(&mut server), [message(&[b""]), message(&[b"a", b"b"])]);
}

#[test]
fn b_05_reserved_flags_are_counted_and_refused_if_strict() {
    let strict = config(|config| config.strict = true);
    for bit in 3..8 {
        let bytes = [frame(1 << bit, b"odd"), frame(0, b"even")].concat();
        let (outcome, mut server) = behind_handshake(&bytes);
        assert_eq!((outcome, server.stats().reserved_flags), (Ok(()), 1));
        assert_eq!(drain(&mut server), [message(&[b"odd"]), message(&[b"even"])]);
        let (outcome, server) = same_in_pieces(&bytes, |now| ready(strict.clone(), now));
        assert_eq!(outcome, Err(Malformed::ReservedFlag.into()));
        assert_eq!(server.stats().reserved_flags, 0);
    }
}

#[test]
fn b_06_bad_command_names() {
    for body in [&b""[..], b"\0", b"\0PING", b"\x05PING", b"\xff"] {
        let bytes = frame(COMMAND, body);
        assert_eq!(behind_handshake(&bytes).0, Err(Malformed::BadCommand.into()), "{body:?}");
        let early = [greeting(), bytes].concat();
        assert_eq!(fresh(&early), Err(Malformed::BadCommand.into()), "{body:?}");
    }
}

#[test]
fn b_06_command_with_more() {
    let bytes = [frame(COMMAND | MORE, b"\x04PONG"), frame(0, b"m")].concat();
    let (outcome, mut server) = behind_handshake(&bytes);
    assert_eq!((outcome, server.stats().reserved_flags, server.stats().pongs), (Ok(()), 1, 1));
    assert_eq!(drain(&mut server), [message(&[b"m"])]);
    let strict = config(|config| config.strict = true);
    let outcome = same_in_pieces(&bytes, |now| ready(strict.clone(), now)).0;
    assert_eq!(outcome, Err(Malformed::ReservedFlag.into()));
}

#[test]
fn b_06_commands_between_the_parts_of_a_message() {
    let ping = command("PING", b"\0\0ctx");
    let stream =
        [frame(MORE, b"a"), ping.clone(), ping.clone(), frame(MORE, b"b"), ping, frame(0, b"c")];
    let (outcome, mut server) = behind_handshake(&stream.concat());
    assert_eq!((outcome, server.stats().pings), (Ok(()), 3));
    assert_eq!(drain(&mut server), [message(&[b"a", b"b", b"c"])]);
    assert_eq!(written(&mut server), command("PONG", b"ctx").repeat(3));
}

#[test]
fn b_07_end_of_stream_at_each_byte() {
    let now = Instant::now();
    let stream = [frame(MORE, b"ab"), command("PONG", b""), frame(0, &[7; 300])].concat();
    for cut in 0..=stream.len() {
        let mut server = ready(config(|_| {}), now);
        feed(&mut server, &stream[..cut], usize::MAX, now).unwrap();
        let is_border = cut == 0 || cut == stream.len();
        let outcome = if is_border { Ok(()) } else { Err(Malformed::Truncated.into()) };
        assert_eq!(server.handle_eof(), outcome, "{cut}");
        assert_eq!(drain(&mut server).len(), usize::from(cut == stream.len()), "{cut}");
    }
}

#[test]
fn b_07_end_of_stream_at_each_byte_of_the_handshake() {
    let now = Instant::now();
    let stream = handshake();
    for cut in 0..stream.len() {
        let mut server = accepting(config(|_| {}), now);
        feed(&mut server, &stream[..cut], usize::MAX, now).unwrap();
        assert_eq!(server.handle_eof(), Err(Misbehaved::HandshakeIncomplete.into()), "{cut}");
    }
}

#[test]
fn b_08_more_for_ever() {
    let sixteen = [frame(MORE, b"x").repeat(15), frame(0, b"x")].concat();
    let (outcome, mut server) = behind_handshake(&sixteen);
    assert_eq!((outcome, drain(&mut server).len()), (Ok(()), 1));
    let refused = too_large("frames of a message", 17, 16);
    let (outcome, mut server) = behind_handshake(&frame(MORE, b"x").repeat(1_000));
    assert_eq!((outcome, drain(&mut server)), (refused, vec![]));
}

#[test]
fn b_10_unknown_and_late_commands() {
    let unknown = [command("JOIN", b"g"), command("FOO", b""), command("HELLO", b"")].concat();
    let late = [handshake().split_off(64), command("ERROR", b"\x03400")].concat();
    let (outcome, mut server) = behind_handshake(&[unknown, late, frame(0, b"m")].concat());
    assert_eq!(outcome, Ok(()));
    assert_eq!((server.stats().unknown_commands, server.stats().late_commands), (3, 2));
    assert_eq!((drain(&mut server), server.backlog()), (vec![message(&[b"m"])], 0));
}

#[test]
fn b_11_subscriptions() {
    let bytes = [command("SUBSCRIBE", b"topic"), command("CANCEL", b"topic")].concat();
    let (outcome, mut server) = behind_handshake(&bytes);
    assert_eq!((outcome, server.stats().subscriptions), (Ok(()), 2));
    assert_eq!((drain(&mut server), server.backlog()), (vec![], 0));
}

#[test]
fn b_12_ping_contexts() {
    for len in [0, 1, 16, 17, 255] {
        let context: Vec<u8> = (0..len).collect();
        let ping = [&b"\0\0"[..], &context].concat();
        let (outcome, mut server) = behind_handshake(&command("PING", &ping));
        assert_eq!((outcome, server.stats().pings), (Ok(()), 1));
        let echoed = &context[..context.len().min(16)];
        assert_eq!(written(&mut server), command("PONG", echoed));
    }
    for short in [&b""[..], b"\0"] {
        let (outcome, server) = behind_handshake(&command("PING", short));
        assert_eq!((outcome, server.backlog()), (Err(Malformed::BadCommand.into()), 0));
    }
}

#[test]
fn b_12_ttl_0_and_65535() {
    let now = Instant::now();
    let idle = config(|config| config.heartbeat.interval = None);
    for (ttl, deadline) in [(0, None), (65_535, Some(now + Duration::from_millis(6_553_500)))] {
        let mut server = ready(idle.clone(), now);
        let ping = command("PING", &u16::to_be_bytes(ttl));
        feed(&mut server, &ping, usize::MAX, now).unwrap();
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
fn b_13_a_thousand_messages_in_one_read() {
    let parts: [&[u8]; 3] = [b"", b"v1", &[9; 300]];
    let one = [frame(MORE, parts[0]), frame(MORE, parts[1]), frame(0, parts[2])].concat();
    let (outcome, mut server) = behind_handshake(&one.repeat(1_000));
    assert_eq!(outcome, Ok(()));
    assert_eq!(drain(&mut server), vec![message(&parts); 1_000]);
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

#[test]
fn c_01_c_02_ready_without_a_name() {
    for body in [&b""[..], b"\x05", b"\x05READ", b"\x06READY"] {
        let bytes = [greeting(), frame(COMMAND, body)].concat();
        assert_eq!(fresh(&bytes), Err(Malformed::BadCommand.into()), "{body:?}");
    }
}

#[test]
fn c_03_c_05_bad_metadata() {
    let cases: [&[u8]; 8] = [
        b"\x0bSocket-Typ",
        b"\0\0\0\0\0",
        b"\x01X\0\0\0\x05abcd",
        b"\x01X\x80\0\0\0",
        b"\x01X\xff\xff\xff\xff",
        b"\x01X\0\0\0\0\x01",
        b"\x01X\0\0\0\0\x01X\0\0",
        b"\x0bSocket-Type\0\0\0\x06ROUTER\0",
    ];
    for block in cases {
        let bytes = [greeting(), command("READY", block)].concat();
        assert_eq!(fresh(&bytes), Err(Malformed::BadMetadata.into()), "{block:?}");
    }
}

#[test]
fn c_06_too_many_properties_or_too_many_bytes() {
    let bytes = [greeting(), ready_command(&[(&b"X-A"[..], &b""[..]); 33])].concat();
    assert_eq!(fresh(&bytes), too_large("properties", 33, 32));
    let bytes = [greeting(), long_header(COMMAND, 4 << 20)].concat();
    assert_eq!(fresh(&bytes), too_large("command bytes", 4 << 20, 4096));
    let tight = config(|config| config.limits.handshake_bytes_max = 30);
    let outcome = same_in_pieces(&handshake(), |now| accepting(tight.clone(), now)).0;
    let size = handshake().len() as u64 - 64;
    assert_eq!(outcome, too_large("handshake bytes", size, 30));
}

#[test]
fn c_07_c_08_c_09_who_the_peer_says_it_is() {
    let typed = |name: &'static [u8]| (&b"Socket-Type"[..], name);
    let outcome =
        |properties: &[(&[u8], &[u8])]| fresh(&[greeting(), ready_command(properties)].concat());
    for name in [&b"ROUTER"[..], b"DEALER", b"REQ"] {
        assert_eq!(outcome(&[typed(name)]), Ok(()));
        assert_eq!(outcome(&[typed(name), (b"Identity", b"")]), Ok(()));
    }
    let unfit = Err(Incompatible::SocketType.into());
    for name in [&b"PUB"[..], b"SUB", b"REP", b"PUSH", b"router", b""] {
        assert_eq!(outcome(&[typed(name)]), unfit);
    }
    assert_eq!(outcome(&[]), unfit);
    let twice = Err(Malformed::DuplicateProperty.into());
    assert_eq!(outcome(&[typed(b"REQ"), typed(b"REQ")]), twice);
    assert_eq!(outcome(&[typed(b"REQ"), (b"Identity", b"a"), (b"IDENTITY", b"a")]), twice);
}

#[test]
fn c_10_what_the_handshake_does_not_expect() {
    let unexpected = Err(Misbehaved::UnexpectedCommand.into());
    for command in [command("ERROR", b"\x03400"), command("PING", b"\0\0"), command("HELLO", b"")] {
        assert_eq!(fresh(&[greeting(), command].concat()), unexpected);
    }
    let early = Err(Misbehaved::EarlyMessage.into());
    assert_eq!(fresh(&[greeting(), frame(0, b"")].concat()), early);
    let mut uncommanded = handshake();
    uncommanded[64] = 0;
    assert_eq!(fresh(&uncommanded), early);
}

#[test]
fn c_12_an_error_from_the_server() {
    let long_reason = [&[255][..], &[0x1b; 255]].concat();
    let cases: [(&[u8], PeerError); 5] = [
        (b"\x03400", Incompatible::Refused(400).into()),
        (b"\x03300", Incompatible::Refused(300).into()),
        (b"\x00", Incompatible::Refused(0).into()),
        (&long_reason, Incompatible::Refused(0).into()),
        (b"\x04400", Malformed::BadCommand.into()),
    ];
    for (data, error) in cases {
        let bytes = [greeting(), command("ERROR", data)].concat();
        let outcome = same_in_pieces(&bytes, connecting).0;
        assert_eq!(outcome, Err(error), "{data:?}");
    }
}

fn connecting(now: Instant) -> Connection {
    let config = Arc::new(ConnectionConfig::default());
    Connection::new(config, pseud_proto::zmtp::Side::Connecting, [3; 32], now)
}

#[test]
fn e_03_e_04_identities() {
    let outcome = |identity: &[u8]| {
        let properties = [(&b"Socket-Type"[..], &b"DEALER"[..]), (b"Identity", identity)];
        fresh(&[greeting(), ready_command(&properties)].concat())
    };
    assert_eq!(outcome(&[b'i'; 255]), Ok(()));
    assert_eq!(outcome(&[b'i'; 256]), too_large("identity bytes", 256, 255));
    let automatic = [0x00, 0x6b, 0x8b, 0x45, 0x67];
    assert_eq!(outcome(&automatic), Err(Incompatible::ReservedIdentity.into()));
}
