//! Names of what is called.

/// The longest name of a handler, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
