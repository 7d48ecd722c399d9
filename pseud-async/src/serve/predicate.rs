//! Predicates: who may reach the handlers of a domain.

use crate::serve::caller::Caller;
use crate::serve::handler_panics::{Whose, accepted, accepting};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

pub(crate) type PredicateFuture = Pin<Box<dyn Future<Output = bool> + Send>>;

/// What a domain says of a caller.
#[derive(Clone)]
pub(crate) enum Predicate {
    /// Everyone may.
    Open,
    /// Users that have that permission may.
    Permission(&'static str),
    /// Whom a predicate accepts.
    Sync(Arc<dyn Fn(&Caller) -> bool + Send + Sync>),
    /// Whom a predicate that may have to wait accepts.
    Async(Arc<dyn Fn(Caller) -> PredicateFuture + Send + Sync>),
    /// Nobody: that domain has no predicate.
    Missing(Arc<str>),
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Permission(permission) => f.debug_tuple("Permission").field(permission).finish(),
            Self::Sync(_) => f.write_str("Sync"),
            Self::Async(_) => f.write_str("Async"),
            Self::Missing(domain) => f.debug_tuple("Missing").field(domain).finish(),
        }
    }
}

impl Predicate {
    pub(crate) fn from_fn(predicate: impl Fn(&Caller) -> bool + Send + Sync + 'static) -> Self {
        Self::Sync(Arc::new(predicate))
    }

    pub(crate) fn from_async<F, Fut>(predicate: F) -> Self
    where
        F: Fn(Caller) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Self::Async(Arc::new(move |caller| Box::pin(predicate(caller))))
    }

    /// Whether that caller may, asked again by whoever serves it already.
    pub(crate) async fn still_accepts(&self, caller: &Caller, whose: &Whose) -> bool {
        let named = || whose.clone();
        match self {
            Self::Open => true,
            Self::Permission(permission) => caller.user().has_permission(permission),
            Self::Sync(predicate) => accepted(named, || predicate(caller)),
            Self::Async(predicate) => {
                let Some(mut judging) = accepting(named, || predicate(caller.clone())) else {
                    return false;
                };
                let accepts = poll_fn(|cx| {
                    accepting(named, || judging.as_mut().poll(cx)).unwrap_or(Poll::Ready(false))
                });
                let accepts = accepts.await;
                accepting(named, move || drop(judging));
                accepts
            }
            Self::Missing(_) => false,
        }
    }

    /// The guard of a domain of which nobody has said anything.
    pub(crate) fn ready_made(domain: &str) -> Self {
        match domain {
            pseud_proto::registry::DEFAULT_DOMAIN => Self::Open,
            "restricted" => Self::Permission("restricted"),
            other => Self::Missing(other.into()),
        }
    }
}
