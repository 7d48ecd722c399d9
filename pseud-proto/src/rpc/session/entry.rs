//! A message that waits to be sent.

use crate::base::deadline::after;
use crate::base::name::NAME_BYTES_MAX;
use crate::base::slab::Key;
use crate::call::late_guard::Guard;
use crate::call::{CallOptions, WhenFull};
use crate::dialect::{Claim, ORIGIN_BYTES_MAX};
use crate::error::CallRefused;
use crate::rpc::config::{CALL_TIMEOUT_MAX, Config, Limits};
use crate::value::Packed;
use smol_str::SmolStr;
use std::time::Instant;

/// A call's arguments, and what is sent with them.
#[derive(Debug, Clone)]
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
    /// What becomes of it where there is no room, for drivers that can let callers wait.
    pub when_full: WhenFull,
    /// As what the budget counts it.
    pub(crate) place: Place,
}

/// As what the budget counts a call that is at no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    None,
    /// As one that waits for room.
    Waiting,
    /// As a pending one.
    Pending,
}

impl NewCall {
    /// Such a call, which is refused where there is no room for it.
    pub fn new(tag: u64, deadline: Instant, outbound: Outbound) -> Self {
        let (when_full, place) = (WhenFull::Refuse, Place::None);
        Self { tag, deadline, outbound, when_full, place }
    }

    /// Whether it waited in the directory without being counted among the pending ones.
    pub fn has_no_place(&self) -> bool {
        self.place != Place::Pending
    }

    /// Moves it out. What is left is a call of nothing, which nobody can be sent.
    pub fn take(&mut self) -> Self {
        let nothing = Outbound { name: SmolStr::default(), body: Packed::nothing(), claim: None };
        let left = Self::new(self.tag, self.deadline, nothing);
        std::mem::replace(self, left)
    }

    /// A call of `name` that is made now; it has no tag yet.
    ///
    /// # Errors
    /// It is over a limit: see [`Outbound::new`].
    pub fn made(
        name: impl Into<SmolStr>,
        arguments: Packed,
        options: CallOptions,
        config: &Config,
        now: Instant,
    ) -> Result<Self, CallRefused> {
        let name = name.into();
        check(&name, &arguments, &options, &config.limits)?;
        Ok(Self::checked(name, arguments, options, config, now))
    }

    /// Such a call, for that alone: it is made in its place, and not moved from there.
    ///
    /// # Errors
    /// It is over a limit, or what that says.
    #[inline]
    pub fn make<R>(
        name: impl Into<SmolStr>,
        arguments: Packed,
        options: CallOptions,
        config: &Config,
        now: Instant,
        send: impl FnOnce(&mut Self) -> Result<R, CallRefused>,
    ) -> Result<R, CallRefused> {
        let name = name.into();
        check(&name, &arguments, &options, &config.limits)?;
        send(&mut Self::checked(name, arguments, options, config, now))
    }

    #[inline]
    fn checked(
        name: SmolStr,
        body: Packed,
        options: CallOptions,
        config: &Config,
        now: Instant,
    ) -> Self {
        let timeout = options.timeout.unwrap_or(config.call_timeout).min(CALL_TIMEOUT_MAX);
        let when_full = options.when_full.unwrap_or(config.when_full);
        let outbound = Outbound { name, body, claim: claim(options) };
        let (tag, deadline, place) = (0, after(now, timeout), Place::None);
        Self { tag, deadline, outbound, when_full, place }
    }
}

/// Whether that is within those limits.
#[inline]
fn check(
    name: &str,
    arguments: &Packed,
    options: &CallOptions,
    limits: &Limits,
) -> Result<(), CallRefused> {
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
    Ok(())
}

/// What its peer is told of whose call it is, if that is anything.
#[inline]
fn claim(options: CallOptions) -> Option<Box<Claim>> {
    let CallOptions { hops, origin, .. } = options;
    (hops > 0 || origin.is_some()).then(|| Box::new(Claim { origin, hops }))
}

impl Outbound {
    /// A call of `name` with those arguments (made by [`Packed::call`]).
    ///
    /// # Errors
    /// It is over one of those limits.
    pub fn new(
        name: impl Into<SmolStr>,
        arguments: Packed,
        options: CallOptions,
        limits: &Limits,
    ) -> Result<Self, CallRefused> {
        let name = name.into();
        check(&name, &arguments, &options, limits)?;
        Ok(Self { name, body: arguments, claim: claim(options) })
    }

    /// What it takes while it waits for a session, in bytes: for bounds. What its buffers take and its
    /// place do.
    pub(crate) fn cost(&self) -> usize {
        let origin = self.claim.as_ref().and_then(|claim| claim.origin.as_ref());
        let origin = origin.map_or(0, |user| user.len());
        size_of::<NewCall>() + ENTRY_COST + self.name.len() + self.body.as_bytes().len() + origin
    }
}

/// Of what a message is: whether it still makes sense is checked when it is pulled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    Call(Key),
    Reply(Guard),
}

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it ends.
    pub(crate) end: u64,
    /// Bytes of its frames.
    pub(crate) len: usize,
    pub(crate) of: Of,
}

/// What a message takes besides its frames, in bytes: its place in a queue that may be half empty, and
/// what an allocator and a shared body's header add.
pub(crate) const ENTRY_COST: usize = 2 * size_of::<Entry>() + 64;

impl Entry {
    /// What it counts for.
    pub(crate) fn cost(&self) -> usize {
        ENTRY_COST + self.len
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> u64 {
        self.end - self.len as u64
    }

    /// The call that it is of.
    pub(crate) fn call(&self) -> Option<Key> {
        match self.of {
            Of::Call(key) => Some(key),
            Of::Reply(_) => None,
        }
    }

    /// Whether it is an answer that may come too late.
    pub(crate) fn is_guarded(&self) -> bool {
        matches!(self.of, Of::Reply(Guard::Until(_) | Guard::Passed))
    }
}
