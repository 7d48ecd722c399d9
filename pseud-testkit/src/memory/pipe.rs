//! Bytes on their way, in one direction.

use super::end::End;
use crate::ledger::Id;
use crate::path::{Editor, Requests};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// One direction of a wire.
#[derive(Debug)]
pub struct Pipe {
    /// How long a byte travels.
    pub latency: Duration,
    /// How many more bytes the sender's socket takes before it is full.
    pub room: usize,
    /// How many bytes may be on their way at once: what both sockets hold.
    pub capacity: usize,
    /// Somebody on the path, who edits frames.
    pub editor: Option<Editor>,
    /// Requests that the sender wrote whole.
    pub sent: Requests,
    got: Requests,
    /// The ids of requests that the receiver got whole, in order.
    pub heard: Vec<Id>,
    flying: VecDeque<(Instant, Vec<u8>)>,
    end: Ending,
    /// Bytes and writes that it took, reads that it gave.
    pub carried: Carried,
}

/// What a pipe has done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    pub bytes: usize,
    pub writes: usize,
    pub reads: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    /// The sender has closed; what flies still arrives.
    Closed,
    /// The receiver was told.
    Told,
}

impl Pipe {
    pub fn new(latency: Duration) -> Self {
        let (flying, carried) = (VecDeque::new(), Carried::default());
        let (room, capacity) = (usize::MAX, usize::MAX);
        let [sent, got] = [(); 2].map(|()| Requests::default());
        let (editor, heard, end) = (None, Vec::new(), Ending::Open);
        Self { latency, room, capacity, editor, sent, got, heard, flying, end, carried }
    }

    /// Sends the last request again, which nobody does who is honest. Says which that was, if there is
    /// one and it can stand here.
    pub fn repeat(&mut self, now: Instant) -> Option<Id> {
        let (id, bytes) = self.sent.last().filter(|_| self.end == Ending::Open)?;
        self.flying.push_back((now + self.latency, bytes));
        Some(id)
    }

    /// The sender's socket is full from now on.
    pub fn stop(&mut self) {
        self.room = 0;
    }

    /// The sender's socket takes everything again.
    pub fn flow(&mut self) {
        self.room = usize::MAX;
    }

    /// The cable is pulled: what flies is lost, and the receiver sees the end.
    pub fn cut(&mut self) {
        self.flying.clear();
        if self.end == Ending::Open {
            self.end = Ending::Closed;
        }
    }

    /// When the next byte arrives.
    pub fn arrival(&self) -> Option<Instant> {
        Some(self.flying.front()?.0)
    }

    /// Moves at most `chunk` bytes out of `from`. Says whether anything happened.
    pub fn take(&mut self, from: &mut impl End, chunk: usize, now: Instant) -> bool {
        if self.end != Ending::Open {
            return false;
        }
        let flying: usize = self.flying.iter().map(|(_, bytes)| bytes.len()).sum();
        let bytes = from.write(chunk.min(self.room).min(self.capacity.saturating_sub(flying)));
        if bytes.is_empty() {
            let closed = from.is_over() && !from.wants_to_write();
            if closed {
                self.end = Ending::Closed;
            }
            return closed;
        }
        self.room -= if self.room == usize::MAX { 0 } else { bytes.len() };
        self.carried.bytes += bytes.len();
        self.carried.writes += 1;
        self.sent.read(&bytes);
        let bytes = match &mut self.editor {
            Some(editor) => editor.take(&bytes).concat(),
            None => bytes,
        };
        if !bytes.is_empty() {
            self.flying.push_back((now + self.latency, bytes));
        }
        true
    }

    /// Moves at most `chunk` of the bytes that have arrived into `to`.
    pub fn give(&mut self, to: &mut impl End, chunk: usize, now: Instant) -> bool {
        let Some((at, bytes)) = self.flying.front_mut() else { return self.report_end(to) };
        if *at > now {
            return false;
        }
        let mut piece = bytes.split_off(chunk.min(bytes.len()));
        std::mem::swap(&mut piece, bytes);
        if bytes.is_empty() {
            self.flying.pop_front();
        }
        if !to.is_over() {
            self.carried.reads += 1;
            self.heard.extend(self.got.read(&piece));
            to.read(&mut piece);
        }
        true
    }

    fn report_end(&mut self, to: &mut impl End) -> bool {
        if self.end != Ending::Closed {
            return false;
        }
        self.end = Ending::Told;
        if !to.is_over() {
            to.eof();
        }
        true
    }
}
