//! A message that waits to be sent.

use crate::base::slab::Key;
use crate::call::CallOptions;
use crate::dialect::{Answer, Claim, NAME_BYTES_MAX, ORIGIN_BYTES_MAX, WireId};
use crate::error::CallRefused;
use crate::rpc::config::Limits;
use crate::rpc::session::late::Guard;
use crate::value::Packed;
use smol_str::SmolStr;
use std::time::Instant;

/// A call's arguments, and what is sent with them.
#[derive(Debug)]
pub struct Outbound {
    pub(crate) name: SmolStr,
    pub(crate) body: Packed,
    pub(crate) claim: Claim,
}

/// A call that is yet to be sent.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewCall {
    /// Its driver's name for it.
    pub tag: u64,
    /// When it ends, whoever answers.
    pub deadline: Instant,
    /// What is sent.
    pub outbound: Outbound,
}

impl NewCall {
    /// Such a call.
    pub fn new(tag: u64, deadline: Instant, outbound: Outbound) -> Self {
        Self { tag, deadline, outbound }
    }
}

impl Outbound {
    /// A call of `name` with those arguments (made by [`Packed::call`]).
    ///
    /// # Errors
    /// It is over one of those limits.
    pub fn new(
        name: &str,
        arguments: Packed,
        options: CallOptions,
        limits: &Limits,
    ) -> Result<Self, CallRefused> {
        let claim = Claim { origin: options.origin, hops: options.hops };
        if name.is_empty() {
            return Err(CallRefused::NameEmpty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(CallRefused::NameTooLong { size: name.len(), max: NAME_BYTES_MAX });
        }
        if !arguments.is_call() {
            return Err(CallRefused::Arguments("one value is no arguments".into()));
        }
        if let Some((size, max, what)) = arguments.over(&limits.values) {
            return Err(CallRefused::OverLimit { size, max, what });
        }
        if claim.hops > limits.hops_max {
            return Err(CallRefused::TooManyHops { max: limits.hops_max });
        }
        let origin = claim.origin.as_ref().map_or(0, |user| user.len());
        if origin > ORIGIN_BYTES_MAX {
            return Err(CallRefused::OriginTooLong { size: origin, max: ORIGIN_BYTES_MAX });
        }
        Ok(Self { name: SmolStr::new(name), body: arguments, claim })
    }

    /// What it takes while it waits, in bytes: for bounds. What its buffers take and its place do.
    pub(crate) fn cost(&self) -> usize {
        let origin = self.claim.origin.as_ref().map_or(0, |user| user.len());
        ENTRY_COST + self.name.len() + self.body.as_bytes().len() + origin
    }
}

/// Whether it still makes sense is checked when it is pulled.
#[derive(Debug)]
pub(crate) enum Queued {
    Call { key: Key, outbound: Outbound },
    Reply { id: WireId, answer: Answer, guard: Guard },
}

/// A message, where it ends, and what it counts for.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) queued: Queued,
    pub(crate) end: u64,
    pub(crate) cost: usize,
}

/// What a message takes besides its body and name, in bytes: its place in the queue, and what an
/// allocator and a shared buffer's header add to its body.
pub(crate) const ENTRY_COST: usize = size_of::<Entry>() + 64;

impl Queued {
    /// What it takes while it waits, in bytes.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::Call { outbound, .. } => outbound.cost(),
            Self::Reply { answer, .. } => ENTRY_COST + answer.len(),
        }
    }
}

impl Entry {
    /// The call that it is of.
    pub(crate) fn call(&self) -> Option<Key> {
        match &self.queued {
            Queued::Call { key, .. } => Some(*key),
            Queued::Reply { .. } => None,
        }
    }
}
