//! Serving: from a request that arrived to a handler that runs, and its answer.

pub(crate) mod busy;
pub(crate) mod caller;
pub(crate) mod cancelled;
pub(crate) mod dispatch;
pub(crate) mod handler;
pub(crate) mod handler_panics;
pub(crate) mod on_disconnect;
pub(crate) mod predicate;
pub(crate) mod registry;
pub(crate) mod request;
pub(crate) mod resolve;
pub(crate) mod responder;
mod within;
