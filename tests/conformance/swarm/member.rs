//! One of a crowd: an endpoint, the calls that it made and the requests that it holds.

use super::chance::Chance;
use pseud::proto::CallId;
use pseud_testkit::ledger::{CallEnd, Number};
use pseud_testkit::memory::{Clock, Ended, Node, Said, Work};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

/// One endpoint, the calls that it made and the requests that it holds.
pub(crate) struct Member {
    pub(crate) node: Rc<RefCell<Node>>,
    pub(crate) calls: BTreeMap<CallId, Number>,
    pub(crate) held: Vec<Held>,
    read: usize,
}

/// A request that is not answered yet.
pub(crate) struct Held {
    pub(super) work: Work,
    pub(super) payload: Number,
    /// Until when its caller may be answered.
    pub(super) guard: Option<Instant>,
    /// It is answered after this call of the handler's.
    pub(super) after: Option<CallId>,
}

/// A machine, or its driver, that breaks its word: a checker is only worth what it catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Time-outs and lost links end as `NotExecuted`.
    ForgedNotExecuted,
    /// Each end is told again.
    FinishedTwice,
    /// No end is told.
    Silent,
    /// Nobody looks at the clock.
    DeafToTime,
    /// A request is sent again.
    SentTwice,
    /// Who is nobody is taken for a user.
    Impostor,
}

impl Member {
    pub(super) fn new(number: usize, chance: &mut Chance, clock: &Clock) -> Self {
        let (config, link) = chance.settings(number);
        let node = Node::new(config, link, number as u8 + 1, clock);
        Self { node, calls: BTreeMap::new(), held: Vec::new(), read: 0 }
    }

    pub(super) fn next_work(&self) -> Option<Work> {
        self.node.borrow_mut().next_work()
    }

    pub(super) fn next_said(&mut self) -> Option<Said> {
        let said = self.node.borrow().log.said.get(self.read).cloned()?;
        self.read += 1;
        Some(said)
    }

    pub(super) fn end_of(&self, call: CallId, broken: Option<Broken>) -> CallEnd {
        match self.node.borrow().ended(call) {
            Ended::Unknown(reason) if broken == Some(Broken::ForgedNotExecuted) => {
                CallEnd::NotExecuted(reason.to_string())
            }
            ended => ended.into(),
        }
    }

    /// Until when its answer may leave: for ever where the caller declared that it may.
    pub(super) fn guard_of(&self, work: &Work, now: Instant) -> Option<Instant> {
        let caller = self.node.borrow().log.sessions.get(&work.peer).cloned();
        let guarded = caller.is_none_or(|caller| caller.has_late_guard());
        match pseud::LateGuard::default() {
            pseud::LateGuard::After(wait) if guarded => Some(now + wait),
            _ => None,
        }
    }
}
