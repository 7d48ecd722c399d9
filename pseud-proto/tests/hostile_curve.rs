//! Hostile CURVE peers, where only the connection itself shows what must hold. What has one answer whoever
//! looks is in `attacks`.
#![cfg(feature = "_curve")]
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod rogue;
mod secured;

use pseud_proto::zmtp::*;
use pseud_proto::{Insecure, Malformed, Misbehaved};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{COMMAND, LONG, MORE, command, frame, greeting_of};
use rogue::*;
use secured::*;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn d_03_weak_keys_of_a_server() {
    let now = Instant::now();
    for weak in weak_keys() {
        let config = with(curve_client(&[PublicKey::from_bytes(weak)]));
        let mut client = Connection::new(config, Side::Connecting, [1; 32], now);
        let refused = feed(&mut client, &greeting_of("CURVE"), 1, now);
        assert_eq!(refused, Err(Insecure::WeakKey.into()));
        assert_eq!(client.backlog(), 64);
    }
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
