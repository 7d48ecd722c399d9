//! Whatever the metadata of a READY, a link takes exactly what ZMTP 3.1 §metadata allows: each property
//! whole, `Socket-Type` and `Identity` once and as they must be, what an application declares as it was
//! sent, and nothing that a peer must not set; and what a peer declares of its capabilities is read as it
//! would be written, or not at all.

use crate::memory::bounded;
use crate::rules::same;
use crate::twins::{Pieces, Twins};
use bytes::Bytes;
use pseud_proto::zmtp::{FrameLimits, Side, SocketType, Verdict};
use pseud_proto::{Capabilities, Incompatible, Malformed, PeerError, Profile};
use pseud_testkit::connection::config;
use pseud_testkit::raw::{command, greeting};
use std::time::Instant;

/// A READY with that block, behind a greeting.
pub fn metadata(data: &[u8]) {
    bounded(data.len(), || {
        let (now, config) = (Instant::now(), config(|_| {}));
        let told = read(data, &config.limits);
        let mut link = Twins::new(config, Side::Accepting, Pieces::new(0), Verdict::Deny, now);
        link.feed(&greeting(), now);
        link.feed(&command("READY", data), now);
        if data.len() < 4_000 {
            compare(&link, &told);
        }
        if let Some(ready) = link.ready() {
            profile(&ready.properties);
        }
    });
}

/// What a block says.
#[derive(Debug, Default)]
pub(crate) struct Said {
    identity: Option<Vec<u8>>,
    socket_type: Option<Vec<u8>>,
    properties: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A block read a second time: name length (1) | name | value length (4) | value, repeated.
pub(crate) fn read(block: &[u8], limits: &FrameLimits) -> Result<Said, PeerError> {
    let (mut said, mut at, mut count) = (Said::default(), 0, 0);
    while at < block.len() {
        count += 1;
        if count > limits.properties_max {
            let (size, max) = (count as u64, limits.properties_max as u64);
            return Err(PeerError::TooLarge { what: "", size, max });
        }
        let (name, value) = property(block, &mut at).ok_or(Malformed::BadMetadata)?;
        let place = match name.to_ascii_lowercase().as_slice() {
            b"identity" => &mut said.identity,
            b"socket-type" => &mut said.socket_type,
            lower => {
                if lower.starts_with(b"x-") {
                    said.properties.push((name.to_vec(), value.to_vec()));
                }
                continue;
            }
        };
        if place.replace(value.to_vec()).is_some() {
            return Err(Malformed::DuplicateProperty.into());
        }
    }
    let identity = said.identity.as_deref().unwrap_or_default();
    if identity.len() > 255 {
        return Err(PeerError::TooLarge { what: "", size: identity.len() as u64, max: 255 });
    }
    if identity.first() == Some(&0) {
        return Err(Incompatible::ReservedIdentity.into());
    }
    match said.socket_type.as_deref() {
        Some(b"ROUTER" | b"DEALER" | b"REQ") => Ok(said),
        _ => Err(Incompatible::SocketType.into()),
    }
}

fn property<'a>(block: &'a [u8], at: &mut usize) -> Option<(&'a [u8], &'a [u8])> {
    let mut next = |len: usize| {
        let piece = block.get(*at..at.checked_add(len)?)?;
        *at += len;
        Some(piece)
    };
    let len = usize::from(next(1)?[0]);
    let name = next(len).filter(|name| !name.is_empty())?;
    let len = next(4)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
    Some((name, next(len)?))
}

/// Whether the link made the same of it.
pub(crate) fn compare(link: &Twins, told: &Result<Said, PeerError>) {
    let said = match told {
        Ok(said) => said,
        Err(error) => {
            assert!(same(link.failed, Some(*error)), "{:?} for {error:?}", link.failed);
            assert!(link.ready().is_none());
            return;
        }
    };
    assert_eq!(link.failed, None);
    let ready = link.ready().expect("a good block ends the handshake");
    assert_eq!(ready.identity, said.identity.clone().unwrap_or_default());
    let name = match ready.socket_type {
        SocketType::Router => "ROUTER",
        SocketType::Dealer => "DEALER",
        _ => "REQ",
    };
    assert_eq!(said.socket_type.as_deref(), Some(name.as_bytes()));
    let properties = ready.properties.iter().map(|(name, value)| (name.to_vec(), value.to_vec()));
    assert!(properties.eq(said.properties.iter().cloned()));
}

/// What is read of a declaration, declared again, is read alike.
fn profile(properties: &[(Bytes, Bytes)]) {
    let profile = Profile::of(properties);
    let known = [
        (!profile.has_late_guard(), Capabilities::LATE_ANSWERS),
        (profile.reads_outcomes(), Capabilities::OUTCOMES),
        (profile.reads_provenance(), Capabilities::PROVENANCE),
    ];
    let caps = known.into_iter().fold(0, |caps, (has, which)| {
        let bit = [Capabilities::LATE_ANSWERS, Capabilities::OUTCOMES, Capabilities::PROVENANCE]
            .iter()
            .position(|known| *known == which);
        caps | u32::from(has) << bit.unwrap_or_default()
    });
    let max = profile.body_bytes_max().map(|max| format!(";max={max}")).unwrap_or_default();
    let value = format!("1;caps={caps:x}{max}");
    assert_eq!(Profile::of(&[("X-Pseud".into(), value.into())]), profile);
}
