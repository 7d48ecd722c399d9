//! Answers that are not sent, said to whoever runs the node.

use crate::events::shown;
use pseud_proto::peer::PeerInfo;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines at once, and then one in every [`PAUSE`].
const LINES: u32 = 8;
const PAUSE: Duration = Duration::from_secs(10);

/// An answer that was withheld.
#[derive(Debug)]
pub(crate) struct Withheld {
    pub(crate) caller: Arc<PeerInfo>,
    pub(crate) name: String,
}

impl Withheld {
    /// Warns of it, unless enough was said; then the next line counts it.
    pub(crate) fn warn(&self, pace: &Pace, now: Instant) {
        let Some(unsaid) = pace.next(now) else { return };
        let Self { caller, name } = self;
        let unsaid = (unsaid > 0).then_some(unsaid);
        let user = (!caller.user.is_anonymous()).then(|| tracing::field::display(&caller.user));
        tracing::warn!(
            method = ?name, peer = %shown(&caller.identity), address = %caller.address, user,
            late_guard = %caller.late_guard.unwrap_or_default(), unsaid,
            "an answer was withheld: it was ready only after the late guard, and a Python caller that \
             waits no longer would die of it; if callers there wait longer, raise late_guard \
             (Options::late_guard, BindOptions::late_guard, pseud serve --late-guard)"
        );
    }
}

/// How often something is said.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    lines: u32,
    since: Option<Instant>,
    unsaid: u64,
}

impl Pace {
    /// How many were not said before this one, if it may be said.
    fn next(&self, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *said.since.get_or_insert(now);
        let earned = now.saturating_duration_since(since).as_secs() / PAUSE.as_secs();
        if earned > 0 {
            said.lines = said.lines.saturating_sub(u32::try_from(earned).unwrap_or(u32::MAX));
            said.since = Some(now);
        }
        if said.lines >= LINES {
            said.unsaid += 1;
            return None;
        }
        said.lines += 1;
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_said_and_the_rest_is_counted() {
        let (pace, start) = (Pace::default(), Instant::now());
        let said = |at| (0..20).filter_map(|_| pace.next(at)).collect::<Vec<_>>();
        assert_eq!(said(start), [0; LINES as usize]);
        assert_eq!(said(start + PAUSE / 2), []);
        assert_eq!(said(start + PAUSE), [32]);
        assert_eq!(said(start + 4 * PAUSE), [19, 0, 0]);
        assert_eq!(said(start + 1_000 * PAUSE).len(), LINES as usize);
    }
}
