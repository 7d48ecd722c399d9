//! Whatever bytes follow an honest handshake under NULL, a link delivers exactly the messages that their
//! frames spell, up to the first frame that breaks a rule, which ends it with that rule's error; it counts
//! and answers exactly the commands between them; and it does so however the bytes are cut.
//!
//! The first byte chooses limits and the second how the rest is cut.

use crate::memory::bounded;
use crate::reference;
use crate::rules::{Rules, same};
use crate::twins::{Pieces, Twins};
use pseud_proto::zmtp::{FrameLimits, Side, Verdict};
use pseud_proto::{Malformed, PeerError};
use pseud_testkit::connection::config;
use pseud_testkit::raw::{COMMAND, MORE, handshake};
use std::time::Instant;

/// Behind an honest handshake, anything.
pub fn frames(data: &[u8]) {
    let (&[choice, cut], bytes) = data.split_first_chunk().unwrap_or((&[0; 2], &[]));
    bounded(data.len(), || {
        let mut rules = Rules::new(choice & 1 != 0, limits(choice));
        let (now, config) = (
            Instant::now(),
            config(|config| {
                config.strict = rules.is_strict;
                config.limits = rules.limits;
            }),
        );
        let mut link = Twins::new(config, Side::Accepting, Pieces::new(cut), Verdict::Deny, now);
        link.feed(&handshake(), now);
        let wrote = link.feed(bytes, now);
        let mut rest = bytes;
        let told = check(&mut rules, &mut rest);
        assert_eq!(&link.seen[1..], rules.messages, "what was delivered");
        assert!(same(link.failed, told.err()), "{:?} for {told:?}", link.failed);
        assert_eq!(wrote, rules.pongs.concat());
        if told.is_ok() {
            assert_eq!(*link.stats(), rules.stats);
            link.eof(now);
            let whole = rest.is_empty() && rules.is_between_messages();
            assert_eq!(link.failed, (!whole).then_some(Malformed::Truncated.into()));
        }
    });
}

pub(crate) fn limits(choice: u8) -> FrameLimits {
    let mut limits = FrameLimits::default();
    limits.flood.burst = if choice & 2 != 0 { 3 } else { u32::MAX };
    if choice & 4 != 0 {
        limits.frame_bytes_max = 40;
        limits.message_bytes_max = 60;
        limits.command_bytes_max = 60;
        limits.frames_max = 3;
    }
    limits
}

/// What the rules say about the frames in `bytes`; what is no whole frame stays there.
fn check(rules: &mut Rules, bytes: &mut &[u8]) -> Result<(), PeerError> {
    while let Some(header) = reference::header(bytes) {
        rules.header(header.flags, header.size)?;
        let Some(end) =
            (header.len as u64).checked_add(header.size).filter(|end| *end <= bytes.len() as u64)
        else {
            return Ok(());
        };
        let (frame, rest) = bytes.split_at(end as usize);
        *bytes = rest;
        rules.count(header.flags);
        let body = &frame[header.len..];
        match header.flags & COMMAND {
            0 => rules.part(header.flags & MORE != 0, body)?,
            _ => rules.command(body)?,
        }
    }
    Ok(())
}
