//! Who is there: users, keys, and the question whether a peer may come in.

pub(crate) mod credentials;
mod extensions;
#[cfg(feature = "_curve")]
pub(crate) mod keys;
pub(crate) mod mechanism_name;
pub(crate) mod question;
pub(crate) mod socket_type;
pub(crate) mod strangers;
pub(crate) mod user;
