//! How an attacker comes as far as it must before it attacks: what it sends, and what it learns.

use super::plain::hello;
use super::{Group, Known, Mechanism, Step, USERS, Victim};
use crate::raw::{command, frame, greeting_of, metadata, ready};

/// One step: the attacker sends, the victim answers.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    mechanism: Mechanism,
    victim: Victim,
    /// Where it leads.
    to: Step,
}

impl Group {
    /// The mechanism's name on the wire.
    pub fn name(&self) -> &'static str {
        self.mechanism.name()
    }

    /// The exchanges behind the victim's opening that lead there.
    pub fn steps(&self, to: Step) -> Vec<Exchange> {
        let steps: &[Step] = match (self.mechanism, to) {
            (_, Step::Opened) => &[],
            (_, Step::Greeted) => &[Step::Greeted],
            (_, Step::Welcomed) => &[Step::Greeted, Step::Welcomed],
            (Mechanism::Null, Step::Ready) => &[Step::Greeted, Step::Ready],
            (_, Step::Ready) => &[Step::Greeted, Step::Welcomed, Step::Ready],
        };
        let (mechanism, victim) = (self.mechanism, self.victim);
        steps.iter().map(|to| Exchange { mechanism, victim, to: *to }).collect()
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Plain => "PLAIN",
            Self::Curve => "CURVE",
        }
    }
}

impl Exchange {
    /// What the attacker sends.
    pub fn bytes(self, known: &Known) -> Vec<u8> {
        match (self.to, self.mechanism, self.victim) {
            (Step::Opened, ..) => vec![],
            (Step::Greeted, mechanism, _) => greeting_of(mechanism.name()),
            (Step::Welcomed, Mechanism::Plain, Victim::Server) => hello(USERS[known.user]),
            (Step::Welcomed, Mechanism::Curve, Victim::Server) => {
                command("HELLO", &known.forger.hello())
            }
            (Step::Welcomed, Mechanism::Curve, Victim::Client) => {
                let transient = Known::stranger().public;
                command("WELCOME", &known.welcome(&Known::server(), &transient))
            }
            (Step::Welcomed, ..) => command("WELCOME", b""),
            (Step::Ready, Mechanism::Null, _) => ready("DEALER", ""),
            (Step::Ready, Mechanism::Plain, _) => command("INITIATE", &metadata("DEALER", "")),
            (Step::Ready, Mechanism::Curve, _) => known.initiate(),
        }
    }

    /// The name of the command that the victim answers with; `None` if it answers nothing.
    pub fn answer(self) -> Option<&'static str> {
        match (self.to, self.mechanism, self.victim) {
            (Step::Greeted, Mechanism::Plain | Mechanism::Curve, Victim::Client) => Some("HELLO"),
            (Step::Welcomed, _, Victim::Server) => Some("WELCOME"),
            (Step::Welcomed, _, Victim::Client) => Some("INITIATE"),
            (Step::Ready, Mechanism::Plain | Mechanism::Curve, _) => Some("READY"),
            _ => None,
        }
    }

    /// The victim answered that. Panics if it is not what it must answer.
    pub fn learn(self, known: &mut Known, said: &[u8]) {
        let Some(name) = self.answer() else {
            assert_eq!(said, b"", "an answer where none is due");
            return;
        };
        let head = 2 + 7 * usize::from(said[0] & crate::raw::LONG != 0);
        let body = &said[head..];
        assert_eq!(said, frame(crate::raw::COMMAND, body), "one command");
        let named = [&[name.len() as u8], name.as_bytes()].concat();
        assert!(body.starts_with(&named), "{name} was due: {body:x?}");
        let data = &body[named.len()..];
        match (name, self.mechanism) {
            ("HELLO", Mechanism::Curve) => known.hello = data.to_vec(),
            ("WELCOME", Mechanism::Curve) => known.forger.take_welcome(data),
            _ => {}
        }
    }
}
