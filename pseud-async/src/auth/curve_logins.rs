//! Users who come with any key, and log in once: Python's `untrusted_curve`.

use super::authenticator::Authenticator;
use super::trusted_keys::TrustedKeys;
use bytes::Bytes;
use pseud_proto::User;
use pseud_proto::zmtp::{PublicKey, Question, Secret, Verdict};
use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Users by password, who come over CURVE with any key and log in: Python's `untrusted_curve`. The key of
/// who has logged in is trusted for that user from then on, also on later links, which need no login.
/// All clones are one, and may be changed while a server asks.
///
/// ```no_run
/// use pseud::{CurveLogins, KeyPair, Options, Secret, Server};
///
/// # fn run(pair: KeyPair) -> Result<(), Box<dyn std::error::Error>> {
/// let logins = CurveLogins::new();
/// logins.set_password("john", Secret::new("a password"));
/// let options = Options::server("service").curve_server([pair], logins.authenticator());
/// let server = Server::with_options(options.requires_login(true))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct CurveLogins(Arc<Mutex<Logins>>);

#[derive(Default)]
struct Logins {
    /// Hashed by a key of this process: how long a search takes tells nothing of other names.
    users: HashMap<Bytes, KnownKey>,
    /// Of users alone: a user's keys go with it.
    keys: TrustedKeys,
}

struct KnownKey {
    user: User,
    password: Secret,
}

impl fmt::Debug for CurveLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurveLogins(..)")
    }
}

impl CurveLogins {
    /// Keys that are trusted for one user; one more takes the place of the oldest.
    pub const KEYS_MAX: usize = TrustedKeys::KEYS_MAX;

    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Logins> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That user logs in by its id and that password. Keys that were trusted for it are no more.
    pub fn set_password(&self, user: impl Into<User>, password: Secret) {
        let user = user.into();
        let known = KnownKey { user: user.clone(), password };
        let mut logins = self.lock();
        let old = logins.take(user.id());
        logins.users.insert(user.id().clone(), known);
        drop(logins);
        // Outside of the lock: what an application keeps beside a user goes with it.
        drop(old);
    }

    /// That user, and its keys, are unknown from now on; says whether it was known. To end its sessions
    /// call [`Node::disconnect_user`](crate::Node::disconnect_user) after it.
    pub fn remove(&self, user_id: impl AsRef<[u8]>) -> bool {
        let old = self.lock().take(user_id.as_ref());
        old.is_some()
    }

    /// Trusts that key for that user, as if it had logged in with it; says whether it is a user.
    pub fn trust(&self, key: PublicKey, user_id: impl AsRef<[u8]>) -> bool {
        self.lock().trust(key, user_id.as_ref())
    }

    /// Who decides by it, for [`Options::curve_server`](crate::Options::curve_server) together with
    /// [`Options::requires_login`](crate::Options::requires_login). An unknown login is compared as a
    /// known one is.
    pub fn authenticator(&self) -> Authenticator {
        let logins = self.clone();
        Authenticator::new(move |question| ready(logins.lock().decide(&question)))
    }
}

impl Logins {
    fn take(&mut self, user_id: &[u8]) -> Option<KnownKey> {
        self.keys.forget(user_id);
        self.users.remove(user_id)
    }

    fn trust(&mut self, key: PublicKey, user_id: &[u8]) -> bool {
        let is_known = self.users.contains_key(user_id);
        if is_known {
            self.keys.trust(key, user_id);
        }
        is_known
    }

    fn decide(&mut self, question: &Question) -> Verdict {
        match question {
            // Any key comes in: as its user, or as nobody who has to log in.
            Question::Curve { client_key } => {
                let user = self.keys.user_id(client_key).and_then(|id| self.users.get(id));
                Verdict::Admit(user.map(|known| known.user.clone()).unwrap_or_default())
            }
            Question::Login { login, password, client_key } => {
                match self.who_knows(login, password) {
                    Some(user) => {
                        let _ = client_key.map(|key| self.trust(key, user.id()));
                        Verdict::Admit(user)
                    }
                    None => Verdict::Deny,
                }
            }
            _ => Verdict::Deny,
        }
    }

    /// One comparison, whether there is such a user or not.
    fn who_knows(&self, login: &Bytes, password: &Secret) -> Option<User> {
        let (nobody, known) = (Secret::default(), self.users.get(login));
        let matches = known.map_or(&nobody, |known| &known.password).matches(password.expose());
        known.filter(|_| matches).map(|known| known.user.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &'static str, password: &str, key: PublicKey) -> Question {
        let (login, password) = (Bytes::from_static(name.as_bytes()), Secret::new(password));
        Question::Login { login, password, client_key: Some(key) }
    }

    #[test]
    fn a_key_is_trusted_once_its_user_has_logged_in() {
        let (logins, key) = (CurveLogins::new(), PublicKey::from_bytes([7; 32]));
        logins.set_password("john", Secret::new("secret"));
        let judge = |question: &Question| logins.lock().decide(question);
        let by_key = Question::Curve { client_key: key };
        assert_eq!(judge(&by_key), Verdict::Admit(User::default()));
        for (name, password) in [("john", "wrong"), ("", ""), ("nobody", ""), ("nobody", "secret")]
        {
            assert_eq!(judge(&login(name, password, key)), Verdict::Deny, "{name}");
        }
        assert_eq!(judge(&by_key), Verdict::Admit(User::default()));
        assert_eq!(judge(&login("john", "secret", key)), Verdict::Admit("john".into()));
        assert_eq!(judge(&by_key), Verdict::Admit("john".into()));
        assert!(logins.remove("john") && !logins.remove("john"));
        assert_eq!(judge(&by_key), Verdict::Admit(User::default()), "its keys go with it");
        assert_eq!(format!("{logins:?}"), "CurveLogins(..)");
    }

    #[test]
    fn only_a_users_key_is_trusted() {
        let (logins, key) = (CurveLogins::new(), PublicKey::from_bytes([7; 32]));
        assert!(!logins.trust(key, "john"));
        logins.set_password("john", Secret::new("x"));
        assert!(logins.trust(key, "john"));
        logins.set_password("john", Secret::new("y"));
        assert!(logins.lock().keys.is_empty(), "whoever knows the old password may have it");
    }
}
