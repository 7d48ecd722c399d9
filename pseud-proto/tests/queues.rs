//! Queues to a peer, and calls that wait for one: where they go, and what there is no room for.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that panics is a test that fails"
)]

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Endpoint, Kind};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::Parts;
use pseud_proto::{
    Action, CallId, CallOptions, Config, Outcome, PeerId, Reason, Several, Ticket, To,
};
use std::sync::Arc;
use std::time::Instant;

const MIB: usize = 1 << 20;

struct Node {
    endpoint: Endpoint,
    now: Instant,
    ended: Vec<(CallId, Outcome)>,
    left: Vec<(PeerId, Reason)>,
    asked: Vec<Ticket>,
}

impl Node {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let (endpoint, now) = (Endpoint::new(Arc::new(config), [1; 32]), Instant::now());
        Self { endpoint, now, ended: Vec::new(), left: Vec::new(), asked: Vec::new() }
    }

    fn join(&mut self, info: PeerInfo) -> PeerId {
        let peer = self.endpoint.handle_connected(info, self.now);
        self.drain();
        peer
    }

    fn call(&mut self, to: To, bytes: usize) -> CallId {
        let body = Packed::call(&("x".repeat(bytes),), &()).unwrap();
        let call = self.endpoint.call(to, "x", body, CallOptions::default(), self.now).unwrap();
        self.drain();
        call
    }

    fn hear(&mut self, peer: PeerId, id: u8) {
        let body = &b"\x93\xa1x\x90\x80"[..];
        let parts = Parts::from_frames(&[&b""[..], b"v1", &[id; 16], &[3], body]).unwrap();
        self.endpoint.handle_message(peer, parts, self.now).unwrap();
        self.drain();
    }

    fn answer(&mut self, bytes: usize) {
        let result = Packed::result(&"x".repeat(bytes)).unwrap();
        let ticket = self.asked.remove(0);
        self.endpoint.reply(ticket, Ok(result), self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Finish { call, outcome } => self.ended.push((call, outcome)),
                Action::Left(peer, reason) => self.left.push((peer, reason)),
                Action::Serve(request) => self.asked.push(request.into_ticket()),
                _ => {}
            }
        }
    }

    fn pull(&mut self, peer: PeerId) -> Option<Kind> {
        let kind = self.endpoint.poll_transmit(peer, self.now).map(|transmit| transmit.kind());
        self.drain();
        kind
    }
}

fn known(id: &'static str) -> To {
    To::Known { id: id.into(), several: Several::Newest }
}

fn user(id: &'static str) -> To {
    To::User { id: id.into(), several: Several::Newest }
}

#[test]
fn who_inherits_a_routing_id_is_sent_what_waited_for_who_is_known_as_that() {
    let mut node = Node::new(|_| {});
    let alice = node.join(PeerInfo::new("bob".into()).with_user("alice"));
    let bob = node.join(PeerInfo::new("bob".into()));
    node.call(known("bob"), 1);
    assert_eq!((node.pull(alice), node.pull(bob)), (None, None));
    node.endpoint.handle_gone(alice, Reason::PeerGone, node.now);
    node.drain();
    assert_eq!(node.endpoint.session_of(&known("bob")), Some(bob));
    assert_eq!(node.pull(bob), Some(Kind::Work));
}

#[test]
fn what_waited_for_a_peer_does_not_cost_it_its_link() {
    let mut node = Node::new(|_| {});
    for to in [To::Identity("desk".into()), user("alice"), known("alice")] {
        for _ in 0..2 {
            node.call(to.clone(), 3 * MIB);
        }
    }
    let alice = node.join(PeerInfo::new("desk".into()).with_user("alice"));
    assert_eq!(node.left, []);
    let busy = |(_, outcome): &(CallId, Outcome)| {
        matches!(outcome, Outcome::NotExecuted(Reason::Overloaded))
    };
    assert_eq!(node.ended.iter().filter(|ended| busy(ended)).count(), 4);
    assert_eq!(std::iter::from_fn(|| node.pull(alice)).count(), 2);
}

#[test]
fn what_waited_is_no_more_than_may_be_pending() {
    let mut node = Node::new(|config| config.limits.calls_pending_per_peer_max = 2);
    for to in [To::Identity("desk".into()), user("alice")] {
        for _ in 0..2 {
            node.call(to.clone(), 1);
        }
    }
    let alice = node.join(PeerInfo::new("desk".into()).with_user("alice"));
    assert_eq!(node.ended.len(), 2);
    assert_eq!(std::iter::from_fn(|| node.pull(alice)).count(), 2);
}

#[test]
fn what_waited_ends_with_the_peer_that_it_waited_for() {
    let mut node = Node::new(|config| config.limits.queue_bytes_hard_max = MIB);
    for _ in 0..4 {
        node.call(user("alice"), MIB);
    }
    node.join(PeerInfo::new("desk".into()).with_user("alice"));
    assert_eq!(node.left.len(), 1);
    assert_eq!(node.ended.len(), 4, "none is left to its deadline");
    assert_eq!(node.endpoint.poll_timeout(), None);
}

#[test]
fn a_queue_that_is_empty_takes_any_body() {
    let large = |config: &mut Config| {
        config.limits.body_bytes_max = 2 * MIB;
        config.limits.queue_bytes_soft_max = MIB;
        config.limits.queue_bytes_hard_max = MIB;
    };
    let mut node = Node::new(large);
    let peer = node.join(PeerInfo::new("desk".into()));
    node.call(To::Peer(peer), MIB + 9);
    assert_eq!(node.left, []);
    assert_eq!(node.pull(peer), Some(Kind::Work));
    node.hear(peer, 1);
    node.answer(MIB + 9);
    assert_eq!(node.left, []);
    assert_eq!(node.pull(peer), Some(Kind::Ok));
}

#[test]
fn what_is_behind_a_large_body_is_no_backlog_until_it_is_one() {
    let mut node = Node::new(|config| config.limits.queue_bytes_hard_max = MIB);
    let peer = node.join(PeerInfo::new("desk".into()));
    for (id, bytes) in [(1, 2 * MIB), (2, 9), (3, 2 * MIB)] {
        node.hear(peer, id);
        node.answer(bytes);
    }
    assert_eq!(node.left, []);
    let kinds: Vec<_> = std::iter::from_fn(|| node.pull(peer)).collect();
    assert_eq!(kinds, [Kind::Ok, Kind::Ok, Kind::Error]);
}
