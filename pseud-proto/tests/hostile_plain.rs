//! Hostile PLAIN peers: each has one exact answer.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod secured;

use pseud_proto::zmtp::*;
use pseud_proto::{Incompatible, Malformed, Misbehaved, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::raw::{command, greeting_of, libzmq_error, ready_command};
use secured::*;
use std::time::Instant;

const UNEXPECTED: Result<(), PeerError> = Err(PeerError::Misbehaved(Misbehaved::UnexpectedCommand));
const MALFORMED: Result<(), PeerError> = Err(PeerError::Malformed(Malformed::BadCommand));

fn greeted(config: std::sync::Arc<ConnectionConfig>) -> Connection {
    let now = Instant::now();
    let mut connection = Connection::new(config, Side::Accepting, [1; 32], now);
    feed(&mut connection, &greeting_of("PLAIN"), 1, now).unwrap();
    connection
}

/// What those commands do to a greeted server that admits everybody, and what it saw.
fn server(commands: &[Vec<u8>]) -> (Result<(), PeerError>, Vec<Seen>) {
    let now = Instant::now();
    let (mut server, mut seen) = (greeted(plain().server), vec![]);
    for command in commands {
        if let Err(error) = feed(&mut server, command, 1, now) {
            return (Err(error), seen);
        }
        seen.extend(drain(&mut server));
        if matches!(seen.last(), Some(Seen::Asked(_))) {
            server.answer(admit(), now).unwrap();
        }
    }
    (Ok(()), seen)
}

fn client(commands: &[Vec<u8>]) -> Result<(), PeerError> {
    let mut client = greeted(plain().client);
    commands.iter().try_for_each(|command| feed(&mut client, command, 1, Instant::now()))
}

fn hello() -> Vec<u8> {
    command("HELLO", b"\x01u\x01p")
}

fn metadata() -> Vec<u8> {
    ready_command(&[(b"Socket-Type", b"DEALER")])[8..].to_vec()
}

#[test]
fn c_10_commands_out_of_turn_to_a_server() {
    let initiate = command("INITIATE", &metadata());
    assert_eq!(server(&[hello(), initiate.clone()]).0, Ok(()));
    for commands in [
        vec![command("READY", &metadata())],
        vec![command("WELCOME", b"")],
        vec![command("ERROR", b"\x03400")],
        vec![libzmq_error(b"\x03400")],
        vec![initiate.clone()],
        vec![hello(), hello()],
        vec![hello(), command("READY", &metadata())],
    ] {
        assert_eq!(server(&commands).0, UNEXPECTED, "{commands:?}");
    }
    let late = [hello(), initiate, command("READY", b""), hello(), libzmq_error(b"")];
    assert_eq!(server(&late).0, Ok(()));
}

#[test]
fn c_10_commands_out_of_turn_to_a_client() {
    let (welcome, ready) = (command("WELCOME", b""), command("READY", &metadata()));
    assert_eq!(client(&[welcome.clone(), ready.clone()]), Ok(()));
    for commands in [
        vec![ready.clone()],
        vec![hello()],
        vec![welcome.clone(), welcome.clone()],
        vec![command("INITIATE", &metadata())],
        vec![welcome.clone(), command("INITIATE", &metadata())],
    ] {
        assert_eq!(client(&commands), UNEXPECTED, "{commands:?}");
    }
    assert_eq!(client(&[command("WELCOME", b"\0")]), MALFORMED);
}

#[test]
fn c_11_hello_is_any_bytes() {
    for (username, password) in [
        (&[b'u'; 255][..], &[b'p'; 255][..]),
        (b"", b""),
        (b"nul\0nul", b"\0"),
        (b"\xff\xfe", b"\x80"),
    ] {
        let data = [&[username.len() as u8], username, &[password.len() as u8], password].concat();
        let (outcome, seen) = server(&[command("HELLO", &data)]);
        assert_eq!(outcome, Ok(()));
        let (username, password) = (username.to_vec().into(), Secret::new(password));
        assert_eq!(seen, [Seen::Asked(Question::Plain { username, password })]);
        for cut in 0..data.len() {
            assert_eq!(server(&[command("HELLO", &data[..cut])]).0, MALFORMED, "{cut}");
        }
        assert_eq!(server(&[command("HELLO", &[&data[..], b"\0"].concat())]).0, MALFORMED);
    }
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

#[test]
fn c_12_reasons_of_an_error() {
    let escapes = [&[255][..], &b"\x1b[2J\x07"[..].repeat(51)].concat();
    for (reason, code) in
        [(&b"\x03400"[..], 400), (b"\x03500", 500), (b"\x03300", 300), (b"\0", 0), (&escapes, 0)]
    {
        let refused = Err(Incompatible::Refused(code).into());
        assert_eq!(client(&[command("ERROR", reason)]), refused);
        if reason.len() < 90 {
            assert_eq!(client(&[libzmq_error(reason)]), refused);
        }
    }
    for data in [&b""[..], b"\x0440", b"\x03400x"] {
        assert_eq!(client(&[command("ERROR", data)]), MALFORMED);
        assert_eq!(client(&[libzmq_error(data)]), MALFORMED);
    }
}

#[test]
fn c_06_metadata_without_end() {
    let many = vec![(&b"X-"[..], &b""[..]); 100];
    let many = &ready_command(&many)[9 + 6..];
    let (outcome, seen) = server(&[hello(), command("INITIATE", many)]);
    assert_eq!(outcome, Err(PeerError::TooLarge { what: "properties", size: 33, max: 32 }));
    assert_eq!(seen.len(), 1);
    let huge = command("INITIATE", &[0; 64 * 1024]);
    let size = huge.len() as u64 - 9;
    let refused = PeerError::TooLarge { what: "command bytes", size, max: 4_096 };
    assert_eq!(server(&[hello(), huge]).0, Err(refused));
}
