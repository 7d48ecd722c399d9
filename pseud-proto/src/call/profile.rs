//! What a peer understands besides Python pseud 1.0's wire: declared in its link's handshake.
//!
//! `X-Pseud: 1;caps=<hex>;max=<bytes>` among the application's properties of READY or INITIATE (ZMTP
//! 3.1 §metadata; libzmq passes it over). `caps` is a bitmap, `max` the largest body that it takes; a
//! link that its peer opened says in `link` and `beside` which one it is (`siblings`).
//! Unknown bits and keys are passed over; anything odd is as good as nothing.
//!
//! It says what a peer *can read*, never what it *may do*: whoever strips or forges it takes features
//! from a link and no protection. It lives as long as its link, and is never remembered.

use crate::call::siblings::Siblings;
use bytes::Bytes;
use std::fmt;
use std::num::NonZeroUsize;

/// The property's name. Names are compared without case.
const PROPERTY: &str = "X-Pseud";
/// What is declared is the first version of it.
const VERSION: &str = "1";
/// The longest value that is read, in bytes.
const VALUE_BYTES_MAX: usize = 256;
/// Nobody's real limit is smaller: an ERROR has to fit.
const BODY_BYTES_MAX_LEAST: usize = 1 << 10;

/// Things that a peer understands which a v1 peer does not: a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

impl Capabilities {
    /// None of them: a peer that declares this, or nothing, is a v1 peer.
    pub const NONE: Self = Self(0);
    /// Bit 0: an answer that comes late does it no harm, so none is withheld.
    pub const LATE_ANSWERS: Self = Self(1);
    /// Bit 1: it reads an ERROR's fourth item, which says that a request was refused and not executed.
    pub const OUTCOMES: Self = Self(1 << 1);
    /// Bit 2: it reads a WORK's fourth item, which says for whom a call is made and after how many hops.
    pub const PROVENANCE: Self = Self(1 << 2);
    /// Bit 3: it reads a GOAWAY, which says why its session is ended.
    pub const GOAWAY: Self = Self(1 << 3);
    /// All that this version knows.
    pub const ALL: Self = Self(0b1111);

    /// The set as the bitmap that is declared.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of those are in this set.
    pub fn contains(self, those: Self) -> bool {
        self.0 & those.0 == those.0
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, those: Self) -> Self {
        Self(self.0 | those.0)
    }

    /// This set without those.
    #[must_use]
    pub fn without(self, those: Self) -> Self {
        Self(self.0 & !those.0)
    }

    /// Hex digits, the lowest bits last. Bits that mean nothing here are passed over.
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let low = text.get(text.len().saturating_sub(16)..)?;
        Some(Self(u64::from_str_radix(low, 16).ok()? & Self::ALL.0))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capabilities({:x})", self.0)
    }
}

/// What may be sent to one peer: asked before each message that leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Profile {
    capabilities: Capabilities,
    /// No less than [`BODY_BYTES_MAX_LEAST`].
    body_bytes_max: Option<NonZeroUsize>,
}

impl Profile {
    /// Python pseud 1.0 and its elders: all that a peer which declared nothing may be.
    pub const V1: Self = Self { capabilities: Capabilities::NONE, body_bytes_max: None };

    /// A peer of those capabilities, which takes bodies of that many bytes.
    pub fn declared(capabilities: Capabilities, body_bytes_max: usize) -> Self {
        let body_bytes_max = NonZeroUsize::new(body_bytes_max.max(BODY_BYTES_MAX_LEAST));
        Self { capabilities, body_bytes_max }
    }

    /// What the application's properties of a peer declare (`Ready::properties`); [`V1`](Self::V1)
    /// where that is nothing, twice, or garbage.
    pub fn of(properties: &[(Bytes, Bytes)]) -> Self {
        Self::with_siblings(properties).0
    }

    /// The same, and what is declared of the link itself.
    pub(crate) fn with_siblings(properties: &[(Bytes, Bytes)]) -> (Self, Siblings) {
        let mut found = properties.iter().filter(|(name, _)| is_ours(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Self::read(value).unwrap_or_default(),
            _ => <(Self, Siblings)>::default(),
        }
    }

    fn read(value: &[u8]) -> Option<(Self, Siblings)> {
        let value = (value.len() <= VALUE_BYTES_MAX).then_some(value)?;
        let mut entries = std::str::from_utf8(value).ok()?.split(';');
        entries.next().filter(|version| *version == VERSION)?;
        let (mut capabilities, mut max, mut siblings) = (None, None, Siblings::default());
        for entry in entries {
            let twice = match entry.split_once('=')? {
                ("caps", bits) => capabilities.replace(Capabilities::read(bits)?).is_some(),
                ("max", bytes) => max.replace(read_max(bytes)?).is_some(),
                (key, value) => siblings.take(key, value).is_none(),
            };
            if twice {
                return None;
            }
        }
        let capabilities = capabilities.unwrap_or_default();
        let body_bytes_max = max.and_then(NonZeroUsize::new);
        Some((Self { capabilities, body_bytes_max }, siblings))
    }

    /// The property that declares it of that link; `None` for one without capabilities.
    pub(crate) fn property(&self, siblings: &Siblings) -> Option<(String, Bytes)> {
        if self.capabilities == Capabilities::NONE {
            return None;
        }
        let mut value = format!("{VERSION};caps={:x}", self.capabilities.0);
        if let Some(max) = self.body_bytes_max {
            value.push_str(&format!(";max={max}"));
        }
        siblings.write(&mut value);
        Some((PROPERTY.to_owned(), value.into()))
    }

    /// Whether it may be Python pseud 1.0: it declared nothing.
    pub(crate) fn is_v1(&self) -> bool {
        self.capabilities == Capabilities::NONE
    }

    /// What it says that it understands.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether an answer that comes too late may end its reader: see also
    /// [`PeerInfo::has_late_guard`](crate::call::peer::PeerInfo::has_late_guard).
    pub fn has_late_guard(&self) -> bool {
        !self.capabilities.contains(Capabilities::LATE_ANSWERS)
    }

    /// Whether an ERROR to it may have a fourth item.
    pub fn reads_outcomes(&self) -> bool {
        self.capabilities.contains(Capabilities::OUTCOMES)
    }

    /// Whether a WORK to it may have a fourth item.
    pub fn reads_provenance(&self) -> bool {
        self.capabilities.contains(Capabilities::PROVENANCE)
    }

    /// Whether it may be sent a GOAWAY. Behind one the rest of what was begun leaves as well, late answers
    /// among it.
    pub fn reads_goaway(&self) -> bool {
        self.capabilities.contains(Capabilities::GOAWAY.with(Capabilities::LATE_ANSWERS))
    }

    /// The largest body that it says it takes, in bytes.
    pub fn body_bytes_max(&self) -> Option<usize> {
        self.body_bytes_max.map(NonZeroUsize::get)
    }
}

/// Whether that is the name of the property in which capabilities are declared.
pub(crate) fn is_ours(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(PROPERTY.as_bytes())
}

fn read_max(text: &str) -> Option<usize> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // More digits than a number has are a limit that is never reached.
    let max = text.parse().unwrap_or(usize::MAX);
    (max >= BODY_BYTES_MAX_LEAST).then_some(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::siblings::LinkId;

    fn of(values: &[&[u8]]) -> Profile {
        let property = |value: &&[u8]| (Bytes::from_static(b"x-pSEUD"), value.to_vec().into());
        Profile::of(&values.iter().map(property).collect::<Vec<_>>())
    }

    #[test]
    fn a_declaration_is_read_as_it_is_written() {
        let ours = Profile::declared(Capabilities::ALL, 8 << 20);
        let (name, value) = ours.property(&Siblings::default()).unwrap();
        assert_eq!((&name[..], &value[..]), ("X-Pseud", &b"1;caps=f;max=8388608"[..]));
        assert_eq!(Profile::of(&[(name.into(), value)]), ours);
        assert!(!ours.has_late_guard() && ours.reads_outcomes() && ours.reads_provenance());
        assert!(ours.reads_goaway() && !Profile::V1.reads_goaway());
        let none = Profile::declared(Capabilities::NONE, 9_999);
        for v1 in [Profile::V1, none] {
            assert_eq!(v1.property(&Siblings::default()), None);
        }
    }

    #[test]
    fn links_of_one_node_are_declared_and_read() {
        let id = |n: u8| LinkId::new([n; 8]);
        let most = Siblings::new(id(1), (2..100).map(id));
        let longest = Profile::declared(Capabilities(u64::MAX), usize::MAX);
        let (name, value) = longest.property(&most).unwrap();
        assert!(value.len() <= VALUE_BYTES_MAX, "{}", value.len());
        let (profile, read) = Profile::with_siblings(&[(name.into(), value)]);
        assert_eq!((profile.capabilities, &read), (Capabilities::ALL, &most));
        assert!(read.yields_to(Some(id(9))) && !read.yields_to(read.link()));
        assert!(!read.yields_to(Some(id(10))), "only so many are named");
        assert!(!read.yields_to(None));
        let (_, value) = longest.property(&Siblings::new(id(0xab), [])).unwrap();
        assert!(value.ends_with(b";link=abababababababab"), "{}", value.escape_ascii());
    }

    #[test]
    fn unknown_bits_and_keys_are_passed_over() {
        let outcomes = Profile { capabilities: Capabilities::OUTCOMES, body_bytes_max: None };
        for value in [
            &b"1;caps=2"[..],
            b"1;caps=ffffffffffffff02;later=",
            b"1;x=1;caps=abcdef012345678900000000000000F2;x=1",
            b"1;caps=B2",
        ] {
            assert_eq!(of(&[value]), outcomes, "{}", value.escape_ascii());
        }
        assert_eq!(of(&[b"1;max=1024"]).body_bytes_max(), Some(1_024));
        let endless = [&b"1;max="[..], &[b'9'; 200]].concat();
        assert_eq!(of(&[&endless]).body_bytes_max(), Some(usize::MAX));
    }

    #[test]
    fn the_longest_value_is_read() {
        let padded = |len: usize| [&b"1;caps=7;x="[..], &vec![b'x'; len - 11]].concat();
        assert!(of(&[&padded(VALUE_BYTES_MAX)]).reads_outcomes());
        assert_eq!(of(&[&padded(VALUE_BYTES_MAX + 1)]), Profile::V1);
    }

    #[test]
    fn c_13_garbage_is_a_v1_peer() {
        let long = [&b"1;caps=7;x="[..], &[b'x'; 2 << 10]].concat();
        for value in [
            &b""[..],
            b"garbage",
            b"2;caps=7",
            b"9;caps=zz",
            b"1caps=7",
            b" 1;caps=7",
            b"1;caps=",
            b"1;caps=-1",
            b"1;caps=0x7",
            b"1;caps=7;caps=7",
            b"1;caps=7;",
            b"1;caps=7;max",
            b"1;caps=7;max=",
            b"1;caps=7;max=+9999",
            b"1;caps=7;max=1023",
            b"1;caps=7;max=9999;max=9999",
            b"1;caps=7;link=",
            b"1;caps=7;link=0123456789abcde",
            b"1;caps=7;link=0123456789abcdeg",
            b"1;caps=7;link=0000000000000000",
            b"1;caps=7;link=+123456789abcdef",
            b"1;caps=7;link=0123456789abcdef;link=0123456789abcdef",
            b"1;caps=7;beside=0123456789abcdef,",
            b"1;caps=7;beside=0123456789abcdef;beside=0123456789abcdef",
            b"1;caps=\xff",
            &long,
        ] {
            assert_eq!(of(&[value]), Profile::V1, "{}", value.escape_ascii());
        }
        assert_eq!(of(&[b"1;caps=7", b"1;caps=7"]), Profile::V1);
        assert_eq!(of(&[]), Profile::V1);
    }
}
