//! What the decoder reads from, and where it puts what it finds.

use super::config::ConnectionConfig;
use super::event::Event;
use super::stats::Stats;
use std::collections::VecDeque;

/// The caller's bytes, as far as they were not taken.
pub(super) struct Input<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn peek(&self) -> &[u8] {
        self.bytes
    }

    /// For what is opened in its place.
    pub(super) fn peek_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// At most the next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let bytes = std::mem::take(&mut self.bytes);
        let (taken, rest) = bytes.split_at_mut(count.min(bytes.len()));
        self.bytes = rest;
        taken
    }
}

/// Where the decoder puts what it finds, and the rules it judges by.
pub(super) struct Outlet<'a> {
    pub(super) config: &'a ConnectionConfig,
    pub(super) events: &'a mut VecDeque<Event>,
    pub(super) stats: &'a mut Stats,
}
