//! What a peer sent that not everybody could be sent: its own pickles, and its zones' keys. It may be
//! sent the same again.
//!
//! A Python peer runs a pickle (`pickle.loads` in `pseud/packer.py`) and looks a zone up. Of what came from
//! its own process it has the class and the zone; of what came from anybody else it may run harm, or die.

use crate::value::{Packed, Risk};
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};

/// Bytes that are remembered of one session; the oldest are forgotten first.
const BYTES_MAX: usize = 64 << 10;
/// What one entry takes besides its bytes, about: its places in both tables, and its count.
const ENTRY_COST: usize = 128;
/// Such things of one body that are looked at: a peer may put a million into one, and each costs a
/// look-up that everybody waits for.
const LESSONS_MAX: usize = 4_096;

/// The newest such things of one session.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// In order of coming.
    entries: VecDeque<Bytes>,
    /// The same, to be looked up.
    known: BTreeSet<Bytes>,
    bytes: usize,
}

impl Heard {
    /// Takes in what is in that body, as far as it is looked at.
    pub(crate) fn learn(&mut self, body: &Packed) {
        body.risks().take(LESSONS_MAX).for_each(|risk| self.learn_one(risk));
    }

    fn learn_one(&mut self, risk: Risk<'_>) {
        let entry = Bytes::from(entry(risk));
        if !self.known.insert(entry.clone()) {
            return;
        }
        self.bytes += entry.len() + ENTRY_COST;
        self.entries.push_back(entry);
        while self.bytes > BYTES_MAX
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.len() + ENTRY_COST;
            self.known.remove(&oldest);
        }
    }

    pub(crate) fn knows(&self, risk: Risk<'_>) -> bool {
        self.known.contains(&*entry(risk))
    }
}

/// A zone's key behind a zero, or a pickle behind its ext's code.
fn entry(risk: Risk<'_>) -> Box<[u8]> {
    let (kind, bytes) = match risk {
        Risk::Zone(key) => (0, key.as_bytes()),
        Risk::Pickle(code, payload) => (code.to_be_bytes()[0], payload),
    };
    [&[kind], bytes].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn it_knows_what_it_heard_and_forgets_the_oldest() {
        let mut heard = Heard::default();
        heard.learn_one(Risk::Zone("Europe/Paris"));
        heard.learn_one(Risk::Zone("Europe/Paris"));
        heard.learn_one(Risk::Pickle(125, b"a"));
        assert_eq!(heard.entries.len(), 2);
        assert!(heard.knows(Risk::Zone("Europe/Paris")) && heard.knows(Risk::Pickle(125, b"a")));
        assert!(!heard.knows(Risk::Zone("Europe")) && !heard.knows(Risk::Pickle(123, b"a")));
        for number in 0..5_000u32 {
            heard.learn_one(Risk::Pickle(125, &number.to_be_bytes()));
        }
        assert!(
            heard.bytes <= BYTES_MAX && heard.knows(Risk::Pickle(125, &4_999u32.to_be_bytes()))
        );
        assert!(!heard.knows(Risk::Zone("Europe/Paris")));
        heard.learn_one(Risk::Pickle(125, &[7; BYTES_MAX]));
        assert_eq!((heard.entries.len(), heard.known.len(), heard.bytes), (0, 0, 0));
    }

    /// A million in one body, under a lock that others may wait for.
    #[test]
    fn a_body_that_is_full_of_them_costs_no_more_than_a_few() {
        let pickles: Vec<Value> =
            (0..200_000u32).map(|n| Value::Ext(125, n.to_be_bytes().to_vec().into())).collect();
        let mut heard = Heard::default();
        heard.learn(&Packed::result(&pickles).unwrap());
        assert!(heard.entries.len() == heard.known.len() && heard.bytes <= BYTES_MAX);
        let [last, next] = [LESSONS_MAX - 1, LESSONS_MAX].map(|n| (n as u32).to_be_bytes());
        assert!(heard.knows(Risk::Pickle(125, &last)) && !heard.knows(Risk::Pickle(125, &next)));
    }
}
