//! HOSTILE N: strangers and rogues beside one channel.

use super::talk::{Peer, SECRET, open_server, packet, packets, pair, settle, settle_by};
use pseud_proto::kaa::Config;
use pseud_proto::value::Packed;
use pseud_proto::zmtp::Side;
use pseud_proto::{
    Action, CallOptions, Executed, Insecure, Malformed, Misbehaved, Outcome, PeerError, Reason,
};
use std::time::Duration;

/// `("add", (1, 2), {})`, as Python 3.11 writes it.
pub(crate) const ADD: &[u8] = b"\x80\x02X\x03\0\0\0addq\0K\x01K\x02\x86q\x01}q\x02\x87q\x03.";

fn refused(peer: &mut Peer, bytes: &[u8]) -> PeerError {
    peer.read(bytes);
    assert!(peer.is_closed() && peer.channel.peer().is_none());
    assert!(peer.requests().is_empty(), "nothing is served");
    peer.result.unwrap_err()
}

#[test]
fn n_01_a_length_is_judged_before_its_bytes_are_awaited() {
    let mut huge = packet(0, b"RESP", &[]);
    huge[8..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(refused(&mut Peer::server(), &huge), Malformed::BadHeader.into());
    huge[4..8].copy_from_slice(b"RETN");
    let max = Config::default().limits.body_bytes_max as u64;
    let too_large = PeerError::TooLarge { what: "packet bytes", size: u32::MAX.into(), max };
    assert_eq!(refused(&mut open_server(), &huge), too_large);
}

#[test]
fn n_01_a_stranger_is_kept_no_longer_than_its_proof() {
    let mut server = Peer::server();
    server.read(&packet(0, b"RESP", &[0; 60])[..71]);
    assert!(!server.is_closed());
    server.now += Duration::from_secs(10);
    let result = server.channel.handle_timeout(server.now);
    assert_eq!(result, Err(Misbehaved::HandshakeTimeout.into()));
}

#[test]
fn n_02_only_proofs_come_before_the_secret() {
    let bad = Malformed::BadHeader.into();
    for (bytes, error) in [
        (packet(0, b"RESP", &[1; 59]), bad),
        (packet(0, b"RESP", &[1; 61]), bad),
        (packet(0, b"AUTH", &[1; 0]), bad),
        (packet(0, b"ZZZZ", &[1; 60]), bad),
        (packet(1, b"CALL", ADD), Misbehaved::EarlyMessage.into()),
        (packet(1, b"RETN", b"N."), Misbehaved::EarlyMessage.into()),
        (packet(1, b"EXCP", b"N."), Misbehaved::EarlyMessage.into()),
        (packet(0, b"AUTH", &[1; 60]), Misbehaved::UnexpectedCommand.into()),
    ] {
        assert_eq!(refused(&mut Peer::server(), &bytes), error, "{}", bytes.escape_ascii());
    }
    let mut client = Peer::client();
    assert_eq!(
        refused(&mut client, &packet(0, b"RESP", &[1; 60])),
        Misbehaved::UnexpectedCommand.into()
    );
    let (mut server, mut client) = (Peer::server(), Peer::client());
    let first = server.written();
    client.read(&first);
    assert_eq!(refused(&mut client, &first), Misbehaved::UnexpectedCommand.into());
}

#[test]
fn n_03_our_own_challenge_is_not_answered() {
    // A rogue server is challenged by one client, and has another one of the same node answer.
    let (mut honest, mut asked) = (Peer::server(), Peer::client());
    asked.read(&honest.written());
    let challenge = packets(&asked.written())[0].2[..20].to_vec();
    let mut other = Peer::new(Side::Connecting, Config::new(SECRET), 9);
    let auth = packet(0, b"AUTH", &[&challenge[..], &[0; 40]].concat());
    assert_eq!(refused(&mut other, &auth), Insecure::Reflection.into());
    assert!(other.written().is_empty(), "no response leaves");
}

#[test]
fn n_03_a_servers_own_challenge_does_not_come_back_as_its_clients() {
    // Whoever knows the secret may still not have a server answer a server.
    let (mut server, mut client) = (Peer::server(), Peer::client());
    let auth = server.written();
    client.read(&auth);
    let mut response = client.written();
    response[12..32].copy_from_slice(&auth[12..32]);
    assert_eq!(refused(&mut server, &response), Insecure::Reflection.into());
    assert!(server.written().is_empty(), "no response leaves");
}

/// Whoever repeats a challenge learns nothing: each answer is to its own link, and one that was seen before
/// opens no other.
#[test]
fn n_03_a_repeated_challenge() {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    let auth = server.written();
    client.read(&auth);
    let first = client.written();
    let mut other = Peer::new(Side::Connecting, Config::new(SECRET), 9);
    other.read(&auth);
    let second = other.written();
    assert_eq!((other.result, first.len(), second.len()), (Ok(()), 72, 72));
    for part in [12..32, 32..52, 52..72] {
        assert_ne!(first[part.clone()], second[part], "challenge, response and salt are new");
    }
    // A response that was recorded: to the server that it was for, and to another.
    let mut again = Peer::new(Side::Accepting, Config::new(SECRET), 7);
    assert_ne!(again.written()[12..32], auth[12..32], "no two links are asked the same");
    assert_eq!(refused(&mut again, &first), Insecure::WrongSecret.into());
    // A counter-challenge that repeats is answered anew, and what answered it before is refused.
    server.read(&first);
    let answer = server.written();
    let mut third = Peer::new(Side::Connecting, Config::new(SECRET), 3);
    let mut asks = Peer::new(Side::Accepting, Config::new(SECRET), 8);
    third.read(&asks.written());
    let mut repeats = third.written();
    repeats[12..32].copy_from_slice(&first[12..32]);
    asks.read(&repeats);
    let other_answer = asks.written();
    assert_ne!(answer[32..72], other_answer[32..72]);
    assert_eq!(refused(&mut third, &answer), Insecure::WrongSecret.into());
    // A second challenge on the same link is none of the handshake's.
    assert_eq!(refused(&mut client, &auth), Misbehaved::UnexpectedCommand.into());
}

#[test]
fn n_03_a_client_that_asks_nothing_is_served_all_the_same() {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    client.read(&server.written());
    let mut response = client.written();
    response[12..32].copy_from_slice(&[0; 20]);
    server.read(&response);
    assert!(server.result.is_ok() && server.written().is_empty());
    server.read(&packet(1, b"CALL", ADD));
    assert_eq!(server.request().name(), "add");
}

#[test]
fn a_client_is_not_open_before_its_server_has_shown_the_secret() {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    client.read(&server.written());
    client.written();
    assert!(client.channel.peer().is_none());
    let zero = packet(0, b"RESP", &[0; 60]);
    assert_eq!(refused(&mut client, &zero), Insecure::WrongSecret.into());
}

#[test]
fn a_server_that_asks_again_in_its_response_gets_nothing() {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    client.read(&server.written());
    server.read(&client.written());
    let mut response = server.written();
    response[12..32].copy_from_slice(&[7; 20]);
    assert_eq!(refused(&mut client, &response), Misbehaved::UnexpectedCommand.into());
    assert!(client.written().is_empty());
}

#[test]
fn n_04_a_response_that_is_wrong_anywhere_ends_its_link() {
    for at in [0, 19] {
        let (mut server, mut client) = (Peer::server(), Peer::client());
        client.read(&server.written());
        let mut response = client.written();
        response[32 + at] ^= 1;
        assert_eq!(refused(&mut server, &response), Insecure::WrongSecret.into());
        assert!(server.written().is_empty(), "nothing says why");
    }
}

#[test]
fn a_wrong_secret_is_told_on_both_sides() {
    let mut server = Peer::server();
    let mut client = Peer::new(Side::Connecting, Config::new("another"), 2);
    let call = client.call("add", Packed::call(&(1, 2), &()).unwrap());
    settle(&mut server, &mut client);
    assert_eq!(server.result, Err(Insecure::WrongSecret.into()));
    let eof = client.channel.handle_eof(client.now);
    assert_eq!(eof, Err(Insecure::SecretRefused.into()));
    let Some(Outcome::NotExecuted(why)) = client.outcome(call) else { panic!("no outcome") };
    assert_eq!(why, Reason::PeerFault(Insecure::SecretRefused.into()));
    assert!(!why.is_transient() && why.to_string().contains("secret"));
}

#[test]
fn n_07_answers_that_nobody_waits_for_are_dropped() {
    let (mut server, mut client) = pair();
    let call = client.call("add", Packed::call(&(1, 2), &()).unwrap());
    for (seq, kind) in [(9, b"RETN"), (9, b"EXCP"), (0, b"RETN"), (u32::MAX, b"RETN")] {
        client.read(&packet(seq, kind, b"\x80\x02K\x01."));
    }
    assert!(client.result.is_ok() && client.outcome(call).is_none());
    settle(&mut server, &mut client);
    let ticket = server.request().into_ticket();
    server.reply(ticket, Packed::result(&3).unwrap());
    settle(&mut server, &mut client);
    assert!(matches!(client.outcome(call), Some(Outcome::Value(_))));
}

#[test]
fn n_07_a_flood_of_them_ends_its_link() {
    let (_, mut client) = pair();
    let burst = Config::default().limits.flood.burst as usize;
    let flood = packet(9, b"RETN", b"N.").repeat(burst);
    assert!(client.read(&flood).result.is_ok());
    assert_eq!(refused(&mut client, &packet(0, b"ZZZZ", b"")), Misbehaved::Flood.into());
}

#[test]
fn late_answers_of_calls_that_were_given_up_are_no_flood() {
    let (mut server, mut client) = pair();
    for _ in 0..3 * Config::default().limits.flood.burst {
        let call = client.call("add", Packed::call(&(1, 2), &()).unwrap());
        settle(&mut server, &mut client);
        client.channel.cancel(call, client.now);
        assert!(matches!(client.outcome(call), Some(Outcome::Unknown(Reason::Cancelled))));
        let ticket = server.request().into_ticket();
        server.reply(ticket, Packed::result(&3).unwrap());
        settle(&mut server, &mut client);
        assert!(client.result.is_ok());
    }
}

#[test]
fn n_09_unknown_packets_are_passed_over() {
    let mut server = open_server();
    let auth = packet(0, b"AUTH", &[1; 60]);
    let unknown = [packet(9, b"ZZZZ", b""), auth, packet(9, b"call", b"xx")].concat();
    server.read(&[unknown, packet(2, b"CALL", ADD)].concat());
    assert!(server.result.is_ok());
    assert_eq!(server.request().name(), "add");
}

#[test]
fn n_10_headers_of_another_kind_of_machine() {
    let mut big_endian = Vec::from(*b"\0\0\0\0RESP");
    big_endian.extend(60u32.to_be_bytes());
    let mut padded = Vec::from(*b"\0\0\0\0\0\0\0\0RESP\0\0\0\0");
    padded.extend(60u64.to_le_bytes());
    for bytes in [big_endian, padded, b"GET / HTTP/1.1\r\n".to_vec(), vec![0xff; 12]] {
        assert_eq!(refused(&mut Peer::server(), &bytes), Malformed::BadHeader.into());
        assert_eq!(refused(&mut Peer::client(), &bytes), Malformed::BadHeader.into());
    }
}

#[test]
fn a_packet_that_stands_still_ends_its_link() {
    let mut server = open_server();
    server.read(&packet(1, b"CALL", ADD)[..20]);
    let at = server.channel.poll_timeout().expect("a deadline");
    assert!(server.channel.handle_timeout(at - Duration::from_millis(1)).is_ok());
    assert_eq!(server.channel.handle_timeout(at), Err(Misbehaved::Stalled.into()));
    let mut server = open_server();
    server.read(&packet(1, b"CALL", ADD));
    assert_eq!(server.channel.poll_timeout(), None, "nothing stands still");
}

#[test]
fn a_stream_that_ends_inside_a_packet() {
    let mut server = open_server();
    server.read(&packet(1, b"CALL", ADD)[..20]);
    assert_eq!(server.channel.handle_eof(server.now), Err(Malformed::Truncated.into()));
    let mut server = Peer::server();
    let incomplete = Misbehaved::HandshakeIncomplete.into();
    assert_eq!(server.channel.handle_eof(server.now), Err(incomplete));
}

#[test]
fn calls_that_are_malformed_are_answered_and_what_is_behind_them_is_read() {
    let mut server = open_server();
    let calls = [
        packet(1, b"CALL", b"garbage"),
        packet(2, b"CALL", b"\x80\x02K\x01."),
        packet(3, b"CALL", b"\x80\x02]q\0X\x03\0\0\0addq\x01a)}q\x02\x87q\x03."),
        packet(4, b"CALL", b""),
        packet(5, b"CALL", ADD),
    ];
    server.read(&calls.concat());
    let raised: Vec<_> =
        packets(&server.written()).into_iter().map(|(seq, kind, _)| (seq, kind)).collect();
    assert_eq!(raised, (1..=4).map(|seq| (seq, "EXCP".to_owned())).collect::<Vec<_>>());
    assert_eq!(server.request().name(), "add");
}

#[test]
fn requests_are_bounded_in_number_and_bytes() {
    let mut config = Config::new(SECRET);
    config.limits.requests_open_per_peer_max = 2;
    let mut server = Peer::new(Side::Accepting, config, 1);
    let mut client = Peer::client();
    settle(&mut server, &mut client);
    let arguments = || Packed::call(&(1, 2), &()).unwrap();
    let calls: Vec<_> = (0..3).map(|_| client.call("add", arguments())).collect();
    settle(&mut server, &mut client);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let Some(Outcome::Fault(fault)) = client.outcome(calls[2]) else { panic!("no fault") };
    assert!(fault.message.starts_with("Overloaded: "), "{fault}");
    for request in requests {
        server.reply(request.into_ticket(), Packed::result(&3).unwrap());
    }
    client.call("add", arguments());
    settle(&mut server, &mut client);
    assert_eq!(server.requests().len(), 1, "places come back");
}

#[test]
fn a_peer_that_does_not_read_is_closed() {
    let mut config = Config::new(SECRET);
    config.limits.queue_bytes_hard_max = 10_000;
    let mut server = Peer::new(Side::Accepting, config, 1);
    let mut client = Peer::client();
    settle(&mut server, &mut client);
    for seq in 0..200 {
        server.read(&packet(seq, b"CALL", ADD));
        for request in server.requests() {
            server.reply(request.into_ticket(), Packed::result(&"x".repeat(1_000)).unwrap());
        }
    }
    server.look();
    assert!(server.is_closed());
    assert!(server.channel.backlog() <= 10_000);
    let left =
        server.actions.iter().any(|action| matches!(action, Action::Left(_, Reason::SlowPeer)));
    assert!(left, "{:?}", server.actions);
}

#[test]
fn what_has_left_is_told_to_the_byte() {
    let (mut server, mut client) = pair();
    let arguments = || Packed::call(&("x".repeat(3_000),), &()).unwrap();
    let first = client.call("a", arguments());
    let bytes = client.written();
    let second = client.call("b", arguments());
    client.channel.advance(bytes.len() - 1, client.now);
    server.read(&bytes);
    client.channel.handle_eof(client.now).unwrap();
    assert!(matches!(client.outcome(first), Some(Outcome::Unknown(Reason::PeerGone))));
    assert!(matches!(client.outcome(second), Some(Outcome::NotExecuted(Reason::PeerGone))));
    let third = client.call("c", arguments());
    assert!(matches!(client.outcome(third), Some(Outcome::NotExecuted(Reason::PeerGone))));
}

#[test]
fn every_size_of_pieces_is_the_same_conversation() {
    for size in [1, 7, 12, 13, 71, 72, 73, 1_024] {
        let (mut server, mut client) = (Peer::server(), Peer::client());
        let call = client.call("add", Packed::call(&(1, 2), &()).unwrap());
        settle_by(&mut server, &mut client, size);
        let ticket = server.request().into_ticket();
        server.reply(ticket, Packed::result(&3).unwrap());
        settle_by(&mut server, &mut client, size);
        assert!(matches!(client.outcome(call), Some(Outcome::Value(_))), "{size}");
    }
}

#[test]
fn shutting_down_ends_calls_as_closed() {
    let (mut server, mut client) = pair();
    let waits = CallOptions::default().timeout(Duration::from_secs(60));
    let arguments = Packed::call(&(), &()).unwrap();
    let call = client.channel.call("slow", arguments, waits, client.now).unwrap();
    settle(&mut server, &mut client);
    let request = server.request();
    client.channel.shutdown(client.now);
    let outcome = client.outcome(call);
    assert!(matches!(outcome, Some(Outcome::Closed { executed: Executed::Maybe })));
    server.channel.handle_eof(server.now).unwrap();
    server.look();
    let cancelled =
        |action: &Action| matches!(action, Action::Cancelled(id) if *id == request.id());
    assert!(server.actions.iter().any(cancelled));
    server.reply(request.into_ticket(), Packed::result(&()).unwrap());
    assert!(server.written().is_empty());
}
