//! What came out of a machine, checked as it comes.

use crate::ledger::CallEnd;
use pseud_proto::peer::PeerInfo;
use pseud_proto::value::{Arguments, Packed, Value, ValueLimits};
use pseud_proto::{
    Action, CallId, Opened, Outcome, PeerId, Provenance, Refusal, Request, RequestId, Ticket,
};
use pseud_proto::{Executed, Fault, Reason};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How a call ended, so that it can be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// Not yet.
    Pending,
    Value(Value),
    Fault(Fault),
    NotExecuted(Reason),
    Executed(Reason),
    Unknown(Reason),
    Closed(Executed),
}

/// What happened to sessions and links, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Joined(PeerId),
    Left(PeerId, Reason),
    Closed(PeerId, Reason),
    Cancelled(RequestId),
    Finished(CallId),
    /// The answer to that method is not sent.
    Withheld(String),
}

/// A request with its arguments, waiting to be answered.
#[derive(Debug)]
pub struct Work {
    pub peer: PeerId,
    pub id: RequestId,
    pub name: String,
    /// Bytes of its message.
    pub size: usize,
    pub ticket: Ticket,
    pub provenance: Provenance,
    arguments: Arguments,
}

impl Work {
    /// The error is what its driver must refuse it with.
    pub fn new(request: Request) -> Result<Self, (Ticket, Refusal)> {
        let (peer, id, name) = (request.peer(), request.id(), request.name().to_owned());
        let size = request.size();
        let Opened { ticket, arguments, provenance, .. } = request.open(&ValueLimits::default())?;
        Ok(Self { peer, id, name, size, ticket, provenance, arguments })
    }

    /// Its positional arguments.
    pub fn args<T: DeserializeOwned>(&self) -> T {
        self.arguments.args().expect("arguments of that type")
    }
}

/// Everything that a machine asked of its driver. Panics where a machine breaks its word: a call
/// that ends twice, a session that leaves without having joined, or after it left.
#[derive(Debug, Default)]
pub struct Log {
    ended: BTreeMap<CallId, Ended>,
    pub requests: VecDeque<Request>,
    pub said: Vec<Said>,
    pub sessions: BTreeMap<PeerId, PeerInfo>,
    gone: BTreeSet<PeerId>,
    served: BTreeSet<RequestId>,
}

impl Log {
    /// Takes one action in.
    pub fn take(&mut self, action: Action) {
        match action {
            Action::Serve(request) => {
                assert!(self.sessions.contains_key(&request.peer()), "a request of nobody");
                assert!(self.served.insert(request.id()), "a request that is served twice");
                self.requests.push_back(request);
            }
            Action::Finish { call, outcome } => self.finish(call, outcome),
            Action::Joined(peer, info) => self.join(peer, &info),
            Action::Left(peer, reason) => self.leave(peer, reason),
            Action::Close(peer, reason) => {
                assert!(self.gone.contains(&peer), "a link closed before its session ended");
                self.said.push(Said::Closed(peer, reason));
            }
            Action::Cancelled(request) => self.said.push(Said::Cancelled(request)),
            Action::Withheld { name, .. } => self.said.push(Said::Withheld(name)),
            other => panic!("not for a log: {other:?}"),
        }
    }

    /// How that call ended.
    pub fn ended(&self, call: CallId) -> Ended {
        self.ended.get(&call).cloned().unwrap_or(Ended::Pending)
    }

    /// How many calls have ended.
    pub fn ended_count(&self) -> usize {
        self.ended.len()
    }

    fn finish(&mut self, call: CallId, outcome: Outcome) {
        self.said.push(Said::Finished(call));
        let before = self.ended.insert(call, Ended::from(outcome));
        assert_eq!(before, None, "{call:?} ended twice");
    }

    fn join(&mut self, peer: PeerId, info: &PeerInfo) {
        assert!(!self.gone.contains(&peer), "{peer:?} joined after it had left");
        self.said.push(Said::Joined(peer));
        assert_eq!(self.sessions.insert(peer, info.clone()), None, "{peer:?} joined twice");
    }

    fn leave(&mut self, peer: PeerId, reason: Reason) {
        self.said.push(Said::Left(peer, reason));
        assert!(self.sessions.remove(&peer).is_some(), "{peer:?} left without having joined");
        self.gone.insert(peer);
    }
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Value(body) => match body.check(&ValueLimits::default()) {
                Ok(packed) => Self::Value(packed.value()),
                Err(_) => Self::Executed(Reason::BadReply),
            },
            Outcome::Fault(fault) => Self::Fault(fault),
            Outcome::NotExecuted(reason) => Self::NotExecuted(reason),
            Outcome::Executed(reason) => Self::Executed(reason),
            Outcome::Unknown(reason) => Self::Unknown(reason),
            Outcome::Closed { executed } => Self::Closed(executed),
        }
    }
}

impl From<Ended> for CallEnd {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Pending => Self::Odd("it has not ended".into()),
            Ended::Value(value) => Self::Value(value.as_u64()),
            Ended::Fault(_) => Self::Fault,
            Ended::Executed(_) => Self::Executed,
            Ended::NotExecuted(reason) => Self::NotExecuted(reason.to_string()),
            Ended::Unknown(reason) => Self::Unknown(reason.to_string()),
            Ended::Closed(executed) => Self::Closed { not_executed: executed == Executed::No },
        }
    }
}

/// The body of a result.
pub fn result(value: impl serde::Serialize) -> Packed {
    Packed::result(&value).expect("an encodable result")
}

/// The body of a call with those arguments.
pub fn arguments(args: impl serde::Serialize) -> Packed {
    Packed::call(&args, &()).expect("encodable arguments")
}
