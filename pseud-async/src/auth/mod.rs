//! Who may come in: who is asked, and how many questions are in work.

pub(crate) mod admission;
pub(crate) mod asking;
pub(crate) mod authenticator;
#[cfg(feature = "_curve")]
pub(crate) mod curve_logins;
pub(crate) mod permit;
pub(crate) mod places;
pub(crate) mod revoked;
#[cfg(feature = "_curve")]
pub(crate) mod trusted_keys;
pub(crate) mod user_store;
