//! A message that waits to be sent.

use crate::base::name::NAME_BYTES_MAX;
use crate::base::slab::Key;
use crate::call::CallOptions;
use crate::dialect::{Claim, ORIGIN_BYTES_MAX, Transmit};
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
    /// Most calls have none.
    pub(crate) claim: Option<Box<Claim>>,
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
        if options.hops > limits.hops_max {
            return Err(CallRefused::TooManyHops { max: limits.hops_max });
        }
        let origin = options.origin.as_ref().map_or(0, |user| user.len());
        if origin > ORIGIN_BYTES_MAX {
            return Err(CallRefused::OriginTooLong { size: origin, max: ORIGIN_BYTES_MAX });
        }
        let claim = (options.hops > 0 || options.origin.is_some())
            .then(|| Box::new(Claim { origin: options.origin, hops: options.hops }));
        Ok(Self { name: SmolStr::new(name), body: arguments, claim })
    }

    /// What it takes while it waits for a session, in bytes: for bounds. What its buffers take and its
    /// place do.
    pub(crate) fn cost(&self) -> usize {
        let origin = self.claim.as_ref().and_then(|claim| claim.origin.as_ref());
        let origin = origin.map_or(0, |user| user.len());
        ENTRY_COST + self.name.len() + self.body.as_bytes().len() + origin
    }
}

/// Of what a message is: whether it still makes sense is checked when it is pulled.
#[derive(Debug)]
pub(crate) enum Of {
    Call(Key),
    Reply(Guard),
}

/// A message, and what it counts for.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) of: Of,
    pub(crate) transmit: Transmit,
    pub(crate) cost: usize,
}

/// What a message takes besides its body and name, in bytes: its place in the queue, and what an
/// allocator and a shared buffer's header add to its body.
pub(crate) const ENTRY_COST: usize = size_of::<Entry>() + 64;

impl Entry {
    /// That message. Where it ends is known once it waits.
    pub(crate) fn new(of: Of, transmit: Transmit) -> Self {
        let cost = ENTRY_COST + transmit.heap_bytes();
        Self { of, transmit, cost }
    }

    /// The call that it is of.
    pub(crate) fn call(&self) -> Option<Key> {
        match self.of {
            Of::Call(key) => Some(key),
            Of::Reply(_) => None,
        }
    }
}
