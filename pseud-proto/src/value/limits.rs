//! How much of a peer's body is too much.

/// More containers inside each other than any limit allows.
///
/// 64 is what a v1 peer may be sent: Python's msgpack refuses at 512 to 1 024, by platform, and the
/// stack of a decoder that recurses is safe at 64 anywhere.
pub(super) const DEPTH_CEILING: usize = 64;

/// What a body from a peer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueLimits {
    /// Containers inside each other; 64, and more is taken as 64. msgpack-python's limit is 512;
    /// programs that met hostile input lowered theirs to 128 and less.
    pub depth_max: u32,
    /// Values in a body, containers and keys included; 262 144. A value takes at least one byte on
    /// the wire and up to 48 in memory, so this bounds what 8 MiB of nils can cost to 12 MiB.
    pub nodes_max: u32,
    /// Bytes of one ext; 65 536. Python's datetimes need 106.
    pub ext_bytes_max: usize,
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { depth_max: 64, nodes_max: 262_144, ext_bytes_max: 65_536 }
    }
}
