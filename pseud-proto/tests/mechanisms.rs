//! Conversations under PLAIN and CURVE, in both roles.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod secured;

use bytes::Bytes;
use proptest::prelude::*;
use pseud_proto::zmtp::*;
use pseud_proto::{Incompatible, Misbehaved, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{command, frame, greeting_of, libzmq_error, ready_command};
use secured::*;
use std::time::{Duration, Instant};

const CHUNKS: [usize; 6] = [1, 2, 7, 63, 1_000, usize::MAX];
const SIDES: [Side; 2] = [Side::Connecting, Side::Accepting];
const SECOND: Duration = Duration::from_secs(1);

/// Sizes around each edge: short and long frames, small and large boxes, copied and own buffers.
const SIZES: [usize; 15] =
    [0, 1, 32, 95, 96, 192, 222, 223, 255, 256, 2_048, 2_049, 65_536, 65_537, 300_000];

#[test]
fn both_roles_agree_in_pieces_of_any_size_whoever_connects() {
    let now = Instant::now();
    for (room, side) in rooms().into_iter().flat_map(|room| SIDES.map(|side| (room.clone(), side)))
    {
        for chunk in CHUNKS {
            let (mut client, mut server) = room.open(side, now);
            let met = meet(&mut client, &mut server, chunk, &admit(), now);
            let [Seen::Ready(theirs)] = &met.client_seen[..] else { panic!("{met:?}") };
            let [Seen::Asked(_), Seen::Ready(ours)] = &met.server_seen[..] else {
                panic!("{met:?}")
            };
            assert_eq!((theirs.mechanism, ours.mechanism), (room.name, room.name));
            assert_eq!((&theirs.user.id()[..], &ours.user.id()[..]), (&b""[..], &b"me"[..]));
            exchange(&mut client, &mut server, chunk, now);
            exchange(&mut server, &mut client, chunk, now);
        }
    }
}

/// Sends messages of all sizes and numbers of parts.
fn exchange(from: &mut Connection, to: &mut Connection, chunk: usize, now: Instant) {
    let sizes = SIZES.into_iter().filter(|size| chunk > 60 || *size < 3_000);
    for (token, size) in (0..).zip(sizes) {
        let part = vec![size as u8; size];
        let parts = [&b""[..], &part, b"v1", &part];
        send(from, &parts[..1 + size % 4], token);
        let sent = message(&parts[..1 + size % 4]);
        converse(from, to, chunk, now);
        assert_eq!(drain(to), [sent], "{size}");
        assert_eq!(drain(from), [Seen::Written(token)]);
    }
    let body = Bytes::from(vec![b'b'; 70_000]);
    from.send(Outgoing { frames: &[b"f"], head: b"h", body: body.clone(), tail: b"t" }, Token(0));
    converse(from, to, chunk, now);
    let last = [&b"h"[..], &body, b"t"].concat();
    assert_eq!(drain(to), [message(&[b"f", &last])]);
    drain(from);
}

#[test]
fn what_is_asked() {
    let now = Instant::now();
    let (mut client, mut server) = plain().open(Side::Connecting, now);
    let met = meet(&mut client, &mut server, usize::MAX, &admit(), now);
    let (username, password) = (USERNAME.into(), Secret::new(PASSWORD));
    assert_eq!(met.server_seen[0], Seen::Asked(Question::Plain { username, password }));
    #[cfg(feature = "_curve")]
    {
        let (mut client, mut server) = curve().open(Side::Connecting, now);
        let met = meet(&mut client, &mut server, usize::MAX, &admit(), now);
        let client_key = *client_pair().public();
        assert_eq!(met.server_seen[0], Seen::Asked(Question::Curve { client_key }));
    }
}

#[test]
fn a_peer_that_is_not_admitted_is_told_why() {
    let now = Instant::now();
    for room in rooms() {
        for (verdict, code) in [(Verdict::Deny, 400), (Verdict::Unavailable, 500)] {
            let (mut client, mut server) = room.open(Side::Connecting, now);
            let met = meet(&mut client, &mut server, 1, &verdict, now);
            assert_eq!(met.server, Err(PeerError::Denied(code)));
            assert_eq!(met.client, Err(Incompatible::Refused(code).into()));
            assert!(!client.is_ready() && !server.is_ready());
            assert_eq!(met.client_seen, []);
            let reason = format!("\x03{code}").into_bytes();
            let error = match room.name {
                MechanismName::Plain => libzmq_error(&reason),
                _ => command("ERROR", &reason),
            };
            assert!(met.server_wrote.ends_with(&error), "{:?}", room.name);
        }
    }
}

#[test]
fn a_plain_client_knows_both_spellings_of_error() {
    for error in [command("ERROR", b"\x03400"), libzmq_error(b"\x03400")] {
        let now = Instant::now();
        let mut client = Connection::new(plain().client, Side::Connecting, [1; 32], now);
        let bytes = [greeting_of("PLAIN"), error].concat();
        let refused = feed(&mut client, &bytes, 1, now);
        assert_eq!(refused, Err(Incompatible::Refused(400).into()));
    }
}

#[test]
fn a_question_is_asked_once_and_waits_no_longer_than_the_handshake_may() {
    let now = Instant::now();
    for room in rooms() {
        let mut server = asked(&room, now);
        assert_eq!((server.backlog(), server.is_ready()), (0, false));
        assert_eq!(server.poll_timeout(), Some(now + 10 * SECOND));
        server.handle_timeout(now + 9 * SECOND).unwrap();
        let late = server.handle_timeout(now + 10 * SECOND);
        assert_eq!(late, Err(Misbehaved::HandshakeTimeout.into()));
        assert_eq!(server.answer(admit(), now + 11 * SECOND), late);
        assert_eq!((server.backlog(), drain(&mut server)), (0, vec![]));
    }
}

/// A server that has just asked.
fn asked(room: &Room, now: Instant) -> Connection {
    let (mut client, mut server) = room.open(Side::Connecting, now);
    while drain(&mut server).is_empty() {
        let (from_client, from_server) = (written(&mut client), written(&mut server));
        feed(&mut server, &from_client, usize::MAX, now).unwrap();
        feed(&mut client, &from_server, usize::MAX, now).unwrap();
    }
    server
}

/// Also where nobody has told it yet that its time is over.
#[test]
fn an_answer_behind_the_deadline_admits_nobody() {
    let now = Instant::now();
    for room in rooms() {
        let (mut in_time, mut late) = (asked(&room, now), asked(&room, now));
        assert_eq!(in_time.answer(admit(), now + 10 * SECOND - SECOND / 1_000), Ok(()));
        let error = Misbehaved::HandshakeTimeout.into();
        assert_eq!(late.answer(admit(), now + 10 * SECOND), Err(error));
        assert_eq!(late.answer(admit(), now), Err(error));
        assert_eq!((late.backlog(), drain(&mut late)), (0, vec![]));
    }
}

#[test]
fn only_the_first_answer_counts() {
    let now = Instant::now();
    for room in rooms() {
        let (client, mut server) = room.ready(now);
        for verdict in [Verdict::Deny, Verdict::Unavailable, admit()] {
            assert_eq!(server.answer(verdict, now), Ok(()));
        }
        assert!(client.is_ready() && server.is_ready());
        assert_eq!((server.backlog(), drain(&mut server)), (0, vec![]));
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "before Event::Ask")]
fn an_answer_to_no_question_is_a_mistake() {
    let now = Instant::now();
    let (_, mut server) = plain().open(Side::Connecting, now);
    let _ = server.answer(admit(), now);
}

#[test]
fn a_peer_that_does_not_wait_for_the_verdict_goes() {
    let now = Instant::now();
    let hello = [greeting_of("PLAIN"), command("HELLO", b"\x01u\x01p")].concat();
    let initiate = command("INITIATE", b"");
    for (next, error) in [
        (initiate, Misbehaved::UnexpectedCommand),
        (frame(0, b"message"), Misbehaved::EarlyMessage),
    ] {
        let mut server = Connection::new(plain().server, Side::Accepting, [1; 32], now);
        feed(&mut server, &hello, usize::MAX, now).unwrap();
        assert_eq!(feed(&mut server, &next, usize::MAX, now), Err(error.into()));
        assert_eq!(server.answer(admit(), now), Err(error.into()));
    }
}

/// `User-Id` is what our own admission said, never what a peer says.
#[test]
fn nobody_sets_their_own_user_id() {
    let now = Instant::now();
    let metadata = ready_command(&[(b"Socket-Type", b"DEALER"), (b"User-Id", b"root")]);
    let initiate = command("INITIATE", &metadata[8..]);
    let mut server = Connection::new(plain().server, Side::Accepting, [1; 32], now);
    let hello = [greeting_of("PLAIN"), command("HELLO", b"\x01u\x01p")].concat();
    feed(&mut server, &hello, usize::MAX, now).unwrap();
    server.answer(admit(), now).unwrap();
    feed(&mut server, &initiate, usize::MAX, now).unwrap();
    let seen = drain(&mut server);
    let [Seen::Asked(_), Seen::Ready(ready)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((&ready.user.id()[..], &ready.properties[..]), (&b"me"[..], &[][..]));
}

#[test]
fn the_greeting_says_who_is_the_server() {
    let now = Instant::now();
    for room in rooms() {
        let (mut client, mut server) = room.open(Side::Accepting, now);
        assert_eq!((written(&mut client)[32], written(&mut server)[32]), (0, 1));
    }
}

#[test]
fn every_handshake_survives_one_cut_at_every_byte() {
    let now = Instant::now();
    for room in rooms() {
        for cut in 1..400 {
            let (mut client, mut server) = room.open(Side::Connecting, now);
            while client.backlog() + server.backlog() > 0 {
                let (from_client, from_server) = (written(&mut client), written(&mut server));
                cut_once(&mut server, &from_client, cut, now);
                cut_once(&mut client, &from_server, cut, now);
                if drain(&mut server).iter().any(|seen| matches!(seen, Seen::Asked(_))) {
                    server.answer(admit(), now).unwrap();
                }
            }
            assert!(client.is_ready() && server.is_ready(), "{cut}");
        }
    }
}

fn cut_once(connection: &mut Connection, bytes: &[u8], cut: usize, now: Instant) {
    let (front, back) = bytes.split_at(cut.min(bytes.len()));
    connection.handle_input(&mut front.to_vec(), now).unwrap();
    connection.handle_input(&mut back.to_vec(), now).unwrap();
}

/// What a fresh connection of that room makes of bytes behind a good greeting.
fn outcome(room: &Room, is_client: bool, bytes: &[u8], chunk: usize) -> Result<(), PeerError> {
    let now = Instant::now();
    let (client, server) = room.open(Side::Connecting, now);
    let mut connection = if is_client { client } else { server };
    let name = if room.name == MechanismName::Plain { "PLAIN" } else { "CURVE" };
    feed(&mut connection, &[greeting_of(name), bytes.to_vec()].concat(), chunk, now)
}

#[test]
fn c_11_what_does_not_fit_a_hello_is_not_cut() {
    let now = Instant::now();
    for (username, password, what) in [(256, 0, "username bytes"), (0, 256, "password bytes")] {
        let (username, password) = (vec![b'u'; username].into(), Secret::new(vec![b'p'; password]));
        let config = with(MechanismConfig::PlainClient { username, password });
        let mut client = Connection::new(config, Side::Connecting, [1; 32], now);
        let refused = feed(&mut client, &greeting_of("PLAIN"), 1, now);
        assert_eq!(refused, Err(PeerError::TooLarge { what, size: 256, max: 255 }));
        assert_eq!(client.backlog(), 64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..Default::default() })]

    #[test]
    fn any_bytes_give_an_error_or_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        is_client: bool,
        chunk in 1..50_usize,
    ) {
        for room in rooms() {
            let whole = outcome(&room, is_client, &bytes, usize::MAX);
            prop_assert_eq!(outcome(&room, is_client, &bytes, chunk), whole);
        }
    }

    #[test]
    fn any_commands_give_an_error_or_nothing(
        commands in prop::collection::vec(
            (0..6_usize, prop::collection::vec(any::<u8>(), 0..300)), 1..4),
        is_client: bool,
        chunk in 1..50_usize,
    ) {
        let names = ["HELLO", "WELCOME", "INITIATE", "READY", "ERROR", "MESSAGE"];
        let bytes: Vec<u8> =
            commands.iter().flat_map(|(name, data)| command(names[*name], data)).collect();
        for room in rooms() {
            let whole = outcome(&room, is_client, &bytes, usize::MAX);
            prop_assert_eq!(outcome(&room, is_client, &bytes, chunk), whole);
        }
    }

    #[test]
    fn any_bytes_behind_a_handshake_are_refused_or_awaited(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        is_message: bool,
    ) {
        let now = Instant::now();
        for room in rooms() {
            let (mut client, mut server) = room.ready(now);
            let bytes = match is_message {
                true => frame(0, &[b"\x07MESSAGE", &bytes[..]].concat()),
                false => bytes.clone(),
            };
            for connection in [&mut client, &mut server] {
                let _ = feed(connection, &bytes, 7, now);
                let seen = drain(connection);
                prop_assert!(room.name == MechanismName::Plain || seen.is_empty(), "{:?}", seen);
            }
        }
    }
}

#[cfg(feature = "_curve")]
mod curve_alone {
    use super::*;

    #[test]
    fn pings_are_sealed_and_answered() {
        let now = Instant::now();
        let (mut client, mut server) = curve().ready(now);
        let due = server.poll_timeout().unwrap();
        server.handle_timeout(due).unwrap();
        let ping = written(&mut server);
        assert_eq!((ping[..2].to_vec(), ping.len()), (vec![0, 33 + 7], 2 + 33 + 7));
        assert!(!ping.windows(4).any(|window| window == b"PING"));
        feed(&mut client, &ping, 1, due).unwrap();
        let pong = written(&mut client);
        assert_eq!(pong.len(), 2 + 33 + 5);
        feed(&mut server, &pong, 1, due).unwrap();
        assert_eq!((client.stats().pings, server.stats().pongs), (1, 1));
    }

    #[test]
    fn a_large_frame_is_read_and_opened_in_its_place() {
        let now = Instant::now();
        let (mut client, mut server) = curve().ready(now);
        let body: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        send(&mut client, &[b"a", &body], 1);
        send(&mut client, &[b"next"], 2);
        let stream = written(&mut client);
        feed_in_place(&mut server, &stream, now);
        assert_eq!(drain(&mut server), [message(&[b"a", &body]), message(&[b"next"])]);
    }

    #[test]
    fn nothing_of_a_message_is_seen_on_the_wire() {
        let now = Instant::now();
        let (mut client, _) = curve().ready(now);
        let marker = b"a marker of sixteen or more";
        for size in [0, 100, 300, 3_000, 100_000] {
            let body = [&marker[..], &vec![7; size], marker].concat();
            send(&mut client, &[marker, &body], 1);
            let bytes = written(&mut client);
            assert!(!bytes.windows(8).any(|window| marker.starts_with(window)), "{size}");
        }
    }

    #[test]
    fn a_probe_is_a_sealed_empty_message() {
        let now = Instant::now();
        let mut room = curve();
        let mut config = (*room.client).clone();
        config.probe = true;
        room.client = config.into();
        let (mut client, mut server) = room.open(Side::Connecting, now);
        let met = meet(&mut client, &mut server, usize::MAX, &admit(), now);
        assert_eq!(met.server_seen.last(), Some(&message(&[b""])));
        assert_eq!(met.client_wrote[met.client_wrote.len() - 35..][..10], *b"\0\x21\x07MESSAGE");
    }

    #[test]
    fn keys_are_changed_without_a_gap() {
        let now = Instant::now();
        let [old, new, other] = [1, 2, 3].map(|byte| KeyPair::generate([byte; 32]));
        let both = with(MechanismConfig::CurveServer { key_pairs: vec![new.clone(), old.clone()] });
        for (known, attempt, outcome) in [
            (vec![old.public()], 0, true),
            (vec![new.public()], 0, true),
            (vec![other.public()], 0, false),
            (vec![other.public(), new.public()], 0, false),
            (vec![other.public(), new.public()], 1, true),
            (vec![other.public(), new.public()], 2, false),
            (vec![], 0, false),
        ] {
            let known: Vec<PublicKey> = known.into_iter().copied().collect();
            let config = with(curve_client(&known));
            let side = Side::Connecting;
            let mut client = Connection::for_attempt(config, side, attempt, [1; 32], now);
            let mut server = Connection::new(both.clone(), Side::Accepting, [2; 32], now);
            meet(&mut client, &mut server, usize::MAX, &admit(), now);
            assert_eq!((client.is_ready(), server.is_ready()), (outcome, outcome), "{known:?}");
        }
    }

    #[test]
    fn limits_hold_inside_boxes() {
        let now = Instant::now();
        let mut room = curve();
        let mut config = (*room.server).clone();
        config.limits.frames_max = 2;
        config.limits.frame_bytes_max = 1_033;
        config.limits.command_bytes_max = 600;
        room.server = config.into();
        let too_large = |what, size, max| Err(PeerError::TooLarge { what, size, max });
        for (parts, outcome) in [
            (vec![&[0; 1_000][..], b""], Ok(())),
            (vec![&[0; 1_001][..]], too_large("frame bytes", 1_034, 1_033)),
            (vec![b"", b"", b""], too_large("frames of a message", 3, 2)),
        ] {
            let (mut client, mut server) = room.ready(now);
            send(&mut client, &parts, 1);
            let bytes = written(&mut client);
            assert_eq!(feed(&mut server, &bytes, usize::MAX, now), outcome);
            let (mut client, mut server) = room.ready(now);
            send(&mut client, &parts, 1);
            assert_eq!(feed(&mut server, &written(&mut client), 1, now), outcome);
        }
    }
}
