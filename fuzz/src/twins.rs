//! Two connections of one seed: one is handed its input whole, the other in pieces. They must see,
//! say and end alike.

use bytes::{Buf, BufMut, Bytes};
use pseud_proto::PeerError;
use pseud_proto::zmtp::{
    Connection, ConnectionConfig, MechanismConfig, Outgoing, Side, Token, Verdict,
};
use pseud_testkit::connection::{Seen, drain, feed, written};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// How input is cut: sizes from a little generator, or a byte at a time.
pub(crate) struct Pieces {
    state: u32,
    /// How many more bytes come one at a time. Behind them large frames would take too long.
    single: u32,
}

impl Pieces {
    pub(crate) fn new(seed: u8) -> Self {
        let single = if seed == 0 { 2_000 } else { 0 };
        Self { state: u32::from(seed) + 1, single }
    }

    fn next(&mut self) -> usize {
        if let Some(single) = self.single.checked_sub(1) {
            self.single = single;
            return 1;
        }
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match self.state >> 24 {
            small @ 0..=127 => small as usize % 9 + 1,
            large => (large as usize).pow(2),
        }
    }
}

/// The pair under test.
pub(crate) struct Twins {
    whole: Connection,
    split: Connection,
    pieces: Pieces,
    asks: bool,
    verdict: Verdict,
    /// All that happened, in order.
    pub(crate) seen: Vec<Seen>,
    pub(crate) failed: Option<PeerError>,
}

impl Twins {
    pub(crate) fn new(
        config: Arc<ConnectionConfig>,
        side: Side,
        pieces: Pieces,
        verdict: Verdict,
        now: Instant,
    ) -> Self {
        let asks = matches!(
            config.mechanism,
            MechanismConfig::PlainServer | MechanismConfig::CurveServer { .. }
        );
        let open = || Connection::new(config.clone(), side, [0x7e; 32], now);
        Self { whole: open(), split: open(), pieces, asks, verdict, seen: Vec::new(), failed: None }
    }

    /// Both pass over large frames of messages instead of ending with them.
    pub(crate) fn skip_too_large(self) -> Self {
        let (whole, split) = (self.whole.skip_too_large(), self.split.skip_too_large());
        Self { whole, split, ..self }
    }

    /// Both get those bytes. What they have to say is returned.
    pub(crate) fn feed(&mut self, bytes: &[u8], now: Instant) -> Vec<u8> {
        let whole = feed(&mut self.whole, bytes, usize::MAX, now);
        let split = self.feed_split(bytes, now);
        self.settle([whole, split], now)
    }

    /// In pieces, and straight into its place what belongs to a large frame.
    fn feed_split(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), PeerError> {
        let mut told = Ok(());
        while !bytes.is_empty() {
            let mut len = self.pieces.next().min(bytes.len());
            let next = match self.split.large() {
                Some(mut place) => {
                    len = len.min(place.chunk_mut().len());
                    place.put_slice(&bytes[..len]);
                    self.split.handle_filled(now)
                }
                None => self.split.handle_input(&mut bytes[..len].to_vec(), now),
            };
            bytes.advance(len);
            match told {
                Ok(()) => told = next,
                Err(_) => assert_eq!(next, told, "an error is final"),
            }
        }
        told
    }

    pub(crate) fn eof(&mut self, now: Instant) -> Vec<u8> {
        let told = [self.whole.handle_eof(), self.split.handle_eof()];
        self.settle(told, now)
    }

    pub(crate) fn timeout(&mut self, now: Instant) -> Vec<u8> {
        let told = [self.whole.handle_timeout(now), self.split.handle_timeout(now)];
        self.settle(told, now)
    }

    /// Sends a message of one part, once that is allowed.
    pub(crate) fn send(&mut self, body: Bytes, now: Instant) -> Vec<u8> {
        if self.whole.is_ready() {
            for twin in [&mut self.whole, &mut self.split] {
                let frames: &[&[u8]] = &[b""];
                let body = body.clone();
                twin.send(Outgoing { frames, body, ..Default::default() }, Token(7));
            }
        }
        self.settle([Ok(()); 2], now)
    }

    /// Compares all that shows, answers what was asked, and takes the output.
    fn settle(
        &mut self,
        [mut whole, mut split]: [Result<(), PeerError>; 2],
        now: Instant,
    ) -> Vec<u8> {
        assert_eq!(whole, split, "whole and split end alike");
        if self.note() {
            whole = self.whole.answer(self.verdict.clone(), now);
            split = self.split.answer(self.verdict.clone(), now);
            assert_eq!(whole, split, "whole and split are answered alike");
            self.note();
        }
        match (self.failed, whole) {
            (Some(failed), Err(error)) => assert_eq!(failed, error, "an error is final"),
            (None, told) => self.failed = told.err(),
            (Some(_), Ok(())) => {}
        }
        let wrote = written(&mut self.whole);
        assert_eq!(wrote, self.written_in_pieces(), "whole and split say the same");
        self.note();
        assert_eq!(self.whole.stats(), self.split.stats());
        assert_eq!(self.whole.poll_timeout(), self.split.poll_timeout());
        assert_eq!(self.whole.is_ready(), self.split.is_ready());
        if self.failed.is_some() {
            assert!(!self.whole.is_ready() && self.whole.poll_timeout().is_none());
        }
        wrote
    }

    /// Notes what happened; whether something was asked.
    fn note(&mut self) -> bool {
        let whole = drain(&mut self.whole);
        assert_eq!(whole, drain(&mut self.split), "whole and split see the same");
        let asked = whole.iter().any(|seen| matches!(seen, Seen::Asked(_)));
        for seen in whole {
            self.check(&seen);
            self.seen.push(seen);
        }
        asked
    }

    /// Question before `Ready`, `Ready` before messages, each once, and none without an admission.
    fn check(&self, next: &Seen) {
        let before = |kind: fn(&Seen) -> bool| self.seen.iter().any(kind);
        let is_ready = before(|seen| matches!(seen, Seen::Ready(_)));
        let asked = before(|seen| matches!(seen, Seen::Asked(_)));
        match next {
            Seen::Asked(_) => assert!(self.asks && !asked && !is_ready),
            Seen::Ready(_) => {
                assert!(!is_ready);
                let admitted = matches!(self.verdict, Verdict::Admit(_));
                assert!(!self.asks || (asked && admitted), "nobody comes in unasked");
            }
            Seen::Message(parts) => assert!(is_ready && !parts.is_empty()),
            Seen::TooLarge(head, error) => {
                assert!(
                    is_ready && !head.is_empty(),
                    "what is passed over is said to be of something"
                );
                assert!(matches!(error, PeerError::TooLarge { .. }));
            }
            Seen::Written(_) => assert!(is_ready),
        }
    }

    /// The output of the second one, written in pieces.
    fn written_in_pieces(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.split.backlog() > 0 {
            let mut slices = [IoSlice::new(&[]); 2];
            let count = self.split.slices(&mut slices);
            assert!(count > 0 && !slices[0].is_empty(), "a backlog without slices");
            let len = self.pieces.next().min(slices[0].len());
            bytes.extend_from_slice(&slices[0][..len]);
            self.split.advance(len);
        }
        bytes
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.whole.is_ready()
    }

    pub(crate) fn stats(&self) -> &pseud_proto::zmtp::ConnectionStats {
        self.whole.stats()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.whole.poll_timeout()
    }

    /// What was delivered.
    pub(crate) fn messages(&self) -> Vec<&Vec<Vec<u8>>> {
        let messages = self.seen.iter().filter_map(|seen| match seen {
            Seen::Message(parts) => Some(parts),
            _ => None,
        });
        messages.collect()
    }

    /// What it was told of its peer, if the handshake ended well.
    pub(crate) fn ready(&self) -> Option<&pseud_proto::zmtp::Ready> {
        self.seen.iter().find_map(|seen| match seen {
            Seen::Ready(ready) => Some(ready),
            _ => None,
        })
    }
}
