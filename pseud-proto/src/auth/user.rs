//! Who authentication says a peer is.

use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A user: an id, and what it may do. The answer of whoever authenticates peers; nothing that a peer
/// sends can change it. Cheap to clone.
///
/// Ids are bytes, as on Python's wire; where nobody was asked (NULL) the user is [anonymous](Self::is_anonymous).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct User {
    id: Bytes,
    permissions: Option<Arc<BTreeSet<Box<str>>>>,
}

impl User {
    /// The permission to make calls in the name of others ([`CallOptions::origin`](crate::CallOptions)):
    /// for gateways.
    pub const FORWARD: &'static str = "pseud.forward";

    /// That user, without permissions.
    pub fn new(id: impl Into<Bytes>) -> Self {
        Self { id: id.into(), permissions: None }
    }

    /// The same, permitted that: any word that a predicate asks for.
    #[must_use]
    pub fn with_permission(mut self, permission: impl Into<Box<str>>) -> Self {
        let mut permissions = self.permissions.take().unwrap_or_default();
        Arc::make_mut(&mut permissions).insert(permission.into());
        Self { permissions: Some(permissions), ..self }
    }

    /// Its id; empty for the anonymous user.
    pub fn id(&self) -> &Bytes {
        &self.id
    }

    /// Whether it was given exactly that permission.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions.as_ref().is_some_and(|known| known.contains(permission))
    }

    /// Whether nobody said who it is.
    pub fn is_anonymous(&self) -> bool {
        self.id.is_empty()
    }
}

/// The id as text; bytes that are not UTF-8 are escaped.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id.escape_ascii())
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({self}")?;
        let mut permissions = self.permissions.iter().flat_map(|known| known.iter());
        permissions.try_for_each(|permission| write!(f, ", {permission:?}"))?;
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
    fn nobody_is_anonymous() {
        assert!(User::default().is_anonymous());
        assert!(!User::from("a").is_anonymous());
    }
}
