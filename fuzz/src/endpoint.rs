//! Whatever an endpoint's driver and its peers do, in whatever order and under whatever limits: each call
//! ends once, as executed or maybe executed only if it was pulled, and as not executed for a lost link only
//! if it was not written; each request is served once while it is open, and told of its caller's end; no
//! limit is exceeded, what `stats` counts is what there is, and after a shutdown nothing is left.
//!
//! Six bytes of settings, then one step for each byte and what that takes.

use crate::limits;
use crate::script::Script;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Endpoint;
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Parts, Side, Token};
use pseud_proto::{
    Action, CallId, CallOptions, Config, Fault, Outcome, PeerId, Reason, Refusal, RequestId,
    Several, Ticket, To,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const STEPS_MAX: usize = 160;
const SESSIONS_MAX: usize = 6;
const NAMES: [&str; 3] = ["server", "desk", ""];
const USERS: [&str; 3] = ["", "alice", "bob"];

/// An endpoint, its driver, and peers.
pub fn endpoint(data: &[u8]) {
    let mut script = Script::new(data);
    let mut ledger = Ledger::new(limits::config(&mut script));
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        ledger.step(&mut script);
        ledger.check();
    }
    ledger.finish();
}

/// What became of one call so far.
#[derive(Debug, Default)]
struct Call {
    pulled: Option<PeerId>,
    written: bool,
    /// Its peer said something to its id.
    answered: bool,
}

#[derive(Default)]
struct Session {
    /// Tokens of what was pulled, and the call of each.
    pulled: Vec<(Token, Option<String>)>,
}

struct Ledger {
    endpoint: Endpoint,
    config: Arc<Config>,
    now: Instant,
    open: BTreeMap<CallId, String>,
    /// By the name that was called: each has its own.
    calls: BTreeMap<String, Call>,
    ids: Vec<(Vec<u8>, String)>,
    sessions: BTreeMap<PeerId, Session>,
    serving: BTreeMap<RequestId, Ticket>,
    is_shut_down: bool,
}

impl Ledger {
    fn new(config: Config) -> Self {
        let config = Arc::new(config);
        Self {
            endpoint: Endpoint::new(config.clone(), [0x5e; 32]),
            config,
            now: Instant::now(),
            open: BTreeMap::new(),
            calls: BTreeMap::new(),
            ids: Vec::new(),
            sessions: BTreeMap::new(),
            serving: BTreeMap::new(),
            is_shut_down: false,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let (step, choice) = (script.byte(), script.byte());
        let (now, some) = (self.now, usize::from(choice));
        let peer = self.sessions.keys().nth(some % self.sessions.len().max(1)).copied();
        match (step % 14, peer) {
            (0, _) => self.join(choice),
            (1, _) => self.call(choice, peer, script.byte()),
            (2, _) => {
                let call = self.open.keys().nth(some % self.open.len().max(1)).copied();
                call.into_iter().for_each(|call| self.endpoint.cancel(call, now));
            }
            (3, Some(peer)) => {
                let body: &[u8] = if step < 128 { b"\x93\xa1x\x90\x80" } else { b"\xc0" };
                self.hear(peer, &[script.byte() % 8; 16], 3, body);
            }
            (4, Some(peer)) => self.answer(peer, script.byte()),
            (5, _) => self.reply(some, script.byte()),
            (6, Some(peer)) => self.pull(peer),
            (7, Some(peer)) => self.written(peer),
            (8, Some(peer)) => self.endpoint.handle_gone(peer, Reason::PeerGone, now),
            (9, Some(peer)) if step < 128 => drop(self.endpoint.disconnect(peer, now)),
            (9, _) => {
                let user = USERS[some % USERS.len()].as_bytes();
                self.endpoint.disconnect_user(user, now);
            }
            (10, _) => {
                let steps = [0, 1, 500, 6_000, 4_000_000];
                self.now += Duration::from_millis(steps[some % steps.len()]);
            }
            (11, _) => self.endpoint.handle_timeout(now),
            (12, _) if some == 77 => self.endpoint.drain(),
            (12, _) => {
                let why = (some & 1 == 0).then_some(Reason::Denied);
                self.endpoint.set_unreachable(why, some & 2 == 0, now);
            }
            (13, Some(peer)) => {
                let parts = Parts::from_frames(&[script.bytes()]).expect("one frame");
                let heard = self.endpoint.handle_message(peer, parts, now);
                self.blame(peer, heard.is_err());
            }
            _ => {}
        }
        self.drain();
    }

    fn join(&mut self, choice: u8) {
        if self.sessions.len() == SESSIONS_MAX {
            return;
        }
        let some = usize::from(choice);
        let side = if choice & 64 == 0 { Side::Accepting } else { Side::Connecting };
        let info = PeerInfo::new(NAMES[some % 3].into()).with_user(USERS[some / 3 % 3]);
        let info = info.with_side(side).with_address(["", "192.0.2.1:9"][some / 9 % 2]);
        let peer = self.endpoint.handle_connected(info, self.now);
        self.sessions.insert(peer, Session::default());
    }

    fn call(&mut self, choice: u8, peer: Option<PeerId>, more: u8) {
        let some = usize::from(choice);
        let id = NAMES[some / 5 % 3].into();
        let several = if more & 8 == 0 { Several::Newest } else { Several::Refuse };
        let to = match (choice % 5, peer) {
            (0, _) => To::Server,
            (1, Some(peer)) => To::Peer(peer),
            (1 | 2, _) => To::Identity(id),
            (3, _) => To::User { id: USERS[some / 5 % 3].into(), several },
            _ => To::Known { id: USERS[some / 5 % 3].into(), several },
        };
        let name = format!("call{}", self.calls.len());
        let body = Packed::call(&("x".repeat(usize::from(more)),), &()).expect("a text");
        let mut options = CallOptions::default().hops(u32::from(more & 1));
        if more & 2 != 0 {
            options = options.timeout(limits::time(more / 4));
        }
        let made = self.endpoint.call(to, &name, body, options, self.now);
        if let Ok(call) = made {
            assert!(self.open.insert(call, name.clone()).is_none(), "an id of a call that is open");
            self.calls.insert(name, Call::default());
        }
    }

    fn hear(&mut self, peer: PeerId, id: &[u8], kind: u8, body: &[u8]) {
        let parts = Parts::from_frames(&[&b""[..], b"v1", id, &[kind], body]).expect("five frames");
        let heard = self.endpoint.handle_message(peer, parts, self.now);
        self.blame(peer, heard.is_err());
    }

    /// A peer that broke the rules is closed by its driver.
    fn blame(&mut self, peer: PeerId, is_to_blame: bool) {
        if is_to_blame {
            self.endpoint.handle_gone(peer, Reason::PeerGone, self.now);
        }
    }

    fn answer(&mut self, peer: PeerId, choice: u8) {
        let some = usize::from(choice / 4);
        let Some((id, name)) = self.ids.get(some % self.ids.len().max(1)).cloned() else { return };
        let call = self.calls.get_mut(&name).expect("it was called");
        call.answered |= call.pulled == Some(peer);
        let bodies: [(u8, &[u8]); 4] =
            [(1, b"\x07"), (0x10, b"\x93\xa1E\xa1m\xc0"), (0x11, b""), (1, &[0xc1; 3])];
        let (kind, body) = bodies[usize::from(choice % 4)];
        self.hear(peer, &id, kind, body);
    }

    fn reply(&mut self, some: usize, choice: u8) {
        let key = self.serving.keys().nth(some % self.serving.len().max(1)).copied();
        let Some(ticket) = key.and_then(|key| self.serving.remove(&key)) else { return };
        let text = "x".repeat(usize::from(choice));
        match choice % 4 {
            0 => self.endpoint.abandon(ticket, self.now),
            1 => self.endpoint.refuse(ticket, &Refusal::Draining, self.now),
            2 => self.endpoint.reply(ticket, Err(Fault::new("E", text)), self.now),
            _ => self.endpoint.reply(ticket, Ok(Packed::result(&text).expect("text")), self.now),
        }
    }

    fn pull(&mut self, peer: PeerId) {
        let Some(transmit) = self.endpoint.poll_transmit(peer, self.now) else { return };
        let (id, name, token) = transmit.with(|message, token| {
            let is_work = message.frames[3] == [3];
            // `[name, …`: a short text behind the array's head.
            let len = message.head.get(1).map_or(0, |head| usize::from(head & 31));
            let name = message.head.get(2..2 + len).filter(|_| is_work);
            (message.frames[2].to_vec(), name.map(|name| name.to_vec()), token)
        });
        let name = name.map(|name| String::from_utf8(name).expect("ours"));
        if let Some(name) = &name {
            let call = self.calls.get_mut(name).expect("it was called");
            assert!(call.pulled.replace(peer).is_none(), "{name} was sent twice");
            assert!(self.open.values().any(|open| open == name), "{name} was over");
            self.ids.push((id, name.clone()));
        }
        self.sessions.get_mut(&peer).expect("it lives").pulled.push((token, name));
    }

    fn written(&mut self, peer: PeerId) {
        let session = self.sessions.get_mut(&peer).expect("it lives");
        if session.pulled.is_empty() {
            return;
        }
        let (token, name) = session.pulled.remove(0);
        if let Some(name) = name {
            self.calls.get_mut(&name).expect("it was called").written = true;
        }
        self.endpoint.handle_written(peer, token, self.now);
    }

    fn drain(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Finish { call, outcome } => self.ended(call, &outcome),
                Action::Serve(request) => {
                    assert!(self.sessions.contains_key(&request.peer()), "after its end");
                    let (id, ticket) = (request.id(), request.into_ticket());
                    assert!(self.serving.insert(id, ticket).is_none(), "served twice");
                }
                Action::Cancelled(request) => {
                    let _ = self.serving.remove(&request).expect("it was served");
                    assert!(!self.endpoint.is_open(request));
                }
                Action::Left(peer, _) => drop(self.sessions.remove(&peer).expect("once")),
                Action::Joined(peer, _) => assert!(self.sessions.contains_key(&peer)),
                _ => {}
            }
        }
    }

    fn ended(&mut self, call: CallId, outcome: &Outcome) {
        let name = self.open.remove(&call).expect("a call that is open ends once");
        let known = &self.calls[&name];
        let was_pulled = known.pulled.is_some();
        match outcome {
            Outcome::NotExecuted(_) => {
                let may_have_run = known.written && !known.answered;
                assert!(!may_have_run, "{name}: {outcome:?} though it was written");
            }
            Outcome::Unknown(_) => assert!(was_pulled, "{name}: {outcome:?}"),
            Outcome::Value(_) | Outcome::Fault(_) => assert!(known.answered, "{name}"),
            _ => {}
        }
    }

    fn check(&mut self) {
        let (stats, limits) = (self.endpoint.stats(), &self.config.limits);
        assert_eq!(stats.calls_pending, self.open.len());
        assert_eq!(stats.sessions, self.sessions.len());
        assert!(stats.calls_pending <= limits.calls_pending_max);
        let serving = self.serving.len();
        assert!(serving <= stats.requests_open && serving <= limits.requests_open_max);
        let deadlines = self.endpoint.count_deadlines();
        assert_eq!(deadlines.calls, self.open.len());
        if deadlines.calls + deadlines.guards == 0 {
            assert_eq!(self.endpoint.poll_timeout(), None, "nothing has a deadline");
        } else if deadlines.calls > 0 {
            assert!(self.endpoint.poll_timeout().is_some(), "a call has one");
        }
        for peer in self.sessions.keys() {
            assert!(self.endpoint.peer_info(*peer).is_some());
        }
        assert!(!self.is_shut_down || self.sessions.is_empty());
    }

    fn finish(&mut self) {
        self.endpoint.shutdown(self.now);
        self.is_shut_down = true;
        self.drain();
        self.check();
        assert!(self.open.is_empty() && self.serving.is_empty() && self.endpoint.is_idle());
        let stats = self.endpoint.stats();
        let left = (stats.requests_open, stats.requests_open_bytes, stats.queued_bytes);
        assert_eq!((left, self.endpoint.poll_timeout()), ((0, 0, 0), None));
    }
}
