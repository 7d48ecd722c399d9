//! Calls of ours, and their answers.

use super::{Channel, is_too_large, outcome_of};
use crate::base::deadline::after;
use crate::base::name::NAME_BYTES_MAX;
use crate::call::{Action, CallId, CallOptions, Outcome};
use crate::dialect::kaa::pickle::write::Unwritable;
use crate::dialect::kaa::{read_fault, read_result, write_call};
use crate::error::{CallRefused, Executed, PeerError, Reason};
use crate::kaa::calls::KaaCall;
use crate::message::packet::PacketKind;
use crate::rpc::config::CALL_TIMEOUT_MAX;
use crate::value::{Packed, Unchecked};
use std::time::Instant;

impl Channel {
    /// Calls the peer. Before the handshake is over the call waits for it.
    ///
    /// # Errors
    /// [`CallRefused`], with nothing sent.
    pub fn call(
        &mut self,
        name: &str,
        arguments: Packed,
        options: CallOptions,
        now: Instant,
    ) -> Result<CallId, CallRefused> {
        self.check_call(name, &arguments, &options)?;
        let seq = self.calls.next_seq();
        let max = self.config.packet_bytes_max;
        let packet = write_call(seq, name, arguments.as_bytes(), max, self.reads);
        let packet = packet.map_err(|why| match why {
            Unwritable::TooLarge { max } => CallRefused::BodyTooLarge { size: max + 1, max },
            Unwritable::Unknown(why) => CallRefused::Arguments(why.into()),
        })?;
        let wait = options.timeout.unwrap_or(self.config.call_timeout).min(CALL_TIMEOUT_MAX);
        let mut call = KaaCall { seq, deadline: after(now, wait), waiting: None, end: 0 };
        let is_told = options.origin.is_none() && self.over.is_none();
        match self.connection.is_open() {
            true if is_told => call.end = self.connection.put(packet),
            _ => call.waiting = Some(packet),
        }
        let id = self.calls.insert(call);
        if options.origin.is_some() {
            // Nothing on this wire says in whose name a call is made.
            self.finish(id, Outcome::NotExecuted(Reason::Unsupported));
        } else if let Some(reason) = self.over {
            self.finish(id, outcome_of(Executed::No, reason));
        }
        Ok(id)
    }

    fn check_call(
        &self,
        name: &str,
        arguments: &Packed,
        options: &CallOptions,
    ) -> Result<(), CallRefused> {
        let limits = &self.config.limits;
        let queued = self.connection.backlog() + self.calls.waiting_bytes();
        match () {
            () if name.is_empty() => Err(CallRefused::NameEmpty),
            () if name.len() > NAME_BYTES_MAX => {
                Err(CallRefused::NameTooLong { size: name.len(), max: NAME_BYTES_MAX })
            }
            () if !arguments.is_call() => Err(CallRefused::Arguments(
                "a result is no arguments: they are made by Packed::call".into(),
            )),
            () if options.hops > limits.hops_max => {
                Err(CallRefused::TooManyHops { max: limits.hops_max })
            }
            () if self.calls.len() >= limits.calls_pending_per_peer_max => {
                Err(CallRefused::TooManyPending { max: limits.calls_pending_per_peer_max })
            }
            () if queued > limits.queue_bytes_soft_max => {
                Err(CallRefused::QueueFull { queued, max: limits.queue_bytes_soft_max })
            }
            () => match arguments.over(&limits.values) {
                Some((size, max, what)) => Err(CallRefused::OverLimit { size, max, what }),
                None => Ok(()),
            },
        }
    }

    /// Gives a call up: it ends as `Cancelled` (or, where it had left, may have run). An answer that
    /// comes later is dropped.
    pub fn cancel(&mut self, call: CallId, _now: Instant) {
        self.give_up(call, Reason::Cancelled);
    }

    /// A RETN or an EXCP; how many bytes it unfolds to. One that nobody waits for is dropped; kaa.rpc raises at
    /// it (`src/rpc.py`, `_handle_packet_after_auth` unpacks a `None`), and loses what it read behind it.
    pub(super) fn answered(
        &mut self,
        seq: u32,
        kind: PacketKind,
        payload: &[u8],
        now: Instant,
    ) -> Result<usize, PeerError> {
        let Some(call) = self.calls.by_seq(seq) else {
            return match self.answers_due.checked_sub(1) {
                Some(due) => {
                    self.answers_due = due;
                    Ok(0)
                }
                None => self.count_noise(now),
            };
        };
        let mut unfolded = payload.len();
        let outcome = match kind {
            PacketKind::Retn => match read_result(payload, self.bounds()) {
                Ok(body) => {
                    unfolded = unfolded.max(body.len());
                    Outcome::Value(Unchecked::new(body).of(self.id()))
                }
                Err(bad) if is_too_large(&bad) => Outcome::Executed(Reason::TooLarge),
                Err(_) => Outcome::Executed(Reason::BadReply),
            },
            _ => match read_fault(payload, self.bounds()) {
                Some(fault) => Outcome::Fault(fault),
                None => Outcome::Unknown(Reason::BadReply),
            },
        };
        self.finish(call, outcome);
        Ok(unfolded)
    }

    /// Ends a call whose link goes on.
    pub(super) fn give_up(&mut self, call: CallId, reason: Reason) {
        let Some(known) = self.calls.remove(call) else { return };
        let executed = match known.waiting {
            Some(_) => Executed::No,
            None => Executed::Maybe,
        };
        if executed == Executed::Maybe {
            self.answers_due = self.answers_due.saturating_add(1);
        }
        self.actions.push_back(Action::Finish { call, outcome: outcome_of(executed, reason) });
    }

    pub(super) fn finish(&mut self, call: CallId, outcome: Outcome) {
        if self.calls.remove(call).is_some() {
            self.actions.push_back(Action::Finish { call, outcome });
        }
    }
}
