//! Conversations of two connections, and of one with bytes that real peers sent.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

use bytes::Bytes;
use proptest::prelude::*;
use pseud_proto::zmtp::{
    Connection, ConnectionConfig, MechanismName, Outgoing, Side, SocketType, Token,
};
use pseud_proto::{Incompatible, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{
    LONG, MORE, command, frame, greeting, handshake, long_header, ready_command,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CHUNKS: [usize; 6] = [1, 2, 3, 7, 64, usize::MAX];
const SECOND: Duration = Duration::from_secs(1);

fn pair(now: Instant) -> (Connection, Connection) {
    let client = config(|config| {
        config.probe = true;
        config.properties = vec![("X-Pseud".into(), Bytes::from_static(b"2"))];
    });
    (Connection::new(client, Side::Connecting, [2; 32], now), accepting(named("server"), now))
}

#[test]
fn two_connections_agree_in_pieces_of_any_size() {
    let now = Instant::now();
    let large = vec![b'x'; 100_000];
    for chunk in CHUNKS {
        let (mut client, mut server) = pair(now);
        converse(&mut client, &mut server, chunk, now);
        let [Seen::Ready(ready)] = &drain(&mut client)[..] else { panic!("not ready") };
        assert_eq!((&ready.identity[..], ready.socket_type), (&b"server"[..], SocketType::Router));
        assert_eq!((ready.minor, ready.mechanism), (1, MechanismName::Null));
        let seen = drain(&mut server);
        let [Seen::Ready(ready), probe] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(ready.properties, [(Bytes::from("X-Pseud"), Bytes::from("2"))]);
        assert_eq!(probe, &message(&[b""]));

        send(&mut client, &[b"", b"v1", b"id", b"\x03", b"body"], 1);
        send(&mut client, &[&large, b"", &large], 2);
        send(&mut server, &[b""], 3);
        converse(&mut client, &mut server, chunk, now);
        let sent =
            [message(&[b"", b"v1", b"id", b"\x03", b"body"]), message(&[&large, b"", &large])];
        assert_eq!(drain(&mut server), [&sent[..], &[Seen::Written(3)]].concat());
        let expected = [message(&[b""]), Seen::Written(2)];
        assert_eq!(drain(&mut client), expected);
    }
}

#[test]
fn the_first_bytes_are_greeting_and_ready() {
    let mut connection = accepting(named("cli"), Instant::now());
    let bytes = written(&mut connection);
    assert_eq!(bytes[..16], *b"\xff\0\0\0\0\0\0\0\x04\x7f\x03\x01NULL");
    assert_eq!(bytes[16..64], [0; 48]);
    let ready = "042c055245414459 0b536f636b65742d54797065 00000006524f55544552 \
                 084964656e74697479 00000003636c69";
    assert_eq!(bytes[64..], hex(ready));
}

/// A Python pseud client's side of `add(1, a=2)`… as captured, and a server's answer.
#[test]
fn the_captured_null_session() {
    let now = Instant::now();
    let uuid = [0x5a; 16];
    let mut server = accepting(named("server"), now);
    let mut session = hex("ff00000000000000017f 0301 4e554c4c");
    session.resize(64, 0);
    session.extend(hex("0429 05 5245414459 0b 536f636b65742d54797065 00000006 524f55544552"));
    session.extend(hex("08 4964656e74697479 00000000 0000 0100 01027631 0110"));
    session.extend(uuid);
    session.extend(hex("010103 000b93a3616464910181a16202"));
    feed(&mut server, &session, usize::MAX, now).unwrap();
    let work = hex("93a3616464910181a16202");
    let seen = drain(&mut server);
    assert!(matches!(&seen[0], Seen::Ready(ready) if ready.identity.is_empty()));
    assert_eq!(seen[1..], [message(&[b""]), message(&[b"", b"v1", &uuid, b"\x03", &work])]);

    send(&mut server, &[b"", b"v1", &uuid, b"\x01", b"\x03"], 0);
    let bytes = written(&mut server);
    assert_eq!(bytes[64..66], [0x04, 0x2f]);
    let answer = [hex("0100 01027631 0110"), uuid.to_vec(), hex("010101 000103")].concat();
    assert_eq!(bytes[64 + 2 + 0x2f..], answer);
}

#[test]
fn a_large_frame_is_read_straight_into_its_place() {
    let now = Instant::now();
    let body: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    let stream = [frame(MORE, b"a"), frame(0, &body), frame(0, b"next")].concat();
    let mut server = ready(named("server"), now);
    feed_in_place(&mut server, &stream, now);
    assert_eq!(drain(&mut server), [message(&[b"a", &body]), message(&[b"next"])]);
}

#[test]
fn a_message_is_head_body_tail() {
    let now = Instant::now();
    let (mut client, mut server) = pair(now);
    converse(&mut client, &mut server, usize::MAX, now);
    drain(&mut server);
    let body = Bytes::from(vec![b'b'; 5_000]);
    client.send(Outgoing { frames: &[b"f"], head: b"h", body, tail: b"t" }, Token(1));
    converse(&mut client, &mut server, usize::MAX, now);
    let last = [b"h".as_slice(), &[b'b'; 5_000], b"t"].concat();
    assert_eq!(drain(&mut server), [message(&[b"f", &last])]);
}

#[test]
fn an_error_is_final_and_what_was_queued_still_leaves() {
    let now = Instant::now();
    let mut server = accepting(named("server"), now);
    let error = Err(Incompatible::MechanismMismatch.into());
    let plain = [&greeting()[..12], b"PLAIN"].concat();
    assert_eq!(feed(&mut server, &plain, usize::MAX, now), error);
    assert_eq!(server.handle_input(&mut [], now), error);
    assert_eq!(server.handle_filled(now), error);
    assert_eq!(server.handle_eof(), error);
    assert_eq!(server.handle_timeout(now + 100 * SECOND), error);
    assert_eq!((server.poll_timeout(), server.is_ready()), (None, false));
    send(&mut server, &[b"late"], 1);
    assert_eq!(server.stats().unsent, 1);
    assert!(written(&mut server).len() > 64);
    assert_eq!(drain(&mut server), []);
}

#[test]
fn messages_before_an_error_are_delivered() {
    let now = Instant::now();
    let stream = [frame(0, b"good"), command("PING", b"\0")].concat();
    let mut server = ready(named("server"), now);
    assert!(feed(&mut server, &stream, usize::MAX, now).is_err());
    assert_eq!(drain(&mut server), [message(&[b"good"])]);
}

#[test]
fn nothing_but_the_handshake_leaves_before_the_peer_is_ready() {
    let now = Instant::now();
    let (mut client, _) = pair(now);
    let birth = client.backlog();
    feed(&mut client, &greeting(), usize::MAX, now).unwrap();
    assert!(client.handle_timeout(now + 9 * SECOND).is_ok());
    assert_eq!(client.backlog(), birth);
    let router = ready_command(&[(b"Socket-Type", b"ROUTER")]);
    feed(&mut client, &router, usize::MAX, now).unwrap();
    assert!(client.is_ready());
    assert_eq!(written(&mut client)[birth..], [0, 0]);
}

#[test]
fn silence_is_asked_about_and_an_answer_ends_it() {
    let now = Instant::now();
    let mut server = ready(named("server"), now);
    let first = server.poll_timeout().unwrap();
    assert!((4_500..=5_500).contains(&(first - now).as_millis()));
    server.handle_timeout(first - Duration::from_millis(1)).unwrap();
    assert_eq!(server.backlog(), 0);
    server.handle_timeout(first).unwrap();
    assert_eq!(written(&mut server), hex("0407 0450494e47 0096"));
    feed(&mut server, &command("PONG", b""), usize::MAX, first + SECOND).unwrap();
    assert_eq!(server.stats().pongs, 1);
    // Moments that a driver leaves out are its own pause, and nobody's silence.
    let (gone, error) = (first + 16 * SECOND, Err(PeerError::HeartbeatTimeout));
    let ended = loop {
        let at = server.poll_timeout().unwrap();
        match server.handle_timeout(at) {
            Ok(()) => assert!(at < gone),
            ended => break (at, ended),
        }
    };
    assert_eq!(ended, (gone, error));
}

#[test]
fn traffic_moves_no_timer_and_needs_no_ping() {
    let now = Instant::now();
    let mut server = ready(named("server"), now);
    let first = server.poll_timeout().unwrap();
    feed(&mut server, &frame(0, b"m"), usize::MAX, first - SECOND).unwrap();
    assert_eq!(server.poll_timeout(), Some(first));
    server.handle_timeout(first).unwrap();
    assert_eq!(server.backlog(), 0);
    assert!(server.poll_timeout().unwrap() > first);
}

#[test]
fn a_3_0_peer_gets_no_ping_and_may_be_silent() {
    let now = Instant::now();
    let mut bytes = handshake();
    bytes[11] = 0;
    let mut server = accepting(named("server"), now);
    feed(&mut server, &bytes, 1, now).unwrap();
    assert!(matches!(&drain(&mut server)[..], [Seen::Ready(ready)] if ready.minor == 0));
    written(&mut server);
    assert_eq!(server.poll_timeout(), None);
    assert_eq!(server.handle_timeout(now + 1_000 * SECOND), Ok(()));
}

#[test]
fn a_ttl_runs_from_the_ping_to_the_next_byte() {
    let now = Instant::now();
    for (after, outcome) in [
        (&b""[..], Err(PeerError::HeartbeatTimeout)),
        (&frame(0, b"m")[..], Ok(())),
        (&[0], Ok(())),
    ] {
        let mut server = ready(named("server"), now);
        let ping = [&command("PING", b"\0\x0a")[..], after].concat();
        feed(&mut server, &ping, usize::MAX, now).unwrap();
        assert_eq!(server.handle_timeout(now + SECOND / 2), Ok(()));
        assert_eq!(server.handle_timeout(now + SECOND), outcome, "{after:?}");
    }
}

#[test]
fn a_reply_over_255_bytes_takes_the_long_form() {
    let now = Instant::now();
    let mut server = ready(named("server"), now);
    send(&mut server, &[&[1; 255], &[2; 256]], 0);
    let bytes = written(&mut server);
    assert_eq!(bytes[..2], [MORE, 255]);
    assert_eq!(bytes[257..266], long_header(0, 256));
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// What a fresh connection makes of `stream`, cut into pieces of those sizes in turn.
fn outcome(stream: &[u8], pieces: &[usize]) -> (Vec<Seen>, Result<(), PeerError>, Vec<u8>) {
    let now = Instant::now();
    let config: Arc<ConnectionConfig> = config(|_| {});
    let mut connection = accepting(config, now);
    let (mut rest, mut result) = (stream, Ok(()));
    for piece in pieces.iter().cycle() {
        let (next, behind) = rest.split_at((*piece).min(rest.len()));
        result = result.and(connection.handle_input(&mut next.to_vec(), now));
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    let result = result.and_then(|()| connection.handle_eof());
    (drain(&mut connection), result, written(&mut connection))
}

/// Frames as peers write them, some of them wrong.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let body = prop::collection::vec(any::<u8>(), 0..300);
    let data = (0..5_usize, prop::collection::vec(any::<u8>(), 0..40));
    let one = prop_oneof![
        6 => (0..2_u8, body).prop_map(|(flags, body)| frame(flags, &body)),
        3 => data.prop_map(|(name, data)| {
            command(["PING", "PONG", "FOO", "READY", "CANCEL"][name], &data)
        }),
        1 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(flags, body)| frame(flags & !LONG, &body)),
    ];
    prop::collection::vec(one, 0..12).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes_give_events_or_an_error_and_nothing_else(
        lead in 0..3_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        pieces in prop::collection::vec(1..90_usize, 1..8),
    ) {
        let stream = [[&[][..], &greeting(), &handshake()][lead], &bytes].concat();
        prop_assert_eq!(outcome(&stream, &pieces), outcome(&stream, &[usize::MAX]));
    }

    #[test]
    fn b_13_every_way_of_cutting_gives_the_same_events(
        frames in frames(),
        pieces in prop::collection::vec(1..40_usize, 1..8),
    ) {
        let stream = [handshake(), frames].concat();
        let whole = outcome(&stream, &[usize::MAX]);
        prop_assert_eq!(&outcome(&stream, &[1]), &whole);
        prop_assert_eq!(&outcome(&stream, &pieces), &whole);
    }
}
