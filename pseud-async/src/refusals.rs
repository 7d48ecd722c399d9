//! Handshakes that failed, for operators and watchers: a flood of them is few lines and few events.

mod line;
mod tallies;

pub(crate) use line::{BadReply, Failed, Unavailable};

use crate::hub::Hub;
use crate::withheld::Withheld;
use line::{Line, log};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tallies::{Due, Tallies};

/// What happened to strangers, and what was said of it.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Tallies>);

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, Tallies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// A handshake failed: logs it and tells watchers, or counts it.
    pub(crate) fn refused(&self, failed: Failed) {
        let (now, event) = (self.now(), (failed.address.clone(), failed.error));
        let is_dialed = failed.is_dialed;
        let mut tallies = self.refusals.lock();
        let before = tallies.deadline();
        // Those to whom we connect are as many as we want.
        let event = if is_dialed { Some(event) } else { tallies.events.count(event, now) };
        let line = tallies.count(failed, now);
        let is_new = is_earlier(tallies.deadline(), before);
        drop(tallies);
        if let Some((address, error)) = event {
            self.tell_refused(address, error, 0);
        }
        line.inspect(|line| log(line, None));
        self.arm_report(is_new);
    }

    /// Nobody could say whether that stranger may come in.
    pub(crate) fn unavailable(&self, why: Unavailable, address: &str) {
        let mut tallies = self.refusals.lock();
        let before = tallies.deadline();
        let what = (why, address.to_owned());
        let told = tallies.unavailable.get_mut(why as usize);
        let told = told.and_then(|tally| tally.count(what, self.now()));
        let is_new = is_earlier(tallies.deadline(), before);
        drop(tallies);
        if let Some((why, address)) = told {
            log(&Line::Unavailable(why, address), None);
        }
        self.arm_report(is_new);
    }

    /// A session begins or ends: whether that is logged by itself.
    pub(crate) fn logs_session(&self) -> bool {
        let mut tallies = self.refusals.lock();
        let before = tallies.deadline();
        let told = tallies.sessions.count((), self.now()).is_some();
        let is_new = is_earlier(tallies.deadline(), before);
        drop(tallies);
        self.arm_report(is_new);
        told
    }

    /// The result of a call of ours cannot be read.
    pub(crate) fn bad_reply(&self, bad: BadReply) {
        let mut tallies = self.refusals.lock();
        let before = tallies.deadline();
        let told = tallies.bad_replies.count(bad, self.now());
        let is_new = is_earlier(tallies.deadline(), before);
        drop(tallies);
        told.inspect(|bad| log(&Line::BadReply(*bad), None));
        self.arm_report(is_new);
    }

    /// An answer was withheld from who no longer waits for it.
    pub(crate) fn withheld(&self, withheld: Withheld) {
        let mut tallies = self.refusals.lock();
        let before = tallies.deadline();
        let told = tallies.withheld.count(withheld, self.now());
        let is_new = is_earlier(tallies.deadline(), before);
        drop(tallies);
        told.inspect(|withheld| withheld.warn(None));
        self.arm_report(is_new);
    }

    fn arm_report(&self, is_new: bool) {
        if is_new {
            self.timer.wake();
        }
    }

    /// Tells what was counted, if it is time; returns when to come again.
    pub(crate) fn report(&self, now: Instant) -> Option<Instant> {
        self.tell_counted(Some(now))
    }

    /// Tells all that was counted.
    pub(crate) fn report_last(&self) {
        self.tell_counted(None);
    }

    fn tell_counted(&self, now: Option<Instant>) -> Option<Instant> {
        let mut tallies = self.refusals.lock();
        let Due { lines, event } = tallies.take(now);
        let deadline = tallies.deadline();
        drop(tallies);
        lines.iter().for_each(|(count, line)| log(line, Some(*count)));
        if let Some((count, (address, error))) = event {
            self.tell_refused(address, error, count.saturating_sub(1));
        }
        deadline
    }
}

fn is_earlier(deadline: Option<Instant>, than: Option<Instant>) -> bool {
    deadline.is_some_and(|at| than.is_none_or(|than| at < than))
}
