//! A server and its clients, the wires between them, and who waits for what.

use super::chance::Chance;
use super::member::{Broken, Held, Member};
use super::users::Users;
use pseud::Fault;
use pseud::proto::pseud::Deadlines;
use pseud::proto::zmtp::Side;
use pseud::proto::{CallId, CallOptions, To};
use pseud_testkit::ledger::{Decided, Ledger, Made, Number, answer_to};
use pseud_testkit::memory::{Clock, End, Node, Port, Said, Wire};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The server's number; clients have the others.
pub(crate) const SERVER: usize = 0;

/// All that a run is about.
pub(crate) struct Crowd {
    pub(crate) clock: Clock,
    pub(crate) members: Vec<Member>,
    pub(crate) wires: Vec<Wire<Port, Port>>,
    pub(crate) ledger: Ledger,
    pub(crate) chance: Chance,
    pub(crate) users: Users,
    /// What happened, as one number.
    pub(crate) digest: u64,
    payloads: Number,
    broken: Option<Broken>,
}

/// How a handler ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Value,
    Fault,
    Abandon,
}

impl Crowd {
    pub(crate) fn new(mut chance: Chance, broken: Option<Broken>) -> Self {
        let clock = Clock::new();
        let clients = chance.up_to(4) + 1;
        let members = (0..=clients).map(|number| Member::new(number, &mut chance, &clock));
        let (members, wires): (Vec<Member>, _) = (members.collect(), Vec::new());
        let users = Users::new(members.len(), &mut chance);
        let impostors = broken == Some(Broken::Impostor);
        users.tell(&mut members[SERVER].node.borrow_mut(), impostors);
        let (ledger, digest, payloads) = (Ledger::default(), 0xcbf2_9ce4_8422_2325, 0);
        Self { clock, members, wires, ledger, chance, users, digest, payloads, broken }
    }

    /// A client opens a link; if it has one, the new one takes its name over.
    pub(crate) fn connect(&mut self, client: usize) {
        self.wires.retain(|wire| !(wire.client.is_over() && wire.server.is_over()));
        let near = Node::open(&self.members[client].node, Side::Connecting);
        let far = Node::open(&self.members[SERVER].node, Side::Accepting);
        let wire = self.chance.weather.wire(near, far, &self.clock);
        self.wires.push(wire);
    }

    /// A member calls.
    pub(crate) fn call(&mut self, maker: usize, to: To) -> Option<CallId> {
        let (timeout, padding) = (self.chance.timeout(), self.chance.padding());
        let (now, options) = (self.clock.now(), CallOptions::default().timeout(timeout));
        self.payloads += 1;
        let payload = self.payloads;
        let args = (payload, "x".repeat(padding));
        let meant = self.users.meant(&to);
        let member = &mut self.members[maker];
        let called = member.node.borrow_mut().call(to, "work", args, options);
        let call = called.ok()?;
        honest(self.ledger.made(payload, Made { maker, meant, at: now, deadline: now + timeout }));
        member.calls.insert(call, payload);
        self.collect();
        Some(call)
    }

    /// A handler of that member ends, or asks its caller something first.
    pub(crate) fn answer(&mut self, member: usize, index: usize, answer: Answer) {
        let this = &mut self.members[member];
        let waits = this.held[index].after.is_some_and(|call| this.calls.contains_key(&call));
        if waits {
            return;
        }
        let Held { work, payload, .. } = this.held.swap_remove(index);
        let mut node = this.node.borrow_mut();
        match answer {
            Answer::Value => node.answer(work, answer_to(payload)),
            Answer::Fault => node.fail(work, Fault::new("KeyError", "no such thing")),
            Answer::Abandon => node.abandon(work),
        }
        drop(node);
        self.collect();
    }

    /// A handler calls its caller back before it answers.
    pub(crate) fn call_back(&mut self, member: usize, index: usize) {
        let peer = self.members[member].held[index].work.peer;
        let call = self.call(member, To::Peer(peer));
        if let Some(held) = self.members[member].held.get_mut(index) {
            held.after = call;
        }
    }

    pub(crate) fn cancel(&mut self, member: usize, call: CallId) {
        self.members[member].node.borrow_mut().cancel(call);
        self.collect();
    }

    /// The last request of a direction of that wire is sent again.
    pub(crate) fn repeat(&mut self, wire: usize, up: bool) {
        let (now, wire) = (self.clock.now(), &mut self.wires[wire]);
        let id = if up { wire.up.repeat(now) } else { wire.down.repeat(now) };
        if let Some(id) = id.filter(|_| self.broken != Some(Broken::SentTwice)) {
            self.ledger.repeats(id);
        }
    }

    /// The server ends the sessions of a user.
    pub(crate) fn revoke(&mut self, user: &str) {
        self.members[SERVER].node.borrow_mut().disconnect_user(user);
        self.collect();
    }

    /// Some bytes move on one wire.
    pub(crate) fn step(&mut self, wire: usize, chunk: usize) -> bool {
        self.wires[wire].chunk = chunk;
        let moved = self.wires[wire].step();
        self.collect();
        moved
    }

    /// Everything moves that can without time passing.
    pub(crate) fn settle(&mut self) {
        while (0..self.wires.len()).fold(false, |moved, wire| moved | self.step(wire, usize::MAX)) {
        }
    }

    /// Time passes, and all who wait for a moment are told.
    pub(crate) fn pass(&mut self, by: Duration) {
        self.clock.move_to(self.clock.now() + by);
        if self.broken != Some(Broken::DeafToTime) {
            self.members.iter().for_each(|member| member.node.borrow_mut().timeout());
            self.wires.iter_mut().for_each(|wire| wire.timeout(self.clock.now()));
        }
        self.collect();
        honest(self.ledger.check_time(self.clock.now()));
    }

    /// Brings what came out of the machines into the ledger, in order.
    pub(crate) fn collect(&mut self) {
        let now = self.clock.now();
        for pipe in self.wires.iter_mut().flat_map(|wire| [&mut wire.up, &mut wire.down]) {
            pipe.heard.drain(..).for_each(|id| honest(self.ledger.heard(id)));
        }
        for (number, member) in self.members.iter_mut().enumerate() {
            while let Some(work) = member.next_work() {
                let (payload, _) = work.args::<(Number, String)>();
                honest(self.ledger.runs(payload, number));
                let guard = member.guard_of(&work, now);
                member.held.push(Held { work, payload, guard, after: None });
                note(&mut self.digest, format_args!("{number} starts {payload}"));
            }
        }
        for (number, member) in self.members.iter_mut().enumerate() {
            while let Some(said) = member.next_said() {
                let Said::Finished(call) = said else {
                    note(&mut self.digest, format_args!("{number} says {said:?}"));
                    continue;
                };
                let payload = member.calls.remove(&call).expect("the end of a call of ours");
                let how = member.end_of(call, self.broken);
                note(&mut self.digest, format_args!("{payload} ends {how:?}"));
                match self.broken {
                    Some(Broken::Silent) => continue,
                    Some(Broken::FinishedTwice) => {
                        honest(self.ledger.ended(payload, how.clone(), now))
                    }
                    _ => {}
                }
                honest(self.ledger.ended(payload, how, now));
            }
        }
    }

    /// A client calls the server, is answered at once, and hears it.
    pub(crate) fn ask_and_answer(&mut self, client: usize) {
        let timeout = CallOptions::default();
        self.payloads += 1;
        let (payload, now) = (self.payloads, self.clock.now());
        let member = &mut self.members[client];
        let called = member.node.borrow_mut().call(To::Server, "work", (payload, ""), timeout);
        member.calls.insert(called.expect("room after healing"), payload);
        let deadline = now + pseud::Config::default().call_timeout;
        let made = Made { maker: client, meant: Some(vec![SERVER]), at: now, deadline };
        honest(self.ledger.made(payload, made));
        for _ in 0..3 {
            self.settle();
            for index in (0..self.members[SERVER].held.len()).rev() {
                self.answer(SERVER, index, Answer::Value);
            }
            self.pass(Duration::from_millis(40));
        }
        self.settle();
    }

    /// The invariants that hold at every moment.
    pub(crate) fn check(&self) {
        Users::check(&self.members[SERVER].node.borrow());
        for (number, member) in self.members.iter().enumerate() {
            let node = member.node.borrow();
            let (endpoint, now) = (&node.endpoint, self.clock.now());
            let (pending, deadline) = self.ledger.pending(number);
            let Deadlines { calls, guards, .. } = endpoint.count_deadlines();
            assert_eq!(calls, pending, "deadlines of calls");
            let stats = endpoint.stats();
            assert_eq!(stats.sessions, node.log.sessions.len(), "sessions");
            let open =
                member.held.iter().filter(|held| node.log.sessions.contains_key(&held.work.peer));
            let bytes: usize = open.clone().map(|held| held.work.size).sum();
            assert_eq!(stats.requests_open_bytes, bytes, "bytes of requests that are served");
            let open: Vec<Instant> =
                open.filter_map(|held| held.guard).filter(|&guard| guard > now).collect();
            assert!(guards >= open.len(), "a guard is missing");
            if !self.has_backlog(member) {
                assert_eq!(guards, open.len(), "guards of requests");
            }
            let earliest = open.into_iter().chain(deadline).min();
            let next = endpoint.poll_timeout();
            assert!(earliest.is_none_or(|at| next.is_some_and(|next| next <= at)), "a late timer");
            assert!(calls + guards > 0 || next.is_none(), "a timer for nothing");
        }
    }

    fn has_backlog(&self, member: &Member) -> bool {
        let ports = self.wires.iter().flat_map(|wire| [&wire.client, &wire.server]);
        ports.filter(|port| Rc::ptr_eq(&port.node, &member.node)).any(|port| port.backlog() > 0)
    }
}

/// A promise that is broken ends the run.
pub(crate) fn honest<T>(checked: Decided<T>) -> T {
    checked.unwrap_or_else(|why| panic!("{why}"))
}

/// Folds a line into a digest (FNV-1a).
fn note(digest: &mut u64, line: std::fmt::Arguments<'_>) {
    for byte in line.to_string().bytes() {
        *digest = (*digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}
