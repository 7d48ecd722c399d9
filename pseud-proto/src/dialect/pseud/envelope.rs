//! A message on the wire: `["", "v1", id, kind, body]` (Python pseud's Protocol v1).

use crate::call::dropped::Dropped;
use crate::call::profile::Capabilities;
use crate::message::parts::Parts;
use crate::value::msgpack::edges as heads;
use bytes::Bytes;
use std::fmt;
use std::ops::Range;

pub(crate) const VERSION: &[u8] = b"v1";

/// How many frames a message has on the wire.
const FRAMES: usize = 5;

/// The longest dotted name that we send, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// What a message is.
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
        }
    }

    fn from_frame(frame: &[u8]) -> Option<Self> {
        match frame {
            [0x01] => Some(Self::Ok),
            [0x02] => Some(Self::Hello),
            [0x03] => Some(Self::Work),
            [0x04] => Some(Self::Authenticated),
            [0x06] => Some(Self::Heartbeat),
            [0x10] => Some(Self::Error),
            [0x11] => Some(Self::Unauthorized),
            _ => None,
        }
    }
}

/// A message id as its maker wrote it: 16 bytes of ours, 0 to 64 bytes of a peer's, echoed verbatim.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WireId {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl WireId {
    /// The longest id that is echoed, in bytes.
    pub const MAX: usize = 64;

    /// Those bytes, at most [`WireId::MAX`].
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: id.len() as u8 })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for WireId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a received message turned out to be.
#[derive(Debug)]
pub(crate) enum Received {
    /// One frame: `ZMQ_PROBE_ROUTER`'s way to say "here I am".
    Probe,
    /// A message of ours.
    Envelope(Envelope),
    /// Of another version than ours: it is dropped. The id of what looks like a WORK.
    OtherVersion(Option<WireId>),
    /// Not a message of ours, but framing is sound: it is dropped.
    Dropped(Dropped),
}

/// A message of ours, its id and body still in the buffer that it came in.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) kind: Kind,
    pub(crate) id: WireId,
    pub(crate) body: Range<u32>,
    pub(crate) message: Bytes,
}

impl Envelope {
    pub(crate) fn body(&self) -> &[u8] {
        self.message.get(self.body.start as usize..self.body.end as usize).unwrap_or_default()
    }
}

impl Received {
    pub(crate) fn read(parts: Parts) -> Self {
        match (parts.len(), Self::envelope(&parts)) {
            (1, _) => Self::Probe,
            (FRAMES, Ok((kind, id, body))) => {
                Self::Envelope(Envelope { kind, id, body, message: parts.into_bytes() })
            }
            (FRAMES, Err(Dropped::Version)) => Self::OtherVersion(Self::work_id(&parts)),
            (FRAMES, Err(cause)) => Self::Dropped(cause),
            _ => Self::Dropped(Dropped::BadEnvelope),
        }
    }

    /// The id and the kind of a message of ours of which all but the body is there.
    pub(crate) fn head(parts: &Parts) -> Option<(WireId, Kind)> {
        let (kind, id) = Self::kind_and_id(parts).ok()?;
        (parts.len() == FRAMES - 1).then_some((id, kind))
    }

    fn work_id(parts: &Parts) -> Option<WireId> {
        let kind = Kind::from_frame(parts.get(3)?)?;
        WireId::new(parts.get(2)?).filter(|_| kind == Kind::Work)
    }

    fn envelope(parts: &Parts) -> Result<(Kind, WireId, Range<u32>), Dropped> {
        let (kind, id) = Self::kind_and_id(parts)?;
        Ok((kind, id, parts.range(FRAMES - 1).ok_or(Dropped::BadEnvelope)?))
    }

    fn kind_and_id(parts: &Parts) -> Result<(Kind, WireId), Dropped> {
        let frame = |index| parts.get(index).ok_or(Dropped::BadEnvelope);
        if !frame(0)?.is_empty() {
            return Err(Dropped::Delimiter);
        }
        if frame(1)? != VERSION {
            return Err(Dropped::Version);
        }
        let id = WireId::new(frame(2)?).ok_or(Dropped::Id)?;
        let kind = Kind::from_frame(frame(3)?).ok_or(Dropped::Kind)?;
        Ok((kind, id))
    }
}

/// What the endpoint itself reads of a WORK's body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) name: Range<usize>,
    /// Where the arguments begin.
    pub(crate) rest: usize,
    /// Whether there is a fourth item behind them.
    pub(crate) has_claim: bool,
}

/// Where the name and what is behind it lie in a WORK body that is sent to a side which declared that,
/// or what is wrong with its shape.
pub(crate) fn read_work(body: &[u8], ours: Capabilities) -> Result<Work, &'static str> {
    let mut rest = body;
    let has_claim = match heads::read_array(&mut rest) {
        Some(3) => false,
        Some(4) if ours.contains(Capabilities::PROVENANCE) => true,
        _ => return Err("a call is an array [name, args, kwargs]"),
    };
    let name = heads::read_text(&mut rest).ok_or("the name of a call is a str")?;
    if std::str::from_utf8(name).is_err() {
        return Err("the name of a call is UTF-8");
    }
    let end = body.len() - rest.len();
    Ok(Work { name: end - name.len()..end, rest: end, has_claim })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(frames: &[&[u8]]) -> Parts {
        Parts::from_frames(frames).unwrap()
    }

    #[test]
    fn one_frame_is_a_probe() {
        assert!(matches!(Received::read(parts(&[b""])), Received::Probe));
        assert!(matches!(Received::read(parts(&[b"x"])), Received::Probe));
    }

    #[test]
    fn a_python_2_name_is_a_bin() {
        let work = Work { name: 3..6, rest: 6, has_claim: false };
        assert_eq!(read_work(b"\x93\xc4\x03add\x90\x80", Capabilities::NONE), Ok(work));
    }

    #[test]
    fn a_fourth_item_is_read_by_who_declared_it() {
        let work = Work { name: 2..5, rest: 5, has_claim: true };
        let body = b"\x94\xa3add\x90\x80\x80";
        assert_eq!(read_work(body, Capabilities::PROVENANCE), Ok(work));
        let others = Capabilities::ALL.without(Capabilities::PROVENANCE);
        assert!(read_work(body, others).is_err());
        assert!(read_work(b"\x95\xa3add\x90\x80\x80\x80", Capabilities::ALL).is_err());
    }
}
