//! Multipart messages, between whatever carries them and whoever reads them.

pub(crate) mod frame;
pub(crate) mod framed;
pub(crate) mod incoming;
pub(crate) mod outgoing;
#[cfg(feature = "kaa")]
pub(crate) mod packet;
pub(crate) mod parts;
pub(crate) mod too_large;
