//! msgpack: heads of values, read and written.

pub(crate) mod edges;
pub(crate) mod head;
pub(crate) mod integer;
pub(crate) mod out;
