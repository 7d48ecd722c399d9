//! What may be sent to whom: each message that leaves is made here, for the profile of its peer.
//!
//! A Python pseud 1.0 process dies of an unknown kind, a missing or an extra frame, another version,
//! a body of another shape and an odd error class; its pickles run what they hold. So nobody else can
//! make a [`Transmit`], and what this module lets pass is: five frames, WORK, OK, ERROR and the three of a login (HELLO only where a
//! login was asked for or can be, the others only in answer to WORK and HELLO), three items
//! in WORK and ERROR, classes that do no harm, bodies without foreign pickles. More goes only to a
//! peer that declared it, and no body is larger than a peer said it takes.

use super::fault;
use crate::base::name::NAME_BYTES_MAX;
use crate::call::profile::Profile;
use crate::dialect::pseud::envelope::{Kind, VERSION, WireId};
use crate::dialect::pseud::origin::Claim;
use crate::error::{Fault, Reason, Refusal};
use crate::message::outgoing::{Outgoing, Token};
use crate::value::msgpack::edges as heads;
use crate::value::{Packed, Stored, ValueLimits};
use bytes::Bytes;
use smol_str::SmolStr;

/// One message, pulled and ready to be sent.
///
/// From here on its bytes may leave: the driver sends it whole, or closes the link.
#[derive(Debug, Clone)]
pub struct Transmit {
    kind: Kind,
    id: WireId,
    /// Written before the body of a WORK; no name is empty.
    name: SmolStr,
    body: Stored,
    /// Written behind it: a WORK's fourth item, where it has one.
    tail: Option<Box<[u8]>>,
    token: Token,
}

impl Transmit {
    /// A WORK, of arguments that do that peer no harm. The error is why its call ends, not executed.
    pub(crate) fn work(
        id: WireId,
        name: SmolStr,
        arguments: Packed,
        claim: Option<&Claim>,
        profile: Profile,
        is_harmless: bool,
    ) -> Result<Self, Reason> {
        // It would run with our own rights what somebody else asked for.
        let has_origin = claim.is_some_and(|claim| claim.origin.is_some());
        if !is_harmless || has_origin && !profile.reads_provenance() {
            return Err(Reason::Unsupported);
        }
        let claim = claim.filter(|_| profile.reads_provenance());
        let tail = claim.map(|claim| claim.write().into_boxed_slice());
        let tail = tail.filter(|tail| !tail.is_empty());
        check_work(&name, &arguments, tail.as_ref().map_or(0, |tail| tail.len()), profile)?;
        let (body, token) = (arguments.into_stored(), Token(0));
        Ok(Self { kind: Kind::Work, id, name, body, tail, token })
    }

    /// The answer to a request of that id.
    pub(crate) fn answer(id: WireId, answer: Answer) -> Self {
        let Answer { kind, body } = answer;
        Self { kind, id, name: SmolStr::default(), body, tail: None, token: Token(0) }
    }

    /// Where it ends in its session's output.
    pub(crate) fn set_token(&mut self, token: Token) {
        self.token = token;
    }

    /// What it takes besides its own place, in bytes. A short body counts as a long one does.
    pub(crate) fn heap_bytes(&self) -> usize {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.len());
        self.id.heap_bytes() + self.name.len() + self.body.as_slice().len() + tail
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Names it in [`Event::Written`](crate::wire::zmtp::Event).
    pub fn token(&self) -> Token {
        self.token
    }

    /// Hands its frames to `send`. What stands before a body that is shared, and a short body itself,
    /// are gathered here, on the stack.
    pub fn with<R>(mut self, send: impl FnOnce(Outgoing<'_>, Token) -> R) -> R {
        self.lend(send)
    }

    /// The same where it lies. A body that is shared is given away with it.
    pub(crate) fn lend<R>(&mut self, send: impl FnOnce(Outgoing<'_>, Token) -> R) -> R {
        let mut head = BodyHead { bytes: [0; HEAD_BYTES_MAX], used: 0 };
        if !self.name.is_empty() {
            head.put_work(&self.name, if self.tail.is_some() { 4 } else { 3 });
        }
        let body = match &mut self.body {
            Stored::Shared(bytes) => std::mem::take(bytes),
            Stored::InPlace { .. } => {
                head.put(self.body.as_slice());
                Bytes::new()
            }
        };
        let frames: &[&[u8]] = &[b"", VERSION, self.id.as_bytes(), &[self.kind.byte()]];
        let head = head.bytes.get(..head.used).unwrap_or_default();
        let tail = self.tail.as_deref().unwrap_or_default();
        send(Outgoing { frames, head, body, tail }, self.token)
    }
}

/// Bytes before a shared body: of the array and the name, and of a body that is kept in place.
const HEAD_BYTES_MAX: usize = 1 + 3 + NAME_BYTES_MAX + Stored::IN_PLACE_MAX;

/// The front of a body, in the making.
struct BodyHead {
    bytes: [u8; HEAD_BYTES_MAX],
    used: usize,
}

impl BodyHead {
    /// `[name, …`: the body of a WORK up to its arguments.
    fn put_work(&mut self, name: &str, items: u32) {
        let (array, array_len) = heads::array_head(items);
        let (text, text_len) = heads::str_head(name.len() as u32);
        self.put(array.get(..array_len).unwrap_or_default());
        self.put(text.get(..text_len).unwrap_or_default());
        self.put(name.as_bytes());
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.used..self.used + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.used += bytes.len();
        debug_assert!(self.used <= self.bytes.len(), "a name is at most NAME_BYTES_MAX");
    }
}

fn check_work(name: &str, arguments: &Packed, tail: usize, profile: Profile) -> Result<(), Reason> {
    if name.len() > NAME_BYTES_MAX || !arguments.is_call() {
        return Err(Reason::Unsupported);
    }
    let max = profile.body_bytes_max().unwrap_or(usize::MAX);
    if work_size(name, arguments, tail) > max {
        return Err(Reason::CallTooLarge);
    }
    Ok(())
}

/// Bytes of a WORK's body whose fourth item has so many.
pub(crate) fn work_size(name: &str, arguments: &Packed, tail: usize) -> usize {
    let (_, head) = heads::str_head(u32::try_from(name.len()).unwrap_or(u32::MAX));
    1 + head + name.len() + arguments.as_bytes().len() + tail
}

/// An OK or an ERROR, made for the peer that asked.
#[derive(Debug)]
pub(crate) struct Answer {
    kind: Kind,
    body: Stored,
}

impl Answer {
    pub(super) fn new(kind: Kind, body: Stored) -> Self {
        Self { kind, body }
    }

    #[cfg(test)]
    pub(super) fn body(&self) -> &[u8] {
        self.body.as_slice()
    }

    /// An OK. The error is what the caller must be told instead.
    pub(crate) fn result(
        result: Packed,
        profile: Profile,
        risk: Option<String>,
    ) -> Result<Self, Fault> {
        let risk = risk.or_else(|| result.is_call().then(|| "arguments".to_owned()));
        if let Some(risk) = risk {
            let text = format!("the result holds a value that the caller cannot read: {risk}");
            return Err(Fault::new("TypeError", text));
        }
        let max = profile.body_bytes_max().unwrap_or(usize::MAX);
        check_result(&result, max)?;
        Ok(Self { kind: Kind::Ok, body: result.into_stored() })
    }

    /// An ERROR that tells what a handler raised.
    pub(crate) fn fault(fault: &Fault, profile: Profile, expose_traceback: bool) -> Self {
        let body = Stored::Shared(fault::write(fault, None, profile, expose_traceback));
        Self { kind: Kind::Error, body }
    }

    /// An ERROR that tells that no handler was run.
    pub(crate) fn refusal(refusal: &Refusal, profile: Profile) -> Self {
        let body = fault::write(&refusal.to_fault(), Some(refusal.code()), profile, false);
        let body = Stored::Shared(body);
        Self { kind: Kind::Error, body }
    }
}

/// A result over a limit is a fault of the handler that made it.
pub(crate) fn check_values(result: &Packed, limits: &ValueLimits) -> Result<(), Fault> {
    match result.over(limits) {
        Some((size, max, what)) => {
            let text = format!("a result of {size} {what} exceeds the limit of {max}");
            Err(Fault::new("TooLarge", text))
        }
        None => Ok(()),
    }
}

/// The same of its bytes.
pub(crate) fn check_result(result: &Packed, max: usize) -> Result<(), Fault> {
    match result.as_bytes().len() {
        size if size > max => {
            let text = format!("a result of {size} bytes exceeds the limit of {max}");
            Err(Fault::new("TooLarge", text))
        }
        _ => Ok(()),
    }
}
