//! Multipart messages, between whatever carries them and whoever reads them.

pub(crate) mod outgoing;
pub(crate) mod parts;
pub(crate) mod too_large;
