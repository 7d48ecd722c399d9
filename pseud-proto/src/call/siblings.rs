//! Which links are of one node, as it declares it in `X-Pseud`: so a second one stands by.
//!
//! A node draws an id for each link that it opens and, with it, names the others of its own that it
//! knows to be there. A link whose announced name (or user) is that of such another one stands by, and
//! takes over when that ends; in all other cases the newest link wins. A newcomer only ever *yields* by
//! what it declares, and only to a link that its own node says is alive, so:
//!
//! * who makes an id up, or repeats one that it has seen, loses a name that it could have taken;
//! * a node that comes back names no link that it has lost, and takes its name at once, from a session
//!   of its own that is half dead as from anybody else's. This needs no user, so it holds under NULL;
//! * nobody yields to an echo: an id counts for the session that brought it first to a name, and one is
//!   drawn anew for each attempt. It is told to nobody but the peers that the node itself connects to,
//!   as links to one server (and is as open to who listens in as all else under NULL). What is left:
//!   under NULL a peer that a node takes for its server can hold that node's name at the real server
//!   while its own link to the node lives. Such a peer is sent the node's calls as it is.

use std::fmt::{self, Write};
use std::num::NonZeroU64;

/// A link, as the node that opened it names it to its peers: random. An untrusted hint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkId(NonZeroU64);

impl LinkId {
    /// How many bytes it has.
    pub const BYTES: usize = 8;

    /// An id of those random bytes.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        Self(NonZeroU64::new(u64::from_be_bytes(random)).unwrap_or(NonZeroU64::MIN))
    }

    /// Sixteen hex digits, not all zero.
    fn read(text: &str) -> Option<Self> {
        let digits = text.len() == 2 * Self::BYTES && text.bytes().all(|d| d.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
        NonZeroU64::new(number).map(Self)
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkId({self})")
    }
}

/// What a node declares of a link that it opens: its id, and those of its other links that live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Siblings {
    link: Option<LinkId>,
    beside: Box<[LinkId]>,
}

impl Siblings {
    /// How many others are declared at most; a link beside more of them yields to those alone.
    pub const BESIDE_MAX: usize = 8;

    /// A link of that id beside those others of the same node: the first
    /// [`BESIDE_MAX`](Self::BESIDE_MAX) of them.
    pub fn new(link: LinkId, beside: impl IntoIterator<Item = LinkId>) -> Self {
        let beside = beside.into_iter().take(Self::BESIDE_MAX).collect();
        Self { link: Some(link), beside }
    }

    /// The link's own id; `None` where nothing is declared.
    pub fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// Whether a link that declares this stands by while that one is there.
    pub fn yields_to(&self, other: Option<LinkId>) -> bool {
        other.is_some_and(|other| self.beside.contains(&other))
    }

    /// Whether there is anybody to whom it yields.
    pub(crate) fn is_alone(&self) -> bool {
        self.beside.is_empty()
    }

    /// Takes one entry of the property in; `None`: it is malformed, or stands there twice.
    pub(crate) fn take(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "link" => self.link.replace(LinkId::read(value)?).is_none().then_some(()),
            "beside" if self.beside.is_empty() => {
                self.beside = value.split(',').map(LinkId::read).collect::<Option<_>>()?;
                Some(())
            }
            "beside" => None,
            _ => Some(()),
        }
    }

    /// Writes the entries of the property.
    pub(crate) fn write(&self, value: &mut String) {
        for (key, ids) in [("link", self.link.as_slice()), ("beside", &self.beside)] {
            for (n, id) in ids.iter().enumerate() {
                let before = if n == 0 { format!(";{key}=") } else { ",".to_owned() };
                // Writing into a `String` cannot fail.
                let _ = write!(value, "{before}{id}");
            }
        }
    }
}
