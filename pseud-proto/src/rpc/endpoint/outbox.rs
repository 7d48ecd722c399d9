//! What sessions give rise to, as actions in order.

use crate::base::slab::{Key, MachineId};
use crate::call::peer::PeerInfo;
use crate::call::{Action, CallId, Outcome, PeerId, Request, RequestId, ShowingStep};
use crate::error::{Executed, Reason};
use crate::rpc::session::sink::Sink;
use crate::rpc::stats::{Counted, Stats};
use std::collections::VecDeque;
use std::sync::Arc;

/// Room for how many actions is kept.
const ACTIONS_KEPT: usize = 64;

/// The actions of an endpoint.
#[derive(Debug)]
pub(crate) struct Outbox {
    machine: MachineId,
    /// Whose session is visited.
    peer: Option<PeerId>,
    actions: VecDeque<Action>,
    /// Whether its driver pulls without being told to.
    is_silent: bool,
    stats: Stats,
}

/// A call's key as its sessions know it, who pass it on.
pub(crate) fn tag(key: Key) -> u64 {
    u64::from(key.index) << 32 | u64::from(key.generation)
}

impl Outbox {
    pub(crate) fn new(machine: MachineId) -> Self {
        Self {
            machine,
            peer: None,
            actions: VecDeque::new(),
            is_silent: false,
            stats: Stats::default(),
        }
    }

    /// The same, told things by that session.
    pub(crate) fn of(&mut self, peer: PeerId) -> &mut Self {
        self.peer = Some(peer);
        self
    }

    /// From now on nobody is told to flush: its driver pulls after whatever it does.
    pub(crate) fn tell_no_flush(&mut self) {
        self.is_silent = true;
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    #[inline]
    pub(crate) fn poll(&mut self) -> Option<Action> {
        let action = self.actions.pop_front();
        if action.is_none() && self.actions.capacity() > ACTIONS_KEPT {
            self.actions = VecDeque::new();
        }
        action
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(crate) fn not_executed(&mut self, tag: u64, why: Reason) {
        self.finish(tag, Outcome::NotExecuted(why));
    }

    pub(crate) fn closed(&mut self, tag: u64, executed: Executed) {
        self.finish(tag, Outcome::Closed { executed });
    }
}

/// The key that it is of.
pub(crate) fn key_of(tag: u64, machine: MachineId) -> Key {
    Key { machine, index: (tag >> 32) as u32, generation: tag as u32 }
}

impl Sink for Outbox {
    fn finish(&mut self, call: u64, outcome: Outcome) {
        let call = CallId(key_of(call, self.machine));
        self.push(Action::Finish { call, outcome });
    }

    fn serve(&mut self, request: Request) {
        self.push(Action::Serve(request));
    }

    fn cancelled(&mut self, request: RequestId) {
        self.push(Action::Cancelled(request));
    }

    fn withheld(&mut self, caller: &Arc<PeerInfo>, name: &str) {
        self.push(Action::Withheld { caller: caller.clone(), name: name.to_owned() });
    }

    fn flush(&mut self) {
        if let Some(peer) = self.peer.filter(|_| !self.is_silent) {
            self.push(Action::Flush(peer));
        }
    }

    fn showing(&mut self, step: ShowingStep) {
        self.actions.extend(self.peer.map(|peer| Action::Showing(peer, step)));
    }

    fn count(&mut self, what: Counted) {
        self.stats.count(what);
    }
}
