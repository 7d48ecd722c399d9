//! Who authentication says a peer is.

use crate::auth::extensions::Extensions;
use bytes::Bytes;
use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A user: an id, and what it may do. The answer of whoever authenticates peers; nothing that a peer
/// sends can change it. Cheap to clone.
///
/// Ids are bytes, as on Python's wire; where nobody was asked (NULL) the user is [anonymous](Self::is_anonymous).
/// Two are equal if their ids and their permissions are; their [extensions](Self::with_extension) are not
/// compared, nor shown by `Debug`.
#[derive(Clone, Default)]
pub struct User(Option<Arc<KnownUser>>);

/// What is known of a user; of nobody nothing is.
#[derive(Clone, Default)]
struct KnownUser {
    id: Bytes,
    permissions: BTreeSet<Box<str>>,
    extensions: Extensions,
}

impl PartialEq for User {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.permissions().eq(other.permissions())
    }
}

impl Eq for User {}

impl User {
    /// The permission to make calls in the name of others ([`CallOptions::origin`](crate::CallOptions)):
    /// for gateways.
    pub const FORWARD: &'static str = "pseud.forward";

    /// The permission to look after a node from afar: to see who is there, to kick, to call through it.
    pub const ADMIN: &'static str = "admin";

    /// That user, without permissions.
    pub fn new(id: impl Into<Bytes>) -> Self {
        let mut user = Self::default();
        let id = id.into();
        if !id.is_empty() {
            user.known().id = id;
        }
        user
    }

    /// The same, permitted that: any word that a predicate asks for.
    #[must_use]
    pub fn with_permission(mut self, permission: impl Into<Box<str>>) -> Self {
        self.known().permissions.insert(permission.into());
        self
    }

    /// The same, with a value of the application's beside it: what a database said, a token's claims. It
    /// travels with the user to handlers and predicates (`caller.user().extension::<Claims>()`). There is
    /// one of each type: a second takes the first's place.
    #[must_use]
    pub fn with_extension<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.known().extensions.insert(value);
        self
    }

    /// The value of that type that it was given.
    pub fn extension<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.extensions.get()
    }

    /// Its id; empty for the anonymous user.
    pub fn id(&self) -> &Bytes {
        static NOBODY: Bytes = Bytes::new();
        self.0.as_ref().map_or(&NOBODY, |known| &known.id)
    }

    /// Whether it was given exactly that permission.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.0.as_ref().is_some_and(|known| known.permissions.contains(permission))
    }

    /// Whether nobody said who it is.
    pub fn is_anonymous(&self) -> bool {
        self.id().is_empty()
    }

    fn known(&mut self) -> &mut KnownUser {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|known| known.permissions.iter().map(AsRef::as_ref))
    }
}

/// The id as text; bytes that are not UTF-8 are escaped.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id().escape_ascii())
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({self}")?;
        self.permissions().try_for_each(|permission| write!(f, ", {permission:?}"))?;
        f.write_str(")")
    }
}

macro_rules! from {
    ($($id:ty),*) => {$(
        impl From<$id> for User {
            fn from(id: $id) -> Self {
                Self::new(id)
            }
        }
    )*};
}

from!(Bytes, String, Vec<u8>, &'static str, &'static [u8]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_permissions_that_it_was_given() {
        let user = User::new("alice").with_permission("read").with_permission("write");
        assert!(user.has_permission("read") && user.has_permission("write"));
        assert!(!user.has_permission("rea") && !User::new("alice").has_permission("read"));
        assert_ne!(user, User::new("alice"));
        assert_eq!(format!("{user} {user:?}"), r#"alice User(alice, "read", "write")"#);
    }

    #[test]
    fn a_user_carries_one_value_of_each_type() {
        #[derive(Debug, PartialEq)]
        struct Claims(&'static str);
        let user = User::new("alice").with_extension(Claims("marker")).with_extension(7_u32);
        let other = user.clone().with_extension(8_u32);
        assert_eq!(user.extension(), Some(&Claims("marker")));
        assert_eq!((user.extension(), other.extension()), (Some(&7_u32), Some(&8_u32)));
        assert_eq!(other.extension(), Some(&Claims("marker")));
        assert_eq!(user.extension::<u64>(), None);
        assert_eq!(User::new("alice").extension::<Claims>(), None);
        assert_eq!(user, User::new("alice"), "what is beside a user makes no other of it");
        assert!(!format!("{user} {user:?}").contains("marker"));
    }

    #[test]
    fn nobody_is_anonymous() {
        assert!(User::default().is_anonymous());
        assert!(!User::from("a").is_anonymous());
    }
}
