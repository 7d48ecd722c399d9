//! Curve25519 keys, their texts, and the boxes that they seal (RFC 26/CURVEZMQ).

pub(crate) mod cipher;
pub(crate) mod key;
pub(crate) mod key_error;
pub(crate) mod pair;
pub(crate) mod z85;
