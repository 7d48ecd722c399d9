//! Serving: from a request that arrived to a handler that runs, and its answer.

pub(crate) mod caller;
pub(crate) mod cancelled;
pub(crate) mod caught;
pub(crate) mod dispatch;
pub(crate) mod guard;
pub(crate) mod handler;
pub(crate) mod orphans;
pub(crate) mod registry;
pub(crate) mod request;
pub(crate) mod resolve;
pub(crate) mod responder;
mod within;
