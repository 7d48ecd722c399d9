//! Counters: what was dropped, and why. They cost an addition and never carry a peer's text.

use crate::auth::strangers::StrangerStats;
use crate::call::dropped::Dropped;

/// What an endpoint has seen since its birth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions open now.
    pub sessions: usize,
    /// Of those the ones whose peers have not logged in, where they
    /// [must](crate::Config::requires_login): what
    /// [`Limits::sessions_unnamed_max`](crate::Limits) bounds.
    pub sessions_unnamed: usize,
    /// Calls of ours pending now.
    pub calls_pending: usize,
    /// Calls of ours that wait for room now: see [`WhenFull`](crate::WhenFull).
    pub calls_waiting: usize,
    /// Requests of peers that are being served, or whose answers wait to be sent.
    pub requests_open: usize,
    /// Bytes of the messages of those that are being served: what
    /// [`Limits::requests_open_bytes_max`](crate::Limits) bounds.
    pub requests_open_bytes: usize,
    /// Handlers that block which run now: what [`Limits::blocking_max`](crate::Limits) bounds. A driver's.
    pub blocking_running: usize,
    /// Handlers that block which wait for a thread now. A driver's.
    pub blocking_waiting: usize,
    /// Bytes of messages that wait to be sent: what
    /// [`Limits::queue_bytes_total_max`](crate::Limits) bounds.
    pub queued_bytes: usize,
    /// Bytes of messages that have come in part; they count with those that are queued.
    pub partial_bytes: usize,
    /// Probes seen.
    pub probes: u64,
    /// HEARTBEATs seen.
    pub heartbeats: u64,
    /// Requests handed out to be served.
    pub requests_served: u64,
    /// Requests that were turned away unread: `Overloaded`, `Draining`.
    pub requests_shed: u64,
    /// Requests refused without their handler having run: their shape or size was wrong, or their
    /// driver refused them.
    pub requests_refused: u64,
    /// Requests answered UNAUTHORIZED: their peers have not logged in.
    pub requests_challenged: u64,
    /// Logins that were wrong.
    pub logins_refused: u64,
    /// Sessions that ended since their peers had not logged in: in [time](crate::Limits::login_timeout), or
    /// before [too many](crate::Limits::sessions_unnamed_max) others came.
    pub logins_missed: u64,
    /// Calls made.
    pub calls_made: u64,
    /// Those who connect to us, before they have a session: what a driver counts that bounds them.
    pub strangers: StrangerStats,
    dropped: [u64; Dropped::ALL.len()],
}

/// One thing that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counted {
    /// A call of ours was made.
    Called,
    /// A probe.
    Probe,
    /// A HEARTBEAT.
    Heartbeat,
    /// A request, handed out to be served.
    Served,
    /// One that was turned away unread.
    Shed,
    /// One that was refused without its handler having run.
    Refused,
    /// One that was answered UNAUTHORIZED.
    Challenged,
    /// A login that was wrong.
    LoginRefused,
    /// A session whose peer had not logged in.
    LoginMissed,
    /// A message or an answer that was dropped.
    Dropped(Dropped),
}

impl Stats {
    /// Counts it.
    pub fn count(&mut self, what: Counted) {
        self.add(what, 1);
    }

    /// Counts it that often.
    pub(crate) fn add(&mut self, what: Counted, times: u64) {
        let count = match what {
            Counted::Called => &mut self.calls_made,
            Counted::Probe => &mut self.probes,
            Counted::Heartbeat => &mut self.heartbeats,
            Counted::Served => &mut self.requests_served,
            Counted::Shed => &mut self.requests_shed,
            Counted::Refused => &mut self.requests_refused,
            Counted::Challenged => &mut self.requests_challenged,
            Counted::LoginRefused => &mut self.logins_refused,
            Counted::LoginMissed => &mut self.logins_missed,
            Counted::Dropped(cause) => match self.dropped.get_mut(cause as usize) {
                Some(count) => count,
                None => return,
            },
        };
        *count += times;
    }

    /// How often something was dropped for that cause.
    pub fn dropped(&self, cause: Dropped) -> u64 {
        self.dropped.get(cause as usize).copied().unwrap_or_default()
    }

    /// How often something was dropped at all.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// The deadlines that live in an endpoint's slots, counted by scanning them: for tests that look for
/// leaked timers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// One for each pending call.
    pub calls: usize,
    /// One for each request of a v1 peer that may still be answered.
    pub guards: usize,
}
