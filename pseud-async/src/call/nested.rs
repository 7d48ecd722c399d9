//! A call that a handler made failed: what the handler's own caller is told by `?`.

use crate::call::error::CallError;
use pseud_proto::{CallRefused, Exception, Fault, Reason};

/// Classes by which a side says that it did not run what was called. Passed on, they would say so of
/// the handler that made the nested call, and that one did run.
const REFUSALS: [&str; 5] =
    ["ServiceNotFoundError", "UnauthorizedError", "Overloaded", "Draining", "TooLarge"];

/// What the far handler raised passes on with its class, message and traceback. All else tells that a
/// nested call failed, as the exception that Python has for it: `TimeoutError`, `ConnectionError`,
/// `PermissionError`, `TypeError`, `ValueError` or `RuntimeError`; so does a far side's refusal
/// (`ServiceNotFoundError`, `Overloaded`, …), since this handler did run.
impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Fault(fault) if !REFUSALS.contains(&fault.class.as_str()) => fault,
            error => {
                Self::new(exception(&error), format!("a nested call failed: {}", what(&error)))
            }
        }
    }
}

/// What happened, without a word on retries: those of the nested call say nothing of the handler's own.
fn what(error: &CallError) -> String {
    match error {
        CallError::NotExecuted(reason) => format!("it was not executed: {reason}"),
        CallError::Unknown(reason) => format!("it may have run: {reason}"),
        CallError::Executed(reason) => format!("it ran, but its result cannot be read: {reason}"),
        error => error.to_string(),
    }
}

fn exception(error: &CallError) -> Exception {
    match error {
        CallError::Fault(_) => Exception::RuntimeError,
        CallError::NotExecuted(reason)
        | CallError::Unknown(reason)
        | CallError::Executed(reason) => of_reason(*reason),
        CallError::Closed { .. } => Exception::ConnectionError,
        CallError::Refused(refused) => of_refusal(refused),
        CallError::Result(_) => Exception::TypeError,
    }
}

fn of_reason(reason: Reason) -> Exception {
    match reason {
        Reason::TimedOut => Exception::TimeoutError,
        Reason::NotConnected
        | Reason::WrongName
        | Reason::PeerGone
        | Reason::HeartbeatTimeout
        | Reason::PeerFault(_)
        | Reason::Replaced
        | Reason::Occupied
        | Reason::SlowPeer
        | Reason::LateReply
        | Reason::Shutdown => Exception::ConnectionError,
        Reason::Denied | Reason::Unauthorized => Exception::PermissionError,
        _ => Exception::RuntimeError,
    }
}

fn of_refusal(refused: &CallRefused) -> Exception {
    match refused {
        CallRefused::Arguments(_) => Exception::TypeError,
        CallRefused::NameEmpty | CallRefused::PeerNameEmpty | CallRefused::NameTooLong { .. } => {
            Exception::ValueError
        }
        _ => Exception::RuntimeError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pseud_proto::Executed;

    #[test]
    fn what_the_far_handler_raised_passes_on_whole() {
        let fault = Fault::new("SoldOut", "no seats").with_traceback("line 1");
        assert_eq!(Fault::from(CallError::Fault(fault.clone())), fault);
    }

    #[test]
    fn a_refusal_does_not_look_as_if_it_were_of_this_handler() {
        for class in REFUSALS {
            let fault = Fault::from(CallError::Fault(Fault::new(class, "name")));
            assert_eq!(fault.exception(), Some(Exception::RuntimeError));
            assert!(fault.message.contains(&format!("{class}: name")), "{fault}");
        }
    }

    #[test]
    fn other_failures_have_the_nearest_class_and_say_what_happened() {
        for (error, exception, said) in [
            (CallError::NotExecuted(Reason::TimedOut), Exception::TimeoutError, "timed out"),
            (CallError::Unknown(Reason::TimedOut), Exception::TimeoutError, "timed out"),
            (CallError::NotExecuted(Reason::NotConnected), Exception::ConnectionError, "connected"),
            (CallError::Unknown(Reason::PeerGone), Exception::ConnectionError, "gone"),
            (CallError::NotExecuted(Reason::Unauthorized), Exception::PermissionError, "unauth"),
            (CallError::Executed(Reason::BadReply), Exception::RuntimeError, "well-formed"),
            (CallError::NotExecuted(Reason::Denied), Exception::PermissionError, "denied"),
            (CallError::Closed { executed: Executed::No }, Exception::ConnectionError, "shut"),
            (CallError::Refused(CallRefused::NameEmpty), Exception::ValueError, "name"),
            (CallError::Refused(CallRefused::NoServer), Exception::RuntimeError, "server"),
            (CallError::Result("found int".to_owned()), Exception::TypeError, "found int"),
        ] {
            let fault = Fault::from(error);
            assert_eq!(fault.exception(), Some(exception));
            assert!(fault.message.starts_with("a nested call failed: "), "{fault}");
            assert!(fault.message.contains(said), "{fault}");
            assert!(!fault.message.contains("retry"), "{fault}");
        }
    }
}
