//! What a run did, as one number: two runs with the same number did the same.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{Mutex, PoisonError};

/// A running hash of turns and bytes.
#[derive(Debug, Default)]
pub(super) struct Trace(Mutex<TraceState>);

#[derive(Debug, Default)]
struct TraceState {
    hash: DefaultHasher,
    turns: u64,
}

impl Trace {
    /// A task's turn, at that moment: how many there were.
    pub(super) fn turn(&self, task: u64, micros: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.hash.write_u64(task);
        state.hash.write_u64(micros);
        state.turns += 1;
        state.turns
    }

    /// Bytes left, or arrived.
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.hash.write_usize(bytes.len());
        state.hash.write(bytes);
    }

    pub(super) fn digest(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hash.finish()
    }
}
