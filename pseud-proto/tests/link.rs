//! Many links of one endpoint, driven by hand: what one peer does is nobody else's damage.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that panics is a test that fails"
)]

use pseud_proto::pseud::{Channel, Endpoint, Link};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{ConnectionConfig, Side};
use pseud_proto::{
    Action, CallOptions, Config, Malformed, Misbehaved, Outcome, PeerError, PeerId, Reason,
};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

fn gather(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.to_vec()).collect()
}

fn written(link: &mut Link, endpoint: &mut Endpoint, now: Instant) -> Vec<u8> {
    link.pull(endpoint, now);
    let mut slices = [IoSlice::new(&[]); 8];
    let count = link.slices(&mut slices);
    let bytes = gather(&slices[..count]);
    link.advance(endpoint, bytes.len(), now);
    bytes
}

fn said(channel: &mut Channel, now: Instant) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = channel.slices(&mut slices);
    let bytes = gather(&slices[..count]);
    channel.advance(bytes.len(), now);
    bytes
}

struct Server {
    endpoint: Endpoint,
    now: Instant,
    left: Vec<(PeerId, Reason)>,
}

impl Server {
    fn new() -> Self {
        let endpoint = Endpoint::new(Arc::new(Config::default()), [1; 32]);
        Self { endpoint, now: Instant::now(), left: Vec::new() }
    }

    fn link(&self) -> Link {
        let link = ConnectionConfig::default();
        Link::new(&self.endpoint, link.into(), Side::Accepting, [2; 32], self.now)
            .with_address("here")
    }

    fn client(&self, identity: &'static str) -> Channel {
        let mut link = ConnectionConfig::default();
        link.identity = identity.into();
        let config = Config::default();
        Channel::new(config.into(), link.into(), Side::Connecting, [3; 32], self.now)
    }

    /// Answers every request with its caller's identity.
    fn act(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Serve(request) => {
                    let info = self.endpoint.peer_info(request.peer()).unwrap().clone();
                    assert_eq!(info.address, "here");
                    let caller = String::from_utf8(info.identity.to_vec()).unwrap();
                    let ticket = request.into_ticket();
                    self.endpoint.reply(ticket, Ok(Packed::result(&caller).unwrap()), self.now);
                }
                Action::Left(peer, reason) => self.left.push((peer, reason)),
                _ => {}
            }
        }
    }

    /// Bytes both ways until neither side has any.
    fn talk(&mut self, link: &mut Link, channel: &mut Channel) {
        loop {
            let mut up = said(channel, self.now);
            link.handle_input(&mut self.endpoint, &mut up, self.now).unwrap();
            self.act();
            let mut down = written(link, &mut self.endpoint, self.now);
            channel.handle_input(&mut down, self.now).unwrap();
            if up.is_empty() && down.is_empty() {
                return;
            }
        }
    }

    fn who_am_i(&mut self, link: &mut Link, channel: &mut Channel) -> String {
        self.talk(link, channel);
        let arguments = Packed::call(&(), &()).unwrap();
        let call = channel.call("me", arguments, CallOptions::default(), self.now).unwrap();
        self.talk(link, channel);
        while let Some(action) = channel.poll_action() {
            if let Action::Finish { call: over, outcome: Outcome::Value(value) } = action {
                assert_eq!(over, call);
                return value.check(&Default::default()).unwrap().decode().unwrap();
            }
        }
        panic!("no answer");
    }
}

#[test]
fn each_link_is_its_own_session() {
    let mut server = Server::new();
    let (mut a, mut b) = (server.link(), server.link());
    let (mut anne, mut bert) = (server.client("anne"), server.client("bert"));
    assert_eq!(a.peer(), None);
    assert_eq!(server.who_am_i(&mut a, &mut anne), "anne");
    assert_eq!(server.who_am_i(&mut b, &mut bert), "bert");
    assert_eq!(server.who_am_i(&mut a, &mut anne), "anne");
    assert_eq!(a.peer(), server.endpoint.peer_named(b"anne"));
    assert_eq!(b.peer(), server.endpoint.peer_named(b"bert"));
    assert_eq!(server.endpoint.stats().requests_open, 0, "advance tells what was written");
}

#[test]
fn an_error_ends_its_own_session_alone() {
    let mut server = Server::new();
    let (mut a, mut b) = (server.link(), server.link());
    let (mut anne, mut bert) = (server.client("anne"), server.client("bert"));
    server.who_am_i(&mut a, &mut anne);
    server.who_am_i(&mut b, &mut bert);
    let (peer, now) = (a.peer().unwrap(), server.now);
    // A command whose name is longer than its body.
    let error = a.handle_input(&mut server.endpoint, &mut [4, 2, 9, b'x'], now).unwrap_err();
    assert_eq!(error, PeerError::Malformed(Malformed::BadCommand));
    server.act();
    assert_eq!(server.left, [(peer, Reason::PeerFault(error))]);
    assert_eq!((a.peer(), a.poll_timeout()), (None, None));
    assert_eq!(server.who_am_i(&mut b, &mut bert), "bert");
}

#[test]
fn the_end_of_a_stream_and_an_end_of_ours_end_the_session_once() {
    let mut server = Server::new();
    let (mut a, mut b) = (server.link(), server.link());
    let (mut anne, mut bert) = (server.client("anne"), server.client("bert"));
    server.who_am_i(&mut a, &mut anne);
    server.who_am_i(&mut b, &mut bert);
    let (first, second, now) = (a.peer().unwrap(), b.peer().unwrap(), server.now);
    a.handle_eof(&mut server.endpoint, now).unwrap();
    b.end(&mut server.endpoint, Reason::Shutdown, now);
    b.end(&mut server.endpoint, Reason::PeerGone, now);
    b.handle_eof(&mut server.endpoint, now).unwrap();
    server.act();
    assert_eq!(server.left, [(first, Reason::PeerGone), (second, Reason::Shutdown)]);
}

#[test]
fn a_stream_that_ends_in_the_handshake_was_no_session() {
    let mut server = Server::new();
    let (mut link, now) = (server.link(), server.now);
    let error = link.handle_eof(&mut server.endpoint, now).unwrap_err();
    assert_eq!(error, PeerError::Misbehaved(Misbehaved::HandshakeIncomplete));
    assert!(server.endpoint.poll_action().is_none());
}

#[test]
fn a_peer_that_says_nothing_times_out() {
    let mut server = Server::new();
    let mut link = server.link();
    let due = link.poll_timeout().unwrap();
    let error = link.handle_timeout(&mut server.endpoint, due).unwrap_err();
    assert_eq!(error, PeerError::Misbehaved(Misbehaved::HandshakeTimeout));
}
