//! What is wrong with a body.

/// A body that is not what pseud's wire allows, with the offset of the item at fault, in bytes.
///
/// A Python peer raises where it reads such a body; here it is an outcome of that one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadValue {
    /// The bytes end inside a value; or a count is larger than the bytes that are left.
    #[error("truncated at byte {0}")]
    Truncated(usize),
    /// More containers inside each other than [`ValueLimits::depth_max`](crate::value::ValueLimits::depth_max).
    #[error("nested too deeply at byte {0}")]
    DepthLimit(usize),
    /// More values than [`ValueLimits::nodes_max`](crate::value::ValueLimits::nodes_max).
    #[error("too many values at byte {0}")]
    NodeLimit(usize),
    /// A str that is not UTF-8.
    #[error("a str that is not UTF-8 at byte {0}")]
    Utf8(usize),
    /// Bytes behind the value.
    #[error("extra data at byte {0}")]
    ExtraData(usize),
    /// A map inside a map's key; or a keyword that is not a name.
    #[error("a key that cannot be one at byte {0}")]
    Key(usize),
    /// The marker `C1`, which msgpack never uses.
    #[error("a reserved marker at byte {0}")]
    Reserved(usize),
    /// An ext longer than [`ValueLimits::ext_bytes_max`](crate::value::ValueLimits::ext_bytes_max).
    #[error("an ext that is too long at byte {0}")]
    ExtLimit(usize),
    /// An ext with a negative code (where the wire allows none), a date that does not exist, or one whose
    /// decoder refused it.
    #[error("a bad ext at byte {0}")]
    Ext(usize),
    /// Not an array of arguments with a map of keyword arguments behind it.
    #[error("not arguments and keyword arguments at byte {0}")]
    Shape(usize),
}
