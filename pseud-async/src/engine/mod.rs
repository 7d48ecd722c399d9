//! The engine: one endpoint under one short lock, who waits for it, and what follows from it.
//!
//! Data first (`state`, and what stands in it), then [`hub::Hub`], then what is done with it, a file each.

pub(crate) mod activity;
pub(crate) mod any_link;
pub(crate) mod blocking_jobs;
pub(crate) mod dial;
pub(crate) mod dials;
pub(crate) mod effects;
pub(crate) mod event;
pub(crate) mod handshakes;
pub(crate) mod hooks;
pub(crate) mod hub;
pub(crate) mod lifecycle;
pub(crate) mod listing;
pub(crate) mod pending_link;
pub(crate) mod perform;
pub(crate) mod refusals;
pub(crate) mod report;
pub(crate) mod running;
pub(crate) mod sockets;
pub(crate) mod state;
pub(crate) mod timer;
pub(crate) mod wait_list;
pub(crate) mod waiters;
pub(crate) mod watchers;
