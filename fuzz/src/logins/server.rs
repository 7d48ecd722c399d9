//! The server, its driver, and who says whose password is right.

use super::client::answer;
use super::judge::{Judge, name_of};
use super::settings::USERS;
use super::world::{Frames, frames_of, parts_of};
use crate::limits;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::{Endpoint, Kind};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Question, Token, Verdict};
use pseud_proto::{
    Action, CallId, CallOptions, Config, PeerId, Reason, RequestId, Several, Ticket, To, User,
};
use pseud_testkit::ledger::Number;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// Which member of the ledger it is.
const SERVER: usize = 0;

pub(super) struct Server {
    endpoint: Endpoint,
    config: Arc<Config>,
    open: BTreeMap<CallId, Number>,
    serving: BTreeMap<RequestId, (Ticket, Option<Number>)>,
    peers: BTreeMap<PeerId, Peer>,
    /// Who has logged in, as its driver was told.
    logged_in: Vec<PeerId>,
    /// Sessions that have ended.
    left: Vec<Left>,
}

/// What is known of a session.
struct Peer {
    since: Instant,
    question: Option<Asked>,
    /// HELLOs of which the answer was that they are wrong.
    wrong: u8,
    challenges: u32,
    pulled: VecDeque<(Token, Frames)>,
}

/// A HELLO that is asked about, and who was shown out since.
struct Asked {
    login: Vec<u8>,
    is_right: bool,
    shown_out: BTreeSet<&'static str>,
}

/// A session that has ended, and what may leave of it yet.
pub(super) type Left = (PeerId, Vec<Frames>);

impl Server {
    pub(super) fn new(config: Config) -> Self {
        let config = Arc::new(config);
        Self {
            endpoint: Endpoint::new(config.clone(), [0x5e; 32]),
            config,
            open: BTreeMap::new(),
            serving: BTreeMap::new(),
            peers: BTreeMap::new(),
            logged_in: Vec::new(),
            left: Vec::new(),
        }
    }

    pub(super) fn connect(&mut self, info: PeerInfo, now: Instant) -> PeerId {
        let peer = self.endpoint.handle_connected(info, now);
        let (question, wrong, challenges, pulled) = (None, 0, 0, VecDeque::new());
        self.peers.insert(peer, Peer { since: now, question, wrong, challenges, pulled });
        peer
    }

    pub(super) fn call(&mut self, [choice, more]: [u8; 2], judge: &mut Judge, now: Instant) {
        let number = judge.next_number();
        let id = USERS[usize::from(choice / 4) % USERS.len()].into();
        let several = if more & 8 == 0 { Several::Newest } else { Several::Refuse };
        let to = match (choice % 4, self.peers.keys().next()) {
            (0, Some(peer)) => To::Peer(*peer),
            (0 | 1, _) => To::Identity(id),
            (2, _) => To::User { id, several },
            _ => To::Known { id, several },
        };
        let body = Packed::call(&("x".repeat(usize::from(more)),), &()).expect("a text");
        let mut options = CallOptions::default();
        if more & 2 != 0 {
            options = options.timeout(limits::time(more / 4));
        }
        if let Ok(call) = self.endpoint.call(to, &name_of(number), body, options, now) {
            judge.made(number, SERVER, now);
            self.open.insert(call, number);
        }
    }

    pub(super) fn cancel(&mut self, choice: u8, now: Instant) {
        let call = self.open.keys().nth(usize::from(choice) % self.open.len().max(1)).copied();
        call.into_iter().for_each(|call| self.endpoint.cancel(call, now));
    }

    /// Says whether the HELLO of some session is right, or lies, or does not know; perhaps of one about which
    /// nobody has asked.
    pub(super) fn answer_login(
        &mut self,
        peer: PeerId,
        choice: u8,
        judge: &mut Judge,
        now: Instant,
    ) {
        let known = self.peers.get_mut(&peer);
        let asked = known.and_then(|known| known.question.take());
        let honest = match &asked {
            Some(asked) if asked.is_right => Verdict::Admit(User::new(asked.login.clone())),
            _ => Verdict::Deny,
        };
        let verdict = match choice % 6 {
            3 => Verdict::Deny,
            4 => Verdict::Unavailable,
            5 if choice < 128 => Verdict::Admit(User::default()),
            5 => Verdict::Admit(User::new("eve")),
            _ => honest,
        };
        let is_user = match (&verdict, &asked) {
            (Verdict::Admit(user), Some(asked)) => {
                let shown_out = asked.shown_out.iter().any(|out| out.as_bytes() == user.id());
                !user.is_anonymous() && !shown_out
            }
            _ => false,
        };
        let is_wrong = asked.is_some() && !is_user && verdict != Verdict::Unavailable;
        if let Some(known) = self.peers.get_mut(&peer) {
            known.wrong += u8::from(is_wrong);
        }
        let user = if let Verdict::Admit(user) = &verdict { user.clone() } else { User::default() };
        self.endpoint.answer_login(peer, verdict, now);
        self.settle(judge, now);
        let expected: Vec<_> = is_user.then_some(peer).into_iter().collect();
        assert_eq!(std::mem::take(&mut self.logged_in), expected, "who has logged in");
        if let Some(info) = self.endpoint.peer_info(peer).filter(|_| is_user) {
            assert_eq!(info.user, user);
        }
    }

    pub(super) fn show_out(&mut self, choice: u8, now: Instant) {
        let user = USERS[usize::from(choice) % USERS.len()];
        for peer in self.peers.values_mut() {
            if let Some(asked) = &mut peer.question {
                asked.shown_out.insert(user);
            }
        }
        self.endpoint.disconnect_user(user.as_bytes(), now);
    }

    /// The next message is handed to the connection of that session.
    pub(super) fn pull(&mut self, peer: PeerId, judge: &mut Judge, now: Instant) -> bool {
        let Some(transmit) = self.endpoint.poll_transmit(peer, now) else { return false };
        let kind = transmit.kind();
        let (frames, number, token) = frames_of(transmit);
        judge.leaves(&frames[2], number);
        let known = self.peers.get_mut(&peer).expect("it is there");
        if kind == Kind::Unauthorized && frames[4] == b"Authentication Required" {
            known.challenges += 1;
            let limit = self.config.limits.unauthorized;
            assert!(
                limit.per_second > 0 || known.challenges <= limit.burst,
                "challenged too often"
            );
        }
        known.pulled.push_back((token, frames));
        true
    }

    /// The oldest of those has left whole.
    pub(super) fn write(&mut self, peer: PeerId, now: Instant) -> Option<Frames> {
        // Nothing of a session that has ended is written.
        self.endpoint.peer_info(peer)?;
        let (token, frames) = self.peers.get_mut(&peer)?.pulled.pop_front()?;
        self.endpoint.handle_written(peer, token, now);
        Some(frames)
    }

    pub(super) fn hear(&mut self, peer: PeerId, frames: &Frames, now: Instant) {
        if let Err(error) = self.endpoint.handle_message(peer, parts_of(frames), now) {
            self.endpoint.handle_gone(peer, error.into(), now);
        }
    }

    pub(super) fn reply(&mut self, [choice, more]: [u8; 2], now: Instant) -> bool {
        let some = usize::from(choice) % self.serving.len().max(1);
        let Some(key) = self.serving.keys().nth(some).copied() else { return false };
        let (ticket, number) = self.serving.remove(&key).expect("it is there");
        self.endpoint.reply(ticket, answer(number, more), now);
        true
    }

    pub(super) fn timeout(&mut self, judge: &mut Judge, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.settle(judge, now);
        for (peer, known) in &self.peers {
            let by = known.since.checked_add(self.config.limits.login_timeout);
            let is_late = self.is_stranger(*peer) && by.is_some_and(|by| by <= now);
            assert!(!is_late, "a stranger who stays");
        }
    }

    pub(super) fn gone(&mut self, peer: PeerId, now: Instant) {
        self.endpoint.handle_gone(peer, Reason::PeerGone, now);
    }

    pub(super) fn drain(&mut self) {
        self.endpoint.drain();
    }

    pub(super) fn shut_down(&mut self, judge: &mut Judge, now: Instant) {
        self.endpoint.shutdown(now);
        self.settle(judge, now);
        assert!(self.open.is_empty() && self.serving.is_empty() && self.peers.is_empty());
        let stats = self.endpoint.stats();
        let left = (stats.requests_open, stats.requests_open_bytes, stats.queued_bytes);
        assert_eq!((left, self.endpoint.poll_timeout()), ((0, 0, 0), None));
        assert_eq!((stats.sessions, stats.sessions_unnamed), (0, 0));
    }

    /// Does what the machine asks for.
    pub(super) fn settle(&mut self, judge: &mut Judge, now: Instant) {
        let mut over = BTreeMap::new();
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Serve(request) => {
                    let is_known = !request.caller().user.is_anonymous();
                    assert!(is_known || !self.config.requires_login, "a stranger is served");
                    let number = judge.runs(request.name(), SERVER);
                    let (id, ticket) = (request.id(), request.into_ticket());
                    assert!(self.serving.insert(id, (ticket, number)).is_none(), "served twice");
                }
                Action::Cancelled(request) => drop(self.serving.remove(&request).expect("served")),
                Action::Finish { call, outcome } => {
                    judge.ended(self.open.remove(&call).expect("it is open"), outcome, now);
                }
                Action::Login(peer, question) => self.asked(peer, question),
                Action::LoggedIn(peer, _) => self.logged_in.push(peer),
                Action::Left(peer, _) => {
                    let known = self.peers.remove(&peer).expect("it was there");
                    over.insert(peer, known.pulled);
                    self.left.push((peer, Vec::new()));
                }
                // Its driver may be writing.
                Action::Close(peer, _) => {
                    let pulled = over.remove(&peer).expect("it has left").into_iter();
                    let left = self.left.iter_mut().find(|(left, _)| *left == peer);
                    left.expect("it has left").1.extend(pulled.map(|(_, frames)| frames));
                }
                Action::Withheld { .. } => judge.is_odd = true,
                _ => {}
            }
        }
    }

    fn asked(&mut self, peer: PeerId, question: Question) {
        let Question::Login { login, password, .. } = question else { panic!("{question}") };
        let known = self.peers.get_mut(&peer).expect("it is there");
        assert!(known.question.is_none(), "asked twice at once");
        assert!(known.wrong < self.config.limits.login_tries_max, "asked too often");
        let is_right = password.matches(b"sesame") && !login.is_empty();
        let (login, shown_out) = (login.to_vec(), BTreeSet::new());
        known.question = Some(Asked { login, is_right, shown_out });
        assert!(self.is_stranger(peer), "asked about somebody");
    }

    fn is_stranger(&self, peer: PeerId) -> bool {
        let info = self.endpoint.peer_info(peer);
        self.config.requires_login && info.is_some_and(|info| info.user.is_anonymous())
    }

    /// Sessions about which somebody is asked, or those of which nobody is.
    pub(super) fn questions(&self) -> Vec<PeerId> {
        let asked = self.peers.iter().filter(|(_, known)| known.question.is_some());
        asked.map(|(peer, _)| *peer).collect()
    }

    pub(super) fn take_left(&mut self) -> Vec<Left> {
        std::mem::take(&mut self.left)
    }

    pub(super) fn check(&self) {
        let (stats, limits) = (self.endpoint.stats(), &self.config.limits);
        assert_eq!((stats.calls_pending, stats.sessions), (self.open.len(), self.peers.len()));
        let strangers = self.peers.keys().filter(|peer| self.is_stranger(**peer)).count();
        assert_eq!(stats.sessions_unnamed, strangers);
        assert!(strangers <= limits.sessions_unnamed_max.max(1), "{strangers} strangers");
        assert!(self.serving.len() <= limits.requests_open_max);
        for (peer, known) in &self.peers {
            let (calls, requests) = self.endpoint.open(*peer).expect("it is there");
            assert!(!self.is_stranger(*peer) || calls + requests == 0, "of a stranger");
            assert!(known.wrong <= limits.login_tries_max, "guessed too often");
        }
    }
}
