//! The dialect of Python's `rpcudp` 5.0.1 (4.0 and later): calls over datagrams.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 1 | `00` a request, `01` a response; anything else is ignored |
//! | 1 | 20 | the message's id: any 20 bytes, which a response repeats |
//! | 21 | 1 or more | one msgpack value as `u-msgpack-python` has it; what lies behind it is ignored |
//!
//! A request's value is `[name, arguments]`, of at most 8 192 bytes; a response's is the result. There are
//! no keyword arguments and no errors: whatever goes wrong is silence.

pub(crate) mod datagram;
pub(crate) mod message;
pub(crate) mod outbound;
