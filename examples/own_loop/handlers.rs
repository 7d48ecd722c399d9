//! Requests and what answers them.

use pseud::Fault;
use pseud::proto::registry::Handlers;
use pseud::proto::value::Packed;
use pseud::proto::value::{Arguments, ValueLimits};
use pseud::proto::{Refusal, Request, Ticket};
use std::fmt::Display;

/// What serves a name.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Runs in the loop's own thread, and everybody waits for it: it must not take long.
    Now(fn(&Arguments) -> Result<Packed, Fault>),
    /// Whoever turns the loop is handed the request, keeps its ticket, and replies when there is a result.
    Later,
}

/// What becomes of a request.
pub(crate) enum Answer {
    Reply(Ticket, Result<Packed, Fault>),
    /// No handler is run, and why.
    Refuse(Ticket, Refusal),
    Later(Request),
}

/// The answer to a request. Its arguments come from a peer and are checked here, not before: what is not
/// called is not worth the work.
pub(crate) fn answer(handlers: &Handlers<Handler>, request: Request) -> Answer {
    let handler = match handlers.find(request.name()) {
        Some(Handler::Now(handler)) => *handler,
        Some(Handler::Later) => return Answer::Later(request),
        None => {
            let refusal = Refusal::NoSuchService(request.name().into());
            return Answer::Refuse(request.into_ticket(), refusal);
        }
    };
    match request.open(&ValueLimits::default()) {
        Ok(opened) => Answer::Reply(opened.ticket, handler(&opened.arguments)),
        Err((ticket, refusal)) => Answer::Refuse(ticket, refusal),
    }
}

pub(crate) fn hello(arguments: &Arguments) -> Result<Packed, Fault> {
    let (name,): (String,) = arguments.args().map_err(type_error)?;
    Packed::result(&format!("Hello {name}")).map_err(type_error)
}

pub(crate) fn add(arguments: &Arguments) -> Result<Packed, Fault> {
    let (a, b): (i64, i64) = arguments.args().map_err(type_error)?;
    Packed::result(&a.saturating_add(b)).map_err(type_error)
}

fn type_error(error: impl Display) -> Fault {
    Fault::new("TypeError", error.to_string())
}
