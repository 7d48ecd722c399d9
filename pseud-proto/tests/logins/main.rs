//! Logins within sessions (HOSTILE E and G), beside the machine alone: what a peer that has not logged in
//! reaches, and whom a password is shown to.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod asked;
mod shown;

use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Endpoint, Kind};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Parts, Question, Secret, Verdict};
use pseud_proto::{
    Action, CallOptions, CallRefused, Capabilities, Config, Credentials, Incompatible, Misbehaved,
    Outcome, PeerError, PeerId, Profile, Reason, To, User, UserSessions,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

const OK: u8 = 0x01;
const HELLO: u8 = 0x02;
const WORK: u8 = 0x03;
const AUTHENTICATED: u8 = 0x04;
const HEARTBEAT: u8 = 0x06;
const ERROR: u8 = 0x10;
const UNAUTHORIZED: u8 = 0x11;
const ECHO: &[u8] = b"\x93\xa4echo\x90\x80";
const RIGHT: &[u8] = b"\x92\xc4\x04john\xc4\x05right";
const WRONG: &[u8] = b"\x92\xc4\x04john\xc4\x05wrong";

struct Room {
    node: Endpoint,
    now: Instant,
}

impl Room {
    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        Self { node: Endpoint::new(Arc::new(config), [1; 32]), now: Instant::now() }
    }

    /// One that has nobody served who has not logged in.
    fn server() -> Self {
        Self::with(|config| config.requires_login = true)
    }

    /// A client of the server `service`, to which it is connected, and its one session there.
    fn client(allow_plaintext: bool) -> (Self, PeerId) {
        let mut room = Self::with(|config| {
            config.server = Some("service".into());
            let shown = Credentials::new("john", Secret::new("right"));
            config.credentials = Some(shown.allow_plaintext(allow_plaintext));
        });
        let peer = room.join("service", "");
        (room, peer)
    }

    fn join(&mut self, name: &'static str, user: &'static str) -> PeerId {
        self.node.handle_connected(PeerInfo::new(name.into()).with_user(user), self.now)
    }

    fn says(&mut self, peer: PeerId, id: u8, kind: u8, body: &[u8]) -> Result<(), PeerError> {
        self.says_with(peer, &[id; 16], kind, body)
    }

    fn says_with(
        &mut self,
        peer: PeerId,
        id: &[u8],
        kind: u8,
        body: &[u8],
    ) -> Result<(), PeerError> {
        let parts = Parts::from_frames(&[&b""[..], b"v1", id, &[kind], body]).unwrap();
        self.node.handle_message(peer, parts, self.now)
    }

    /// What that peer is sent: kinds and ids.
    fn sent(&mut self, peer: PeerId) -> Vec<(Kind, Vec<u8>, Vec<u8>)> {
        let mut sent = Vec::new();
        while let Some(transmit) = self.node.poll_transmit(peer, self.now) {
            let kind = transmit.kind();
            sent.push(transmit.with(|message, _| {
                let body = [message.head, &message.body, message.tail].concat();
                (kind, message.frames[2].to_vec(), body)
            }));
        }
        sent
    }

    fn kinds(&mut self, peer: PeerId) -> Vec<Kind> {
        self.sent(peer).into_iter().map(|(kind, ..)| kind).collect()
    }

    /// What is asked about that peer now, if anything.
    fn asked(&mut self) -> Vec<(PeerId, Question)> {
        let mut asked = Vec::new();
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Login(peer, question) => asked.push((peer, question)),
                Action::Serve(request) => panic!("{request:?} is served"),
                _ => {}
            }
        }
        asked
    }

    fn admit(&mut self, peer: PeerId) {
        self.node.answer_login(peer, Verdict::Admit("john".into()), self.now);
    }

    fn served(&mut self) -> usize {
        let actions = std::iter::from_fn(|| self.node.poll_action());
        actions.filter(|action| matches!(action, Action::Serve(_))).count()
    }

    fn call(&mut self) {
        let body = Packed::call(&(1,), &()).unwrap();
        self.node.call(To::Server, "echo", body, CallOptions::default(), self.now).unwrap();
    }

    /// How calls have ended, in order.
    fn outcomes(&mut self) -> Vec<Outcome> {
        let actions = std::iter::from_fn(|| self.node.poll_action());
        let ended = actions.filter_map(|action| match action {
            Action::Finish { outcome, .. } => Some(outcome),
            _ => None,
        });
        ended.collect()
    }
}
