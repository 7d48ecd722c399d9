//! A whole session between fixed keys, byte for byte as libsodium makes it.

use super::*;
use crate::auth::keys::pair::KeyPair;
use crate::auth::question::Question;
use crate::message::frame::FrameKind;
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::config::mechanism::MechanismConfig;
use crate::wire::zmtp::mechanism::InnerFlags;
use crate::wire::zmtp::mechanism::curve::random::{ClientRandom, ServerRandom};
use crate::wire::zmtp::mechanism::curve::traffic::Scratch;
use crate::wire::zmtp::mechanism::step::{Complete, Step, Traffic};

const TEXT: &str = include_str!("vectors.txt");

fn vector(name: &str) -> Vec<u8> {
    let value = |line: &'static str| line.strip_prefix(name)?.strip_prefix(" = ");
    let digits = TEXT.lines().find_map(value).unwrap();
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}

fn array<const N: usize>(name: &str) -> [u8; N] {
    vector(name).try_into().unwrap()
}

fn pair(name: &str) -> KeyPair {
    let pair = KeyPair::generate(array(&format!("{name}-secret")));
    assert_eq!(pair.public().as_bytes()[..], vector(&format!("{name}-public")), "{name}");
    pair
}

fn client() -> ClientHandshake {
    let random = ClientRandom {
        transient_key: Zeroizing::new(array("client-transient-secret")),
        vouch_nonce: array("vouch-nonce"),
    };
    ClientHandshake::new(&[*pair("server").public()], 7, pair("client"), random)
}

fn server() -> ServerHandshake {
    ServerHandshake::new(ServerRandom {
        transient_key: Zeroizing::new(array("server-transient-secret")),
        welcome_nonce: array("welcome-nonce"),
        cookie: array("cookie"),
    })
}

fn config(identity: &'static str) -> ConnectionConfig {
    let mut config = ConnectionConfig { identity: identity.into(), ..Default::default() };
    config.mechanism = MechanismConfig::CurveServer { key_pairs: vec![pair("server")] };
    config
}

fn sent(step: Result<Step, PeerError>) -> Vec<u8> {
    let Ok(Step::Send(body)) = step else { panic!("nothing to send") };
    body
}

fn completed(step: Result<Step, PeerError>) -> Complete {
    let Ok(Step::Complete(complete)) = step else { panic!("not complete") };
    complete
}

fn command(body: &[u8]) -> Command<'_> {
    Command::parse(body).unwrap()
}

/// Both sides' sessions, behind a handshake that was compared byte for byte.
fn sessions() -> [Traffic; 2] {
    let ([mine, theirs], mut client, mut server) =
        ([config("cli"), config("")], client(), server());
    let hello = client.handle_greeting().unwrap();
    assert_eq!(hello, vector("hello"));
    let welcome = sent(server.handle_command(command(&hello), &theirs));
    assert_eq!(welcome, vector("welcome"));
    let initiate = sent(client.handle_command(command(&welcome), &mine));
    assert_eq!(initiate, vector("initiate"));
    let asked = server.handle_command(command(&initiate), &theirs);
    let client_key = *pair("client").public();
    assert!(
        matches!(asked, Ok(Step::Ask(Question::Curve { client_key: key })) if key == client_key)
    );
    let end = completed(server.admit("me".into(), &theirs));
    assert_eq!((&end.user.id()[..], &end.metadata.identity[..]), (&b"me"[..], &b"cli"[..]));
    let ready = end.last.unwrap();
    assert_eq!(ready, vector("ready"));
    let ours = completed(client.handle_command(command(&ready), &mine));
    [ours, Complete { last: None, ..end }].map(|complete| *complete.session.unwrap())
}

#[test]
fn the_session_is_libsodiums() {
    let [mut client, mut server] = sessions();
    for (name, kind, payload, from_client) in [
        ("message-hello", FrameKind::Last, &b"hello"[..], true),
        ("message-empty", FrameKind::More, b"", false),
        ("message-ping", FrameKind::Command, b"\x04PING\x00\x0ac", true),
    ] {
        let (sealer, opener) = match from_client {
            true => (&mut client.sealer, &mut server.opener),
            false => (&mut server.sealer, &mut client.opener),
        };
        let mut frame = Vec::new();
        sealer.seal(&mut Scratch::default(), &mut frame, kind, &[payload]);
        assert_eq!(frame[..2], [0, frame.len() as u8 - 2], "{name}");
        let body = &mut frame[2..];
        assert_eq!(body, vector(name), "{name}");
        let inner = InnerFlags {
            is_command: kind == FrameKind::Command,
            has_more: kind == FrameKind::More,
        };
        assert_eq!(opener.open(body), Ok(inner));
        assert_eq!(&body[OVERHEAD..], payload);
        assert_eq!(opener.open(&mut vector(name)), Err(Insecure::Replay.into()), "{name}");
    }
}
