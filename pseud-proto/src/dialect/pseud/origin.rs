//! For whom a call is made, and how far it has come: a WORK's fourth item,
//! `{"u": bin, "h": uint}`, each of them optional.
//!
//! The peer that sends it *claims* this. Hops are believed: who forges them ends its own calls. A user
//! is believed from one who may forward calls, and never brings along what the forwarder itself may
//! do: else anybody could have done by a gateway what the gateway may and they may not (the confused
//! deputy).

use super::extension_map;
use crate::auth::user::User;
use crate::call::peer::PeerInfo;
use crate::call::{IncomingWork, Request, Ticket};
use crate::dialect::pseud::extension_map::DETAILS_BYTES_MAX;
use crate::error::Refusal;
use crate::value::msgpack::edges as heads;
use crate::value::{Arguments, Unchecked, ValueLimits};
use bytes::Bytes;
use smol_str::SmolStr;
use std::sync::Arc;

/// The longest user id that travels with a call, in bytes: the whole item stays within its bound.
pub(crate) const ORIGIN_BYTES_MAX: usize = 1_000;
const _: () = assert!(ORIGIN_BYTES_MAX + 16 <= DETAILS_BYTES_MAX);

/// What a WORK says of where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// In whose name it is made, if not in its sender's.
    pub(crate) origin: Option<Bytes>,
    /// How many calls led to it, each of them made while the one before was served.
    pub(crate) hops: u32,
}

impl Claim {
    /// The item; empty where there is nothing to say.
    pub(crate) fn write(&self) -> Vec<u8> {
        let entries = u32::from(self.origin.is_some()) + u32::from(self.hops > 0);
        let mut item = Vec::new();
        if entries == 0 {
            return item;
        }
        put(&mut item, heads::map_head(entries));
        if let Some(user) = &self.origin {
            item.extend_from_slice(b"\xa1u");
            put(&mut item, heads::bin_head(user.len() as u32));
            item.extend_from_slice(user);
        }
        if self.hops > 0 {
            item.extend_from_slice(b"\xa1h");
            heads::put_uint(&mut item, u64::from(self.hops));
        }
        item
    }

    /// Reads an item of a peer's. Of a key that came twice the last one counts.
    fn read(item: &[u8]) -> Option<Self> {
        let mut claim = Self::default();
        extension_map::entries(item, |key, mut value| {
            match key {
                b"u" => claim.origin = Some(Bytes::copy_from_slice(extension_map::text(value)?)),
                b"h" => claim.hops = heads::read_uint(&mut value)?.try_into().unwrap_or(u32::MAX),
                _ => {}
            }
            Some(())
        })?;
        Some(claim)
    }

    /// What of it is believed.
    fn check(self, sender: &PeerInfo, hops_max: u32) -> Result<Provenance, Refusal> {
        let hops = self.hops;
        if hops > hops_max {
            return Err(Refusal::TooManyHops { max: hops_max });
        }
        let own = Provenance { user: sender.user.clone(), hops, is_forwarded: false };
        match self.origin {
            None => Ok(own),
            // Also a user of the forwarder's own id: somebody else may be called so where it stands.
            Some(user) if sender.user.has_permission(User::FORWARD) => {
                Ok(Provenance { user: User::new(user), hops, is_forwarded: true })
            }
            Some(user) if user == sender.user.id() => Ok(own),
            Some(_) => Err(Refusal::Unauthorized),
        }
    }
}

fn put(item: &mut Vec<u8>, (head, used): ([u8; 5], usize)) {
    item.extend_from_slice(head.get(..used).unwrap_or_default());
}

/// Where a request comes from, as far as that is believed.
/// `default` is nobody, who was called by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provenance {
    /// Whose request it is. Its peer's own user; or, where that may [forward](User::FORWARD), the user
    /// that it names, without any permission: those are not carried from one peer to another.
    pub user: User,
    /// How many calls led to it, each made while the one before was served. At most
    /// [`Limits::hops_max`](crate::Limits).
    pub hops: u32,
    /// Whether its peer made it in the name of another user.
    pub is_forwarded: bool,
}

/// A request whose body was checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The right to answer it.
    pub ticket: Ticket,
    /// What it was called with.
    pub arguments: Arguments,
    /// Whose it is.
    pub provenance: Provenance,
}

impl Opened {
    /// Bytes that its arguments take at most once they are decoded, besides its message: to be
    /// [charged](crate::pseud::Endpoint::charge) before they are.
    pub fn decoded_bytes(&self) -> usize {
        decoded_bytes(&self.arguments)
    }
}

/// What a request asks for, checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenedWork {
    /// The dotted name that is called.
    pub name: SmolStr,
    /// What it is called with.
    pub arguments: Arguments,
    /// Whose request it is.
    pub provenance: Provenance,
    /// Who sent it.
    pub caller: Arc<PeerInfo>,
}

impl OpenedWork {
    /// As [`Opened::decoded_bytes`].
    pub fn decoded_bytes(&self) -> usize {
        decoded_bytes(&self.arguments)
    }
}

fn decoded_bytes(arguments: &Arguments) -> usize {
    arguments.packed().nodes() * ValueLimits::NODE_BYTES
}

impl Request {
    /// Checks its body, which nobody has looked at yet: work in proportion to its size, which is best
    /// not done under a lock.
    ///
    /// # Errors
    /// What the ticket is to be [refused](crate::pseud::Endpoint::refuse) with: a malformed body, one
    /// over a limit, too many hops, or a user in whose name this peer may not call.
    pub fn open(self, limits: &ValueLimits) -> Result<Opened, (Ticket, Refusal)> {
        let Self { ticket, work } = self;
        match work.open(limits) {
            Ok(OpenedWork { arguments, provenance, .. }) => {
                Ok(Opened { ticket, arguments, provenance })
            }
            Err(refusal) => Err((ticket, refusal)),
        }
    }

    /// Its ticket alone: to refuse it unread.
    pub fn into_ticket(self) -> Ticket {
        self.ticket
    }
}

impl IncomingWork {
    /// Checks its body: as [`Request::open`].
    ///
    /// # Errors
    /// What it is to be refused with.
    #[inline]
    pub fn open(self, limits: &ValueLimits) -> Result<OpenedWork, Refusal> {
        let Self { caller, name, body, has_claim, hops_max, .. } = self;
        let (arguments, claim) = read(Unchecked::stored(body), has_claim, limits)?;
        let provenance = match has_claim {
            true => claim.check(&caller, hops_max)?,
            false => Provenance { user: caller.user.clone(), hops: 0, is_forwarded: false },
        };
        Ok(OpenedWork { name, arguments, provenance, caller })
    }
}

fn read(
    body: Unchecked,
    has_claim: bool,
    limits: &ValueLimits,
) -> Result<(Arguments, Claim), Refusal> {
    let bad = |bad: crate::value::BadValue| match limits.broken_by(bad) {
        Some((max, what)) => Refusal::OverLimit { max, what },
        None => Refusal::BadCall(bad.to_string().into()),
    };
    if !has_claim {
        return Ok((body.check_call(limits).map_err(bad)?, Claim::default()));
    }
    let (arguments, item) = body.check_call_before(limits).map_err(bad)?;
    let odd = || Refusal::BadCall("the fourth item of a call is a small map".into());
    Ok((arguments, Claim::read(&item).ok_or_else(odd)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(user: User) -> PeerInfo {
        PeerInfo::new("peer".into()).with_user(user)
    }

    fn claim(origin: Option<&'static str>, hops: u32) -> Claim {
        Claim { origin: origin.map(Bytes::from), hops }
    }

    #[test]
    fn a_claim_is_read_as_it_is_written() {
        for claim in [claim(Some("alice"), 0), claim(None, 7), claim(Some(""), u32::MAX)] {
            assert_eq!(Claim::read(&claim.write()), Some(claim));
        }
        assert_eq!(claim(Some("al"), 200).write(), b"\x82\xa1u\xc4\x02al\xa1h\xcc\xc8");
        assert_eq!(claim(None, 0).write(), b"");
        let long = Claim { origin: Some(vec![7; ORIGIN_BYTES_MAX].into()), hops: u32::MAX };
        assert_eq!(Claim::read(&long.write()), Some(long));
    }

    #[test]
    fn odd_claims_are_no_claims() {
        let odd: [&[u8]; 7] = [
            b"",
            b"\xc0",
            b"\x90",
            b"\x81\xa1u\x01",
            b"\x81\xa1h\xff",
            b"\x81\xa1h\xa11",
            b"\x80\x80",
        ];
        for item in odd {
            assert_eq!(Claim::read(item), None, "{item:x?}");
        }
        let far = Claim::read(b"\x82\xa1h\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1x\xc0").unwrap();
        assert_eq!(far, claim(None, u32::MAX));
    }

    #[test]
    fn m_05_a_user_is_believed_from_one_who_may_forward() {
        let (mallory, own) = (User::new("mallory"), User::new("mallory").with_permission("root"));
        let gateway = User::new("gateway").with_permission(User::FORWARD).with_permission("root");
        let checked = |user: &User, claim: Claim| claim.check(&peer(user.clone()), 32);
        assert_eq!(checked(&mallory, claim(Some("root"), 0)), Err(Refusal::Unauthorized));
        assert_eq!(checked(&mallory, claim(Some(""), 0)), Err(Refusal::Unauthorized));
        let anonymous = checked(&User::default(), claim(Some("root"), 0));
        assert_eq!(anonymous, Err(Refusal::Unauthorized));
        let herself = checked(&own, claim(Some("mallory"), 3)).unwrap();
        assert_eq!(herself, Provenance { user: own, hops: 3, is_forwarded: false });
        let alice = checked(&gateway, claim(Some("alice"), 1)).unwrap();
        assert_eq!((&alice.user, alice.is_forwarded), (&User::new("alice"), true));
        assert!(!alice.user.has_permission("root") && !alice.user.has_permission(User::FORWARD));
        assert_eq!(checked(&gateway, claim(None, 0)).unwrap().user, gateway);
        let namesake = checked(&gateway, claim(Some("gateway"), 1)).unwrap();
        assert_eq!((namesake.user, namesake.is_forwarded), (User::new("gateway"), true));
    }

    #[test]
    fn hops_have_an_end() {
        let checked = |hops| claim(None, hops).check(&peer(User::default()), 32);
        assert_eq!(checked(32).unwrap().hops, 32);
        for hops in [33, u32::MAX] {
            assert_eq!(checked(hops), Err(Refusal::TooManyHops { max: 32 }));
        }
    }
}
