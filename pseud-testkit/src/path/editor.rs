//! Somebody on the path who edits whole frames, without any key: outer headers are in clear. It knows
//! no connection: those who relay over sockets use it as well.

use super::split::{Frame, Split};

/// What happens to one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It and those behind it never arrive: so many in all.
    Delete(usize),
    /// It arrives twice.
    Double,
    /// It changes places with the one that is so far behind it.
    Swap(usize),
}

/// A message of pseud's has 5 frames: what is that far apart fits in its place, and a run that is that
/// long splices two messages into one.
pub const EDITS: [Edit; 5] =
    [Edit::Delete(1), Edit::Delete(5), Edit::Double, Edit::Swap(1), Edit::Swap(5)];

/// One direction of a link, from its first byte.
#[derive(Debug, Default)]
pub struct Editor {
    /// Which frame, counted from the first behind the greeting, and what happens to it.
    edit: Option<(usize, Edit)>,
    is_greeted: bool,
    split: Split,
    /// Frames that wait for the one which goes before them.
    held: Vec<Vec<u8>>,
    /// Frames that came.
    pub came: usize,
}

impl Editor {
    pub fn new(edit: Option<(usize, Edit)>) -> Self {
        Self { edit, ..Self::default() }
    }

    /// Takes bytes as they come; what is passed on: the greeting, then frame by frame.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let pieces = self.split.take(bytes);
        let mut passed = Vec::new();
        for piece in pieces {
            match std::mem::replace(&mut self.is_greeted, true) {
                true => self.pass(piece, &mut passed),
                false => passed.push(piece),
            }
        }
        passed
    }

    /// Whether the frame that is edited has come.
    pub fn has_edited(&self) -> bool {
        self.edit.is_some_and(|(index, _)| self.came > index)
    }

    fn pass(&mut self, frame: Vec<u8>, passed: &mut Vec<Vec<u8>>) {
        // How far behind the edited one it is.
        let behind =
            self.edit.and_then(|(index, edit)| Some((self.came.checked_sub(index)?, edit)));
        self.came += 1;
        match behind {
            Some((behind, Edit::Delete(run))) if behind < run => {}
            Some((0, Edit::Double)) => passed.extend([frame.clone(), frame]),
            Some((behind, Edit::Swap(distance))) if behind < distance => self.held.push(frame),
            Some((behind, Edit::Swap(distance))) if behind == distance => {
                let mut held = std::mem::take(&mut self.held);
                let first = std::mem::replace(&mut held[0], frame);
                passed.extend(held.into_iter().chain([first]));
            }
            _ => passed.push(frame),
        }
    }
}

/// The numbers in a direction of CURVE, in the order of its frames (RFC 26): `None` is WELCOME's, which
/// has a nonce of its own.
pub fn numbers(bytes: &[u8]) -> Vec<Option<u64>> {
    let frames = Editor::default().take(bytes).split_off(1);
    frames.iter().map(|frame| number(frame)).collect()
}

fn number(frame: &[u8]) -> Option<u64> {
    let body = Frame(frame).body();
    let at = match body {
        [5, b'H', ..] => 112,
        [8, b'I', ..] => 105,
        [5, b'R', ..] => 6,
        [7, b'M', ..] => 8,
        [7, b'W', ..] => return None,
        _ => panic!("no command of CURVE's: {body:x?}"),
    };
    Some(u64::from_be_bytes(body[at..at + 8].try_into().unwrap()))
}
