//! What a caller has read for its link, until the link's task takes it.

use crate::threads::reactor::Reactor;
use std::cell::Cell;
use std::fmt;
use std::io;

thread_local! {
    /// The socket that this thread reads for its call: its reactor, and its number there.
    static LED: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// From here on this thread reads that socket for its call, or none.
pub(super) fn lead(socket: Option<(usize, usize)>) {
    LED.set(socket);
}

/// Whether this thread reads that socket for its call.
pub(super) fn leads(socket: (usize, usize)) -> bool {
    LED.get() == Some(socket)
}

/// What was read for a link by a caller.
#[derive(Default)]
pub(crate) struct Ahead {
    read: Read,
    /// The last read filled its buffer: there may be more.
    more: bool,
}

#[derive(Default)]
enum Read {
    #[default]
    Nothing,
    Bytes {
        buffer: Box<[u8]>,
        start: usize,
        end: usize,
    },
    Failed(io::Error),
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("more", &self.more).finish_non_exhaustive()
    }
}

impl Ahead {
    pub(super) fn put(&mut self, buffer: Box<[u8]>, read: io::Result<usize>) {
        self.more = read.as_ref().is_ok_and(|count| *count == buffer.len());
        self.read = match read {
            Ok(end) => Read::Bytes { buffer, start: 0, end },
            Err(error) => Read::Failed(error),
        };
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.read, Read::Nothing)
    }

    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    pub(super) fn no_more(&mut self) {
        self.more = false;
    }

    /// Copies out what is there, of the stream's end and errors, too.
    pub(super) fn take(&mut self, into: &mut [u8], reactor: &Reactor) -> Option<io::Result<usize>> {
        let Read::Bytes { buffer, start, end } = &mut self.read else {
            return match std::mem::take(&mut self.read) {
                Read::Failed(error) => Some(Err(error)),
                Read::Nothing | Read::Bytes { .. } => None,
            };
        };
        let count = into.len().min(*end - *start);
        into[..count].copy_from_slice(&buffer[*start..*start + count]);
        *start += count;
        if start == end
            && let Read::Bytes { buffer, .. } = std::mem::take(&mut self.read)
        {
            reactor.keep_spare(buffer);
        }
        Some(Ok(count))
    }
}
