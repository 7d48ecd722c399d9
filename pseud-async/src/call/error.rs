//! Why a call has no result, as the application sees it.

use pseud_proto::{CallRefused, Executed, Fault, Reason};

/// Why a call has no result.
///
/// [`is_retry_safe`](Self::is_retry_safe) says whether trying again cannot run it twice,
/// [`is_transient`](Self::is_transient) whether it may help; the text of each says so, too.
///
/// ```no_run
/// use pseud_async::{CallError, Node};
/// use pseud_proto::Exception;
///
/// # async fn run(client: Node) -> Result<(), CallError> {
/// let seat: Option<u32> = match client.call("tickets.buy", ("A", 7)).await {
///     Ok(seat) => Some(seat),
///     Err(error) if error.is_retry_safe() && error.is_transient() => {
///         client.call("tickets.buy", ("A", 7)).await?
///     }
///     Err(CallError::Fault(fault)) if fault.exception() == Some(Exception::LookupError) => None,
///     Err(error) => return Err(error),
/// };
/// # Ok(()) }
/// ```
///
/// In a handler `?` makes a [`Fault`] of it: what the far handler raised passes on, all else says that a
/// nested call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The far handler raised this exception. A v1 peer answers so as well where it ran none: it serves
    /// nothing of that name ([`is_service_not_found`](Self::is_service_not_found)), or had no room.
    #[error("the peer raised {0}")]
    Fault(Fault),
    /// It never reached the far handler, or its side refused to run that
    /// ([`Reason::NoSuchService`], [`Reason::Overloaded`], …). [`Reason::NotConnected`]: no link was ready to
    /// a peer of that name in time; [`Reason::WrongName`], [`Reason::Denied`] and
    /// [`Reason::PeerFault`]: what came of connecting to the server instead.
    #[error("not executed: {reason} ({advice})", reason = .0, advice = advice(*.0))]
    NotExecuted(Reason),
    /// It left, and no answer came that says what has happened: the far handler may have run.
    #[error("outcome unknown: {0} (it may have run: a retry may run it twice)")]
    Unknown(Reason),
    /// The far handler has run and returned, but its result cannot be read: it is malformed
    /// ([`Reason::BadReply`]), or over a limit of ours ([`Reason::TooLarge`]).
    #[error("it ran, but its result cannot be read: {0} (a retry would run it twice)")]
    Executed(Reason),
    /// This side shut down.
    #[error("this side shut down; {}", left(*executed))]
    Closed {
        /// Whether the call had left.
        executed: Executed,
    },
    /// A local limit or mistake: nothing was sent.
    #[error("the call was refused, nothing was sent: {0}")]
    Refused(#[from] CallRefused),
    /// The far handler ran, but its result is of another type than the one asked for.
    #[error("it ran, but its result is not of the type that was asked for: {0}")]
    Result(String),
}

fn advice(reason: Reason) -> &'static str {
    match reason.is_transient() {
        true => "a retry is safe",
        false => "a retry is safe, but of no use until that has changed",
    }
}

fn left(executed: Executed) -> &'static str {
    match executed {
        Executed::No => "the call had not left, it did not run",
        Executed::Maybe => "the call had left, it may have run",
    }
}

impl CallError {
    /// Whether the far side serves nothing of that name, or not to us; whether that comes as an outcome
    /// of its own or, from a v1 peer, as a fault: such a peer's handler may have raised it.
    pub fn is_service_not_found(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_service_not_found(),
            Self::NotExecuted(reason) => *reason == Reason::NoSuchService,
            _ => false,
        }
    }

    /// Whether the far handler certainly did not run.
    pub fn is_retry_safe(&self) -> bool {
        match self {
            Self::NotExecuted(_) | Self::Refused(_) | Self::Closed { executed: Executed::No } => {
                true
            }
            Self::Fault(_)
            | Self::Unknown(_)
            | Self::Executed(_)
            | Self::Closed { .. }
            | Self::Result(_) => false,
        }
    }

    /// Whether trying again can help: the cause may pass by itself, so the same call made a little later
    /// may end otherwise. See [`Reason::is_transient`] and [`CallRefused::is_transient`].
    ///
    /// It does not say that trying again is safe: a call that [may have run](Self::is_retry_safe) may
    /// run twice. And a handle to one session ([`Peer::session`](crate::Peer::session)) finds nobody once
    /// that has ended: whoever is back is called by name, or as a user.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_transient(),
            Self::NotExecuted(reason) | Self::Unknown(reason) => reason.is_transient(),
            Self::Refused(refused) => refused.is_transient(),
            Self::Executed(_) | Self::Closed { .. } | Self::Result(_) => false,
        }
    }

    /// What the far side raised, if that is why.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Why there is no answer that can be read: [`Reason::Shutdown`] where this side shut down. `None`
    /// where the far side answered, and where the call was refused here.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::NotExecuted(reason) | Self::Unknown(reason) | Self::Executed(reason) => {
                Some(*reason)
            }
            Self::Closed { .. } => Some(Reason::Shutdown),
            Self::Fault(_) | Self::Refused(_) | Self::Result(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_what_happened_and_whether_it_may_have_run() {
        for (error, text) in [
            (CallError::Fault(Fault::new("KeyError", "a\nb")), "the peer raised KeyError: a\\nb"),
            (
                CallError::NotExecuted(Reason::NotConnected),
                "not executed: not connected (a retry is safe)",
            ),
            (
                CallError::NotExecuted(Reason::Denied),
                "not executed: denied: the server does not admit this user or key \
                 (a retry is safe, but of no use until that has changed)",
            ),
            (
                CallError::Unknown(Reason::TimedOut),
                "outcome unknown: timed out (it may have run: a retry may run it twice)",
            ),
            (
                CallError::Executed(Reason::BadReply),
                "it ran, but its result cannot be read: the reply is not well-formed \
                 (a retry would run it twice)",
            ),
            (CallError::Fault(Fault::new("KeyError", "")), "the peer raised KeyError"),
            (
                CallError::Closed { executed: Executed::Maybe },
                "this side shut down; the call had left, it may have run",
            ),
            (
                CallError::Refused(CallRefused::NoServer),
                "the call was refused, nothing was sent: no server is configured: name the peer to call",
            ),
            (
                CallError::Result("expected a string, found int".to_owned()),
                "it ran, but its result is not of the type that was asked for: \
                 expected a string, found int",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn whether_a_retry_is_safe_and_whether_it_helps_are_two_things() {
        let closed = |executed| CallError::Closed { executed };
        let too_many = CallRefused::TooManyPending { max: 1 };
        for (error, is_safe, is_transient) in [
            (CallError::Fault(Fault::new("KeyError", "x")), false, false),
            (CallError::Fault(Fault::new("Overloaded", "x")), false, true),
            (CallError::Result("x".to_owned()), false, false),
            (CallError::Executed(Reason::TooLarge), false, false),
            (CallError::NotExecuted(Reason::Overloaded), true, true),
            (CallError::NotExecuted(Reason::NoSuchService), true, false),
            (CallError::NotExecuted(Reason::Denied), true, false),
            (CallError::NotExecuted(Reason::WrongName), true, false),
            (CallError::Refused(too_many), true, true),
            (CallError::Refused(CallRefused::NameEmpty), true, false),
            (CallError::Unknown(Reason::HeartbeatTimeout), false, true),
            (CallError::Unknown(Reason::Revoked), false, false),
            (closed(Executed::No), true, false),
            (closed(Executed::Maybe), false, false),
        ] {
            let told = (error.is_retry_safe(), error.is_transient());
            assert_eq!(told, (is_safe, is_transient), "{error}");
        }
    }

    #[test]
    fn the_cause_is_there_without_a_match() {
        let fault = Fault::new("KeyError", "x");
        let error = CallError::Fault(fault.clone());
        assert_eq!((error.fault(), error.reason()), (Some(&fault), None));
        for error in
            [CallError::NotExecuted(Reason::TimedOut), CallError::Unknown(Reason::TimedOut)]
        {
            assert_eq!((error.fault(), error.reason()), (None, Some(Reason::TimedOut)));
        }
        let closed = CallError::Closed { executed: Executed::No };
        assert_eq!(closed.reason(), Some(Reason::Shutdown));
        assert_eq!(CallError::from(CallRefused::NoServer).reason(), None);
    }
}
