//! What is counted: each kind apart, and failed authentications by source.

use super::line::{BadReply, Failed, LogLine, Unavailable};
use super::tally::Tally;
use super::withheld::Withheld;
use pseud_proto::{Incompatible, Insecure, PeerError};
use std::collections::BTreeMap;
use std::time::Instant;

/// Sources whose failed authentications are counted apart; those of more are counted together.
const SOURCES_MAX: usize = 64;

/// Events on strangers that watchers are told in a minute one by one: fewer than a watcher holds, so
/// that they do not drive out what it is told of peers.
const EVENTS_BURST: u32 = 128;

/// Sessions whose beginning or end is logged in a minute one by one.
const SESSIONS_BURST: u32 = 600;

/// Answers whose withholding is logged in a minute one by one.
const WITHHELD_BURST: u32 = 8;

/// Whom watchers are told of.
pub(crate) type Refused = (String, PeerError);

/// What is to be told: lines and an event, each with how many it stands for.
#[derive(Debug, Default)]
pub(crate) struct DueReports {
    pub(crate) lines: Vec<(u64, LogLine)>,
    pub(crate) event: Option<(u64, Refused)>,
}

#[derive(Debug)]
pub(crate) struct Tallies {
    strangers: Tally<Failed>,
    /// By source.
    denied: BTreeMap<String, Tally<Failed>>,
    /// Of all further sources.
    denied_elsewhere: Tally<Failed>,
    pub(crate) unavailable: [Tally<(Unavailable, String)>; Unavailable::COUNT],
    pub(crate) sessions: Tally<()>,
    pub(crate) bad_replies: Tally<BadReply>,
    pub(crate) withheld: Tally<Withheld>,
    pub(crate) events: Tally<Refused>,
}

impl Default for Tallies {
    fn default() -> Self {
        Self {
            strangers: Tally::new(1),
            denied: BTreeMap::new(),
            denied_elsewhere: Tally::new(1),
            unavailable: std::array::from_fn(|_| Tally::new(1)),
            sessions: Tally::new(SESSIONS_BURST),
            bad_replies: Tally::new(1),
            withheld: Tally::new(WITHHELD_BURST),
            events: Tally::new(EVENTS_BURST),
        }
    }
}

impl Tallies {
    /// Counts a failure; it is given back if it is to be logged now.
    pub(crate) fn count(&mut self, failed: Failed, now: Instant) -> Option<LogLine> {
        if !is_authentication(failed.error) {
            return self.strangers.count(failed, now).map(LogLine::PendingLink);
        }
        let source = source(&failed.address);
        if !self.denied.contains_key(source) && self.denied.len() >= SOURCES_MAX {
            self.denied.retain(|_, tally| !tally.is_over(now));
        }
        let is_known = self.denied.contains_key(source);
        let tally = match is_known || self.denied.len() < SOURCES_MAX {
            true => self.denied.entry(source.to_owned()).or_insert_with(|| Tally::new(1)),
            false => &mut self.denied_elsewhere,
        };
        tally.count(failed, now).map(LogLine::Denied)
    }

    /// When something that was counted is to be told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let denied = self.denied.values().filter_map(Tally::deadline);
        let unavailable = self.unavailable.iter().filter_map(Tally::deadline);
        let others = [
            self.strangers.deadline(),
            self.denied_elsewhere.deadline(),
            self.sessions.deadline(),
            self.bad_replies.deadline(),
            self.withheld.deadline(),
            self.events.deadline(),
        ];
        denied.chain(unavailable).chain(others.into_iter().flatten()).min()
    }

    /// What is to be told: `now`, or where there is none, all of it.
    pub(crate) fn take(&mut self, now: Option<Instant>) -> DueReports {
        fn due<T>(tally: &mut Tally<T>, now: Option<Instant>) -> Option<(u64, T)> {
            match now {
                Some(now) => tally.take(now),
                None => tally.finish(),
            }
        }
        let mut lines = Vec::new();
        let told = |(count, failed)| (count, LogLine::PendingLink(failed));
        lines.extend(due(&mut self.strangers, now).map(told));
        for tally in self.denied.values_mut().chain([&mut self.denied_elsewhere]) {
            lines.extend(due(tally, now).map(|(count, failed)| (count, LogLine::Denied(failed))));
        }
        for tally in &mut self.unavailable {
            let told = |(count, (why, address))| (count, LogLine::Unavailable(why, address));
            lines.extend(due(tally, now).map(told));
        }
        lines.extend(due(&mut self.sessions, now).map(|(count, ())| (count, LogLine::Session)));
        let told = |(count, bad)| (count, LogLine::BadReply(bad));
        lines.extend(due(&mut self.bad_replies, now).map(told));
        let told = |(count, withheld)| (count, LogLine::Withheld(withheld));
        lines.extend(due(&mut self.withheld, now).map(told));
        if let Some(now) = now {
            self.denied.retain(|_, tally| !tally.is_over(now));
        }
        DueReports { lines, event: due(&mut self.events, now) }
    }
}

/// Whether somebody that speaks ZMTP failed to show what is asked of it. All else is a stranger.
fn is_authentication(error: PeerError) -> bool {
    match error {
        PeerError::Denied(code) => code == 400,
        PeerError::Incompatible(Incompatible::MechanismMismatch | Incompatible::Refused(400)) => {
            true
        }
        PeerError::Insecure(Insecure::Downgrade) => false,
        PeerError::Insecure(_) => true,
        _ => false,
    }
}

/// An address without its port, which each connection has anew.
fn source(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::refusals::tally::SPAN;
    use pseud_proto::Malformed;

    fn failed(address: &str, error: impl Into<PeerError>) -> Failed {
        let (address, error) = (address.to_owned(), error.into());
        Failed { address, error, who: None, offered: None, expected: "NULL", is_dialed: false }
    }

    fn tallies() -> Tallies {
        Tallies::default()
    }

    #[test]
    fn s_12_80_000_garbage_handshakes_are_a_line_a_minute_with_a_count() {
        let (mut tallies, start) = (tallies(), Instant::now());
        let mut lines = 0;
        for n in 0..80_000_u32 {
            let address = format!("10.{}.{}.{}:{n}", n >> 16, n >> 8 & 255, n & 255);
            let line = tallies.count(failed(&address, Malformed::NotZmtp), start);
            lines += usize::from(line.is_some());
        }
        assert_eq!((lines, tallies.denied.len()), (1, 0));
        let DueReports { lines, .. } = tallies.take(Some(start + SPAN));
        assert!(matches!(lines[..], [(79_999, LogLine::PendingLink(_))]), "{lines:?}");
        assert_eq!(tallies.deadline(), None);
    }

    #[test]
    fn failed_authentications_are_told_by_source_and_sources_are_bounded() {
        let (mut tallies, start) = (tallies(), Instant::now());
        let mut lines = 0;
        for n in 0..10_000 {
            let address = format!("[2001:db8::{:x}]:{n}", n / 10);
            lines += usize::from(
                tallies.count(failed(&address, PeerError::Denied(400)), start).is_some(),
            );
        }
        assert_eq!((lines, tallies.denied.len()), (SOURCES_MAX + 1, SOURCES_MAX));
        let DueReports { lines, .. } = tallies.take(Some(start + SPAN));
        let counted: u64 = lines.iter().map(|(count, _)| count).sum();
        assert_eq!((lines.len(), counted), (SOURCES_MAX + 1, 10_000 - SOURCES_MAX as u64 - 1));
        let DueReports { lines, .. } = tallies.take(Some(start + 3 * SPAN));
        assert_eq!(
            (lines.len(), tallies.denied.len()),
            (0, 0),
            "sources that are quiet are forgotten"
        );
    }

    #[test]
    fn a_source_is_an_address_without_its_port() {
        for (address, told) in [("10.0.0.1:5", "10.0.0.1"), ("[::1]:5", "[::1]"), ("ipc", "ipc")] {
            assert_eq!(source(address), told);
        }
    }
}
