//! Whatever a directory is told, in whatever order and under whatever limits: a call is for a session that is
//! there and welcome, or waits; a call that waits is handed out once (to whoever comes, given up, overdue, at
//! the end), in the order of its line; a session that loses its name is one that is there; the node's budget
//! counts exactly the calls that wait, those without room apart, within its limits.
//!
//! Six bytes of settings, then three for each step.

use crate::limits;
use crate::script::Script;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{AbsentPeer, Budget, Directory, NewCall, Parking, Target, Waits};
use pseud_proto::value::Packed;
use pseud_proto::{CallOptions, Config, PeerId, Reason, Several, To, User, UserSessions, WhenFull};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

const STEPS_MAX: usize = 200;
const SESSIONS_MAX: usize = 8;
const NAMES: [&str; 3] = ["server", "desk", ""];
const USERS: [&str; 3] = ["", "alice", "bob"];

/// A directory and its driver.
pub fn directory(data: &[u8]) {
    let mut script = Script::new(data);
    let mut node = Node::new(&mut script);
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        let step = [script.byte(), script.byte(), script.byte()];
        node.step(step);
        node.check();
    }
    node.finish();
}

struct Node {
    config: Arc<Config>,
    budget: Arc<Budget>,
    directory: Directory,
    now: Instant,
    sessions: BTreeSet<PeerId>,
    welcome: BTreeSet<PeerId>,
    /// By their tags: whom they are for.
    parked: BTreeMap<u64, (Parking, To)>,
    /// Those that wait no more.
    past: Vec<Parking>,
    tags: u64,
}

impl Node {
    fn new(script: &mut Script<'_>) -> Self {
        let mut config = limits::config(script);
        let policies = [UserSessions::Several, UserSessions::Newest, UserSessions::Oldest];
        config.user_sessions = policies[usize::from(script.byte() % 3)];
        config.requires_login = script.byte().is_multiple_of(4);
        let config = Arc::new(config);
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), [0xd1; 32]);
        Self {
            config,
            budget,
            directory,
            now: Instant::now(),
            sessions: BTreeSet::new(),
            welcome: BTreeSet::new(),
            parked: BTreeMap::new(),
            past: Vec::new(),
            tags: 0,
        }
    }

    fn step(&mut self, [step, choice, more]: [u8; 3]) {
        let some = usize::from(choice);
        let peer = self.sessions.iter().nth(some % self.sessions.len().max(1)).copied();
        let user = USERS[usize::from(more) % USERS.len()];
        match (step % 12, peer) {
            (0, _) if self.sessions.len() < SESSIONS_MAX => self.join(choice, more),
            (1, Some(peer)) => {
                self.welcome.insert(peer);
                let calls = self.directory.welcome(peer);
                self.handed_out(calls);
            }
            (2, Some(peer)) => {
                let calls = self.directory.welcome_behind(peer);
                if calls.is_empty() {
                    self.welcome.insert(peer);
                }
                self.handed_out(calls);
            }
            (3, Some(peer)) => self.leave(peer),
            (4, _) => self.call(to(choice, peer, more), more),
            (5, _) => {
                let waits = self.parked.values().nth(some % self.parked.len().max(1));
                let Some(parking) = waits.map(|(parking, _)| *parking) else { return };
                let call = self.directory.give_up(parking).expect("it waits");
                self.forget(&call);
                assert!(self.directory.give_up(parking).is_none(), "given up twice");
            }
            (6, _) => {
                let past = self.past.get(some % self.past.len().max(1)).copied();
                if let Some(past) = past {
                    assert!(self.directory.give_up(past).is_none(), "it was over");
                }
            }
            (7, _) => {
                let steps = [0, 1, 500, 6_000, 4_000_000];
                self.now += Duration::from_millis(steps[some % steps.len()]);
                let overdue = self.directory.handle_timeout(self.now);
                overdue.iter().for_each(|(call, _)| self.forget(call));
            }
            (8, Some(peer)) => self.log_in(peer, user, choice),
            (9, _) => {
                let sessions = self.directory.revoke(user.as_bytes());
                let left: BTreeSet<_> = sessions.into_iter().collect();
                assert!(left.is_subset(&self.sessions), "revoked, and not there");
                left.into_iter().for_each(|peer| self.leave(peer));
            }
            (10, _) => {
                let why = (some & 1 == 0).then_some(Reason::Denied);
                let ended = self.directory.set_unreachable(why, some & 2 == 0);
                ended.iter().for_each(|(call, _)| self.forget(call));
            }
            (11, _) if choice == 77 => {
                let calls = self.directory.shutdown();
                calls.iter().for_each(|call| self.forget(call));
                assert!(self.parked.is_empty(), "left behind at the end");
            }
            (11, Some(peer)) => {
                for (other, _) in self.directory.too_many(peer) {
                    assert!(self.sessions.contains(&other));
                    self.leave(other);
                }
            }
            _ => {}
        }
    }

    fn join(&mut self, choice: u8, more: u8) {
        let some = usize::from(choice);
        let info = PeerInfo::new(NAMES[some % 3].into()).with_user(USERS[some / 3 % 3]);
        let info = info.with_address(["", "192.0.2.1:9"][usize::from(more & 1)]);
        let joined = self.directory.join(info);
        assert!(self.sessions.insert(joined.admitted.id), "an id of somebody who is there");
        for old in [joined.ends, joined.crowded_out].into_iter().flatten() {
            assert!(old != joined.admitted.id && self.sessions.contains(&old));
            self.leave(old);
        }
    }

    fn log_in(&mut self, peer: PeerId, user: &'static str, choice: u8) {
        if choice & 1 == 0 {
            self.directory.asked(peer);
        }
        let Some(logged_in) = self.directory.login(peer, User::new(user)) else { return };
        assert_eq!(logged_in.info.user.id(), user.as_bytes());
        assert!(self.directory.login(peer, User::new("carol")).is_none(), "logged in twice");
        if let Some(old) = logged_in.ends {
            assert!(old != peer && self.sessions.contains(&old));
            self.leave(old);
        }
        let calls = self.directory.waiting_for(peer);
        self.handed_out(calls);
    }

    fn leave(&mut self, peer: PeerId) {
        if !self.sessions.remove(&peer) {
            return;
        }
        self.welcome.remove(&peer);
        let left = self.directory.leave(peer).expect("it was there");
        assert!(self.directory.leave(peer).is_none(), "told twice");
        let Some(successor) = left.successor else { return };
        assert!(self.sessions.contains(&successor), "an heir who is not there");
        let calls = self.directory.waiting_for(successor);
        self.handed_out(calls);
    }

    fn call(&mut self, to: To, more: u8) {
        let target = match self.directory.find(&to) {
            Ok(target) => target,
            Err(_) => return,
        };
        let wanted = match target {
            Target::Session(peer) if matches!(to, To::Peer(_)) => {
                assert_eq!(to, To::Peer(peer));
                return;
            }
            Target::Session(peer) => return assert!(self.welcome.contains(&peer), "not welcome"),
            Target::Nobody(wanted) => wanted,
        };
        let when_full = if more & 4 == 0 { WhenFull::Wait } else { WhenFull::Refuse };
        let mut options = CallOptions::default().when_full(when_full);
        if more & 2 != 0 {
            options = options.timeout(limits::time(more / 8));
        }
        let body = Packed::call(&("x".repeat(usize::from(more)),), &()).expect("a text");
        let Ok(call) = NewCall::made("x", body, options, &self.config, self.now) else {
            return;
        };
        self.wait(wanted, call, to);
    }

    fn wait(&mut self, wanted: AbsentPeer, mut call: NewCall, to: To) {
        self.tags += 1;
        call.tag = self.tags;
        let when_full = call.when_full;
        match self.directory.wait(wanted, call, self.now) {
            Ok(Waits::For(parking)) => drop(self.parked.insert(self.tags, (parking, to))),
            Ok(Waits::InVain(_)) => {}
            Err(refused) => {
                let is_for_room = refused.is_transient();
                assert!(!is_for_room || when_full == WhenFull::Refuse, "{refused:?}");
            }
        }
    }

    /// Calls that go to a session: in the order of each line. A third of them finds that it is gone, and waits
    /// anew where nobody else is meant.
    fn handed_out(&mut self, calls: Vec<NewCall>) {
        let mut last: Vec<(To, u64)> = Vec::new();
        for call in &calls {
            let (_, to) = self.parked.get(&call.tag).expect("it waits");
            let to = to.clone();
            assert!(last.iter().all(|(line, tag)| *line != to || *tag < call.tag), "out of order");
            last.push((to, call.tag));
        }
        for call in calls {
            let (_, to) = self.parked[&call.tag].clone();
            self.budget.give_up_call(&call);
            self.forget(&call);
            if call.tag.is_multiple_of(3)
                && let Ok(Target::Nobody(wanted)) = self.directory.find(&to)
            {
                self.wait(wanted, call, to);
            }
        }
    }

    fn forget(&mut self, call: &NewCall) {
        let (parking, _) = self.parked.remove(&call.tag).expect("it waits");
        self.past.push(parking);
    }

    fn check(&self) {
        let (taken, limits) = (self.budget.taken(), &self.config.limits);
        assert_eq!(taken.calls + taken.calls_waiting, self.parked.len());
        assert!(taken.calls <= limits.calls_pending_max);
        let sessions: BTreeSet<_> = self.directory.sessions().into_iter().collect();
        assert_eq!(sessions, self.sessions);
        assert_eq!(self.directory.poll_timeout().is_some(), !self.parked.is_empty());
        assert!(self.directory.sessions_unnamed() <= self.sessions.len());
        assert_eq!(self.directory.largest_holder(), None, "nobody holds anything");
    }

    fn finish(self) {
        let Self { directory, budget, .. } = self;
        drop(directory);
        assert_eq!(budget.taken(), Default::default(), "of calls that waited");
    }
}

fn to(choice: u8, peer: Option<PeerId>, more: u8) -> To {
    let some = usize::from(choice) / 5;
    let several = if more & 8 == 0 { Several::Newest } else { Several::Refuse };
    match (choice % 5, peer) {
        (0, _) => To::Server,
        (1, Some(peer)) => To::Peer(peer),
        (1 | 2, _) => To::Identity(NAMES[some % 3].into()),
        (3, _) => To::User { id: USERS[some % 3].into(), several },
        _ => To::Known { id: USERS[some % 3].into(), several },
    }
}
