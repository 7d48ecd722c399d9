//! The exts in checked bytes, one behind the other, however deep they are.

use super::ext::ExtTable;
use super::pickle;
use super::wire::{Head, Reader};
use bytes::{Bytes, BytesMut};

/// One ext: where its payload begins, its code, its payload.
type Found<'a> = (usize, i8, &'a [u8]);

/// In checked bytes heads follow each other without a gap, so that no nesting has to be kept.
fn exts(bytes: &[u8]) -> impl Iterator<Item = Found<'_>> {
    let mut reader = Reader { rest: bytes };
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
pub(super) fn to_protocol_4(bytes: Bytes) -> Bytes {
    let is_date = |&(_, code, payload): &Found<'_>| {
        pickle::is_protocol_5(payload) && matches!(pickle::read(code, payload), Ok(Some(_)))
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

/// Whether `table` answers for every ext that a Python peer would unpickle, dates aside.
pub(super) fn vouched(bytes: &[u8], table: &ExtTable) -> bool {
    exts(bytes).filter(|(_, code, _)| pickle::is_run(*code)).all(|(_, code, payload)| {
        table.decoder(code).is_some() || matches!(pickle::read(code, payload), Ok(Some(_)))
    })
}
