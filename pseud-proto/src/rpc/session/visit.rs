//! What came of one message.

use crate::auth::question::Question;
use crate::call::open_request::OpenRequest;
use crate::call::{Outcome, RequestId};
use smol_str::SmolStr;
use std::ops::Range;

/// What a driver has to see to after a message: at most one thing.
///
/// Closed: a driver must see to each.
#[derive(Debug)]
pub enum Visit {
    /// Nothing.
    Nothing,
    /// A call is over: its driver's name for it, and where its result lies in the message.
    Value {
        /// The name.
        call: u64,
        /// Of the message's bytes.
        body: Range<u32>,
    },
    /// A call is over otherwise.
    Ended {
        /// Its driver's name for it.
        call: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// A request is to be served: it is [answered](crate::rpc::session::Session::answer) where it came,
    /// or [kept](crate::rpc::session::Session::keep) to be answered later.
    Request(Arrived, Located),
    /// The peer shows who it is: its directory is [told so](crate::rpc::directory::Directory::asked)
    /// before anybody is asked. To be answered by
    /// [`Session::logged_in`](crate::rpc::session::Session::logged_in), after its directory, or
    /// [`Session::login_refused`](crate::rpc::session::Session::login_refused).
    Login(Question),
}

/// The right to answer a request that has come, and has its place: it is answered or kept.
#[derive(Debug)]
#[must_use = "a request that is neither answered nor kept holds its place"]
pub struct Arrived {
    pub(crate) request: RequestId,
    pub(crate) open: OpenRequest,
}

impl Arrived {
    /// The request that it answers.
    pub fn request(&self) -> RequestId {
        self.request
    }
}

/// What a request's message has, and where.
#[derive(Debug)]
pub struct Located {
    pub(crate) name: SmolStr,
    pub(crate) rest: Range<u32>,
    pub(crate) has_claim: bool,
}

impl Located {
    /// The dotted name that it calls.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its arguments lie, and what is behind them.
    pub fn rest(&self) -> Range<u32> {
        self.rest.clone()
    }
}
