//! Whole nodes in simulated worlds: no socket, no thread, no waiting, and as many interleavings as seeds.
//!
//! `PSEUD_SEED=17` lives one world again, `PSEUD_SEEDS=20000` lives more of them.

#![allow(missing_docs, reason = "tests")]

#[cfg(feature = "rpcudp")]
mod datagrams;
mod swarm;
