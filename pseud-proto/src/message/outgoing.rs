//! A message as its sender hands it over.

use crate::base::pieces::{COPY_MAX, Pieces};
use crate::message::frame::{self, FrameKind, HEADER_MAX};
use bytes::Bytes;

/// The caller's name for a message it sends, told back when the message was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// A message to send: small leading frames, then one last frame `head ‖ body ‖ tail`.
///
/// Leading frames, head and tail are copied; a body over 2 KiB is not, but under CURVE, which seals
/// a copy.
#[derive(Debug, Clone, Default)]
pub struct Outgoing<'a> {
    /// The frames before the last one.
    pub frames: &'a [&'a [u8]],
    /// How the last frame begins.
    pub head: &'a [u8],
    /// How it goes on.
    pub body: Bytes,
    /// How it ends.
    pub tail: &'a [u8],
}

impl Outgoing<'_> {
    /// Appends its frames in clear, each behind its header.
    pub(crate) fn put(self, out: &mut Pieces) {
        let Self { frames, head, body, tail } = self;
        let leading = frames.iter().map(|frame| HEADER_MAX + frame.len()).sum::<usize>();
        let last = head.len() + body.len() + tail.len();
        let is_small = body.len() <= COPY_MAX;
        let copied = if is_small { &body[..] } else { &[] };
        out.put(leading + HEADER_MAX + head.len() + copied.len() + tail.len(), |small| {
            frames.iter().for_each(|body| frame::put_frame(small, FrameKind::More, body));
            frame::put_header(small, FrameKind::Last, last);
            small.extend_from_slice(head);
            if is_small {
                small.extend_from_slice(copied);
                small.extend_from_slice(tail);
            }
        });
        if !is_small {
            out.put_apart(body);
            out.put_bytes(tail);
        }
    }
}
