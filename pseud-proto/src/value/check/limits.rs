//! How much of a body is too much.

use crate::value::check::bad_value::BadValue;

/// More containers inside each other than any limit allows.
///
/// 64 is what a v1 peer may be sent: Python's msgpack refuses at 512 to 1 024, by platform, and the
/// stack of a decoder that recurses is safe at 64 anywhere.
pub(crate) const DEPTH_CEILING: usize = 64;

/// What a body may cost, a peer's or one of ours.
///
/// A call of ours that is over one of them is refused at once
/// ([`CallRefused::OverLimit`](crate::CallRefused)), a result is a `TooLarge` fault. A peer's call of
/// more values, or with a longer ext, is refused as `TooLarge` with the limit, such an answer ends its
/// call as [`Reason::TooLarge`](crate::Reason).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueLimits {
    /// Containers inside each other; 64, and more is taken as 64. A peer's body that is deeper is
    /// malformed: what no setting lets through is not too large. msgpack-python's limit is 512;
    /// programs that met hostile input lowered theirs to 128 and less.
    pub depth_max: u32,
    /// Values in a body, containers and keys included; 1 048 576. A value takes at least one byte on
    /// the wire and [48](Self::NODE_BYTES) in memory once it is decoded, so this bounds what 8 MiB of
    /// nils can cost to 48 MiB. That is charged where the bytes of a peer's requests are bounded
    /// ([`Endpoint::charge`](crate::pseud::Endpoint::charge)).
    pub nodes_max: u32,
    /// Bytes of one ext; 65 536. Python's datetimes need 106.
    pub ext_bytes_max: usize,
}

impl ValueLimits {
    /// Bytes that a decoded value takes at most besides its text, bytes or items.
    pub const NODE_BYTES: usize = 48;

    /// The limit that a body is over, with what it bounds, where that is what is wrong with it: such a
    /// body is too large, not malformed.
    pub fn broken_by(&self, bad: BadValue) -> Option<(usize, &'static str)> {
        match bad {
            BadValue::NodeLimit(_) => Some((self.nodes_max as usize, VALUES)),
            BadValue::ExtLimit(_) => Some((self.ext_bytes_max, EXT_BYTES)),
            _ => None,
        }
    }

    /// Containers inside each other, no more than may be sent.
    pub(crate) fn depth(&self) -> usize {
        (self.depth_max as usize).min(DEPTH_CEILING)
    }
}

const VALUES: &str = "values";
const LEVELS: &str = "containers inside each other";
const EXT_BYTES: &str = "bytes in an ext";

/// What a checked body came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Values, containers and keys included.
    pub(crate) nodes: u32,
    /// Containers inside each other.
    pub(crate) depth: u32,
    /// Bytes of the longest ext.
    pub(crate) ext_bytes: usize,
}

impl Size {
    /// What it is over: how much of what there is, and how much there may be.
    pub(crate) fn over(&self, limits: &ValueLimits) -> Option<(usize, usize, &'static str)> {
        let all = [
            (self.nodes as usize, limits.nodes_max as usize, VALUES),
            (self.depth as usize, limits.depth(), LEVELS),
            (self.ext_bytes, limits.ext_bytes_max, EXT_BYTES),
        ];
        all.into_iter().find(|(size, max, _)| size > max)
    }
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { depth_max: 64, nodes_max: 1_048_576, ext_bytes_max: 65_536 }
    }
}
