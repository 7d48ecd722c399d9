//! The message that nearly all of pseud's are in clear: five short parts, all but the last of known sizes. One
//! look at its head, where its parts are else found one by one.

use super::Decoder;
use super::short::lets_short_parts_pass;
use crate::message::frame::MORE;
use crate::message::parts::USUAL;
use crate::wire::zmtp::config::ConnectionConfig;

impl Decoder {
    /// Where such a message at the start of `bytes` ends, if it is there, whole, and within all limits; its parts
    /// have their places then.
    #[inline]
    pub(crate) fn scan_usual(&mut self, bytes: &[u8], config: &ConnectionConfig) -> Option<usize> {
        let limits = &config.limits;
        let end = usual_end(bytes)?;
        if limits.frames_max < USUAL || !lets_short_parts_pass(limits) {
            return None;
        }
        self.first = [(2, 2), (4, 6), (8, 24), (26, 27), (29, end as u32)];
        (self.cursor, self.frames, self.body_bytes) = (end, USUAL as u32, (end - 2 * USUAL) as u32);
        Some(end)
    }

    /// Such a message, cut off the front of `input`, where nothing is partial and traffic is in clear. All else
    /// is left to be looked at.
    #[inline]
    pub(crate) fn take_usual<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        config: &ConnectionConfig,
    ) -> Option<&'a [u8]> {
        if !self.traffic || self.opener.is_some() || !self.is_between_messages() {
            return None;
        }
        let end = self.scan_usual(input, config)?;
        // What the message before had besides is forgotten.
        if self.more.is_some() {
            self.more = None;
        }
        let (message, rest) = std::mem::take(input).split_at_mut_checked(end)?;
        *input = rest;
        Some(message)
    }
}

/// Where the message at the start of `bytes` ends, if it is whole, has five short parts, and those before the
/// last have 0, 2, 16 and 1 bytes: as nearly every message of pseud's (`dialect/pseud/mod.rs`).
#[inline]
fn usual_end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.first_chunk::<29>()?;
    let [MORE, 0, MORE, 2, _, _, MORE, 16, ..] = head else { return None };
    let [.., MORE, 1, _, 0, size] = head else { return None };
    let end = head.len() + usize::from(*size);
    (end <= bytes.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::frame::Header;

    fn message(sizes: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (place, size) in sizes.iter().enumerate() {
            let flags = if place + 1 < sizes.len() { MORE } else { 0 };
            bytes.extend([flags, *size as u8]);
            bytes.extend((0..*size).map(|byte| byte as u8));
        }
        bytes
    }

    /// What is found at one look is what is found part by part.
    #[test]
    fn the_usual_parts_lie_where_they_are_found_one_by_one() {
        let config = ConnectionConfig::default();
        for last in [0, 1, 16, 255] {
            let bytes = message(&[0, 2, 16, 1, last]);
            let mut once = Decoder::default();
            assert_eq!(usual_end(&bytes), Some(bytes.len()));
            assert_eq!(once.scan_usual(&bytes, &config), Some(bytes.len()));
            let (mut places, mut start) = (Vec::new(), 0);
            while let Some((_, size)) = Header::short_part(&bytes[start..]) {
                let end = start + 2 + usize::from(size);
                places.push((start as u32 + 2, end as u32));
                start = end;
            }
            assert_eq!((&once.first[..], once.cursor, once.frames), (&places[..], start, 5));
            assert_eq!(once.body_bytes, 19 + last as u32);
        }
    }

    #[test]
    fn others_are_not_taken_for_the_usual_ones() {
        let usual = message(&[0, 2, 16, 1, 7]);
        assert!((0..usual.len()).all(|cut| usual_end(&usual[..cut]).is_none()));
        for place in [0, 1, 2, 3, 6, 7, 24, 25, 27] {
            for bit in 0..8 {
                let mut other = usual.clone();
                other[place] ^= 1 << bit;
                assert_eq!(usual_end(&other), None, "{place}");
            }
        }
        let mut config = ConnectionConfig::default();
        config.limits.frames_max = 4;
        assert_eq!(Decoder::default().scan_usual(&usual, &config), None);
        config.limits.frames_max = 5;
        let taken = |decoder: &mut Decoder| {
            let mut usual = usual.clone();
            decoder.take_usual(&mut &mut usual[..], &config).is_some()
        };
        let mut decoder = Decoder::default();
        assert!(!taken(&mut decoder), "within the handshake");
        decoder.begin_traffic();
        assert!(taken(&mut decoder));
        decoder.pending.extend_from_slice(&[MORE]);
        assert!(!taken(&mut decoder), "within a message");
    }
}
