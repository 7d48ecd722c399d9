//! Two links of one node, by two addresses of one server: the second stands by and takes over.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Endpoint, Link};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{ConnectionConfig, Side};
use pseud_proto::{
    Action, CallId, CallOptions, CallRefused, LinkId, Outcome, PeerId, Reason, Several, Siblings,
    To,
};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// A server, and what its sessions were told.
struct Room {
    server: Endpoint,
    now: Instant,
}

fn id(n: u8) -> LinkId {
    LinkId::new([n; 8])
}

/// A link of that id, whose node says that those others live.
fn link(n: u8, beside: &[u8]) -> PeerInfo {
    let siblings = Siblings::new(id(n), beside.iter().map(|&n| id(n)));
    PeerInfo::new("desk".into()).with_siblings(siblings)
}

fn name() -> To {
    To::Identity("desk".into())
}

fn alice(several: Several) -> To {
    To::User { id: "alice".into(), several }
}

impl Room {
    fn new() -> Self {
        Self { server: Endpoint::new(Arc::default(), [1; 32]), now: Instant::now() }
    }

    fn join(&mut self, info: PeerInfo) -> PeerId {
        self.server.handle_connected(info, self.now)
    }

    fn leave(&mut self, peer: PeerId) {
        self.server.handle_gone(peer, Reason::PeerGone, self.now);
    }

    fn call(&mut self, to: To) -> Result<CallId, CallRefused> {
        let body = Packed::call(&(), &()).unwrap();
        self.server.call(to, "x", body, CallOptions::default(), self.now)
    }

    /// Whose queue a call to that goes into.
    fn called(&mut self, to: To) -> Option<PeerId> {
        let call = self.call(to).unwrap();
        let mut flushed = None;
        while let Some(action) = self.server.poll_action() {
            if let Action::Flush(peer) = action {
                while self.server.poll_transmit(peer, self.now).is_some() {
                    flushed = Some(peer);
                }
            }
        }
        self.server.cancel(call, self.now);
        flushed
    }

    fn ended(&mut self) -> Vec<(PeerId, Reason)> {
        let actions = std::iter::from_fn(|| self.server.poll_action());
        let left = |action| match action {
            Action::Left(peer, reason) => Some((peer, reason)),
            _ => None,
        };
        actions.filter_map(left).collect()
    }
}

#[test]
fn neither_link_ends_and_the_second_is_called_when_the_first_does() {
    let mut room = Room::new();
    let first = room.join(link(1, &[2]));
    let second = room.join(link(2, &[1]));
    assert_eq!(room.ended(), []);
    assert_eq!(room.called(name()), Some(first));
    assert_eq!(room.called(To::Peer(second)), Some(second), "its requests are called back");
    room.leave(first);
    assert_eq!(room.called(name()), Some(second));
    // The first address is back.
    let third = room.join(link(3, &[2]));
    assert_eq!(room.called(name()), Some(second));
    room.leave(second);
    assert_eq!(room.called(name()), Some(third));
}

/// Whichever handshake is over first: both name the other.
#[test]
fn the_order_of_handshakes_does_not_matter() {
    for order in [[1, 2], [2, 1]] {
        let mut room = Room::new();
        let both = order.map(|n| room.join(link(n, &[3 - n])));
        assert_eq!((room.ended(), room.called(name())), (vec![], Some(both[0])));
    }
}

/// By its user a node is one session, however many links it has.
#[test]
fn a_user_with_two_links_of_one_node_is_called_once() {
    let mut room = Room::new();
    let user = |info: PeerInfo| info.with_user("alice");
    let first = room.join(user(link(1, &[2])));
    let second = room.join(user(link(2, &[1])));
    assert_eq!(room.server.sessions_of(b"alice"), [first]);
    for several in [Several::Newest, Several::Refuse] {
        assert_eq!(room.called(alice(several)), Some(first));
    }
    let other = room.join(user(PeerInfo::new("lamp".into())));
    assert_eq!(room.server.sessions_of(b"alice"), [first, other]);
    let refused = room.call(alice(Several::Refuse)).unwrap_err();
    assert_eq!(refused, CallRefused::SeveralSessions { count: 2 });
    room.leave(first);
    assert_eq!(room.server.sessions_of(b"alice"), [second, other]);
    assert_eq!(room.called(name()), Some(second));
    let _third = room.join(user(link(3, &[2])));
    assert_eq!(room.server.disconnect_user(b"alice", room.now), 3, "those that stand by, too");
    assert_eq!(room.server.stats().sessions, 0);
}

#[test]
fn a_client_that_comes_back_does_not_wait_for_its_half_dead_link() {
    for user in ["", "alice"] {
        let mut room = Room::new();
        let whose = |info: PeerInfo| if user.is_empty() { info } else { info.with_user(user) };
        let half_dead = room.join(whose(link(1, &[])));
        let back = room.join(whose(link(2, &[])));
        assert_eq!(room.ended(), [(half_dead, Reason::Replaced)]);
        assert_eq!(room.called(name()), Some(back));
        // With another link of its own alive, that one is named, and the dead one is not.
        let beside = room.join(whose(link(3, &[2])));
        let again = room.join(whose(link(4, &[3])));
        assert_eq!(room.ended(), [(back, Reason::Replaced)]);
        assert_eq!(room.called(name()), Some(again));
        room.leave(again);
        assert_eq!(room.called(name()), Some(beside));
    }
}

/// Under NULL there are no users: what a node declares anybody may repeat.
#[test]
fn an_echo_of_anothers_links_keeps_nobody_out() {
    // Before the node is there: it names no link that is not its own, so it takes its name.
    let mut room = Room::new();
    let echo = room.join(link(1, &[2]));
    let node = room.join(link(1, &[2]));
    assert_eq!((room.ended(), room.called(name())), (vec![(echo, Reason::Replaced)], Some(node)));
    // Beside it: the echo yields, as the node's own second link would.
    let mut room = Room::new();
    let node = room.join(link(1, &[2]));
    let echo = room.join(link(2, &[1]));
    assert_eq!((room.ended(), room.called(name())), (vec![], Some(node)));
    // And the node's second link is not kept out of anything by it.
    let second = room.join(link(2, &[1]));
    room.leave(node);
    assert_eq!(room.called(name()), Some(second), "the newest of those that stand by");
    // The echo holds the name; the node comes back. So it does while it has another link alive: the
    // echo of that one is not what it names.
    room.leave(second);
    assert_eq!((room.called(name()), room.ended()), (Some(echo), vec![]));
    let back = room.join(link(5, &[]));
    assert_eq!((room.ended(), room.called(name())), (vec![(echo, Reason::Replaced)], Some(back)));
    let second = room.join(link(6, &[5]));
    let echo = room.join(link(6, &[]));
    assert_eq!(room.ended(), [(back, Reason::Replaced)]);
    let again = room.join(link(7, &[6]));
    assert_eq!((room.ended(), room.called(name())), (vec![(echo, Reason::Replaced)], Some(again)));
    room.leave(again);
    assert_eq!(room.called(name()), Some(second));
}

/// Whoever is another user never gains by it, and never takes anything.
#[test]
fn another_user_shares_no_name_by_declaring_it() {
    let mut room = Room::new();
    let mallory = room.join(link(1, &[2]).with_user("mallory"));
    let node = room.join(link(2, &[1]).with_user("alice"));
    assert_eq!(room.server.sessions_of(b"alice"), [node]);
    assert_eq!(room.called(alice(Several::Newest)), Some(node));
    assert_eq!(room.server.sessions_of(b"mallory"), [mallory]);
    let second = room.join(link(3, &[2, 1]).with_user("alice"));
    assert_eq!(room.server.sessions_of(b"alice"), [node]);
    room.leave(node);
    assert_eq!(room.server.sessions_of(b"alice"), [second]);
    let mut echo = link(3, &[2]).with_user("mallory");
    echo.identity = "echo".into();
    let echo = room.join(echo);
    assert_eq!(room.server.sessions_of(b"mallory"), [mallory, echo]);
}

/// What a link declares goes over the wire, and is read as it was said.
#[test]
fn what_a_link_declares_arrives() {
    let now = Instant::now();
    let [client, server] = [1, 2].map(|seed| Endpoint::new(Arc::default(), [seed; 32]));
    let (mut client, mut server) = (client, server);
    let mut config = ConnectionConfig::default();
    config.identity = "desk".into();
    let declared = Siblings::new(id(1), [id(2), id(3)]);
    let mut out = Link::beside(&client, config.into(), &declared, [3; 32], now);
    let mut into = Link::new(&server, Arc::default(), Side::Accepting, [4; 32], now);
    for _ in 0..4 {
        carry((&mut out, &mut client), (&mut into, &mut server), now);
        carry((&mut into, &mut server), (&mut out, &mut client), now);
    }
    let info = server.peer_info(into.peer().unwrap()).unwrap();
    assert_eq!(info.siblings, declared);
    let info = client.peer_info(out.peer().unwrap()).unwrap();
    assert_eq!(info.siblings, Siblings::default(), "who accepts a link declares none");
}

fn carry(
    (from, source): (&mut Link, &mut Endpoint),
    (to, sink): (&mut Link, &mut Endpoint),
    now: Instant,
) {
    let mut slices = [IoSlice::new(&[]); 16];
    let count = from.slices(&mut slices);
    let mut bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
    from.advance(source, bytes.len(), now);
    to.handle_input(sink, &mut bytes, now).unwrap();
}

/// A lost call is told so, also while another link of its node lives.
#[test]
fn calls_at_the_first_link_end_with_it() {
    let mut room = Room::new();
    let first = room.join(link(1, &[]));
    room.join(link(2, &[1]));
    let call = room.call(name()).unwrap();
    room.leave(first);
    let ended = std::iter::from_fn(|| room.server.poll_action()).find_map(|action| match action {
        Action::Finish { call: ended, outcome } if ended == call => Some(outcome),
        _ => None,
    });
    let Some(Outcome::NotExecuted(Reason::PeerGone)) = ended else { panic!("{ended:?}") };
}
