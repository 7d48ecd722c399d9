//! The machine of one socket: calls, answers, and time.

use super::calls::{DatagramCalls, DueCall, Resend};
use super::config::{CallOptions, Config};
use super::open_requests::OpenRequests;
use super::outcome::Outcome;
use super::output::{DatagramQueue, Transmit};
use super::request::{Repeats, Request, Ticket, TicketId};
use super::silence::{Counts, Silence};
use super::source::{canonical, is_nowhere, is_own};
use super::trust::Trust;
use crate::base::slab::{Key, MachineId};
use crate::call::CallId;
use crate::dialect::rpcudp::datagram::{ID_BYTES, MessageId};
use crate::dialect::rpcudp::outbound::{self, NoResponse};
use crate::error::{CallRefused, Executed, Reason};
use crate::value::Packed;
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What an endpoint asks of its driver.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Serve this request, and answer or abandon its ticket once.
    Serve(Request),
    /// This request has waited for [`Config::request_timeout`]: give up what serves it, and
    /// [abandon](Endpoint::abandon) its ticket, which keeps its place until then. Said at most once for each;
    /// it may have been answered since.
    Overdue(TicketId),
    /// This call is over. Said once for each call.
    Finish {
        /// The call.
        call: CallId,
        /// How it ended.
        outcome: Outcome,
    },
}

/// What an endpoint holds, and what it has passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that wait for their answers.
    pub calls_pending: usize,
    /// Requests that were not answered yet.
    pub requests_open: usize,
    /// Bytes that wait to be sent.
    pub queued_bytes: usize,
    /// What was silent, and why.
    pub counts: Counts,
}

/// One UDP socket's machine, without the socket. See [the module](crate::rpcudp).
///
/// After anything that is done to it: drain [`poll_transmit`](Self::poll_transmit) and
/// [`poll_action`](Self::poll_action), and be back at [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) machine: MachineId,
    rng: ChaCha20Rng,
    pub(super) local: Option<SocketAddr>,
    pub(super) calls: DatagramCalls,
    pub(super) output: DatagramQueue,
    pub(super) requests: OpenRequests,
    pub(super) repeats: Repeats,
    pub(super) trust: Trust,
    pub(super) actions: VecDeque<Action>,
    pub(super) counts: Counts,
    pub(super) draining: bool,
    pub(super) closed: bool,
}

impl Endpoint {
    /// A machine of that configuration. `seed` is 32 bytes of the system's entropy: the ids of calls are
    /// drawn from it, which nobody else may guess.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let machine = MachineId(rng.next_u32());
        Self {
            machine,
            rng,
            local: None,
            calls: DatagramCalls::new(machine),
            output: DatagramQueue::new(config.queue_bytes_max),
            requests: OpenRequests::new(machine, config.requests_open_max, config.request_timeout),
            repeats: Repeats::new(&config),
            trust: Trust::new(&config),
            actions: VecDeque::new(),
            counts: Counts::default(),
            draining: false,
            closed: false,
            config,
        }
    }

    /// Where the socket is bound: what comes from there is our own, and is dropped.
    pub fn set_local(&mut self, address: SocketAddr) {
        self.local = Some(canonical(address));
    }

    /// What it was given.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Calls `name` at that address, with [`arguments`](super::arguments). Over when
    /// [`Action::Finish`] says so, at the latest when its time-out has passed.
    ///
    /// # Errors
    /// Nothing is sent: the body is over 8 192 bytes, the arguments cannot be packed, the name is empty,
    /// too many calls wait, the queue is full, nobody can answer from that address, it is our own, or this
    /// endpoint is closed.
    pub fn call(
        &mut self,
        to: SocketAddr,
        name: &str,
        arguments: &Packed,
        options: &CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        self.check_call(canonical(to), name)?;
        let id = self.mint();
        let datagram = outbound::request(&id, name, arguments)?;
        if !self.output.has_room(datagram.len()) {
            let (queued, max) = (self.output.bytes(), self.config.queue_bytes_max);
            return Err(CallRefused::QueueFull { queued, max });
        }
        let resend = options.resend_every.map(|every| Resend {
            every: every.max(Duration::from_millis(1)),
            address: to,
            datagram: datagram.clone(),
        });
        let wait = options.timeout.unwrap_or(self.config.wait_timeout);
        let key = self.calls.insert(id, canonical(to), wait, resend, now);
        self.queue_call(to, datagram, key);
        Ok(CallId(key))
    }

    fn queue_call(&mut self, to: SocketAddr, datagram: Bytes, key: Key) {
        let queued = self.output.push(to, datagram, Some(key));
        if let Some(call) = self.calls.get_mut(key) {
            call.is_queued |= queued;
        }
    }

    fn check_call(&self, to: SocketAddr, name: &str) -> Result<(), CallRefused> {
        if name.is_empty() {
            return Err(CallRefused::NameEmpty);
        }
        if self.closed {
            return Err(CallRefused::Arguments("this endpoint is closed".into()));
        }
        if is_nowhere(to, self.config.any_source) {
            let text = format!("nobody can answer from {to}");
            return Err(CallRefused::Arguments(text.into()));
        }
        if self.local.is_some_and(|local| is_own(to, local)) {
            return Err(CallRefused::Arguments("an endpoint does not call itself".into()));
        }
        match self.config.calls_pending_max {
            max if self.calls.len() >= max => Err(CallRefused::TooManyPending { max }),
            _ => Ok(()),
        }
    }

    /// 160 bits that nobody can guess: who knows the id of a call may answer it from a forged address.
    fn mint(&mut self) -> MessageId {
        let mut id = [0; ID_BYTES];
        self.rng.fill_bytes(&mut id);
        id
    }

    /// Gives a call up; its outcome says so. Nothing if it is over already.
    pub fn cancel(&mut self, call: CallId) {
        self.give_up(call.0, Reason::Cancelled);
    }

    /// Ends a call without an answer.
    fn give_up(&mut self, key: Key, reason: Reason) {
        let pulled = self.calls.get_mut(key).is_some_and(|call| call.pulled > 0);
        let outcome = match pulled {
            true => Outcome::Unknown(reason),
            false => Outcome::NotExecuted(reason),
        };
        self.finish(key, outcome);
    }

    pub(super) fn finish(&mut self, key: Key, outcome: Outcome) {
        if self.calls.remove(key).is_some() {
            self.actions.push_back(Action::Finish { call: CallId(key), outcome });
        }
    }

    /// Answers a request with a [`result`](super::result).
    ///
    /// # Errors
    /// It is not answered: the wire tells no errors, so that the caller hears nothing.
    pub fn reply(&mut self, ticket: Ticket, result: &Packed, now: Instant) -> Result<(), Silence> {
        if !self.is_own_ticket(&ticket) {
            return Err(Silence::Abandoned);
        }
        self.requests.close(ticket.id.0);
        let sent = self.try_reply(&ticket, result, now);
        sent.map_err(|why| self.counts.silence(why))
    }

    fn try_reply(&mut self, ticket: &Ticket, result: &Packed, now: Instant) -> Result<(), Silence> {
        if self.closed {
            return Err(Silence::Closed);
        }
        let (to, id) = ticket.asked;
        let answer = outbound::response(&id, result).map_err(|why| match why {
            NoResponse::Unpackable => Silence::Unpackable,
            NoResponse::TooLarge => Silence::TooLarge,
        })?;
        self.trust.check(to, ticket.bytes, answer.len(), &self.config, now)?;
        self.repeats.answered(ticket.asked, &answer, now);
        match self.output.push(ticket.from, answer, None) {
            true => Ok(()),
            false => Err(Silence::QueueFull),
        }
    }

    /// Does not answer a request: its caller hears nothing. `why` is counted.
    pub fn abandon(&mut self, ticket: Ticket, why: Silence) {
        if self.is_own_ticket(&ticket) {
            self.requests.close(ticket.id.0);
            self.counts.silence(why);
        }
    }

    fn is_own_ticket(&self, ticket: &Ticket) -> bool {
        self.machine.owns(ticket.id.0)
    }

    /// Whether that request has waited for [`Config::request_timeout`], or is answered.
    pub fn is_overdue(&self, ticket: TicketId) -> bool {
        self.requests.is_overdue(ticket.0)
    }

    /// Whether that address has lately answered a call of ours: how large an answer it may be sent is not
    /// bounded then. Calling it (Kademlia's `ping`) is how to find out.
    pub fn is_proven(&mut self, address: SocketAddr, now: Instant) -> bool {
        self.config.amplification_max.is_none() || self.trust.is_proven(canonical(address), now)
    }

    /// The network said that nobody is at that address (ICMP's "port unreachable", which connected sockets
    /// report as ECONNREFUSED): its calls end. On a socket of many peers leave it out; who says it is not
    /// known there.
    pub fn handle_unreachable(&mut self, address: SocketAddr) {
        for key in self.calls.to(canonical(address)) {
            self.give_up(key, Reason::PeerGone);
        }
    }

    /// That datagram could not be sent: a call that was never sent before ends as not executed.
    pub fn handle_not_sent(&mut self, transmit: Transmit) {
        let Some(key) = transmit.call else { return };
        let Some(call) = self.calls.get_mut(key) else { return };
        call.pulled = call.pulled.saturating_sub(1);
        if call.pulled == 0 {
            self.finish(key, Outcome::NotExecuted(Reason::NotConnected));
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        loop {
            let next = self.output.pop()?;
            let Some(key) = next.call else { return Some(next) };
            // A call that is over is not sent any more.
            if let Some(call) = self.calls.get_mut(key) {
                (call.pulled, call.is_queued) = (call.pulled.saturating_add(1), false);
                return Some(next);
            }
        }
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let (calls, requests) = (self.calls.next_due(), self.requests.next_due());
        calls.into_iter().chain(requests).min()
    }

    /// Ends calls whose time is over, sends again those that are to be, and tells of requests that have
    /// waited for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.calls.pop_due(now) {
            match due {
                DueCall::Over(key) => self.give_up(key, Reason::TimedOut),
                DueCall::Again(key, Resend { address, datagram, .. }) => {
                    // Where there is no room, or the last copy still waits, the next time comes soon.
                    if self.calls.get_mut(key).is_some_and(|call| !call.is_queued) {
                        self.queue_call(address, datagram, key);
                    }
                }
            }
        }
        while let Some(request) = self.requests.pop_overdue(now) {
            self.actions.push_back(Action::Overdue(TicketId(request)));
        }
    }

    /// Takes no new requests; those that are open, and calls, go on. A request that was answered before is
    /// answered again while its answer is kept.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether no request and no call is open, and nothing waits to be sent.
    pub fn is_idle(&self) -> bool {
        self.requests.count() == 0 && self.calls.len() == 0 && self.output.is_empty()
    }

    /// Ends all calls and takes no more; what comes is dropped, and what is queued is forgotten.
    pub fn close(&mut self) {
        self.closed = true;
        self.requests.forget_due();
        for key in self.calls.keys() {
            let pulled = self.calls.get_mut(key).is_some_and(|call| call.pulled > 0);
            let executed = if pulled { Executed::Maybe } else { Executed::No };
            self.finish(key, Outcome::Closed { executed });
        }
        self.output.clear();
    }

    /// What it holds now, and what it has passed over.
    pub fn stats(&self) -> Stats {
        Stats {
            calls_pending: self.calls.len(),
            requests_open: self.requests.count(),
            queued_bytes: self.output.bytes(),
            counts: self.counts.clone(),
        }
    }
}
