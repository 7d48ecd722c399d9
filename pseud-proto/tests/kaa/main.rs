//! kaa.rpc beside the core alone: recorded packets, conversations of two channels, hostile peers.

#![allow(clippy::disallowed_methods, reason = "tests give channels their clock")]

mod calls;
mod hostile;
mod hostile_pickles;
mod links;
mod talk;
mod vectors;
