//! What came of one message.

use crate::auth::question::Question;
use crate::call::Outcome;
use crate::dialect::WireId;
use crate::rpc::session::late::Guard;
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
    /// or [kept](crate::rpc::session::Session::keep).
    Request(Arrived),
    /// The peer shows who it is: its directory is [told so](crate::rpc::directory::Directory::asked)
    /// before anybody is asked. To be answered by
    /// [`Session::logged_in`](crate::rpc::session::Session::logged_in), after its directory, or
    /// [`Session::login_refused`](crate::rpc::session::Session::login_refused).
    Login(Question),
}

/// A request that has its place, and no slot yet. It is to be answered or kept: else its place is taken
/// until its session ends.
#[derive(Debug)]
#[must_use = "a request that is neither answered nor kept holds its place"]
pub struct Arrived {
    pub(crate) id: WireId,
    pub(crate) guard: Guard,
    pub(crate) bytes: usize,
    pub(crate) print: Option<u64>,
    pub(crate) name: Range<u32>,
    pub(crate) rest: Range<u32>,
    pub(crate) has_claim: bool,
}

impl Arrived {
    /// Where the dotted name lies in the message.
    pub fn name(&self) -> Range<u32> {
        self.name.clone()
    }

    /// Where its arguments lie, and what is behind them.
    pub fn rest(&self) -> Range<u32> {
        self.rest.clone()
    }
}
