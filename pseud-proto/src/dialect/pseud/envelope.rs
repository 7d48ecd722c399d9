//! A message on the wire: `["", "v1", id, kind, body]` (Python pseud's Protocol v1).

use crate::call::dropped::Dropped;
use crate::call::profile::Capabilities;
use crate::call::wire_id::WireId;
use crate::message::parts::Lent;
use crate::value::msgpack::edges as heads;
use std::ops::Range;

pub(crate) const VERSION: &[u8] = b"v1";

/// How many frames a message has on the wire (Python `pseud/common.py`): delimiter (empty) | `v1` | id | kind |
/// body. A ROUTER puts the peer's id in front of them, a REQ hides the delimiter.
const FRAMES: usize = 5;

/// What a message is.
///
/// Closed: Python `pseud/common.py` has these and no others, and so has `v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A result: the body is its msgpack.
    Ok,
    /// Credentials: `[login, password]`.
    Hello,
    /// A request: `[name, args, kwargs]`.
    Work,
    /// The login was accepted.
    Authenticated,
    /// A sign of life.
    Heartbeat,
    /// A handler's exception: `[class, message, traceback]`.
    Error,
    /// Credentials are wanted, or were refused.
    Unauthorized,
    /// The session is over, and why: `[code]`. Only to who declared that it reads it.
    GoAway,
}

impl Kind {
    /// Its byte on the wire.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ok => 0x01,
            Self::Hello => 0x02,
            Self::Work => 0x03,
            Self::Authenticated => 0x04,
            Self::Heartbeat => 0x06,
            Self::Error => 0x10,
            Self::Unauthorized => 0x11,
            Self::GoAway => 0x12,
        }
    }

    pub(super) fn from_frame(frame: &[u8]) -> Option<Self> {
        match frame {
            [0x01] => Some(Self::Ok),
            [0x02] => Some(Self::Hello),
            [0x03] => Some(Self::Work),
            [0x04] => Some(Self::Authenticated),
            [0x06] => Some(Self::Heartbeat),
            [0x10] => Some(Self::Error),
            [0x11] => Some(Self::Unauthorized),
            [0x12] => Some(Self::GoAway),
            _ => None,
        }
    }
}

/// What a received message turned out to be.
#[derive(Debug)]
pub(crate) enum Received<'a> {
    /// One empty frame: `ZMQ_PROBE_ROUTER`'s way to say "here I am" (libzmq's `router.cpp`). A Python peer sends
    /// one on each connection that it opens.
    Probe,
    /// A message of ours.
    Envelope(Envelope<'a>),
    /// Of another version than ours: it is dropped. The id of what looks like a WORK.
    OtherVersion(Option<WireId>),
    /// Not a message of ours, but framing is sound: it is dropped.
    Dropped(Dropped),
}

/// A message of ours, its id and body still in the buffer that it came in.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    /// At most [`WireId::MAX`] bytes.
    pub(crate) id: &'a [u8],
    pub(crate) body: &'a [u8],
    /// Where the body lies in the message's buffer.
    pub(crate) at: Range<u32>,
}

impl<'a> Received<'a> {
    #[inline]
    pub(crate) fn read(message: Lent<'a>) -> Self {
        if let Some(([b"", VERSION, id, kind], body, at)) = message.five().map(head_and_body)
            && id.len() <= WireId::MAX
            && let Some(kind) = Kind::from_frame(kind)
        {
            return Self::Envelope(Envelope { kind, id, body, at });
        }
        Self::read_odd(message)
    }

    /// The same of what is no message of ours, or may be none.
    #[cold]
    fn read_odd(message: Lent<'a>) -> Self {
        match (message.len(), Self::envelope(message)) {
            (1, _) => Self::Probe,
            (FRAMES, Ok(envelope)) => Self::Envelope(envelope),
            (FRAMES, Err(Dropped::Version)) => Self::OtherVersion(Self::work_id(message)),
            (FRAMES, Err(cause)) => Self::Dropped(cause),
            _ => Self::Dropped(Dropped::BadEnvelope),
        }
    }

    /// The id and the kind of a message of ours of which all but the body is there.
    pub(crate) fn head(message: Lent<'a>) -> Option<(&'a [u8], Kind)> {
        let (kind, id) = Self::kind_and_id(message).ok()?;
        (message.len() == FRAMES - 1).then_some((id, kind))
    }

    fn work_id(message: Lent<'a>) -> Option<WireId> {
        let kind = Kind::from_frame(message.get(3)?)?;
        WireId::new(message.get(2)?).filter(|_| kind == Kind::Work)
    }

    fn envelope(message: Lent<'a>) -> Result<Envelope<'a>, Dropped> {
        let (kind, id) = Self::kind_and_id(message)?;
        let body = message.get(FRAMES - 1).zip(message.range(FRAMES - 1));
        let (body, at) = body.ok_or(Dropped::BadEnvelope)?;
        Ok(Envelope { kind, id, body, at })
    }

    fn kind_and_id(message: Lent<'a>) -> Result<(Kind, &'a [u8]), Dropped> {
        let frame = |index| message.get(index).ok_or(Dropped::BadEnvelope);
        if !frame(0)?.is_empty() {
            return Err(Dropped::Delimiter);
        }
        if frame(1)? != VERSION {
            return Err(Dropped::Version);
        }
        let id = frame(2)?;
        if id.len() > WireId::MAX {
            return Err(Dropped::Id);
        }
        let kind = Kind::from_frame(frame(3)?).ok_or(Dropped::Kind)?;
        Ok((kind, id))
    }
}

type FiveParts<'a> = ([&'a [u8]; FRAMES], Range<u32>);

fn head_and_body(([a, b, c, d, body], at): FiveParts<'_>) -> ([&[u8]; 4], &[u8], Range<u32>) {
    ([a, b, c, d], body, at)
}

/// What the endpoint itself reads of a WORK's body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Work<'a> {
    pub(crate) name: &'a str,
    /// Where the arguments begin.
    pub(crate) rest: usize,
    /// Whether there is a fourth item behind them.
    pub(crate) has_claim: bool,
}

/// Where the name and what is behind it lie in a WORK body that is sent to a side which declared that,
/// or what is wrong with its shape.
pub(crate) fn read_work(body: &[u8], ours: Capabilities) -> Result<Work<'_>, &'static str> {
    let mut rest = body;
    let has_claim = match heads::read_array(&mut rest) {
        Some(3) => false,
        Some(4) if ours.contains(Capabilities::PROVENANCE) => true,
        _ => return Err("a call is an array [name, args, kwargs]"),
    };
    let name = heads::read_text(&mut rest).ok_or("the name of a call is a str")?;
    let name = std::str::from_utf8(name).map_err(|_| "the name of a call is UTF-8")?;
    Ok(Work { name, rest: body.len() - rest.len(), has_claim })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::message::parts::Parts;

    fn parts(frames: &[&[u8]]) -> Parts {
        Parts::from_frames(frames).unwrap()
    }

    #[test]
    fn one_frame_is_a_probe() {
        assert!(matches!(Received::read(parts(&[b""]).lent()), Received::Probe));
        assert!(matches!(Received::read(parts(&[b"x"]).lent()), Received::Probe));
    }

    #[test]
    fn a_python_2_name_is_a_bin() {
        let work = Work { name: "add", rest: 6, has_claim: false };
        assert_eq!(read_work(b"\x93\xc4\x03add\x90\x80", Capabilities::NONE), Ok(work));
    }

    #[test]
    fn a_fourth_item_is_read_by_who_declared_it() {
        let work = Work { name: "add", rest: 5, has_claim: true };
        let body = b"\x94\xa3add\x90\x80\x80";
        assert_eq!(read_work(body, Capabilities::PROVENANCE), Ok(work));
        let others = Capabilities::ALL.without(Capabilities::PROVENANCE);
        assert!(read_work(body, others).is_err());
        assert!(read_work(b"\x95\xa3add\x90\x80\x80\x80", Capabilities::ALL).is_err());
    }
}
