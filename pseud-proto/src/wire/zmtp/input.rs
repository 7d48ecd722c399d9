//! What the decoder reads from, and what it checks by.

use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::stats::ConnectionStats;

/// The caller's bytes, as far as they were not taken.
pub(crate) struct Input<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
    }

    /// What was not taken.
    pub(crate) fn into_rest(self) -> &'a mut [u8] {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn peek(&self) -> &[u8] {
        self.bytes
    }

    /// For what is opened in its place.
    pub(crate) fn peek_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// At most the next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let bytes = std::mem::take(&mut self.bytes);
        let (taken, rest) = bytes.split_at_mut(count.min(bytes.len()));
        self.bytes = rest;
        taken
    }
}

/// The rules that the decoder checks by, and where it counts.
pub(crate) struct Rules<'a> {
    pub(crate) config: &'a ConnectionConfig,
    pub(crate) stats: &'a mut ConnectionStats,
}
