//! The engine: each session under its link's lock, the node's directory under another, who waits for them,
//! and what follows from it.
//!
//! Data first (`seat`, and `state` with what stands in it), then [`hub::Hub`], then what is done with them, a
//! file each.

pub(crate) mod absent;
pub(crate) mod activity;
pub(crate) mod any_link;
pub(crate) mod backlog;
pub(crate) mod blocking_jobs;
pub(crate) mod counts;
pub(crate) mod deliver;
pub(crate) mod dial;
pub(crate) mod dials;
pub(crate) mod effects;
pub(crate) mod event;
pub(crate) mod giving;
pub(crate) mod handshakes;
pub(crate) mod happened;
pub(crate) mod hooks;
pub(crate) mod hub;
pub(crate) mod idle;
pub(crate) mod incoming;
pub(crate) mod joining;
pub(crate) mod leaving;
pub(crate) mod lifecycle;
pub(crate) mod listing;
pub(crate) mod node_room;
pub(crate) mod noted;
pub(crate) mod pending_link;
pub(crate) mod refusals;
pub(crate) mod report;
pub(crate) mod rights;
pub(crate) mod room;
pub(crate) mod seat;
pub(crate) mod seated;
pub(crate) mod sockets;
pub(crate) mod spare;
pub(crate) mod state;
pub(crate) mod timer;
pub(crate) mod wait_list;
pub(crate) mod waiters;
pub(crate) mod wakers;
pub(crate) mod watchers;
