//! A bare connection: it says what a test puts into its mouth.

use super::clock::Clock;
use super::end::End;
use super::talker::gather;
use bytes::Bytes;
use pseud_proto::zmtp::{Connection, Event, Outgoing, Token};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Instant;

/// A message of pseud's that came: kind, id, body.
pub type Heard = (u8, Vec<u8>, Vec<u8>);

/// A peer that keeps to ZMTP and to nothing else.
#[derive(Debug)]
pub struct Stranger {
    connection: Connection,
    clock: Clock,
    pub heard: VecDeque<Heard>,
    pub over: bool,
}

impl Stranger {
    pub fn new(connection: Connection, clock: Clock) -> Self {
        Self { connection, clock, heard: VecDeque::new(), over: false }
    }

    /// Sends those frames.
    pub fn send(&mut self, frames: &[&[u8]]) {
        let (last, before) = frames.split_last().expect("a frame");
        let body = Bytes::copy_from_slice(last);
        self.connection.send(Outgoing { frames: before, body, ..Outgoing::default() }, Token(0));
    }

    /// Sends a message of pseud's.
    pub fn say(&mut self, kind: u8, id: &[u8], body: &[u8]) {
        self.send(&[b"", b"v1", id, &[kind], body]);
    }

    /// The next message that came.
    pub fn hear(&mut self) -> Heard {
        self.heard.pop_front().expect("a message")
    }

    fn drain(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            let Event::Message(parts) = event else { continue };
            let frames: Vec<&[u8]> = parts.iter().collect();
            if let [_, _, id, &[kind], body] = frames[..] {
                self.heard.push_back((kind, id.to_vec(), body.to_vec()));
            }
        }
    }
}

impl End for Stranger {
    fn write(&mut self, max: usize) -> Vec<u8> {
        let bytes = gather(max, |out| self.connection.slices(out));
        self.connection.advance(bytes.len());
        bytes
    }

    fn wants_to_write(&self) -> bool {
        self.connection.slices(&mut [IoSlice::new(&[])]) > 0
    }

    fn read(&mut self, input: &mut [u8]) {
        self.over |= self.connection.handle_input(input, self.clock.now()).is_err();
        self.drain();
    }

    fn eof(&mut self) {
        self.over = true;
    }

    fn timeout(&mut self) {
        self.over |= self.connection.handle_timeout(self.clock.now()).is_err();
        self.drain();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
