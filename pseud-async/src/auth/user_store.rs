//! Users by password and by key, which may change while they are asked for.

use bytes::Bytes;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Secret, Verdict};
#[cfg(feature = "_curve")]
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Who may come in by which password or key, for [`Authenticator::users`](crate::Authenticator::users).
/// All clones are one: what is changed counts from the next question on, also while a server asks it.
///
/// Who was taken out keeps the sessions that it has:
/// [`Node::disconnect_user`](crate::Node::disconnect_user), called after, ends them, and keeps out who is
/// in a handshake.
///
/// Passwords are held in clear. What holds their hashes instead belongs in
/// [`Authenticator::blocking`](crate::Authenticator::blocking).
///
/// ```
/// use pseud::{Authenticator, Options, Secret, UserStore};
///
/// let users = UserStore::new();
/// users.set_password("charly", Secret::new("a password"));
/// let options = Options::server("service").plain_server(Authenticator::users(&users));
/// users.remove("charly"); // and is let in no more
/// ```
#[derive(Clone, Default)]
pub struct UserStore(Arc<RwLock<UserTable>>);

#[derive(Default)]
struct UserTable {
    /// Hashed by a key of this process: how long a search takes tells nothing of other names.
    passwords: HashMap<Bytes, (User, Secret)>,
    /// Public keys are no secrets: their order may show.
    #[cfg(feature = "_curve")]
    keys: BTreeMap<PublicKey, User>,
}

impl UserTable {
    fn remove(&mut self, id: &[u8]) -> Vec<User> {
        let password = self.passwords.remove(id).map(|(user, _)| user);
        #[cfg(not(feature = "_curve"))]
        return password.into_iter().collect();
        #[cfg(feature = "_curve")]
        {
            let keys = self.keys.iter().filter(|(_, user)| user.id() == id).map(|(key, _)| *key);
            let keys: Vec<_> = keys.collect();
            let by_key = keys.iter().filter_map(|key| self.keys.remove(key));
            password.into_iter().chain(by_key).collect()
        }
    }
}

impl fmt::Debug for UserStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserStore(..)")
    }
}

impl UserStore {
    /// One without users.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<R>(&self, act: impl FnOnce(&mut UserTable) -> R) -> R {
        act(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets that user in by that password, and by no other from now on.
    pub fn set_password(&self, user: impl Into<User>, password: Secret) {
        let user = user.into();
        let old = self.with(|users| users.passwords.insert(user.id().clone(), (user, password)));
        // Outside of the lock: values of the application's may be dropped with it.
        drop(old);
    }

    /// Lets whoever proves that key in as that user. A user may have several keys; a key that had another
    /// user is now this one's.
    #[cfg(feature = "_curve")]
    pub fn add_key(&self, key: PublicKey, user: impl Into<User>) {
        let user = user.into();
        let old = self.with(|users| users.keys.insert(key, user));
        drop(old);
    }

    /// Lets nobody in by that key any more; returns whose it was.
    #[cfg(feature = "_curve")]
    pub fn remove_key(&self, key: &PublicKey) -> Option<User> {
        self.with(|users| users.keys.remove(key))
    }

    /// Takes out a user, with its password and all its keys; says whether it had any.
    pub fn remove(&self, user_id: impl AsRef<[u8]>) -> bool {
        let id = user_id.as_ref();
        let taken = self.with(|users| users.remove(id));
        // The values are dropped here, outside of the lock.
        !taken.is_empty()
    }

    /// The answer of who is in it now.
    pub(crate) fn check(&self, question: &Question) -> Verdict {
        let users = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let user = match question {
            Question::Plain { username, password }
            | Question::Login { login: username, password, .. } => {
                who_knows(&users.passwords, username, |known| known.matches(password.expose()))
            }
            #[cfg(feature = "_curve")]
            Question::Curve { client_key } => users.keys.get(client_key),
            _ => None,
        };
        user.map_or(Verdict::Deny, |user| Verdict::Admit(user.clone()))
    }
}

/// Who has that name, if its password matches: one comparison, whether there is such a name or not.
fn who_knows<'a>(
    users: &'a HashMap<Bytes, (User, Secret)>,
    username: &Bytes,
    matches: impl FnOnce(&Secret) -> bool,
) -> Option<&'a User> {
    let (nobody, found) = (Secret::default(), users.get(username));
    let matches = matches(found.map_or(&nobody, |(_, password)| password));
    found.filter(|_| matches).map(|(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, password: &str) -> Question {
        let username = Bytes::copy_from_slice(name.as_bytes());
        Question::Plain { username, password: Secret::new(password) }
    }

    #[test]
    fn g_09_an_unknown_name_is_compared_as_a_known_one() {
        let users = HashMap::from([("known".into(), ("known".into(), Secret::new("secret")))]);
        for (name, is_known) in [("known", true), ("unknown", false), ("", false)] {
            let mut compared = 0;
            let knows = who_knows(&users, &name.into(), |_| {
                compared += 1;
                true
            });
            assert_eq!((knows.is_some(), compared), (is_known, 1), "{name}");
        }
        assert!(who_knows(&users, &"known".into(), |_| false).is_none());
    }

    #[test]
    fn a_change_counts_from_the_next_question_on() {
        let store = UserStore::new();
        let check = |password| store.check(&plain("charly", password));
        assert_eq!(check("old"), Verdict::Deny);
        store.clone().set_password("charly", Secret::new("old"));
        assert_eq!(check("old"), Verdict::Admit("charly".into()));
        store.set_password(User::new("charly").with_permission("staff"), Secret::new("new"));
        assert_eq!(check("old"), Verdict::Deny);
        assert_eq!(check("new"), Verdict::Admit(User::new("charly").with_permission("staff")));
        assert!(store.remove("charly") && !store.remove("charly"));
        assert_eq!(check("new"), Verdict::Deny);
        assert_eq!(format!("{store:?}"), "UserStore(..)");
    }

    #[cfg(feature = "_curve")]
    #[test]
    fn a_key_is_one_users_and_goes_with_it() {
        let (store, keys) = (UserStore::new(), [1, 2, 3].map(|n| PublicKey::from_bytes([n; 32])));
        let check = |key: PublicKey| store.check(&Question::Curve { client_key: key });
        for key in keys {
            store.add_key(key, "charly");
        }
        store.add_key(keys[1], "alice");
        assert_eq!(check(keys[1]), Verdict::Admit("alice".into()));
        assert_eq!(store.remove_key(&keys[2]), Some("charly".into()));
        assert_eq!(store.remove_key(&keys[2]), None);
        assert!(store.remove("charly"));
        assert_eq!([keys[0], keys[2]].map(check), [Verdict::Deny, Verdict::Deny]);
        assert_eq!(check(keys[1]), Verdict::Admit("alice".into()));
        // E-07: whoever has a key as its name has not that key's rights.
        store.set_password(keys[0].to_string(), Secret::new("x"));
        assert_eq!(check(keys[0]), Verdict::Deny);
    }
}
