//! Datagrams that wait to be sent.

use crate::base::slab::Key;
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;

/// One datagram to be sent.
#[derive(Debug, Clone)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// All of it.
    pub payload: Bytes,
    /// The call that it makes.
    pub(super) call: Option<Key>,
}

/// In order, bounded in bytes.
#[derive(Debug)]
pub(super) struct DatagramQueue {
    queue: VecDeque<Transmit>,
    bytes: usize,
    bytes_max: usize,
}

impl DatagramQueue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.bytes.saturating_add(bytes) <= self.bytes_max
    }

    /// False where there is no room.
    pub(super) fn push(&mut self, to: SocketAddr, payload: Bytes, call: Option<Key>) -> bool {
        let room = self.has_room(payload.len());
        if room {
            self.bytes += payload.len();
            self.queue.push_back(Transmit { to, payload, call });
        }
        room
    }

    pub(super) fn pop(&mut self) -> Option<Transmit> {
        let next = self.queue.pop_front()?;
        self.bytes -= next.payload.len();
        if self.queue.is_empty() {
            self.queue.shrink_to(64);
        }
        Some(next)
    }

    pub(super) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.bytes = 0;
    }
}
