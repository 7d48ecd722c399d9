//! A second opinion on msgpack: `rmpv`.

/// The value that `bytes` are, if they are one and nothing else, nested no deeper than 1 000 as `rmpv` counts.
pub(crate) fn read(mut bytes: &[u8]) -> Option<rmpv::Value> {
    let value = rmpv::decode::read_value_with_max_depth(&mut bytes, 1_000).ok()?;
    bytes.is_empty().then_some(value)
}
