//! The exts in checked bytes, one behind the other, however deep they are.

use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::pickle;
use crate::value::pickle::Needs;
use bytes::{Bytes, BytesMut};
use std::fmt;

/// One ext: where its payload begins, its code, its payload.
type ExtAt<'a> = (usize, i8, &'a [u8]);

/// In checked bytes heads follow each other without a gap, so that no nesting has to be kept.
fn exts(bytes: &[u8]) -> impl Iterator<Item = ExtAt<'_>> {
    let mut reader = HeadReader { rest: bytes };
    std::iter::from_fn(move || {
        while let Ok(head) = reader.head() {
            if let Head::Ext(code, payload) = head {
                return Some((bytes.len() - reader.rest.len() - payload.len(), code, payload));
            }
        }
        None
    })
}

/// Brings dates from protocol 5 to 4: a Python 3.6 or 3.7 peer that this body may be forwarded to
/// would die of 5, and the shapes that are read differ in nothing but that byte.
pub(crate) fn to_protocol_4(bytes: Bytes) -> Bytes {
    let is_date = |&(_, code, payload): &ExtAt<'_>| {
        pickle::is_protocol_5(payload) && is_closed(code, payload)
    };
    let places: Vec<usize> = exts(&bytes).filter(is_date).map(|(start, ..)| start + 1).collect();
    let mut bytes = bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    for place in places {
        if let Some(protocol) = bytes.get_mut(place) {
            *protocol = 4;
        }
    }
    bytes.freeze()
}

/// Whether there is a decoder for every ext that a Python peer would unpickle, dates aside.
pub(crate) fn vouched(bytes: &[u8], is_decoded: impl Fn(i8) -> bool) -> bool {
    exts(bytes)
        .filter(|(_, code, _)| pickle::is_run(*code) || *code < 0)
        .all(|(_, code, payload)| is_decoded(code) || is_closed(code, payload))
}

/// Whether it is a date of the module `datetime`, maybe with a zone by its key.
fn is_closed(code: i8, payload: &[u8]) -> bool {
    matches!(pickle::read(code, payload), Ok(Some(found)) if found.needs != Needs::Class)
}

/// What in a body is safe only for a peer that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Risk<'a> {
    /// A zone that is looked up by its key.
    Zone(&'a str),
    /// A pickle that calls somebody's class: the ext's code and payload.
    Pickle(i8, &'a [u8]),
}

impl Risk<'_> {
    pub(crate) fn is_zone(&self) -> bool {
        matches!(self, Self::Zone(_))
    }
}

/// For people, whose body has it.
impl fmt::Display for Risk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(key) => write!(f, "the zone `{key}`, which this peer may not have"),
            Self::Pickle(code, payload) => write!(f, "{}", pickle::what_is(*code, payload)),
        }
    }
}

/// All of them in checked bytes.
pub(crate) fn risks(bytes: &[u8]) -> impl Iterator<Item = Risk<'_>> {
    let risky = |&(_, code, _): &ExtAt<'_>| pickle::is_run(code) || code < 0;
    exts(bytes).filter(risky).filter_map(|(_, code, payload)| match pickle::read(code, payload) {
        Ok(Some(found)) => match found.needs {
            Needs::Nothing => None,
            Needs::Zone => found.zone_key().map(Risk::Zone),
            Needs::Class => Some(Risk::Pickle(code, payload)),
        },
        _ => Some(Risk::Pickle(code, payload)),
    })
}
