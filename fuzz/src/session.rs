//! Whatever two sessions of one node are told, in whatever order and under whatever limits: each call ends once,
//! as not executed only if it was not written, and is refused for want of room only where there is none; each
//! request is served once while it is open; the node's budget counts exactly what the sessions have, within its
//! limits; and of sessions that are gone nothing is left. Nobody logs in here: the core's tests of logins have that.
//!
//! Six bytes of settings, then three for each step, and what that takes.

use crate::limits;
use crate::script::Script;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{
    Arrived, Budget, CallKey, Counted, Directory, IncomingWork, NewCall, NotCalled, Portion, Reply,
    Session, Sink,
};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::{Parts, Token};
use pseud_proto::{
    CallOptions, CallRefused, Config, Fault, Outcome, Reason, Refusal, Request, RequestId, Ticket,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const STEPS_MAX: usize = 200;

/// Two sessions, their driver, and their peers.
pub fn session(data: &[u8]) {
    let mut script = Script::new(data);
    let mut node = Node::new(limits::config(&mut script));
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        node.step(&mut script);
        node.check();
    }
    node.finish();
}

/// What became of one call so far.
#[derive(Debug, Default)]
struct Call {
    id: Vec<u8>,
    is_pulled: bool,
    is_written: bool,
    is_answered: bool,
    is_over: bool,
}

/// How a request is answered.
enum Serving {
    Arrived(Arrived),
    Kept(Ticket),
}

/// What one session tells, and what is known of it.
#[derive(Default)]
struct Ledger {
    calls: BTreeMap<u64, Call>,
    keys: Vec<(u64, CallKey)>,
    serving: BTreeMap<RequestId, Serving>,
    /// Whether what comes is to be answered where it came.
    answers_in_place: bool,
    /// Tokens of what was pulled, and the call of each.
    pulled: Vec<(Token, Option<u64>)>,
}

impl Ledger {
    fn open(&self) -> usize {
        self.calls.values().filter(|call| !call.is_over).count()
    }
}

impl Sink for Ledger {
    fn finish(&mut self, call: u64, outcome: Outcome) {
        let known = self.calls.get_mut(&call).expect("it was called");
        assert!(!std::mem::replace(&mut known.is_over, true), "{call} ended twice");
        match outcome {
            Outcome::NotExecuted(_) => {
                assert!(!known.is_written || known.is_answered, "{call}: {outcome:?}");
            }
            Outcome::Unknown(_) => assert!(known.is_pulled, "{call}: {outcome:?}"),
            Outcome::Value(_) | Outcome::Fault(_) => assert!(known.is_answered, "{call}"),
            _ => {}
        }
    }

    fn serve(&mut self, request: Request) {
        let (id, ticket) = (request.id(), request.into_ticket());
        assert!(self.serving.insert(id, Serving::Kept(ticket)).is_none(), "served twice");
    }

    fn serve_in_place(&mut self, arrived: Arrived, _: IncomingWork) {
        let served = self.serving.insert(arrived.request(), Serving::Arrived(arrived));
        assert!(served.is_none(), "served twice");
    }

    fn answers_in_place(&self) -> bool {
        self.answers_in_place
    }

    fn cancelled(&mut self, request: RequestId) {
        let _ = self.serving.remove(&request).expect("it is served");
    }

    fn withheld(&mut self, _: &Arc<PeerInfo>, _: &str) {}

    fn flush(&mut self) {}

    fn count(&mut self, _: Counted) {}
}

struct Node {
    config: Arc<Config>,
    budget: Arc<Budget>,
    directory: Directory,
    now: Instant,
    sessions: [Option<(Session, Ledger)>; 2],
    calls: u64,
}

impl Node {
    fn new(config: Config) -> Self {
        let config = Arc::new(config);
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), [0x5e; 32]);
        let (now, sessions) = (Instant::now(), [None, None]);
        Self { config, budget, directory, now, sessions, calls: 0 }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let (step, choice, more) = (script.byte(), script.byte(), script.byte());
        let which = usize::from(step >= 128);
        match step % 16 {
            0 => return self.join(which, choice),
            1 => {
                let steps = [0, 1, 500, 6_000, 4_000_000];
                self.now += Duration::from_millis(steps[usize::from(choice) % steps.len()]);
            }
            2 if choice == 77 => self.budget.close(),
            3 => return self.leave(which),
            _ => {}
        }
        let Self { config, budget, now, calls, .. } = self;
        let Some((session, ledger)) = &mut self.sessions[which] else { return };
        let now = *now;
        match step % 16 {
            2 => session.note_owing(),
            4 | 5 => {
                *calls += 1;
                call(session, ledger, *calls, step % 16 == 5, (choice, more), config, budget, now);
            }
            6 => {
                let some = usize::from(choice) % ledger.keys.len().max(1);
                let key = ledger.keys.get(some).map(|(_, key)| *key);
                key.into_iter().for_each(|key| session.cancel(key, ledger));
            }
            7 => {
                ledger.answers_in_place = more % 2 == 1;
                let body: &[u8] = if more < 128 { b"\x93\xa1x\x90\x80" } else { b"\xc0" };
                hear(session, ledger, (&[choice % 8; 16], 3, body), budget, now);
            }
            8 => {
                let some = usize::from(choice) % ledger.calls.len().max(1);
                let Some(known) = ledger.calls.values_mut().nth(some) else { return };
                known.is_answered |= known.is_pulled;
                let id = known.id.clone();
                let bodies: [(u8, &[u8]); 4] =
                    [(1, b"\x07"), (0x10, b"\x93\xa1E\xa1m\xc0"), (0x11, b""), (1, &[0xc1; 3])];
                let (kind, body) = bodies[usize::from(more % 4)];
                hear(session, ledger, (&id, kind, body), budget, now);
            }
            9 => reply(session, ledger, choice, more, now),
            10 => pull(session, ledger, now),
            11 => {
                if ledger.pulled.is_empty() {
                    return;
                }
                let (token, call) = ledger.pulled.remove(0);
                if let Some(call) = call {
                    ledger.calls.get_mut(&call).expect("it was called").is_written = true;
                }
                session.handle_written(token);
            }
            12 => session.handle_timeout(now, ledger),
            13 => session.note_partial(usize::from(choice) * usize::from(more)),
            14 if more < 128 => session.handle_gone(Reason::PeerGone, ledger),
            14 => session.close(Reason::Revoked, ledger),
            15 => {
                let some = usize::from(choice) % ledger.serving.len().max(1);
                let Some(key) = ledger.serving.keys().nth(some).copied() else { return };
                let Some(served) = ledger.serving.remove(&key) else { return };
                let served = match served {
                    Serving::Arrived(arrived) if more % 4 == 3 => {
                        Serving::Kept(session.keep(arrived))
                    }
                    Serving::Arrived(mut arrived) => {
                        let _ = session.charge_arrived(&mut arrived, usize::from(more));
                        Serving::Arrived(arrived)
                    }
                    Serving::Kept(ticket) => {
                        let _ = session.charge(key, usize::from(more));
                        Serving::Kept(ticket)
                    }
                };
                ledger.serving.insert(key, served);
            }
            _ => {}
        }
    }

    fn join(&mut self, which: usize, choice: u8) {
        if self.sessions[which].is_some() {
            return;
        }
        let user = ["", "alice"][usize::from(choice & 1)];
        let address = ["", "192.0.2.1:9"][usize::from(choice >> 1 & 1)];
        let info = PeerInfo::new("".into()).with_user(user).with_address(address);
        let admitted = self.directory.join(info).admitted;
        let session = Session::new(self.config.clone(), self.budget.clone(), admitted);
        self.sessions[which] = Some((session, Ledger::default()));
    }

    /// Its driver lets go of it: perhaps before it has ended.
    fn leave(&mut self, which: usize) {
        let Some((session, ledger)) = self.sessions[which].take() else { return };
        self.directory.leave(session.id());
        let has_ended = session.ended().is_some();
        assert!(!has_ended || ledger.open() == 0 && ledger.serving.is_empty());
    }

    fn sessions(&self) -> impl Iterator<Item = &(Session, Ledger)> {
        self.sessions.iter().flatten()
    }

    fn check(&self) {
        let (taken, limits) = (self.budget.taken(), &self.config.limits);
        for (session, ledger) in self.sessions() {
            assert_eq!(session.calls_pending(), ledger.open());
            assert!(session.calls_pending() <= limits.calls_pending_per_peer_max);
            assert!(session.requests_open() <= limits.requests_open_per_peer_max);
            let is_over = session.ended().is_some();
            assert!(!is_over || session.calls_pending() == 0 && session.poll_timeout().is_none());
            assert!(is_over || session.requests_open() == ledger.serving.len());
            assert!(
                ledger.open() == 0 || session.poll_timeout().is_some(),
                "a call has a deadline"
            );
        }
        let sum = |of: fn(&Session) -> usize| self.sessions().map(|(it, _)| of(it)).sum::<usize>();
        assert_eq!(taken.calls, sum(Session::calls_pending));
        assert_eq!(taken.requests, sum(Session::requests_open));
        assert_eq!(taken.sessions, sum(|session| usize::from(session.ended().is_none())));
        assert!(taken.calls <= limits.calls_pending_max);
        assert!(taken.requests <= limits.requests_open_max);
        assert_eq!(taken.calls_waiting, 0);
    }

    fn finish(&mut self) {
        self.leave(0);
        self.leave(1);
        assert_eq!(self.budget.taken(), Default::default(), "of those who are gone");
        assert!(self.budget.is_idle());
    }
}

#[allow(clippy::too_many_arguments, reason = "what the step has")]
fn call(
    session: &mut Session,
    ledger: &mut Ledger,
    tag: u64,
    has_waited: bool,
    (choice, more): (u8, u8),
    config: &Config,
    budget: &Budget,
    now: Instant,
) {
    let mut options = CallOptions::default().hops(u32::from(more & 1));
    if more & 2 != 0 {
        options = options.timeout(limits::time(more / 4));
    }
    let body = Packed::call(&("x".repeat(usize::from(choice)),), &()).expect("a text");
    let Ok(mut new) = NewCall::made(format!("call{tag}"), body, options, config, now) else {
        return;
    };
    new.tag = tag;
    let has_room = session.has_room() && budget.has_room_for_call(session.has_few_calls());
    ledger.calls.insert(tag, Call::default());
    let key = match has_waited {
        true => session.call_waited(new, ledger).map_err(|why| {
            let had_room = why != Reason::Overloaded;
            assert!(!has_room || had_room, "{why:?} though there was room");
        }),
        false => session.call(&mut new, ledger).map_err(|not_called| {
            let is_full = match &not_called {
                NotCalled::Full(full) => {
                    matches!(
                        full,
                        CallRefused::TooManyPending { .. } | CallRefused::QueueFull { .. }
                    )
                }
                NotCalled::Ended(why) => {
                    assert_eq!(session.ended(), Some(*why));
                    false
                }
                _ => false,
            };
            assert!(!is_full || !has_room, "{not_called:?} though there was room");
        }),
    };
    match key {
        Ok(key) => {
            assert!(has_room, "called without room");
            ledger.keys.push((tag, key));
        }
        // Nothing is told of it.
        Err(()) => drop(ledger.calls.remove(&tag)),
    }
}

fn hear(
    session: &mut Session,
    ledger: &mut Ledger,
    (id, kind, body): (&[u8], u8, &[u8]),
    budget: &Budget,
    now: Instant,
) {
    let parts = Parts::from_frames(&[&b""[..], b"v1", id, &[kind], body]).expect("five frames");
    let mut portion = Portion::take(budget);
    let (was_over, serving) = (session.ended().is_some(), ledger.serving.len());
    let came = session.handle_message(parts, now, &mut portion, ledger);
    drop(portion);
    assert!(!was_over || ledger.serving.len() == serving, "served after its end");
    match came {
        Ok(_) => {}
        Err(_) => session.handle_gone(Reason::PeerGone, ledger),
    }
}

fn reply(session: &mut Session, ledger: &mut Ledger, choice: u8, more: u8, now: Instant) {
    let some = usize::from(choice) % ledger.serving.len().max(1);
    let key = ledger.serving.keys().nth(some).copied();
    let Some(served) = key.and_then(|key| ledger.serving.remove(&key)) else { return };
    let text = "x".repeat(usize::from(more));
    let reply = match more % 3 {
        0 => Reply::Refused(Refusal::Draining),
        1 => Reply::Handled(Err(Fault::new("E", text))),
        _ => Reply::Handled(Ok(Packed::result(&text).expect("a text"))),
    };
    match served {
        Serving::Arrived(arrived) => session.answer(arrived, reply, now, ledger),
        Serving::Kept(ticket) => session.reply(ticket, reply, now, ledger),
    }
}

fn pull(session: &mut Session, ledger: &mut Ledger, now: Instant) {
    let Some(transmit) = session.poll_transmit(now, ledger) else { return };
    let (id, name, token) = transmit.with(|message, token| {
        let is_work = message.frames[3] == [3];
        // `[name, …`: a short text behind the array's head.
        let len = message.head.get(1).map_or(0, |head| usize::from(head & 31));
        let name = message.head.get(2..2 + len).filter(|_| is_work);
        (message.frames[2].to_vec(), name.map(|name| name.to_vec()), token)
    });
    let number = |name: Vec<u8>| String::from_utf8(name).ok()?["call".len()..].parse().ok();
    let call: Option<u64> = name.and_then(number);
    if let Some(call) = call {
        let known = ledger.calls.get_mut(&call).expect("it was called");
        assert!(!known.is_over && !known.is_pulled, "{call} was over, or sent before");
        (known.is_pulled, known.id) = (true, id);
    }
    ledger.pulled.push((token, call));
}
