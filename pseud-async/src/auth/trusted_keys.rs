//! Keys that were shown with a login, and are trusted for it from then on.

use bytes::Bytes;
use pseud_proto::zmtp::PublicKey;
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// Which key is trusted for which user: what Python's `untrusted_curve` remembers of who has logged in.
/// A key is one user's, and a user has [`KEYS_MAX`](Self::KEYS_MAX) of them at most. For an
/// [`Authenticator`](crate::Authenticator) or an [`AuthBackend`](crate::AuthBackend) of one's own;
/// [`CurveLogins`](crate::CurveLogins) has one.
///
/// ```
/// use pseud::{KeyPair, TrustedKeys};
///
/// let key = *KeyPair::generate([7; 32]).public(); // draw the bytes from the operating system
/// let mut trusted = TrustedKeys::new();
/// trusted.trust(key, "charly");
/// assert_eq!(trusted.user_id(&key).unwrap(), "charly");
/// ```
#[derive(Clone, Default)]
pub struct TrustedKeys {
    users: HashMap<PublicKey, Bytes>,
    /// Each user's, the oldest first.
    keys: HashMap<Bytes, VecDeque<PublicKey>>,
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedKeys").field("keys", &self.users.len()).finish()
    }
}

impl TrustedKeys {
    /// Keys that are trusted for one user; one more takes the place of the oldest.
    pub const KEYS_MAX: usize = 64;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts that key for that user, and for nobody else any more.
    pub fn trust(&mut self, key: PublicKey, user_id: impl AsRef<[u8]>) {
        let user_id = Bytes::copy_from_slice(user_id.as_ref());
        if let Some(before) = self.users.insert(key, user_id.clone()) {
            self.take(&key, &before);
        }
        let keys = self.keys.entry(user_id).or_default();
        keys.push_back(key);
        if keys.len() > Self::KEYS_MAX
            && let Some(oldest) = keys.pop_front()
        {
            self.users.remove(&oldest);
        }
    }

    fn take(&mut self, key: &PublicKey, user_id: &Bytes) {
        let Some(keys) = self.keys.get_mut(user_id) else { return };
        keys.retain(|other| other != key);
        if keys.is_empty() {
            self.keys.remove(user_id);
        }
    }

    /// No key is trusted for that user any more.
    pub fn forget(&mut self, user_id: impl AsRef<[u8]>) {
        let keys = self.keys.remove(user_id.as_ref()).unwrap_or_default();
        keys.iter().for_each(|key| drop(self.users.remove(key)));
    }

    /// For whom that key is trusted.
    pub fn user_id(&self, key: &PublicKey) -> Option<&Bytes> {
        self.users.get(key)
    }

    /// How many keys are trusted.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_keys_are_trusted_and_each_for_one() {
        let (mut trusted, key) = (TrustedKeys::new(), |n: u8| PublicKey::from_bytes([n; 32]));
        for n in 0..100 {
            trusted.trust(key(n), "john");
            trusted.trust(key(n), "john");
        }
        assert_eq!(trusted.len(), TrustedKeys::KEYS_MAX);
        assert_eq!(trusted.user_id(&key(35)), None, "the oldest are trusted no more");
        trusted.trust(key(99), "jane");
        assert_eq!((trusted.len(), &trusted.user_id(&key(99)).unwrap()[..]), (64, &b"jane"[..]));
        trusted.forget("john");
        assert_eq!((trusted.len(), trusted.user_id(&key(98))), (1, None));
        trusted.trust(key(99), "john");
        trusted.forget("john");
        trusted.forget("jane");
        assert!(trusted.is_empty() && trusted.keys.is_empty(), "nothing is left of them");
        assert_eq!(format!("{trusted:?}"), "TrustedKeys { keys: 0 }");
    }
}
