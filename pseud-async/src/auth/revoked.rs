//! Users and keys that are let in no more, whatever an authenticator says.

use bytes::Bytes;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Verdict};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Who was revoked. It grows by its application's own doing alone.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    /// Whether there may be any: those who come in where there are none take no lock.
    is_used: AtomicBool,
    sets: RwLock<Sets>,
}

#[derive(Debug, Default)]
struct Sets {
    users: BTreeSet<Bytes>,
    #[cfg(feature = "_curve")]
    keys: BTreeSet<PublicKey>,
}

impl Revoked {
    fn change<R>(&self, change: impl FnOnce(&mut Sets) -> R) -> R {
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        self.is_used.store(true, Ordering::Release);
        change(&mut sets)
    }

    fn holds(&self, look: impl FnOnce(&Sets) -> bool) -> bool {
        let is_used = self.is_used.load(Ordering::Acquire);
        is_used && look(&self.sets.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// That user is let in no more.
    pub(crate) fn add_user(&self, user: &[u8]) {
        self.change(|sets| sets.users.insert(Bytes::copy_from_slice(user)));
    }

    /// It is again, where somebody admits it. Whether it was revoked.
    pub(crate) fn remove_user(&self, user: &[u8]) -> bool {
        self.change(|sets| sets.users.remove(user))
    }

    /// Whoever proves that key is let in no more.
    #[cfg(feature = "_curve")]
    pub(crate) fn add_key(&self, key: PublicKey) {
        self.change(|sets| sets.keys.insert(key));
    }

    /// It is again, where somebody admits it. Whether it was revoked.
    #[cfg(feature = "_curve")]
    pub(crate) fn remove_key(&self, key: &PublicKey) -> bool {
        self.change(|sets| sets.keys.remove(key))
    }

    /// Whether nobody needs to be asked about that: its key was revoked.
    pub(crate) fn denies(&self, question: &Question) -> bool {
        #[cfg(feature = "_curve")]
        let key = match question {
            Question::Curve { client_key } => Some(*client_key),
            Question::Login { client_key, .. } => *client_key,
            _ => None,
        };
        #[cfg(feature = "_curve")]
        return key.is_some_and(|key| self.holds(|sets| sets.keys.contains(&key)));
        #[cfg(not(feature = "_curve"))]
        {
            let _ = question;
            false
        }
    }

    /// What an authenticator said, but for users that were revoked.
    pub(crate) fn judge(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Admit(user) if self.has_user(&user) => Verdict::Deny,
            verdict => verdict,
        }
    }

    fn has_user(&self, user: &User) -> bool {
        !user.is_anonymous() && self.holds(|sets| sets.users.contains(user.id()))
    }

    /// Whether who was admitted as that user, or by that key, has been revoked since.
    pub(crate) fn has(
        &self,
        user: &User,
        #[cfg(feature = "_curve")] key: Option<&PublicKey>,
    ) -> bool {
        #[cfg(feature = "_curve")]
        if key.is_some_and(|key| self.holds(|sets| sets.keys.contains(key))) {
            return true;
        }
        self.has_user(user)
    }
}
