//! Bytes to write: small packets gathered, large ones as they are.

use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Up to this a copy is cheaper than a slice of its own.
const COPY_MAX: usize = 2 * 1024;

#[derive(Debug, Default)]
pub(crate) struct PacketOutput {
    chunks: VecDeque<Bytes>,
    /// What is behind them.
    gathered: BytesMut,
    /// Bytes queued and bytes written since birth.
    queued: u64,
    written: u64,
}

impl PacketOutput {
    /// Queues bytes; returns the position, from the link's birth, at which they end.
    pub(crate) fn put(&mut self, bytes: Vec<u8>) -> u64 {
        self.queued += bytes.len() as u64;
        if bytes.len() <= COPY_MAX {
            self.gathered.extend_from_slice(&bytes);
        } else {
            self.close_gathered();
            self.chunks.push_back(bytes.into());
        }
        self.queued
    }

    /// Bytes queued and not written.
    pub(crate) fn backlog(&self) -> usize {
        usize::try_from(self.queued - self.written).unwrap_or(usize::MAX)
    }

    /// The position, from the link's birth, at which all of it ends.
    pub(crate) fn end(&self) -> u64 {
        self.queued
    }

    /// The position, from the link's birth, up to which all is written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Fills `out` with what is to be written next and says how many slices that made.
    pub(crate) fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let gathered = (!self.gathered.is_empty()).then_some(&*self.gathered);
        let pieces = self.chunks.iter().map(|chunk| &**chunk).chain(gathered);
        out.iter_mut().zip(pieces).map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    /// That many bytes were written.
    pub(crate) fn advance(&mut self, written: usize) {
        let mut left = written.min(self.backlog());
        self.written += left as u64;
        while left > 0
            && let Some(chunk) = self.chunks.front_mut()
        {
            let gone = left.min(chunk.len());
            chunk.advance(gone);
            left -= gone;
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
        self.gathered.advance(left.min(self.gathered.len()));
        if self.backlog() == 0 {
            *self = Self { queued: self.queued, written: self.written, ..Self::default() };
        }
    }

    fn close_gathered(&mut self) {
        if !self.gathered.is_empty() {
            self.chunks.push_back(self.gathered.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_every_way_of_writing() {
        for (step, slices) in [(1, 1), (7, 2), (1_000, 1), (usize::MAX, 8)] {
            let mut output = PacketOutput::default();
            let (mut expected, mut ends) = (Vec::new(), Vec::new());
            for (byte, len) in [(b'a', 3), (b'b', COPY_MAX + 1), (b'c', 1), (b'd', COPY_MAX)] {
                expected.extend(vec![byte; len]);
                ends.push(output.put(vec![byte; len]));
            }
            assert_eq!(ends.last(), Some(&(expected.len() as u64)));
            let mut bytes = Vec::new();
            while output.backlog() > 0 {
                let mut out = vec![IoSlice::new(&[]); slices];
                let count = output.slices(&mut out);
                let next: Vec<u8> =
                    out[..count].iter().flat_map(|slice| slice.to_vec()).take(step).collect();
                output.advance(next.len());
                bytes.extend(next);
                assert_eq!(output.written(), bytes.len() as u64);
            }
            assert_eq!(bytes, expected);
        }
    }
}
