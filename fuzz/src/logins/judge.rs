//! Who is told of calls, runs and ends, and says whether they are true.

use pseud_proto::Outcome;
use pseud_testkit::ledger::{CallEnd, Ledger, Made, Member, Number};
use pseud_testkit::memory::Ended;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// When calls end is not judged by the ledger: their sessions' deadlines say it.
const LATE: Duration = Duration::from_secs(1 << 32);

#[derive(Default)]
pub(super) struct Judge {
    ledger: Ledger,
    /// Ids that were seen, and of which calls they are.
    ids: Vec<(Vec<u8>, Option<Number>)>,
    /// Calls about which somebody has lied: whatever their makers are told, it may be false.
    lied_about: BTreeSet<Number>,
    /// Whether somebody has forged a message, or an answer was withheld.
    pub(super) is_odd: bool,
}

impl Judge {
    pub(super) fn next_number(&self) -> Number {
        self.ledger.next_number()
    }

    pub(super) fn made(&mut self, number: Number, maker: Member, at: Instant) {
        let made = Made { maker, meant: None, at, deadline: at + LATE };
        self.ledger.made(number, made).expect("a new number");
    }

    /// A request of that name is run.
    pub(super) fn runs(&mut self, name: &str, member: Member) -> Option<Number> {
        let number = number_of(name)?;
        if !self.lied_about.contains(&number) {
            self.ledger.runs(number, member).unwrap_or_else(|lie| panic!("{lie}"));
        }
        Some(number)
    }

    pub(super) fn ended(&mut self, number: Number, outcome: Outcome, at: Instant) {
        let end = match self.lied_about.contains(&number) {
            true => CallEnd::Unknown("somebody has lied about it".into()),
            false => Ended::from(outcome).into(),
        };
        self.ledger.ended(number, end, at).unwrap_or_else(|lie| panic!("{lie}"));
    }

    /// A message leaves: one of a call of ours, or a HELLO.
    pub(super) fn leaves(&mut self, id: &[u8], number: Option<Number>) {
        if self.ids.iter().all(|(known, _)| known != id) {
            self.ids.push((id.to_vec(), number));
        }
    }

    /// An id for somebody who forges.
    pub(super) fn forge(&mut self, choice: u8) -> Vec<u8> {
        self.is_odd = true;
        match self.ids.get(usize::from(choice) % (self.ids.len() + 1)) {
            Some((id, number)) => {
                self.lied_about.extend(*number);
                id.clone()
            }
            None => vec![choice; 16],
        }
    }

    pub(super) fn finish(&self) {
        self.ledger.check(Duration::ZERO).unwrap_or_else(|lie| panic!("{lie}"));
    }
}

/// Calls have their numbers for names.
pub(super) fn name_of(number: Number) -> String {
    format!("n{number}")
}

pub(super) fn number_of(name: &str) -> Option<Number> {
    name.strip_prefix('n')?.parse().ok()
}
