//! Multipart messages, between whatever carries them and whoever reads them.

pub(crate) mod outgoing;
#[cfg(feature = "kaa")]
pub(crate) mod packet;
pub(crate) mod parts;
pub(crate) mod too_large;
