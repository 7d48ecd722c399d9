//! Short parts of a message, which most messages are made of: one look at each.

use super::Decoder;
use crate::error::PeerError;
use crate::message::frame::{Header, SHORT_MAX};
use crate::message::parts::USUAL;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::config::FrameLimits;
use crate::wire::zmtp::decoder::limits::MESSAGE_BYTES_MAX;
use crate::wire::zmtp::decoder::whole::Whole;
use crate::wire::zmtp::mechanism::{InnerFlags, OVERHEAD};

impl Decoder {
    /// Takes the message's first parts, as far as each is short, whole, and within all limits; whether
    /// that was the whole message. All else, and what is behind the usual number of parts, is left where
    /// it is, to be checked.
    #[inline]
    pub(crate) fn scan_short(&mut self, bytes: &[u8], config: &ConnectionConfig) -> bool {
        let limits = &config.limits;
        if self.scan_usual(bytes, config).is_some() {
            return true;
        }
        if !lets_short_parts_pass(limits) {
            return false;
        }
        let (mut cursor, mut frames, mut is_whole) = (0, 0, false);
        for place in self.first.iter_mut().take(limits.frames_max) {
            let rest = bytes.get(cursor..).unwrap_or_default();
            let Some((has_more, size)) = Header::short_part(rest) else { break };
            let (start, end) = (cursor + 2, cursor + 2 + usize::from(size));
            if end > bytes.len() {
                break;
            }
            *place = (start as u32, end as u32);
            (cursor, frames) = (end, frames + 1);
            if !has_more {
                is_whole = true;
                break;
            }
        }
        (self.cursor, self.frames) = (cursor, frames as u32);
        self.body_bytes = (cursor - 2 * frames) as u32;
        is_whole
    }

    /// The same where traffic is encrypted: each frame is opened in its place. Shows the last part of
    /// the message, or a command between its parts, and where that ends. `None`: what is left is to be
    /// checked.
    ///
    /// # Errors
    /// A frame did not open.
    #[inline]
    pub(crate) fn open_short(
        &mut self,
        bytes: &mut [u8],
        config: &ConnectionConfig,
    ) -> Result<Option<(Whole, usize)>, PeerError> {
        let limits = &config.limits;
        let Some(opener) = self.opener.as_mut().filter(|_| lets_short_parts_pass(limits)) else {
            return Ok(None);
        };
        let (mut cursor, mut frames, mut found) = (0, 0, None);
        for place in self.first.iter_mut().take(limits.frames_max) {
            let rest = bytes.get_mut(cursor..).unwrap_or_default();
            let Some((_, size)) = Header::short_part(rest) else { break };
            let (lead, end) = (2 + OVERHEAD, 2 + usize::from(size));
            let Some(body) = rest.get_mut(2..end) else { break };
            let InnerFlags { is_command, has_more } = opener.open(body)?;
            let end = cursor + end;
            if is_command {
                found = Some((Whole { lead, is_command, has_more }, end));
                break;
            }
            *place = ((cursor + lead) as u32, end as u32);
            (cursor, frames) = (end, frames + 1);
            if !has_more {
                found = Some((Whole { lead, is_command, has_more }, end));
                break;
            }
        }
        (self.cursor, self.frames) = (cursor, frames as u32);
        self.body_bytes = (cursor - (2 + OVERHEAD) * frames) as u32;
        Ok(found)
    }
}

/// Whether no limit is in the way of as many short parts as a message usually has.
#[inline]
pub(super) fn lets_short_parts_pass(limits: &FrameLimits) -> bool {
    let message_bytes_max = limits.message_bytes_max.min(MESSAGE_BYTES_MAX);
    limits.frame_bytes_max >= SHORT_MAX && message_bytes_max >= USUAL * SHORT_MAX
}

#[cfg(all(test, feature = "_curve"))]
mod tests {
    use super::*;
    use crate::auth::keys::cipher::{Boxes, Cipher};
    use crate::message::frame::FrameKind;
    use crate::message::incoming::IncomingMessage;
    use crate::message::outgoing::{Outgoing, Token};
    use crate::wire::zmtp::decoder::Found;
    use crate::wire::zmtp::input::{Input, Rules};
    use crate::wire::zmtp::mechanism::{Opener, Scratch, Sealer};
    use crate::wire::zmtp::output::LinkOutput;
    use crate::wire::zmtp::stats::ConnectionStats;
    use std::io::IoSlice;

    /// What came: messages by their parts, commands by their bodies.
    type Came = Vec<Vec<Vec<u8>>>;

    /// Sizes around which another way is taken: of one block, of dryoc's own, of a short header.
    const SIZES: [usize; 9] = [0, 1, 30, 31, 32, 100, 222, 223, 3_000];

    fn sealer() -> Sealer {
        Sealer::at(1)
    }

    fn decoder() -> Decoder {
        let key = Boxes::agree(&Boxes::public_key(&[1; 32]), &[2; 32]).unwrap();
        let mut decoder = Decoder::default();
        decoder.begin_traffic();
        decoder.open_with(Opener::new(&key, *b"CurveZMQMESSAGEC", 0));
        decoder
    }

    /// Messages of each number of parts, of all sizes, with a PING behind each.
    fn conversation() -> Came {
        let part = |at: usize| vec![at as u8; SIZES[at % SIZES.len()]];
        let message = |count: usize| (0..count).map(|at| part(at + count)).collect();
        (1..=8).flat_map(|count| [message(count), vec![b"\x04PING".to_vec()]]).collect()
    }

    fn is_command(parts: &[Vec<u8>]) -> bool {
        parts == [b"\x04PING"]
    }

    /// As an output writes it.
    fn written(conversation: &Came) -> Vec<u8> {
        let mut output = LinkOutput::default();
        output.seal_with(sealer());
        for parts in conversation {
            if is_command(parts) {
                assert!(output.put_command(&parts[0]));
                continue;
            }
            let (last, frames) = parts.split_last().unwrap();
            let frames: Vec<_> = frames.iter().map(|frame| &frame[..]).collect();
            let message = Outgoing { frames: &frames, head: last, ..Default::default() };
            assert!(output.put_message(message, Token(0)));
        }
        let mut slices = [IoSlice::new(&[]); 64];
        let count = output.slices(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    fn read(
        decoder: &mut Decoder,
        bytes: &mut [u8],
        limits: FrameLimits,
    ) -> Result<Came, PeerError> {
        let config = ConnectionConfig { limits, ..ConnectionConfig::default() };
        let (mut stats, mut input) = (ConnectionStats::default(), Input::new(bytes));
        let mut rules = Rules { config: &config, stats: &mut stats };
        let mut came = Came::new();
        loop {
            match decoder.run(&mut input, &mut rules)? {
                Found::Message(bytes) => {
                    let (first, more) = decoder.places();
                    let parts = IncomingMessage::new(bytes, first, more).into_parts();
                    came.push(parts.iter().map(<[u8]>::to_vec).collect());
                }
                Found::Command(body) => came.push(vec![body]),
                Found::TooLarge(large) => panic!("{large:?}"),
                Found::Partial => return Ok(came),
            }
        }
    }

    #[test]
    fn sealed_parts_are_the_same_however_they_are_put() {
        let (mut sealer, mut expected) = (sealer(), Vec::new());
        let conversation = conversation();
        for parts in &conversation {
            for (at, part) in parts.iter().enumerate() {
                let kind = match is_command(parts) {
                    true => FrameKind::Command,
                    false if at + 1 < parts.len() => FrameKind::More,
                    false => FrameKind::Last,
                };
                sealer.seal(&mut Scratch::default(), &mut expected, kind, &[part]);
            }
        }
        assert!(written(&conversation) == expected);
    }

    #[test]
    fn sealed_parts_are_the_same_however_they_come() {
        let conversation = conversation();
        let bytes = written(&conversation);
        for step in [1, 7, 36, 300, 4_000, bytes.len()] {
            let (mut decoder, mut came, mut bytes) = (decoder(), Came::new(), bytes.clone());
            for piece in bytes.chunks_mut(step) {
                came.extend(read(&mut decoder, piece, FrameLimits::default()).unwrap());
            }
            assert!(came == conversation, "{step} bytes at a time");
        }
    }

    #[test]
    fn limits_hold_of_short_sealed_parts() {
        let message = vec![vec![7; 200]; 5];
        let bytes = written(&vec![message]);
        let read = |change: fn(&mut FrameLimits)| {
            let mut limits = FrameLimits::default();
            change(&mut limits);
            read(&mut decoder(), &mut bytes.clone(), limits)
        };
        assert_eq!(read(|_| ()).unwrap().len(), 1);
        assert_eq!(read(|limits| limits.frames_max = 5).unwrap().len(), 1);
        assert_eq!(read(|limits| limits.message_bytes_max = 1_033).unwrap().len(), 1);
        for change in [
            (|limits| limits.frames_max = 4) as fn(&mut FrameLimits),
            |limits| limits.frames_max = 0,
            |limits| limits.frame_bytes_max = 232,
            |limits| limits.message_bytes_max = 1_032,
        ] {
            assert!(matches!(read(change), Err(PeerError::TooLarge { .. })));
        }
    }

    #[test]
    fn a_forged_short_part_is_refused_behind_good_ones() {
        let bytes = written(&vec![vec![vec![7; 20]; 3]; 2]);
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 0x10;
            let frame = forged.len() / 6;
            let came = read(&mut decoder(), &mut forged, FrameLimits::default());
            // A changed size may make a frame that waits for more; all else is refused.
            assert!(came.is_err() || at % frame < 2, "{at}");
        }
    }
}
