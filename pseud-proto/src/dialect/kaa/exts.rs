//! What a pickle can hold and msgpack has no word for: exts of this library's own.

/// An `int` of more than 64 bits: its two's complement, the lowest byte first.
pub const BIG_INT: i8 = 96;

/// A `set`: msgpack of an array.
pub const SET: i8 = 97;

/// A `frozenset`: msgpack of an array.
pub const FROZEN_SET: i8 = 98;

/// A `complex`: its real and its imaginary part, 64-bit floats, big-endian.
pub const COMPLEX: i8 = 99;

/// A class or an object that is not data: msgpack of `[name]` or of `[name, args, state, items, pairs]`.
/// The name is `module.class`, which is a peer's word and never looked up. It is read and never sent.
pub const OBJECT: i8 = 100;
