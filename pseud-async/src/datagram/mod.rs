//! Calls over datagrams: one socket's machine, who waits for it, and those who are called.

pub(crate) mod call;
pub(crate) mod log;
pub(crate) mod peer;
pub(crate) mod shared;
pub(crate) mod socket;
