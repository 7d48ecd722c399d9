//! Ids and tickets of another endpoint: whoever has the same slot here must not be hit. Debug builds
//! panic at the mistake, others do nothing; in both, nothing has happened afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Channel, Endpoint, Link, Stats};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{ConnectionConfig, Parts, Side, Token};
use pseud_proto::{
    Action, CallId, CallOptions, Config, Fault, Outcome, PeerId, Reason, Refusal, Ticket, To,
};
use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// One endpoint with one session, one call that left, and one request, each the first of its table.
struct Node {
    endpoint: Endpoint,
    peer: PeerId,
    call: CallId,
    token: Token,
    ticket: Option<Ticket>,
    now: Instant,
}

impl Node {
    fn new(seed: u8) -> Self {
        let (mut endpoint, now) = (Endpoint::new(Arc::default(), [seed; 32]), Instant::now());
        let peer = endpoint.handle_connected(PeerInfo::new("peer".into()), now);
        let body = Packed::call(&(), &()).unwrap();
        let call = endpoint.call(To::Peer(peer), "x", body, CallOptions::default(), now).unwrap();
        let token = endpoint.poll_transmit(peer, now).unwrap().token();
        let work = Parts::from_frames(&[&b""[..], b"v1", b"id", b"\x03", b"\x93\xa1x\x90\x80"]);
        endpoint.handle_message(peer, work.unwrap(), now).unwrap();
        let mut actions = std::iter::from_fn(|| endpoint.poll_action());
        let ticket = actions.find_map(|action| match action {
            Action::Serve(request) => Some(request.into_ticket()),
            _ => None,
        });
        Self { endpoint, peer, call, token, ticket, now }
    }

    fn ticket(&mut self) -> Ticket {
        self.ticket.take().unwrap()
    }

    /// Makes that mistake; whatever comes of it, nothing has changed.
    fn mistake(&mut self, make: impl FnOnce(&mut Endpoint, Instant)) {
        let (before, now) = (self.endpoint.stats(), self.now);
        let made = catch_unwind(AssertUnwindSafe(|| make(&mut self.endpoint, now)));
        assert_eq!(made.is_err(), cfg!(debug_assertions), "debug builds panic");
        assert_eq!(self.endpoint.stats(), before);
        assert!(self.endpoint.poll_action().is_none());
    }
}

/// Two endpoints whose ids have the same slots and generations.
fn twins() -> (Node, Node) {
    let (ours, theirs) = (Node::new(1), Node::new(2));
    assert_eq!((ours.peer.slot(), ours.call.slot()), (theirs.peer.slot(), theirs.call.slot()));
    (ours, theirs)
}

#[test]
fn a_foreign_ticket_answers_nobody() {
    let uses: [fn(&mut Endpoint, Ticket, Instant); 3] = [
        |endpoint, ticket, now| endpoint.reply(ticket, Err(Fault::new("E", "")), now),
        |endpoint, ticket, now| endpoint.refuse(ticket, &Refusal::Draining, now),
        |endpoint, ticket, now| endpoint.abandon(ticket, now),
    ];
    for use_it in uses {
        let (mut ours, mut theirs) = twins();
        let (foreign, own) = (theirs.ticket(), ours.ticket());
        assert_ne!(foreign.request(), own.request());
        ours.mistake(|endpoint, now| use_it(endpoint, foreign, now));
        assert!(ours.endpoint.is_open(own.request()));
        ours.endpoint.reply(own, Ok(Packed::result(&7).unwrap()), ours.now);
        assert!(ours.endpoint.poll_transmit(ours.peer, ours.now).is_some(), "its own does");
    }
}

#[test]
fn a_foreign_call_is_not_cancelled() {
    let (mut ours, theirs) = twins();
    ours.mistake(|endpoint, now| endpoint.cancel(theirs.call, now));
    ours.endpoint.cancel(ours.call, ours.now);
    assert!(matches!(ours.endpoint.poll_action(), Some(Action::Finish { .. })));
}

#[test]
fn a_foreign_session_is_nobody() {
    let (mut ours, mut theirs) = twins();
    let (foreign, request) = (theirs.peer, theirs.ticket().request());
    ours.mistake(|endpoint, now| endpoint.handle_gone(foreign, Reason::PeerGone, now));
    ours.mistake(|endpoint, now| assert!(!endpoint.disconnect(foreign, now)));
    ours.mistake(|endpoint, now| endpoint.handle_written(foreign, theirs.token, now));
    ours.mistake(|endpoint, now| assert!(endpoint.poll_transmit(foreign, now).is_none()));
    ours.mistake(|endpoint, _| assert!(endpoint.peer_info(foreign).is_none()));
    ours.mistake(|endpoint, _| assert!(!endpoint.is_quiet(foreign)));
    ours.mistake(|endpoint, _| assert!(!endpoint.is_open(request)));
    ours.mistake(|endpoint, _| assert!(endpoint.session_of(&To::Peer(foreign)).is_none()));
    let probe = || Parts::from_frames(&[b""]).unwrap();
    let told = |endpoint: &mut Endpoint, now| endpoint.handle_message(foreign, probe(), now);
    let now = ours.now;
    let told = catch_unwind(AssertUnwindSafe(|| told(&mut ours.endpoint, now)));
    assert_eq!((told.is_err(), ours.endpoint.stats().probes), (cfg!(debug_assertions), 0));
    // What was written of it is still not known: its loss proves that it did not run.
    ours.endpoint.handle_gone(ours.peer, Reason::PeerGone, ours.now);
    let ended = ours.endpoint.poll_action();
    let Some(Action::Finish { outcome: Outcome::NotExecuted(_), .. }) = ended else {
        panic!("{ended:?}")
    };
}

/// A call must end with some outcome: nobody is there.
#[test]
fn a_call_to_a_foreign_session_goes_nowhere() {
    let (mut ours, theirs) = twins();
    let (now, to) = (ours.now, To::Peer(theirs.peer));
    let body = Packed::call(&(), &()).unwrap();
    let called = catch_unwind(AssertUnwindSafe(|| {
        ours.endpoint.call(to, "x", body, CallOptions::default(), now).unwrap()
    }));
    assert_eq!(called.is_err(), cfg!(debug_assertions));
    assert!(ours.endpoint.poll_transmit(ours.peer, now).is_none());
    if let Ok(call) = called {
        let ended = ours.endpoint.poll_action();
        let Some(Action::Finish { call: ended, outcome: Outcome::NotExecuted(reason) }) = ended
        else {
            panic!("{ended:?}")
        };
        assert_eq!((ended, reason), (call, Reason::PeerGone));
    }
}

/// A link that is driven with another endpoint brings it no session.
#[test]
fn a_link_is_of_one_endpoint() {
    let now = Instant::now();
    let [ours, mut other] = [1, 2].map(|seed| Endpoint::new(Arc::default(), [seed; 32]));
    let mut link = Link::new(&ours, Arc::default(), Side::Accepting, [3; 32], now);
    let (config, connection) = (Arc::new(Config::default()), Arc::new(ConnectionConfig::default()));
    let mut client = Channel::new(config, connection, Side::Connecting, [4; 32], now);
    let mut panicked = false;
    for _ in 0..4 {
        let mut bytes = taken(|out| client.slices(out));
        client.advance(bytes.len(), now);
        let fed = AssertUnwindSafe(|| link.handle_input(&mut other, &mut bytes, now).is_ok());
        panicked |= catch_unwind(fed).is_err();
        let mut bytes = taken(|out| link.slices(out));
        let fed = AssertUnwindSafe(|| link.advance(&mut other, bytes.len(), now));
        panicked |= catch_unwind(fed).is_err();
        client.handle_input(&mut bytes, now).unwrap();
    }
    assert!(client.peer().is_some(), "the handshake is over");
    assert_eq!(
        (panicked, other.stats(), link.peer()),
        (cfg!(debug_assertions), Stats::default(), None)
    );
}

fn taken<'a>(fill: impl FnOnce(&mut [IoSlice<'a>]) -> usize) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 16];
    let count = fill(&mut slices);
    slices.iter().take(count).flat_map(|slice| slice.to_vec()).collect()
}

/// What an endpoint can do, a channel can.
#[test]
fn a_channel_drains_abandons_and_is_idle() {
    let now = Instant::now();
    let [mut client, mut server] = [Side::Connecting, Side::Accepting].map(|side| {
        let seed = [side as u8 + 1; 32];
        Channel::new(Arc::default(), Arc::default(), side, seed, now)
    });
    let settle = |client: &mut Channel, server: &mut Channel| {
        for _ in 0..8 {
            carry(client, server, now);
            carry(server, client, now);
        }
    };
    settle(&mut client, &mut server);
    let call = |client: &mut Channel| {
        let body = Packed::call(&(), &()).unwrap();
        client.call("x", body, CallOptions::default(), now).unwrap()
    };
    assert!(client.is_idle() && server.is_idle());
    let first = call(&mut client);
    settle(&mut client, &mut server);
    assert!(!client.is_idle() && !server.is_idle());
    let ticket = std::iter::from_fn(|| server.poll_action()).find_map(|action| match action {
        Action::Serve(request) => Some(request.into_ticket()),
        _ => None,
    });
    server.drain();
    let second = call(&mut client);
    settle(&mut client, &mut server);
    assert!(matches!(ended(&mut client, second), Outcome::NotExecuted(Reason::Draining)));
    assert!(!server.is_idle(), "what is open goes on");
    server.abandon(ticket.unwrap(), now);
    settle(&mut client, &mut server);
    let Outcome::Fault(fault) = ended(&mut client, first) else { panic!("no fault") };
    assert_eq!(&*fault.class, "RuntimeError");
    assert!(client.is_idle() && server.is_idle());
}

fn carry(from: &mut Channel, to: &mut Channel, now: Instant) {
    let mut bytes = taken(|out| from.slices(out));
    from.advance(bytes.len(), now);
    to.handle_input(&mut bytes, now).unwrap();
}

fn ended(channel: &mut Channel, call: CallId) -> Outcome {
    let mut actions = std::iter::from_fn(|| channel.poll_action());
    let outcome = actions.find_map(|action| match action {
        Action::Finish { call: ended, outcome } if ended == call => Some(outcome),
        _ => None,
    });
    outcome.unwrap()
}
