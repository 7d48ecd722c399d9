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
use crate::base::pieces::{COPY_MAX, Pieces};
use crate::call::profile::Profile;
use crate::dialect::pseud::envelope::Kind;
use crate::dialect::pseud::origin::Claim;
use crate::error::{Fault, Reason, Refusal};
use crate::message::frame::{self, FrameKind, HEADER_MAX};
use crate::message::framed::Framed;
use crate::message::outgoing::{Outgoing, Token};
use crate::value::msgpack::edges as heads;
use crate::value::{Packed, Stored, ValueLimits};
use std::fmt;

/// One message, pulled and ready to be sent.
///
/// From here on its bytes may leave: the driver sends it whole, or closes the link.
#[derive(Clone)]
pub struct Transmit {
    message: Pieces,
    token: Token,
}

impl Transmit {
    /// That message, which ends there in its session's output.
    pub(crate) fn new(message: Pieces, token: Token) -> Self {
        Self { message, token }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.clone().with(|message, _| match message.frames {
            [_, _, _, byte] => Kind::from_frame(byte).unwrap_or(Kind::Ok),
            _ => Kind::Ok,
        })
    }

    /// Names it in [`Event::Written`](crate::wire::zmtp::Event).
    pub fn token(&self) -> Token {
        self.token
    }

    /// Hands it to `send` as it is.
    pub fn framed<R>(mut self, send: impl FnOnce(Framed<'_>, Token) -> R) -> R {
        let len = self.message.len();
        send(Framed::new(&mut self.message, len, 1), self.token)
    }

    /// Hands its frames to `send`.
    pub fn with<R>(mut self, send: impl FnOnce(Outgoing<'_>, Token) -> R) -> R {
        let len = self.message.len();
        Framed::new(&mut self.message, len, 1).first(|message| send(message, self.token))
    }
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transmit").field("kind", &self.kind()).field("token", &self.token).finish()
    }
}

/// What all our messages begin with: an empty frame, the version, and the header of the id's frame but
/// for its length.
const START: [u8; 7] = {
    let [v, n] = *b"v1";
    [frame::MORE, 0, frame::MORE, 2, v, n, frame::MORE]
};

/// The same, the frames of an id of 16 bytes and of a kind, and the header of a short body: with zeros for what
/// differs from message to message.
const USUAL: [u8; 29] = {
    let [a, b, c, d, e, f, g] = START;
    let (more, last) = (frame::MORE, 0);
    [a, b, c, d, e, f, g, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, more, 1, 0, last, 0]
};

/// Bytes of a message's frames and headers before its body, at most, but for the id's.
const ENVELOPE_MAX: usize = START.len() + 1 + 3 + HEADER_MAX;

/// A WORK that may be sent: its arguments do its peer no harm, and it is not too large for it.
pub(crate) struct WorkMessage<'a> {
    name: &'a str,
    arguments: &'a mut Stored,
    /// A WORK's fourth item, where it has one.
    tail: Vec<u8>,
}

impl<'a> WorkMessage<'a> {
    /// The error is why its call ends, not executed.
    pub(crate) fn new(
        name: &'a str,
        arguments: &'a mut Packed,
        claim: Option<&Claim>,
        profile: Profile,
        is_harmless: bool,
    ) -> Result<Self, Reason> {
        // A peer that does not read whose request it is would run it with our own rights, though somebody
        // else asked for it.
        let has_origin = claim.is_some_and(|claim| claim.origin.is_some());
        if !is_harmless || has_origin && !profile.reads_provenance() {
            return Err(Reason::Unsupported);
        }
        let claim = claim.filter(|_| profile.reads_provenance());
        let tail = claim.map(Claim::write).unwrap_or_default();
        check_work(name, arguments, tail.len(), profile)?;
        Ok(Self { name, arguments: arguments.stored_mut(), tail })
    }

    /// Writes the message. Long arguments are moved there.
    #[inline]
    pub(crate) fn put(self, out: &mut Pieces, id: &[u8]) {
        let Self { name, arguments, tail } = self;
        let (text, text_len) = heads::str_head(name.len() as u32);
        let text = text.get(..text_len).unwrap_or_default();
        let items = ARRAY | if tail.is_empty() { 3 } else { 4 };
        let head_len = 1 + text_len + name.len();
        put_message(out, id, Kind::Work, head_len, arguments, &tail, |small| {
            small.push(items);
            small.extend_from_slice(text);
            small.extend_from_slice(name.as_bytes());
        });
    }
}

/// msgpack's marker of an array of so many items, fifteen at most.
const ARRAY: u8 = 0x90;

/// Writes a message. Its body is what `head` writes, that body, and the tail.
#[inline]
fn put_message(
    out: &mut Pieces,
    id: &[u8],
    kind: Kind,
    head_len: usize,
    body: &mut Stored,
    tail: &[u8],
    head: impl FnOnce(&mut Vec<u8>),
) {
    // A secret must not be in a buffer that is kept.
    let is_apart = body.as_slice().len() > COPY_MAX || kind == Kind::Hello;
    let copied = if is_apart { &[] } else { body.as_slice() };
    let size = head_len + body.as_slice().len() + tail.len();
    out.put(ENVELOPE_MAX + id.len() + head_len + copied.len() + tail.len(), |small| {
        match (id.try_into(), u8::try_from(size)) {
            (Ok(id), Ok(size)) => small.extend_from_slice(&usual_envelope(id, kind, size)),
            _ => {
                small.extend_from_slice(&START);
                small.push(id.len() as u8);
                small.extend_from_slice(id);
                small.extend_from_slice(&[frame::MORE, 1, kind.byte()]);
                frame::put_header(small, FrameKind::Last, size);
            }
        }
        head(small);
        small.extend_from_slice(copied);
        if !is_apart {
            small.extend_from_slice(tail);
        }
    });
    if is_apart {
        out.put_apart(body.take().into_bytes());
        out.put_bytes(tail);
    }
}

/// All of a message before its body, where its id has 16 bytes, as every one that Python and we make, and its body
/// is short.
#[inline]
fn usual_envelope(id: &[u8; 16], kind: Kind, size: u8) -> [u8; USUAL.len()] {
    let mut envelope = USUAL;
    if let Some(place) = envelope.get_mut(START.len() + 1..).and_then(|id| id.first_chunk_mut()) {
        *place = *id;
    }
    let [.., kind_at, _, size_at] = &mut envelope;
    (*kind_at, *size_at) = (kind.byte(), size);
    envelope
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

    /// Writes the message that answers the request of that id.
    #[inline]
    pub(crate) fn put(self, out: &mut Pieces, id: &[u8]) {
        let Self { kind, mut body } = self;
        put_message(out, id, kind, 0, &mut body, &[], |_| {});
    }

    #[cfg(test)]
    pub(super) fn body(&self) -> &[u8] {
        self.body.as_slice()
    }

    /// An OK. The error is what the caller must be told instead.
    #[inline]
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
#[inline]
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
#[inline]
pub(crate) fn check_result(result: &Packed, max: usize) -> Result<(), Fault> {
    match result.as_bytes().len() {
        size if size > max => {
            let text = format!("a result of {size} bytes exceeds the limit of {max}");
            Err(Fault::new("TooLarge", text))
        }
        _ => Ok(()),
    }
}
