//! A request that came, and the right to answer it.

use crate::base::slab::Key;
use crate::dialect::rpcudp::datagram::MessageId;
use crate::value::Arguments;
use bytes::Bytes;
use smol_str::SmolStr;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;

use super::config::Config;
use super::recent::Recent;
use std::time::Instant;

/// Which request: its sender's address in one form, and its id.
pub(super) type RequestKey = (SocketAddr, MessageId);

/// Names a [`Ticket`], for as long as its endpoint lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(pub(super) Key);

/// The right to answer one request, once: it moves into [`reply`](super::Endpoint::reply) or
/// [`abandon`](super::Endpoint::abandon).
///
/// Dropping it does nothing: the request then counts as open for ever. An adapter wraps it in something
/// whose drop abandons it.
#[derive(Debug)]
#[must_use = "a request whose ticket is dropped stays open"]
pub struct Ticket {
    pub(super) id: TicketId,
    /// Where the answer goes, as it came.
    pub(super) from: SocketAddr,
    pub(super) asked: RequestKey,
    /// Bytes of its datagram.
    pub(super) bytes: usize,
}

impl Ticket {
    /// What [`Action::Overdue`](super::Action::Overdue) calls it.
    pub fn id(&self) -> TicketId {
        self.id
    }
}

/// A request, handed out to be served.
pub struct Request {
    pub(super) ticket: Ticket,
    pub(super) name: SmolStr,
    pub(super) arguments: Arguments,
}

impl Request {
    /// The name that was called; behind `rpc_` where [`Config::rpc_prefix`](super::Config::rpc_prefix)
    /// says so.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it came from, and its answer goes: the sender's address, if nobody forged it.
    pub fn from(&self) -> SocketAddr {
        self.ticket.from
    }

    /// Its arguments; there are no keywords.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Bytes of the datagram that it came in.
    pub fn size(&self) -> usize {
        self.ticket.bytes
    }

    /// The right to answer it.
    pub fn into_ticket(self) -> Ticket {
        self.ticket
    }

    /// The right to answer it, its name and its arguments.
    pub fn into_parts(self) -> (Ticket, SmolStr, Arguments) {
        (self.ticket, self.name, self.arguments)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("from", &self.from()).field("name", &self.name).finish()
    }
}

/// Requests that came, and the answers of some of them.
#[derive(Debug)]
pub(super) struct Repeats {
    seen: Recent<RequestKey, ()>,
    answers: BTreeMap<RequestKey, Bytes>,
    /// By age.
    order: VecDeque<RequestKey>,
    bytes: usize,
    bytes_max: usize,
}

impl Repeats {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            seen: Recent::new(config.duplicates_max, config.duplicate_window),
            answers: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            bytes_max: config.answers_kept_bytes_max,
        }
    }

    /// Whether it came before; and its answer, where that is kept.
    pub(super) fn find(&mut self, asked: &RequestKey, now: Instant) -> Option<Option<Bytes>> {
        self.seen.get_mut(asked, now)?;
        Some(self.answers.get(asked).cloned())
    }

    pub(super) fn begin(&mut self, asked: RequestKey, now: Instant) {
        self.answers.remove(&asked).into_iter().for_each(|old| self.bytes -= old.len());
        self.seen.put(asked, (), now, drop);
    }

    /// Keeps the answer of one that came; the oldest answers go where there are too many.
    pub(super) fn answered(&mut self, asked: RequestKey, answer: &Bytes, now: Instant) {
        if answer.len() > self.bytes_max || self.seen.get_mut(&asked, now).is_none() {
            return;
        }
        self.bytes += answer.len();
        let old = self.answers.insert(asked, answer.clone());
        old.into_iter().for_each(|old| self.bytes -= old.len());
        self.order.push_back(asked);
        // An answer that was forgotten leaves its key in `order`: such keys are dropped once they outweigh those
        // that live.
        while (self.bytes > self.bytes_max || self.order.len() > 2 * self.answers.len() + 16)
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest).into_iter().for_each(|old| self.bytes -= old.len());
        }
    }
}
