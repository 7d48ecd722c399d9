//! Why a request is answered without its handler having run.

use super::{Exception, Fault, Reason};
use std::borrow::Cow;

/// A request is not executed. A peer that reads outcomes is told so, and its call ends as
/// [`NotExecuted`](crate::Outcome::NotExecuted); any other gets a [`Fault`] of the same words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// We are shutting down.
    #[error("this peer is shutting down")]
    Draining,
    /// There is no room for more.
    #[error("{max} {what}")]
    Overloaded {
        /// How many there may be.
        max: usize,
        /// Of what: `requests are open`.
        what: &'static str,
    },
    /// Nothing of that name is served to this caller: one word for what is missing and what is
    /// forbidden.
    #[error("{0}")]
    NoSuchService(Box<str>),
    /// Its body is over a limit.
    #[error("a request of {size} bytes exceeds the limit of {max}")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// `Limits::body_bytes_max`.
        max: usize,
    },
    /// Its arguments are over one of [`ValueLimits`](crate::value::ValueLimits).
    #[error("a request of more than {max} {what}")]
    OverLimit {
        /// How much there may be.
        max: usize,
        /// Of what: `values`.
        what: &'static str,
    },
    /// Its body is not a call.
    #[error("{0}")]
    BadCall(Cow<'static, str>),
    /// It has come too far: peers call each other in a circle.
    #[error("more than {max} hops")]
    TooManyHops {
        /// `Limits::hops_max`.
        max: u32,
    },
    /// It was made in the name of another user, by a peer that is not trusted with that.
    #[error("this peer may not call in the name of others")]
    Unauthorized,
    /// It is of a version of the protocol that is not spoken here.
    #[error("only version v1 is spoken here")]
    Version,
}

impl Refusal {
    /// The word that a peer which reads outcomes is told.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Overloaded { .. } => "overloaded",
            Self::NoSuchService(_) => "no_such_service",
            Self::TooLarge { .. } | Self::OverLimit { .. } => "too_large",
            Self::BadCall(_) => "bad_call",
            Self::TooManyHops { .. } => "too_many_hops",
            Self::Unauthorized => "unauthorized",
            Self::Version => "version",
        }
    }

    /// The class of the exception that all others are told.
    fn class(&self) -> &'static str {
        match self {
            Self::Draining => "Draining",
            Self::Overloaded { .. } => "Overloaded",
            Self::NoSuchService(_) => Exception::ServiceNotFoundError.name(),
            Self::TooLarge { .. } | Self::OverLimit { .. } => "TooLarge",
            Self::BadCall(_) => Exception::TypeError.name(),
            Self::TooManyHops { .. } => "TooManyHops",
            Self::Unauthorized => Exception::UnauthorizedError.name(),
            Self::Version => "VersionMismatch",
        }
    }

    /// The same as an exception.
    pub fn to_fault(&self) -> Fault {
        Fault::new(self.class(), self.to_string())
    }
}

impl Reason {
    /// Why a peer did not execute a call, by its word for it.
    pub(crate) fn of_code(code: &[u8]) -> Self {
        match code {
            b"draining" => Self::Draining,
            b"overloaded" => Self::Overloaded,
            b"no_such_service" => Self::NoSuchService,
            b"too_large" => Self::CallTooLarge,
            b"bad_call" => Self::BadCall,
            b"too_many_hops" => Self::TooManyHops,
            b"unauthorized" => Self::Unauthorized,
            b"version" => Self::Unsupported,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_told_apart_where_it_is_read() {
        let refusals = [
            (Refusal::Draining, Reason::Draining),
            (Refusal::Overloaded { max: 1, what: "requests are open" }, Reason::Overloaded),
            (Refusal::NoSuchService("x".into()), Reason::NoSuchService),
            (Refusal::TooLarge { size: 2, max: 1 }, Reason::CallTooLarge),
            (Refusal::OverLimit { max: 1, what: "values" }, Reason::CallTooLarge),
            (Refusal::BadCall("why".into()), Reason::BadCall),
            (Refusal::TooManyHops { max: 32 }, Reason::TooManyHops),
            (Refusal::Unauthorized, Reason::Unauthorized),
            (Refusal::Version, Reason::Unsupported),
        ];
        for (refusal, reason) in refusals {
            assert_eq!(Reason::of_code(refusal.code().as_bytes()), reason);
        }
        assert_eq!(Reason::of_code(b"quota"), Reason::Refused);
    }
}
