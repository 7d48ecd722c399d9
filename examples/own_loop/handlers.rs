//! Requests and what answers them.

use pseud::Fault;
use pseud::proto::value::{Arguments, ValueLimits};
use pseud::proto::{Handlers, Packed, Refusal, Request, Ticket};
use std::fmt::Display;

/// Runs in the loop's own thread, and everybody waits for it: it must not take long. One that does
/// keeps the ticket instead, and the loop replies when it has the result.
pub(crate) type Handler = fn(&Arguments) -> Result<Packed, Fault>;

/// The answer to a request, or why no handler is run. Its arguments come from a peer and are checked
/// here, not before: what is not called is not worth the work.
pub(crate) fn answer(
    handlers: &Handlers<Handler>,
    request: Request,
) -> (Ticket, Result<Result<Packed, Fault>, Refusal>) {
    let Some(handler) = handlers.find(request.name()).copied() else {
        let refusal = Refusal::NoSuchService(request.name().into());
        return (request.into_ticket(), Err(refusal));
    };
    match request.open(&ValueLimits::default()) {
        Ok(opened) => (opened.ticket, Ok(handler(&opened.arguments))),
        Err((ticket, refusal)) => (ticket, Err(refusal)),
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
