//! S-01: a link whose frames are authenticated is whole. Between two honest peers each frame in turn
//! is deleted, doubled or swapped with the next, in both directions: what arrives is what was sent
//! before it, in its order, and the link ends at the first frame that is out of place.
#![cfg(feature = "_curve")]
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod secured;

use pseud_proto::zmtp::*;
use pseud_proto::{Insecure, PeerError};
use pseud_testkit::connection::*;
use pseud_testkit::path::*;
use secured::*;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// HELLO and INITIATE, or WELCOME and READY.
const HANDSHAKE: usize = 2;
/// Messages that each side sends in a round.
const MESSAGES: usize = 4;
/// Longer than either side waits for the other, one after the other.
const QUIET_SECONDS: usize = 20;

/// Who sends the frame that is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Client,
    Server,
}

/// One side of the link, and what becomes of what it is sent.
struct Party {
    connection: Connection,
    /// Edits what comes to it.
    editor: Editor,
    messages: Vec<Vec<Vec<u8>>>,
    /// How many frames it was given, and what it said of the last one.
    given: usize,
    /// How many had come to it when nobody had more to say than PINGs.
    came: usize,
    end: Result<(), PeerError>,
}

impl Party {
    fn new(connection: Connection, edit: Option<(usize, Edit)>) -> Self {
        let (editor, messages) = (Editor::new(edit), Vec::new());
        Self { connection, editor, messages, given: 0, came: 0, end: Ok(()) }
    }

    /// Bytes of the other side's, frame by frame, until one is refused.
    fn take(&mut self, bytes: &[u8], now: Instant) {
        for mut piece in self.editor.take(bytes) {
            if self.end.is_err() {
                return;
            }
            self.given += 1;
            self.end = self.connection.handle_input(&mut piece, now);
            self.look(now);
        }
    }

    fn look(&mut self, now: Instant) {
        for seen in drain(&mut self.connection) {
            match seen {
                Seen::Message(parts) => self.messages.push(parts),
                Seen::Asked(_) => self.end = self.end.and(self.connection.answer(admit(), now)),
                Seen::Ready(_) | Seen::Written(_) => {}
                Seen::TooLarge(..) => panic!("nothing here is over a limit: {seen:?}"),
            }
        }
    }

    /// What it still says: nothing behind its end.
    fn say(&mut self) -> Vec<u8> {
        if self.end.is_ok() { written(&mut self.connection) } else { Vec::new() }
    }

    fn pass_time(&mut self, now: Instant) {
        if self.end.is_ok() && self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.end = self.connection.handle_timeout(now);
            self.look(now);
        }
    }
}

/// A client and a server, both honest, and their whole conversation.
fn talk(client_side: Side, edit: Option<(From, usize, Edit)>) -> (Party, Party) {
    let mut now = Instant::now();
    let (client, server) = curve_with_pings().open(client_side, now);
    let of = |who| edit.filter(|(from, ..)| *from == who).map(|(_, index, edit)| (index, edit));
    let mut client = Party::new(client, of(From::Server));
    let mut server = Party::new(server, of(From::Client));
    exchange(&mut client, &mut server, now);
    for round in 0..2 {
        for (party, name) in [(&mut client, b"client"), (&mut server, b"server")] {
            if party.connection.is_ready() {
                speak(&mut party.connection, name, round);
            }
        }
        exchange(&mut client, &mut server, now);
        // PINGs, by which even the loss of a last frame is seen.
        now += SECOND;
        for party in [&mut client, &mut server] {
            party.pass_time(now);
        }
        exchange(&mut client, &mut server, now);
    }
    for party in [&mut client, &mut server] {
        party.came = party.editor.came;
    }
    for _ in 0..QUIET_SECONDS {
        now += SECOND;
        for party in [&mut client, &mut server] {
            party.pass_time(now);
        }
        exchange(&mut client, &mut server, now);
    }
    (client, server)
}

fn curve_with_pings() -> Room {
    let pinging = |mechanism| {
        config(|config| {
            config.mechanism = mechanism;
            config.heartbeat.interval = Some(SECOND);
            config.heartbeat.timeout = 8 * SECOND;
        })
    };
    let mut room = curve();
    room.client = pinging(room.client.mechanism.clone());
    room.server = pinging(room.server.mechanism.clone());
    room
}

/// Messages of one part and of many, small and large, no two alike.
fn speak(connection: &mut Connection, name: &[u8], round: u8) {
    let large = vec![round; if round == 0 { 70_000 } else { 300 }];
    send(connection, &[b"", b"v1", &[name, b"-id-1"].concat(), &[round], b"alice"], 1);
    send(connection, &[b"", b"v1", &[name, b"-id-2"].concat(), &[round], b"bob"], 2);
    send(connection, &[name, &[round]], 3);
    send(connection, &[&large, name], 4);
}

fn exchange(client: &mut Party, server: &mut Party, now: Instant) {
    loop {
        let (up, down) = (client.say(), server.say());
        if up.is_empty() && down.is_empty() {
            break;
        }
        server.take(&up, now);
        client.take(&down, now);
    }
}

/// The frames of a conversation that nobody edits, from the client and from the server, and what
/// each side heard.
fn undisturbed(client_side: Side) -> ([usize; 2], [Party; 2]) {
    let (client, server) = talk(client_side, None);
    assert_eq!((client.end, server.end), (Ok(()), Ok(())));
    for (party, first) in [(&client, b"server-id-1"), (&server, b"client-id-1")] {
        assert_eq!(party.messages.len(), 2 * MESSAGES);
        assert_eq!(party.messages[0], [&b""[..], b"v1", first, &[0], b"alice"]);
    }
    ([server.came, client.came], [client, server])
}

#[test]
fn s_01_each_frame_deleted_doubled_or_swapped_ends_the_link_at_once() {
    for side in [Side::Connecting, Side::Accepting] {
        let (frames, [client_heard, server_heard]) = undisturbed(side);
        for (from, frames) in [From::Client, From::Server].into_iter().zip(frames) {
            assert!(frames > HANDSHAKE + 28, "messages and heartbeats: {frames}");
            let at_each = (HANDSHAKE..frames).flat_map(|index| EDITS.map(|edit| (index, edit)));
            for (index, edit) in at_each {
                let (client, server) = talk(side, Some((from, index, edit)));
                let (near, far, whole) = match from {
                    From::Client => (&server, &client, [&server_heard, &client_heard]),
                    From::Server => (&client, &server, [&client_heard, &server_heard]),
                };
                let name = format!("{side:?}, {from:?}'s frame {index}: {edit:?}");
                let (why, given) = match edit {
                    Edit::Delete(_) | Edit::Swap(_) => (Insecure::Gap, index),
                    Edit::Double => (Insecure::Replay, index + 1),
                };
                assert_eq!(near.end, Err(why.into()), "{name}");
                // The greeting, the frames before, and the one that was refused.
                assert_eq!(near.given, 1 + given + 1, "{name}");
                assert!(far.end.is_err(), "{name}: nobody answers its PINGs");
                for (party, whole) in [near, far].into_iter().zip(whole) {
                    assert!(whole.messages.starts_with(&party.messages), "{name}");
                }
            }
        }
    }
}

#[test]
fn s_01_each_frame_of_the_handshake_deleted_doubled_or_swapped_ends_it() {
    for side in [Side::Connecting, Side::Accepting] {
        let (_, [client_heard, server_heard]) = undisturbed(side);
        for from in [From::Client, From::Server] {
            for (index, edit) in (0..HANDSHAKE).flat_map(|index| EDITS.map(|edit| (index, edit))) {
                let (client, server) = talk(side, Some((from, index, edit)));
                let name = format!("{side:?}, {from:?}'s frame {index}: {edit:?}");
                assert!(client.end.is_err() && server.end.is_err(), "{name}");
                assert!(client_heard.messages.starts_with(&client.messages), "{name}");
                assert!(server_heard.messages.starts_with(&server.messages), "{name}");
            }
        }
    }
}

#[test]
fn s_01_frames_of_the_other_direction_or_of_another_link_fit_nowhere() {
    let now = Instant::now();
    let (mut client, mut server) = curve().ready(now);
    // Of the right number, but sealed by the server for the client, and by a client of another link.
    let mut other = Connection::new(curve().client, Side::Connecting, [0xcd; 32], now);
    let mut others = Connection::new(curve().server, Side::Accepting, [0x56; 32], now);
    meet(&mut other, &mut others, usize::MAX, &admit(), now);
    send(&mut other, &[b"pay"], 1);
    send(&mut server, &[b"a first one"], 1);
    written(&mut server);
    send(&mut server, &[b"pay"], 2);
    for foreign in [written(&mut server), written(&mut other)] {
        assert_eq!(numbers(&[&[0; 64][..], &foreign].concat()), [Some(3)]);
        let (_, mut server) = curve().ready(now);
        assert_eq!(feed(&mut server, &foreign, 1, now), Err(Insecure::Box.into()));
        assert_eq!(drain(&mut server), []);
    }
    send(&mut client, &[b"pay"], 1);
    assert_eq!(feed(&mut server, &written(&mut client), 1, now), Ok(()));
    assert!(drain(&mut server).contains(&message(&[b"pay"])));
}

#[test]
fn numbers_count_by_one_from_hello_and_from_ready() {
    let now = Instant::now();
    let (mut client, mut server) = curve().open(Side::Connecting, now);
    let met = meet(&mut client, &mut server, usize::MAX, &admit(), now);
    for connection in [&mut client, &mut server] {
        send(connection, &[b"a", b"b", &[0; 70_000]], 1);
        send(connection, &[b"c"], 2);
    }
    let up = [met.client_wrote, written(&mut client)].concat();
    let down = [met.server_wrote, written(&mut server)].concat();
    assert_eq!(numbers(&up), (1..=6).map(Some).collect::<Vec<_>>());
    assert_eq!(numbers(&down), [None].into_iter().chain((1..=5).map(Some)).collect::<Vec<_>>());
}
