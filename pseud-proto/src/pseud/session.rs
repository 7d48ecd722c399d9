//! One peer's session: who it is, and what waits to be sent to it.

use super::calls::Calls;
use super::profile::Profile;
use super::wire::{Kind, WireId};
use crate::budget::Budget;
use crate::call::{CallId, RequestId};
use crate::config::Limits;
use crate::value::Packed;
use crate::zmtp::{Side, SocketType};
use bytes::Bytes;
use smol_str::SmolStr;
use std::collections::VecDeque;

/// Who is behind a link, as the link's driver says it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Its routing id: the identity that it announced, or one made here for one that announced
    /// none (a zero byte and 16 random ones).
    pub identity: Bytes,
    /// Who authentication says it is. Empty where there is none.
    pub user: Bytes,
    /// Where it connects from, as text; empty if unknown. For logs.
    pub address: String,
    /// The type of its ZeroMQ socket.
    pub socket_type: SocketType,
    /// Whether we opened the link.
    pub dialed: bool,
    /// What may be sent to it.
    pub profile: Profile,
}

impl PeerInfo {
    /// A ROUTER peer of that identity (it may be empty), not authenticated, profile `V1`.
    pub fn new(identity: Bytes) -> Self {
        Self {
            identity,
            user: Bytes::new(),
            address: String::new(),
            socket_type: SocketType::Router,
            dialed: false,
            profile: Profile::V1,
        }
    }

    /// The same, authenticated as that user.
    #[must_use]
    pub fn with_user(mut self, user: Bytes) -> Self {
        self.user = user;
        self
    }

    /// The same, connecting from that address.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The same, over a link that we opened or accepted.
    #[must_use]
    pub fn with_side(mut self, side: Side) -> Self {
        self.dialed = side == Side::Connecting;
        self
    }

    /// The same, with that type of socket.
    #[must_use]
    pub fn with_socket_type(mut self, socket_type: SocketType) -> Self {
        self.socket_type = socket_type;
        self
    }
}

/// A message that waits in a queue. Whether it still makes sense is judged when it is pulled.
#[derive(Debug)]
pub(super) enum Queued {
    Call { call: CallId, name: SmolStr, body: Packed },
    Reply { request: RequestId, id: WireId, kind: Kind, body: Bytes },
}

/// About what a queued message takes besides its body and name, in bytes.
pub(super) const QUEUED_COST: usize = 64;

impl Queued {
    /// What it counts for in the queue's bounds: its body, and about what its frames take.
    pub(super) fn cost(&self) -> usize {
        QUEUED_COST
            + match self {
                Self::Call { name, body, .. } => name.len() + body.as_bytes().len(),
                Self::Reply { body, .. } => body.len(),
            }
    }
}

/// A first-in first-out queue that knows its size in bytes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Queued>,
    bytes: usize,
}

impl Queue {
    pub(super) fn push(&mut self, entry: Queued) {
        self.bytes += entry.cost();
        self.entries.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.cost();
        Some(entry)
    }

    /// Takes calls that are over out of it.
    pub(super) fn sweep(&mut self, calls: &Calls) {
        self.entries.retain(|entry| calls.is_live(entry));
        self.bytes = self.entries.iter().map(Queued::cost).sum();
    }

    /// Its entries and bytes; swept first only where it would stand in a call's way.
    pub(super) fn size(&mut self, calls: &Calls, limits: &Limits) -> (usize, usize) {
        let entries_max = limits.calls_pending_per_peer_max;
        if self.bytes >= limits.queue_bytes_soft_max || self.entries.len() >= entries_max {
            self.sweep(calls);
        }
        (self.entries.len(), self.bytes)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// One peer's state.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) info: PeerInfo,
    pub(super) queue: Queue,
    /// Whether the driver was told to pull and has not found the queue empty since.
    pub(super) flushing: bool,
    /// Calls of ours at this peer, some of which may be over: see [`Session::remember`].
    pub(super) calls: Vec<CallId>,
    pub(super) calls_pending: usize,
    /// Requests of this peer, some of which may be over.
    pub(super) requests: Vec<RequestId>,
    pub(super) requests_open: usize,
    pub(super) bad_envelopes: u8,
    pub(super) noise: Budget,
}

impl Session {
    pub(super) fn new(info: PeerInfo) -> Self {
        Self {
            info,
            queue: Queue::default(),
            flushing: false,
            calls: Vec::new(),
            calls_pending: 0,
            requests: Vec::new(),
            requests_open: 0,
            bad_envelopes: 0,
            noise: Budget::default(),
        }
    }
}

/// Adds an id to a session's list. What is over is not taken out one by one: the list is swept when
/// it has doubled, so remembering costs a push and the list stays within twice what lives.
pub(super) fn remember<T: Copy>(list: &mut Vec<T>, id: T, alive: impl Fn(T) -> bool) {
    if list.len() == list.capacity() && list.len() >= 16 {
        list.retain(|&known| alive(known));
        // Also where nearly all of them live, the next sweep is as far off as this one was long.
        list.reserve(list.len());
    }
    list.push(id);
}
