//! Hostile CURVE peers: each has one exact answer.
#![cfg(feature = "_curve")]
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod rogue;
mod secured;

use pseud_proto::zmtp::*;
use pseud_proto::{Incompatible, Insecure, Malformed, Misbehaved, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{
    COMMAND, LONG, MORE, command, frame, greeting, greeting_of, ready_command,
};
use rogue::*;
use secured::*;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_04_zmtp_1_0_and_noise_are_a_downgrade_at_their_first_byte() {
    let now = Instant::now();
    for room in rooms() {
        for config in [&room.client, &room.server] {
            for bytes in
                [&[0x01][..], &[0x00], b"GET / HTTP/1.1", &[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0]]
            {
                let mut connection = Connection::new(config.clone(), Side::Accepting, [1; 32], now);
                let refused = feed(&mut connection, bytes, 1, now);
                assert_eq!(refused, Err(Insecure::Downgrade.into()), "{bytes:?}");
                assert_eq!(connection.backlog(), 64);
            }
        }
    }
}

#[test]
fn a_05_zmtp_2_0_is_a_downgrade() {
    let now = Instant::now();
    for room in rooms() {
        for revision in [0, 1, 2] {
            let mut server = Connection::new(room.server.clone(), Side::Accepting, [1; 32], now);
            let mut bytes = greeting()[..11].to_vec();
            bytes[10] = revision;
            assert_eq!(feed(&mut server, &bytes, 1, now), Err(Insecure::Downgrade.into()));
        }
    }
}

#[test]
fn d_01_hello_of_another_shape() {
    let good = forger().hello();
    assert_eq!(to_greeted("HELLO", &good), Ok(()));
    let refused = Err(Insecure::Hello.into());
    assert_eq!(to_greeted("HELLO", &good[..193]), refused);
    assert_eq!(to_greeted("HELLO", &[&good[..], b"\0"].concat()), refused);
    assert_eq!(to_greeted("HELLO", b""), refused);
    for at in 0..74 {
        let mut changed = good.clone();
        changed[at] ^= 1 + u8::from(at == 0);
        assert_eq!(to_greeted("HELLO", &changed), refused, "{at}");
    }
    assert_eq!(to_greeted("HELLo", &good), Err(Misbehaved::UnexpectedCommand.into()));
}

#[test]
fn d_01_hello_whose_box_holds_something() {
    let rogue = forger();
    let mut content = [0; 64];
    content[63] = 1;
    let hello = rogue.hello_around(&content);
    assert_eq!(to_greeted("HELLO", &hello), Err(Insecure::Hello.into()));
}

#[test]
fn d_02_hello_for_another_server_or_with_a_wrong_box() {
    let good = forger().hello();
    for at in 74..194 {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_eq!(to_greeted("HELLO", &changed), Err(Insecure::Box.into()), "{at}");
    }
    let server_key = Keys::generate([7; 32]).public;
    let stray = Forger { server_key, ..forger() };
    assert_eq!(to_greeted("HELLO", &stray.hello()), Err(Insecure::Box.into()));
}

#[test]
fn d_02_a_server_that_goes_after_hello_most_likely_has_another_key() {
    let now = Instant::now();
    let (mut client, hello) = greeted_client(now);
    assert_eq!(client.handle_eof(), Err(Insecure::HelloRefused.into()));
    let (mut client, _) = greeted_client(now);
    let welcome = welcome(&hello, &keys(&server_pair()), client_pair().public().as_bytes());
    feed(&mut client, &command("WELCOME", &welcome), 1, now).unwrap();
    assert_eq!(client.handle_eof(), Err(Misbehaved::HandshakeIncomplete.into()));
}

#[test]
fn d_03_weak_keys_of_a_client() {
    let now = Instant::now();
    for weak in weak_keys() {
        let mut hello = forger().hello();
        hello[74..106].copy_from_slice(&weak);
        assert_eq!(to_greeted("HELLO", &hello), Err(Insecure::WeakKey.into()), "{weak:?}");

        let mut rogue = forger();
        let mut server = welcomed(&mut rogue, 1, now);
        let initiate = rogue.initiate_as(&weak, &rogue.good_vouch(), &metadata());
        let refused = feed(&mut server, &command("INITIATE", &initiate), 1, now);
        assert_eq!(refused, Err(Insecure::WeakKey.into()));
    }
}

#[test]
fn d_03_weak_keys_of_a_server() {
    let now = Instant::now();
    for weak in weak_keys() {
        let config = with(curve_client(&[PublicKey::from_bytes(weak)]));
        let mut client = Connection::new(config, Side::Connecting, [1; 32], now);
        let refused = feed(&mut client, &greeting_of("CURVE"), 1, now);
        assert_eq!(refused, Err(Insecure::WeakKey.into()));
        assert_eq!(client.backlog(), 64);

        let (mut client, hello) = greeted_client(now);
        let welcome = welcome(&hello, &keys(&server_pair()), &weak);
        let refused = feed(&mut client, &command("WELCOME", &welcome), 1, now);
        assert_eq!(refused, Err(Insecure::WeakKey.into()));
    }
}

/// A client that has sent HELLO, whose data that is.
fn greeted_client(now: Instant) -> (Connection, Vec<u8>) {
    let mut client = Connection::new(curve().client, Side::Connecting, [1; 32], now);
    feed(&mut client, &greeting_of("CURVE"), 1, now).unwrap();
    let hello = written(&mut client).split_off(72);
    (client, hello)
}

/// What a flood of HELLOs costs in memory is in `curve_memory.rs`.
#[test]
fn d_04_the_answer_to_hello_is_shorter_and_comes_once() {
    let now = Instant::now();
    let mut server = greeted(1, now);
    written(&mut server);
    let hello = command("HELLO", &forger().hello());
    feed(&mut server, &hello, 1, now).unwrap();
    assert!(server.backlog() < hello.len());
    assert_eq!(drain(&mut server), []);
}

#[test]
fn d_05_hello_again() {
    let now = Instant::now();
    let mut rogue = forger();
    let mut server = welcomed(&mut rogue, 1, now);
    let again = feed(&mut server, &command("HELLO", &rogue.hello()), 1, now);
    assert_eq!(again, Err(Misbehaved::UnexpectedCommand.into()));
    assert_eq!(server.backlog(), 0);
}

#[test]
fn d_06_initiate_out_of_shape_or_out_of_turn() {
    let now = Instant::now();
    let mut rogue = forger();
    welcomed(&mut rogue, 1, now);
    let good = rogue.initiate(&rogue.good_vouch(), &metadata());
    let unexpected = Err(Misbehaved::UnexpectedCommand.into());
    assert_eq!(to_greeted("INITIATE", &good), unexpected);
    for (name, data, outcome) in [
        ("INITIATE", &good[..], Ok(())),
        ("INITIATe", &good, unexpected),
        ("MESSAGE", &good, unexpected),
        ("INITIATE", &good[..103], Err(Malformed::BadCommand.into())),
        ("INITIATE", &good[..104], Err(Insecure::Box.into())),
        ("INITIATE", &good[..247], Err(Insecure::Box.into())),
        ("INITIATE", b"", Err(Malformed::BadCommand.into())),
    ] {
        let mut server = welcomed(&mut rogue.clone(), 1, now);
        assert_eq!(feed(&mut server, &command(name, data), 1, now), outcome, "{name}");
    }
}

#[test]
fn d_07_initiate_with_64_kib_of_metadata() {
    let now = Instant::now();
    let mut rogue = forger();
    let mut server = welcomed(&mut rogue, 1, now);
    let initiate = rogue.initiate(&rogue.good_vouch(), &[0; 64 * 1024]);
    let bytes = command("INITIATE", &initiate);
    let size = bytes.len() as u64 - 9;
    let refused = feed(&mut server, &bytes[..9], 1, now);
    assert_eq!(refused, Err(PeerError::TooLarge { what: "command bytes", size, max: 4_096 }));
}

#[test]
fn d_08_a_cookie_that_is_not_of_this_link() {
    let now = Instant::now();
    let mut rogue = forger();
    let mut server = welcomed(&mut rogue, 1, now);
    let mut other = rogue.clone();
    welcomed(&mut other, 2, now);
    assert_ne!(rogue.cookie, other.cookie);
    let initiate = Forger { cookie: other.cookie, ..rogue.clone() };
    let initiate = initiate.initiate(&rogue.good_vouch(), &metadata());
    let refused = feed(&mut server, &command("INITIATE", &initiate), 1, now);
    assert_eq!(refused, Err(Insecure::Cookie.into()));
    for at in [0, 15, 16, 95] {
        let mut server = welcomed(&mut rogue, 1, now);
        let mut initiate = rogue.initiate(&rogue.good_vouch(), &metadata());
        initiate[at] ^= 0x10;
        let refused = feed(&mut server, &command("INITIATE", &initiate), 1, now);
        assert_eq!(refused, Err(Insecure::Cookie.into()));
    }
}

#[test]
fn d_08_a_cookie_lives_for_60_seconds_whatever_is_configured() {
    let now = Instant::now();
    let config = config(|config| {
        config.mechanism = curve_server();
        config.handshake_timeout = 3_600 * SECOND;
    });
    let mut server = greeted_as(config, 1, now);
    feed(&mut server, &command("HELLO", &forger().hello()), 1, now).unwrap();
    assert_eq!(server.poll_timeout(), Some(now + 60 * SECOND));
    let late = server.handle_timeout(now + 60 * SECOND);
    assert_eq!(late, Err(Misbehaved::HandshakeTimeout.into()));
}

#[test]
fn d_09_vouches_that_prove_nothing() {
    let now = Instant::now();
    let mut rogue = forger();
    welcomed(&mut rogue, 1, now);
    let other = Keys::generate([7; 32]);
    let (transient, server_key) = (&rogue.transient.public, rogue.server_key);
    let mut flipped = rogue.good_vouch();
    flipped[50] ^= 1;
    for vouch in [
        rogue.vouch(transient, &other.public, &rogue.key_pair),
        rogue.vouch(&other.public, &server_key, &rogue.key_pair),
        rogue.vouch(transient, &server_key, &other),
        flipped,
        vec![0; 96],
    ] {
        let mut server = welcomed(&mut rogue.clone(), 1, now);
        let initiate = rogue.initiate(&vouch, &metadata());
        let refused = feed(&mut server, &command("INITIATE", &initiate), 1, now);
        assert_eq!(refused, Err(Insecure::Vouch.into()));
        assert_eq!(drain(&mut server), [], "nobody was asked about an unproven key");
    }
}

#[test]
fn d_10_d_11_numbers_that_do_not_count_by_one() {
    let now = Instant::now();
    for (numbers, last, outcome) in [
        (vec![3, 4, 5], 6, Ok(())),
        (vec![3], 3, Err(Insecure::Replay)),
        (vec![3, 4], 3, Err(Insecure::Replay)),
        (vec![3], 0, Err(Insecure::Replay)),
        (vec![], 2, Err(Insecure::Replay)),
        (vec![], 4, Err(Insecure::Gap)),
        (vec![3, 4], 6, Err(Insecure::Gap)),
        (vec![3], u64::MAX, Err(Insecure::Gap)),
    ] {
        let (rogue, mut server) = admitted(now);
        for number in &numbers {
            feed(&mut server, &frame(0, &rogue.message(*number, b"\0x")), 1, now).unwrap();
        }
        let end = feed(&mut server, &frame(0, &rogue.message(last, b"\0x")), 1, now);
        assert_eq!(end, outcome.map_err(PeerError::from), "{numbers:?} {last}");
        assert_eq!(drain(&mut server).len(), numbers.len() + usize::from(outcome.is_ok()));
    }
}

#[test]
fn d_11_numbers_of_the_handshake_count_by_one() {
    let now = Instant::now();
    for (number, outcome) in [
        (2, Ok(())),
        (0, Err(Insecure::Replay)),
        (1, Err(Insecure::Replay)),
        (3, Err(Insecure::Gap)),
        (u64::MAX, Err(Insecure::Gap)),
    ] {
        let mut rogue = forger();
        let mut server = welcomed(&mut rogue, 1, now);
        let initiate = rogue.initiate_numbered(number, &rogue.good_vouch(), &metadata());
        let end = feed(&mut server, &command("INITIATE", &initiate), 1, now);
        assert_eq!(end, outcome.map_err(PeerError::from), "INITIATE {number}");
    }
    let (middle, transient) = (keys(&server_pair()), Keys::generate([0x0d; 32]));
    for (number, outcome) in [
        (1, Ok(())),
        (0, Err(Insecure::Replay)),
        (2, Err(Insecure::Gap)),
        (u64::MAX, Err(Insecure::Gap)),
    ] {
        let (mut client, hello) = greeted_client(now);
        let welcome = welcome(&hello, &middle, &transient.public);
        feed(&mut client, &command("WELCOME", &welcome), 1, now).unwrap();
        let ready = ready_numbered(number, &hello, &transient, &server_metadata());
        let end = feed(&mut client, &command("READY", &ready), 1, now);
        assert_eq!(end, outcome.map_err(PeerError::from), "READY {number}");
        assert_eq!(client.is_ready(), outcome.is_ok());
    }
}

#[test]
fn d_12_a_recorded_session_replayed() {
    let now = Instant::now();
    let (mut client, mut server) = curve().open(Side::Connecting, now);
    let met = meet(&mut client, &mut server, usize::MAX, &admit(), now);
    send(&mut client, &[b"pay", b"100"], 1);
    let recorded = [met.client_wrote, written(&mut client)].concat();

    let replay = |config, seed| {
        let mut server = Connection::new(config, Side::Accepting, [seed; 32], now);
        let outcome = feed(&mut server, &recorded, 1, now);
        (outcome, drain(&mut server))
    };
    assert_eq!(replay(curve().server, 0x77), (Err(Insecure::Cookie.into()), vec![]));
    let another = MechanismConfig::CurveServer { key_pairs: vec![KeyPair::generate([7; 32])] };
    assert_eq!(replay(with(another), 0x77), (Err(Insecure::Box.into()), vec![]));
}

#[test]
fn d_13_a_forged_message_with_a_high_number() {
    let now = Instant::now();
    for (number, refused) in [(1 << 60, Insecure::Gap), (4, Insecure::Box)] {
        let (rogue, mut server) = admitted(now);
        let mut forged = rogue.message(number, b"\0x");
        forged[20] ^= 1;
        let stream = [frame(0, &rogue.message(3, b"\0good")), frame(0, &forged)].concat();
        assert_eq!(feed(&mut server, &stream, 1, now), Err(refused.into()));
        assert_eq!(drain(&mut server), [message(&[b"good"])]);
    }
}

#[test]
fn d_14_the_callers_buffer_shows_no_plaintext_of_a_forgery() {
    let now = Instant::now();
    for len in [10, 100, 1_000] {
        let (rogue, mut server) = admitted(now);
        let mut forged = frame(0, &rogue.message(3, &vec![0; len]));
        *forged.last_mut().unwrap() ^= 1;
        let mut buffer = forged.clone();
        assert_eq!(server.handle_input(&mut buffer, now), Err(Insecure::Box.into()));
        assert_eq!(buffer, forged);
    }
}

#[test]
fn d_16_two_clients_or_two_servers() {
    let now = Instant::now();
    for room in rooms() {
        let [mut one, mut other] = [1, 2]
            .map(|seed| Connection::new(room.client.clone(), Side::Connecting, [seed; 32], now));
        let met = meet(&mut one, &mut other, 1, &admit(), now);
        let unexpected = Err(Misbehaved::UnexpectedCommand.into());
        assert_eq!((met.client, met.server), (unexpected, unexpected));

        let [mut one, mut other] = [1, 2]
            .map(|seed| Connection::new(room.server.clone(), Side::Accepting, [seed; 32], now));
        let met = meet(&mut one, &mut other, 1, &admit(), now);
        assert_eq!((met.client, met.server), (Ok(()), Ok(())));
        for silent in [&mut one, &mut other] {
            let late = silent.handle_timeout(now + 10 * SECOND);
            assert_eq!(late, Err(Misbehaved::HandshakeTimeout.into()));
        }
    }
}

#[test]
fn d_16_a_denied_client_may_come_again() {
    let now = Instant::now();
    for side in [Side::Connecting, Side::Accepting] {
        for verdict in [Verdict::Deny, admit(), Verdict::Unavailable, admit()] {
            let (mut client, mut server) = curve().open(side, now);
            meet(&mut client, &mut server, 1, &verdict, now);
            let is_admitted = matches!(verdict, Verdict::Admit(_));
            assert_eq!((client.is_ready(), server.is_ready()), (is_admitted, is_admitted));
        }
    }
}

#[test]
fn d_17_a_key_from_the_wire_is_no_servers_key() {
    let now = Instant::now();
    let middle = Keys::generate([7; 32]);
    let (mut client, hello) = greeted_client(now);
    let welcome = welcome(&hello, &middle, &middle.public);
    let refused = feed(&mut client, &command("WELCOME", &welcome), 1, now);
    assert_eq!(refused, Err(Insecure::Box.into()));
    assert_eq!(client.backlog(), 0);
}

#[test]
fn d_18_another_mechanism_ends_the_link_before_any_credential_left() {
    let now = Instant::now();
    for room in rooms() {
        for config in [&room.client, &room.server] {
            for name in ["NULL", "PLAIN", "CURVE", "GSSAPI", ""] {
                if room.name == MechanismName::Plain && name == "PLAIN"
                    || room.name == MechanismName::Curve && name == "CURVE"
                {
                    continue;
                }
                let mut connection =
                    Connection::new(config.clone(), Side::Connecting, [1; 32], now);
                let ready = ready_command(&[(b"Socket-Type", b"ROUTER")]);
                let bytes = [greeting_of(name), ready].concat();
                let refused = feed(&mut connection, &bytes, 1, now);
                assert_eq!(refused, Err(Incompatible::MechanismMismatch.into()));
                assert_eq!(written(&mut connection).len(), 64);
            }
        }
    }
}

#[test]
fn d_18_no_credential_leaves_before_the_peers_whole_greeting_came() {
    let now = Instant::now();
    for (room, name) in rooms().into_iter().zip(["PLAIN", "CURVE"]) {
        let mut client = Connection::new(room.client, Side::Connecting, [1; 32], now);
        for byte in &greeting_of(name)[..63] {
            client.handle_input(&mut [*byte], now).unwrap();
            assert_eq!(client.backlog(), 64);
        }
        client.handle_input(&mut [0], now).unwrap();
        assert!(client.backlog() > 64);
    }
}

#[test]
fn d_19_inner_flags() {
    let now = Instant::now();
    for flags in 4..=255 {
        let (rogue, mut server) = admitted(now);
        let refused = feed(&mut server, &frame(0, &rogue.message(3, &[flags, b'x'])), 1, now);
        assert_eq!(refused, Err(Malformed::ReservedFlag.into()), "{flags}");
    }
    let (rogue, mut server) = admitted(now);
    let stream: Vec<u8> = [
        (COMMAND, rogue.message(3, b"\x01a")),
        (MORE, rogue.message(4, b"\x02\x04PING\0\0ctx")),
        (LONG, rogue.message(5, b"\x00b")),
        (MORE, rogue.message(6, b"\0")),
    ]
    .iter()
    .flat_map(|(flags, body)| frame(*flags, body))
    .collect();
    feed(&mut server, &stream, usize::MAX, now).unwrap();
    assert_eq!(drain(&mut server), [message(&[b"a", b"b"]), message(&[b""])]);
    assert_eq!(server.stats().pings, 1);
    assert_eq!(server.backlog(), 2 + 33 + 8);
}

#[test]
fn b_13_a_sealed_frame_that_does_not_open_counts_alike_whole_and_in_pieces() {
    let now = Instant::now();
    let counted = |chunk| {
        let (rogue, mut server) = admitted(now);
        let mut forged = rogue.message(3, b"\0x");
        forged[20] ^= 1;
        feed(&mut server, &frame(0x80, &forged), chunk, now).unwrap_err();
        server.stats().reserved_flags
    };
    assert_eq!((counted(usize::MAX), counted(1)), (1, 1));
}

#[test]
fn d_19_sizes_and_names() {
    let now = Instant::now();
    let malformed = Err(Malformed::BadCommand.into());
    let unexpected = Err(Misbehaved::UnexpectedCommand.into());
    let (rogue, _) = admitted(now);
    let good = rogue.message(3, b"\0");
    assert_eq!(good.len(), 33);
    for (body, outcome) in [
        (&good[..], Ok(())),
        (&rogue.message(3, b"")[..], malformed),
        (&good[..32], malformed),
        (&good[..8], malformed),
        (&good[..7], malformed),
        (b"", malformed),
        (b"\x04PING\0\0 and so on", unexpected),
        (b"an unsealed message", unexpected),
    ] {
        for flags in [0, COMMAND] {
            let (_, mut server) = admitted(now);
            assert_eq!(feed(&mut server, &frame(flags, body), 1, now), outcome, "{body:?}");
        }
    }
}
