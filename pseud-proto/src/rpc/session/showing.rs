//! We are asked who we are: one HELLO at a time, and each call that was challenged sent once more (Python's
//! `save_last_work` and `handle_authenticated`, `pseud/interfaces.py`, keep the last call alone).

use crate::base::slab::Key;
use crate::call::late_guard::Guard;
use crate::call::wire_id::WireId;
use crate::call::{Outcome, ShowingStep};
use crate::dialect::{Answer, WorkMessage};
use crate::error::{Incompatible, PeerError, Reason};
use crate::rpc::session::Session;
use crate::rpc::session::calls::CallKey;
use crate::rpc::session::entry::{Of, Outbound};
use crate::rpc::session::kept::{Challenged, Kept};
use crate::rpc::session::output::QueuedMessage;
use crate::rpc::session::sink::Sink;
use std::time::Instant;

impl Session {
    /// A call waits to leave: it may have to be sent again. What is [kept](Self::bytes_kept) counts as what is
    /// queued does.
    pub(super) fn keep_for_challenge(&mut self, call: Key, work: Outbound, cost: usize) {
        let Some(showing) = &mut self.showing else { return };
        if showing.refused.is_some() || showing.is_accepted {
            return;
        }
        showing.bytes += cost;
        let kept = Kept { call, work, cost, challenged: Challenged::No };
        showing.kept.insert(call.index, kept);
    }

    /// Bytes of calls that are kept to be sent again. A call that could not be kept is not sent: challenged, it
    /// would be lost.
    pub(super) fn bytes_kept(&self) -> usize {
        self.showing.as_ref().map_or(0, |showing| showing.bytes)
    }

    /// Why the peer has refused all that we may show, if it has: it would run no call.
    pub(super) fn login_refusal(&self) -> Option<Reason> {
        self.showing.as_ref().and_then(|showing| showing.refused)
    }

    /// Whether that call waits for a login: it was not run.
    pub(crate) fn is_challenged(&self, call: Key) -> bool {
        self.showing.as_ref().is_some_and(|showing| showing.is_challenged(call))
    }

    /// A call is over, or was accepted.
    pub(super) fn forget_kept(&mut self, call: Key) {
        if let Some(showing) = &mut self.showing {
            showing.forget(call);
        }
    }

    /// Its peer ran one, so it knows who we are, or does not care: nothing more is kept. A HELLO that was shown
    /// unasked may have no answer.
    pub(super) fn accepted(&mut self) {
        let Some(showing) = &mut self.showing else { return };
        if showing.refused.is_some() || !showing.challenged().is_empty() {
            return;
        }
        if showing.hello.is_none() {
            self.showing = None;
        } else {
            showing.is_accepted = true;
            showing.bytes = 0;
            showing.kept.clear();
        }
    }

    /// An UNAUTHORIZED came. Says whether it was for a login: else it is the end of the call that it is
    /// for, if it is for one.
    pub(super) fn visit_challenge(&mut self, id: &[u8], text: &[u8], sink: &mut impl Sink) -> bool {
        let call = self.asked(id);
        let Some(showing) = &mut self.showing else { return false };
        if showing.hello.as_ref().is_some_and(|hello| hello.as_bytes() == id) {
            showing.hello = None;
            self.hello_refused(id, text, sink);
            return true;
        }
        let Some(call) = call else { return false };
        let is_refused = showing.refused.is_some();
        let Some(kept) = showing.kept(call).filter(|_| !is_refused) else { return false };
        // A call that is challenged twice is sent again once.
        if kept.challenged == Challenged::No {
            let is_undecided = sink.challenged(CallKey(call));
            kept.challenged = if is_undecided { Challenged::Undecided } else { Challenged::Yes };
            sink.showing(ShowingStep::Challenged);
        }
        if showing.hello.is_none() && !showing.is_accepted {
            self.show(id, sink);
        }
        true
    }

    /// Shows who we are. How often is up to whoever asks.
    fn show(&mut self, id: &[u8], sink: &mut impl Sink) {
        let (Some(showing), Some(credentials)) = (&mut self.showing, &self.config.credentials)
        else {
            return;
        };
        showing.hello = WireId::new(id);
        showing.shown = showing.shown.saturating_add(1);
        let Some(id) = showing.hello.clone() else { return };
        let answer = Answer::hello(credentials);
        self.output.push(Of::Reply(Guard::Never), |out| answer.put(out, id.as_bytes()));
        self.queued(sink);
    }

    /// The peer does not believe us: it is shown the same again, as often as we may, and then all calls
    /// that wait for that end, and this session. Another one may be believed, later; sooner where nobody could
    /// [tell](Answer::UNAVAILABLE), as behind an ERROR 500 of a handshake.
    fn hello_refused(&mut self, id: &[u8], text: &[u8], sink: &mut impl Sink) {
        let max = self.config.limits.logins_shown_max;
        let Some(showing) = &mut self.showing else { return };
        if showing.is_accepted {
            self.showing = None;
            return;
        }
        let why = match text {
            Answer::UNAVAILABLE => PeerError::from(Incompatible::Refused(500)).into(),
            _ if showing.shown < max => return self.show(id, sink),
            _ => Reason::Unauthorized,
        };
        showing.refused = Some(why);
        for call in showing.challenged() {
            self.finish(call, Outcome::NotExecuted(why), sink);
        }
        self.leave_refused(sink);
    }

    /// A session whose login was refused ends once its last call has: those that were sent meanwhile are
    /// answered UNAUTHORIZED, and so were not run.
    pub(super) fn leave_refused(&mut self, sink: &mut impl Sink) {
        if let Some(why) = self.login_refusal()
            && self.calls.len() == 0
        {
            self.close(why, sink);
        }
    }

    /// An AUTHENTICATED came. Says whether it was for our HELLO: then what was challenged is sent again.
    pub(super) fn visit_authenticated(&mut self, id: &[u8], sink: &mut impl Sink) -> bool {
        let Some(showing) = &mut self.showing else { return false };
        if showing.hello.as_ref().is_none_or(|hello| hello.as_bytes() != id) {
            return false;
        }
        // A peer answers in the order in which it reads (Python's reader is serial): each call that it challenged
        // before it read this HELLO has been answered UNAUTHORIZED by now.
        showing.hello = None;
        showing.is_accepted = true;
        for call in showing.those(|challenged| challenged == Challenged::No) {
            showing.forget(call);
        }
        sink.showing(ShowingStep::Authenticated);
        self.send_again(sink);
        true
    }

    /// Sends again what was challenged, and decided of, if the peer believes us.
    pub(super) fn send_again(&mut self, sink: &mut impl Sink) {
        let Some(showing) = self.showing.as_mut().filter(|showing| showing.is_accepted) else {
            return;
        };
        let decided = showing.those(|challenged| challenged == Challenged::Yes);
        let kept: Vec<Kept> = decided.into_iter().filter_map(|call| showing.forget(call)).collect();
        if showing.kept.is_empty() && showing.hello.is_none() {
            self.showing = None;
        }
        for Kept { call, mut work, .. } in kept {
            let Some(id) = self.calls.get(call).map(|pending| pending.id) else { continue };
            let Outbound { name, body, claim } = &mut work;
            match WorkMessage::new(name, body, claim.as_deref(), self.profile(), true) {
                Ok(work) => {
                    let QueuedMessage { end, cost } = self.queue_call(call, &id, work);
                    self.calls.moved(call, end, cost);
                }
                Err(why) => self.finish(call, Outcome::NotExecuted(why), sink),
            }
        }
        self.queued(sink);
    }

    /// It is there from now on: the time of a peer that has to log in runs. Where we have to, we show who
    /// we are before we are asked, to a peer that is no Python one: so that it can call us by our user's
    /// name though we never call.
    pub fn begin(&mut self, now: Instant, sink: &mut impl Sink) {
        if self.is_stranger {
            self.start_login(now);
        }
        if self.showing.is_some() && !self.profile().is_v1() {
            let id = self.calls.place().id;
            self.show(id.as_bytes(), sink);
        }
    }
}
