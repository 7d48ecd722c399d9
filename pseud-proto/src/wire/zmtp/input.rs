//! What the decoder reads from, and where it puts what it finds.

use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::event::Event;
use crate::wire::zmtp::stats::ConnectionStats;
use std::collections::VecDeque;

/// The caller's bytes, as far as they were not taken.
pub(crate) struct Input<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
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

/// Where the decoder puts what it finds, and the rules it checks by.
pub(crate) struct DecodeSink<'a> {
    pub(crate) config: &'a ConnectionConfig,
    pub(crate) events: &'a mut VecDeque<Event>,
    /// With so many events it stops before the next message.
    pub(crate) events_max: usize,
    pub(crate) stats: &'a mut ConnectionStats,
}

impl DecodeSink<'_> {
    pub(crate) fn is_full(&self) -> bool {
        self.events.len() >= self.events_max
    }
}
