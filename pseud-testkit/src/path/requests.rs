//! Somebody who reads along in one direction of a link whose frames are in clear, and knows a request
//! (WORK) when one passes.

use super::split::{COMMAND, Frame, MORE, Split};
use pseud_proto::pseud::Kind;

/// A message id on the wire.
pub type RequestIdBytes = Vec<u8>;

/// One direction, from its first byte.
#[derive(Debug, Default)]
pub struct Requests {
    split: Split,
    is_greeted: bool,
    /// The frames of a message that is not whole yet.
    message: Vec<Vec<u8>>,
    last: Option<(RequestIdBytes, Vec<u8>)>,
}

impl Requests {
    /// Takes bytes as they pass; the ids of requests that are whole now.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<RequestIdBytes> {
        let pieces = self.split.take(bytes);
        let mut ids = Vec::new();
        for piece in pieces {
            let is_frame = std::mem::replace(&mut self.is_greeted, true);
            if is_frame && Frame(&piece).flags() & COMMAND == 0 {
                ids.extend(self.frame(piece));
            }
        }
        ids
    }

    /// The last request that passed: its id, and all of its bytes. `None` inside of a message, where
    /// nothing can be put between.
    pub fn last(&self) -> Option<(RequestIdBytes, Vec<u8>)> {
        self.last.clone().filter(|_| self.split.is_between() && self.message.is_empty())
    }

    fn frame(&mut self, piece: Vec<u8>) -> Option<RequestIdBytes> {
        let is_last = Frame(&piece).flags() & MORE == 0;
        self.message.push(piece);
        if !is_last {
            return None;
        }
        let message = std::mem::take(&mut self.message);
        let [_, _, id, kind, _] = &message[..] else { return None };
        if Frame(kind).body() != [Kind::Work.byte()] {
            return None;
        }
        let id = Frame(id).body().to_vec();
        self.last = Some((id.clone(), message.concat()));
        Some(id)
    }
}
