//! kaa.rpc's stream (kaa-base 0.99.2dev, `src/rpc.py`): packets behind a challenge in each direction.
//!
//! A packet is a header of 12 bytes, `seq: u32, type: 4 ASCII bytes, length: u32`, and so many bytes of
//! payload. The reference packs it in its machine's own byte order; here it is little-endian, and a
//! peer of the other order is refused at its first header.
//!
//! ```text
//! server                                    client
//! AUTH 0 [C1 | 0*20 | 0*20]           ->
//!                                     <-    RESP 0 [C2 | R(C1, S1) | S1]
//! RESP 0 [0*20 | R(C2, S2) | S2]      ->
//! ```
//! `R(challenge, salt)` is HMAC-SHA1 of the challenge under the key `secret ‖ salt`. No packet says that
//! somebody was refused: the stream ends.

pub(crate) mod connection;
mod handshake;
mod output;
mod proof;
