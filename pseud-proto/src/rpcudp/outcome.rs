//! How a call ended.

use crate::error::{Executed, Reason};
use crate::value::{Packed, Value};

/// How a call ended. Every call ends exactly once, with one of these.
///
/// No answer says nothing: the request may have been lost, nobody may serve it, its handler may have failed,
/// or the answer was lost. So a call that was sent and not answered is `Unknown`, never "failed".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The far handler's result.
    Value(Packed),
    /// It was not sent: the far handler has not run.
    NotExecuted(Reason),
    /// It was sent, and no answer came: [`Reason::TimedOut`], [`Reason::Cancelled`], or
    /// [`Reason::PeerGone`] where the network said that nobody is there.
    Unknown(Reason),
    /// This side was closed.
    Closed {
        /// Whether the call had left.
        executed: Executed,
    },
}

impl Outcome {
    /// As `rpcudp/protocol.py` has it (`_accept_response`, `_timeout`): whether an answer came, and the answer or
    /// nil.
    pub fn into_pair(self) -> (bool, Value) {
        match self {
            Self::Value(result) => (true, result.value()),
            Self::NotExecuted(_) | Self::Unknown(_) | Self::Closed { .. } => (false, Value::Nil),
        }
    }
}
