//! Finished messages: their frames in clear, each behind its header, as ZMTP writes them without
//! encryption.
//!
//! Who makes a message writes it once, in this form. A wire in clear takes the bytes as they are, many
//! messages at a time; any other looks at the frames.

use crate::base::pieces::{Pieces, Stretch, Walk};
use crate::message::frame::Header;
use crate::message::outgoing::Outgoing;
use crate::message::parts::Parts;
use std::fmt;

/// Messages that are handed over to be sent: one or more, whole.
///
/// They end at the token that comes with them, and each byte before it counts one: where the first of
/// their frames were written, that many bytes tell how far.
pub struct Framed<'a> {
    pieces: &'a mut Pieces,
    len: usize,
    count: usize,
}

impl<'a> Framed<'a> {
    /// The first `len` bytes of those: so many whole messages.
    pub(crate) fn new(pieces: &'a mut Pieces, len: usize, count: usize) -> Self {
        Self { pieces, len, count }
    }

    /// How many messages there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes of all frames, with their headers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that are not pieces of their own.
    pub(crate) fn small_len(&self) -> usize {
        self.pieces.small_of(self.len)
    }

    /// Takes the bytes as they are.
    pub(crate) fn move_to(self, others: &mut Pieces) {
        self.pieces.move_to(others, self.len);
    }

    /// The frames, in order.
    pub(crate) fn frames(&self) -> Frames<'_> {
        Frames { walk: self.pieces.walk(), left: self.len }
    }

    /// Shows each message, and how many bytes of frames there are up to its end.
    pub fn each(&self, mut show: impl FnMut(Outgoing<'_>, usize)) {
        let (mut frames, mut leading) = (self.frames(), [&[][..]; Parts::MAX]);
        while let Some(message) = frames.message(&mut leading) {
            show(message, self.len - frames.left);
        }
    }

    /// Shows the first message: one without frames where there is none.
    pub(crate) fn first<R>(&self, show: impl FnOnce(Outgoing<'_>) -> R) -> R {
        show(self.frames().message(&mut [&[]; Parts::MAX]).unwrap_or_default())
    }
}

impl fmt::Debug for Framed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Framed({} bytes)", self.len)
    }
}

/// A walk over frames.
#[derive(Clone)]
pub(crate) struct Frames<'a> {
    walk: Walk<'a>,
    /// Bytes that were not walked over.
    pub(crate) left: usize,
}

impl<'a> Frames<'a> {
    /// How many frames the next message has.
    pub(crate) fn of_message(self) -> usize {
        let mut count = 0;
        for frame in self {
            count += 1;
            if !frame.has_more {
                break;
            }
        }
        count
    }

    /// The next frame, if it lies in one piece and its payload has at most so many bytes: whether another
    /// one follows, and its payload.
    #[inline]
    pub(crate) fn short(&mut self, max: usize) -> Option<(bool, &'a [u8])> {
        let rest = self.walk.peek();
        let (has_more, size) = Header::short_part(rest).filter(|_| self.left > 0)?;
        let size = usize::from(size);
        let payload = rest.get(2..2 + size).filter(|_| size <= max)?;
        self.walk.skip(2 + size);
        self.left = self.left.saturating_sub(2 + size);
        Some((has_more, payload))
    }

    /// The next message; `leading` is where its frames are gathered.
    fn message<'l>(&mut self, leading: &'l mut [&'a [u8]; Parts::MAX]) -> Option<Outgoing<'l>> {
        let mut count = 0;
        loop {
            let Frame { has_more, payload } = self.next()?;
            if !has_more {
                let Stretch { head, apart, tail } = payload;
                let (frames, _) = leading.split_at_checked(count)?;
                return Some(Outgoing {
                    frames,
                    head,
                    body: apart.cloned().unwrap_or_default(),
                    tail,
                });
            }
            *leading.get_mut(count)? = payload.head;
            count += 1;
        }
    }
}

/// One frame.
pub(crate) struct Frame<'a> {
    pub(crate) has_more: bool,
    pub(crate) payload: Stretch<'a>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let header = Header::decode(self.walk.peek()).filter(|_| self.left > 0)?;
        self.walk.take(header.len());
        let payload = self.walk.take(header.size as usize);
        self.left = self.left.saturating_sub(header.len() + payload.len());
        Some(Frame { has_more: header.has_more(), payload })
    }
}
