//! Drivers of `Link` and `Channel` as servers of PLAIN and CURVE: they are asked, and answer when
//! they like.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that panics is a test that fails"
)]

use pseud_proto::pseud::{Channel, Endpoint, Link};
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::KeyPair;
use pseud_proto::zmtp::{ConnectionConfig, MechanismConfig, Question, Secret, Side, Verdict};
use pseud_proto::{Action, Config, Incompatible, Misbehaved, PeerError, Reason};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Client's and server's settings, and what is asked.
type Room = (MechanismConfig, MechanismConfig, Question);

fn rooms() -> Vec<Room> {
    let (username, password) = ("anne".into(), Secret::new("secret"));
    let asked = Question::Plain { username: "anne".into(), password: password.clone() };
    let plain = MechanismConfig::PlainClient { username, password };
    vec![
        (plain, MechanismConfig::PlainServer, asked),
        #[cfg(feature = "_curve")]
        curve(),
    ]
}

#[cfg(feature = "_curve")]
fn curve() -> Room {
    let [ours, theirs] = [1, 2].map(|byte| KeyPair::generate([byte; 32]));
    let asked = Question::Curve { client_key: *ours.public() };
    let server_keys = vec![*theirs.public()];
    let client = MechanismConfig::CurveClient { server_keys, key_pair: ours };
    (client, MechanismConfig::CurveServer { key_pairs: vec![theirs] }, asked)
}

fn config(mechanism: &MechanismConfig) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::default();
    config.mechanism = mechanism.clone();
    config.into()
}

fn channel(mechanism: &MechanismConfig, side: Side, seed: u8, now: Instant) -> Channel {
    Channel::new(Arc::new(Config::default()), config(mechanism), side, [seed; 32], now)
}

fn bytes_of(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.to_vec()).collect()
}

fn said(channel: &mut Channel, now: Instant) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = channel.slices(&mut slices);
    let bytes = bytes_of(&slices[..count]);
    channel.advance(bytes.len(), now);
    bytes
}

/// Bytes both ways until neither side has any; how it ended for the client.
fn talk(client: &mut Channel, server: &mut Channel, now: Instant) -> Result<(), PeerError> {
    let mut told = Ok(());
    loop {
        let (mut up, mut down) = (said(client, now), said(server, now));
        if up.is_empty() && down.is_empty() {
            return told;
        }
        // Whoever has answered Deny takes no more input.
        if server.poll_timeout().is_some() {
            server.handle_input(&mut up, now).unwrap();
        }
        told = told.and(client.handle_input(&mut down, now));
    }
}

/// Both sides up to the question, which is asked once.
fn asked(room: &Room, client_side: Side, now: Instant) -> (Channel, Channel) {
    let server_side = match client_side {
        Side::Connecting => Side::Accepting,
        Side::Accepting => Side::Connecting,
    };
    let mut client = channel(&room.0, client_side, 1, now);
    let mut server = channel(&room.1, server_side, 2, now);
    assert_eq!(server.poll_question(), None);
    talk(&mut client, &mut server, now).unwrap();
    assert_eq!(server.poll_question().as_ref(), Some(&room.2));
    assert_eq!((server.poll_question(), client.poll_question()), (None, None));
    assert_eq!((server.peer(), client.peer()), (None, None));
    (client, server)
}

fn actions(channel: &mut Channel) -> Vec<Action> {
    std::iter::from_fn(|| channel.poll_action()).collect()
}

#[test]
fn who_is_admitted_has_a_session_and_is_that_user() {
    let now = Instant::now();
    for (room, side) in
        rooms().iter().flat_map(|room| [(room, Side::Connecting), (room, Side::Accepting)])
    {
        let (mut client, mut server) = asked(room, side, now);
        assert!(actions(&mut server).is_empty());
        // Later, as somebody had to look it up.
        let now = now + Duration::from_secs(3);
        server.answer(Verdict::Admit("user".into()), now).unwrap();
        talk(&mut client, &mut server, now).unwrap();
        let joined = actions(&mut server);
        let [Action::Joined(peer, info)] = &joined[..] else { panic!("{joined:?}") };
        assert_eq!((&info.user.id()[..], Some(*peer)), (&b"user"[..], server.peer()));
        assert!(client.peer().is_some());
        server.answer(Verdict::Deny, now).unwrap();
        assert_eq!(server.peer(), Some(*peer), "a second answer means nothing");
    }
}

#[test]
fn who_is_not_admitted_hears_why() {
    let now = Instant::now();
    for (room, (verdict, code)) in rooms()
        .iter()
        .flat_map(|room| [(Verdict::Deny, 400), (Verdict::Unavailable, 500)].map(|one| (room, one)))
    {
        let (mut client, mut server) = asked(room, Side::Connecting, now);
        assert_eq!(server.answer(verdict, now), Err(PeerError::Denied(code)));
        assert_eq!(server.answer(Verdict::Admit("user".into()), now), Ok(()));
        let told = talk(&mut client, &mut server, now);
        assert_eq!(told, Err(Incompatible::Refused(code).into()));
        assert_eq!((server.peer(), client.peer(), server.poll_timeout()), (None, None, None));
        assert!(actions(&mut server).is_empty());
    }
}

#[test]
fn a_question_without_an_answer_ends_with_the_handshakes_time() {
    let now = Instant::now();
    for room in rooms() {
        let (_, mut server) = asked(&room, Side::Connecting, now);
        let due = server.poll_timeout().unwrap();
        assert_eq!(due, now + ConnectionConfig::default().handshake_timeout);
        let error: PeerError = Misbehaved::HandshakeTimeout.into();
        assert_eq!(server.handle_timeout(due), Err(error));
        assert_eq!(server.answer(Verdict::Admit("user".into()), due), Ok(()));
        assert_eq!((server.peer(), server.poll_timeout()), (None, None));
        assert!(actions(&mut server).is_empty() && said(&mut server, due).is_empty());
        let (_, mut server) = asked(&room, Side::Connecting, now);
        assert_eq!(server.answer(Verdict::Admit("user".into()), due), Err(error));
        assert_eq!(server.peer(), None);
    }
}

#[test]
fn an_answer_for_a_client_that_left_or_was_sent_away_makes_no_session() {
    let now = Instant::now();
    for room in rooms() {
        let (_, mut left) = asked(&room, Side::Connecting, now);
        assert_eq!(left.handle_eof(now), Err(Misbehaved::HandshakeIncomplete.into()));
        assert_eq!(left.answer(Verdict::Admit("user".into()), now), Ok(()));
        assert_eq!((left.peer(), actions(&mut left).len()), (None, 0));

        let mut endpoint = Endpoint::new(Arc::new(Config::default()), [9; 32]);
        let mut link = Link::new(&endpoint, config(&room.1), Side::Accepting, [2; 32], now);
        let mut client = channel(&room.0, Side::Connecting, 1, now);
        link_talks(&mut link, &mut endpoint, &mut client, now);
        assert_eq!(link.peer(), None);
        link.end(&mut endpoint, Reason::Shutdown, now);
        assert_eq!(link.poll_question(), None, "it is wiped, unseen");
        let admit = Verdict::Admit("user".into());
        assert_eq!(link.answer(&mut endpoint, admit, now), Ok(()));
        assert_eq!(link.peer(), None);
        assert!(endpoint.poll_action().is_none());
    }
}

/// Until neither has any more to say.
fn link_talks(link: &mut Link, endpoint: &mut Endpoint, client: &mut Channel, now: Instant) {
    loop {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = link.slices(&mut slices);
        let (mut down, mut up) = (bytes_of(&slices[..count]), said(client, now));
        link.advance(endpoint, down.len(), now);
        if up.is_empty() && down.is_empty() {
            return;
        }
        link.handle_input(endpoint, &mut up, now).unwrap();
        client.handle_input(&mut down, now).unwrap();
    }
}
