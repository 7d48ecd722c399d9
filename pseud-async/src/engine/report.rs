//! What is said to operators and watchers of what others make happen.

use super::event::{KeptEvent, shown};
use super::hub::Hub;
use super::refusals::line::{BadReply, Failed, LogLine, Unavailable, log};
use super::refusals::tallies::{DueReports, Tallies};
use super::refusals::withheld::Withheld;
use pseud_proto::PeerError;
use pseud_proto::peer::PeerInfo;
use std::task::Waker;
use std::time::Instant;

impl Hub {
    /// Tells watchers.
    pub(crate) fn notify(&self, event: &KeptEvent) {
        let wakers = self.lock().watchers.notify(event);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// For operators. Whoever listens to logs is a user's: never under a lock.
    pub(crate) fn log(&self, event: &KeptEvent) {
        if let Some(hooks) = self.hooks.get() {
            hooks.happened(event);
        }
        match event {
            KeptEvent::Connected { peer, user, identity, address, .. } => {
                self.warn_of_another(peer);
                if self.logs_session() {
                    let user = (!user.is_anonymous()).then(|| tracing::field::display(user));
                    tracing::info!(identity = %shown(identity), %address, user, "peer ready");
                }
            }
            KeptEvent::LoggedIn { user, identity, address, .. } if self.logs_session() => {
                tracing::info!(identity = %shown(identity), %address, %user, "logged in");
            }
            KeptEvent::Disconnected { user, identity, address, reason, .. }
                if self.logs_session() =>
            {
                let user = (!user.is_anonymous()).then(|| tracing::field::display(user));
                tracing::info!(identity = %shown(identity), %address, user, %reason, "peer left");
            }
            KeptEvent::LoggedIn { .. }
            | KeptEvent::Disconnected { .. }
            | KeptEvent::Challenged { .. }
            | KeptEvent::Authenticated { .. }
            | KeptEvent::Connecting { .. }
            | KeptEvent::ConnectFailed { .. }
            | KeptEvent::HandshakeFailed { .. }
            | KeptEvent::Lagged(_) => {}
        }
    }

    /// Calls to the server would wait for it in vain, and say so only when their time is up.
    fn warn_of_another(&self, info: &PeerInfo) {
        let server = self.config.server.as_ref().filter(|_| info.dialed);
        if let Some(server) = server.filter(|server| **server != info.identity) {
            let (name, expected) = (shown(&info.identity), shown(server));
            tracing::warn!(address = %info.address, "connected to `{name}`, expected `{expected}`");
        }
    }

    /// A handshake failed: logs it and tells watchers, or counts it.
    pub(crate) fn refused(&self, failed: Failed) {
        let (now, event) = (self.now(), (failed.address.clone(), failed.error));
        let (event, line) = self.count(|tallies| {
            // Those to whom we connect are as many as we want.
            let event =
                if failed.is_dialed { Some(event) } else { tallies.events.count(event, now) };
            (event, tallies.count(failed, now))
        });
        if let Some((address, error)) = event {
            self.notify(&KeptEvent::HandshakeFailed { address, error, more: 0 });
        }
        line.inspect(|line| log(line, None));
    }

    /// A login within a session was wrong: a line, or one more of those of its source.
    pub(crate) fn login_refused(&self, address: &str, who: &str) {
        let failed = Failed {
            address: address.to_owned(),
            error: PeerError::Denied(400),
            who: Some(who.into()),
            offered: None,
            expected: "a login",
            is_dialed: false,
        };
        let line = self.count(|tallies| tallies.count(failed, self.now()));
        line.inspect(|line| log(line, None));
    }

    /// Nobody could say whether that stranger may come in.
    pub(crate) fn unavailable(&self, why: Unavailable, address: &str) {
        let what = (why, address.to_owned());
        let told = self.count(|tallies| {
            let tally = tallies.unavailable.get_mut(why as usize);
            tally.and_then(|tally| tally.count(what, self.now()))
        });
        if let Some((why, address)) = told {
            log(&LogLine::Unavailable(why, address), None);
        }
    }

    /// A session begins or ends: whether that is logged by itself.
    fn logs_session(&self) -> bool {
        self.count(|tallies| tallies.sessions.count((), self.now())).is_some()
    }

    /// The result of a call of ours cannot be read.
    pub(crate) fn bad_reply(&self, bad: BadReply) {
        let told = self.count(|tallies| tallies.bad_replies.count(bad, self.now()));
        told.inspect(|bad| log(&LogLine::BadReply(*bad), None));
    }

    /// An answer was withheld from who no longer waits for it.
    pub(crate) fn withheld(&self, withheld: Withheld) {
        let told = self.count(|tallies| tallies.withheld.count(withheld, self.now()));
        told.inspect(|withheld| withheld.warn(None));
    }

    /// Counts something, and has the timer come for it.
    fn count<T>(&self, count: impl FnOnce(&mut Tallies) -> T) -> T {
        let (told, is_earlier) = self.refusals.count(count);
        if is_earlier {
            self.timer.wake();
        }
        told
    }

    /// Tells what was counted, if it is time; returns when to come again.
    pub(crate) fn report(&self, now: Instant) -> Option<Instant> {
        self.report_counted(Some(now))
    }

    /// Tells all that was counted.
    pub(crate) fn report_last(&self) {
        self.report_counted(None);
    }

    fn report_counted(&self, now: Option<Instant>) -> Option<Instant> {
        let (DueReports { lines, event }, deadline) = self.refusals.take(now);
        lines.iter().for_each(|(count, line)| log(line, Some(*count)));
        if let Some((count, (address, error))) = event {
            self.notify(&KeptEvent::HandshakeFailed {
                address,
                error,
                more: count.saturating_sub(1),
            });
        }
        deadline
    }
}
