//! What the file says of each user.

use super::password::PasswordHash;
use pseud::proto::User;
use pseud::proto::zmtp::PublicKey;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) password: Option<PasswordHash>,
    pub(crate) keys: BTreeSet<PublicKey>,
    pub(crate) permissions: BTreeSet<String>,
}

impl Entry {
    /// The user as handlers see it.
    pub(crate) fn user(&self, login: &str) -> User {
        let user = User::new(login.to_owned());
        self.permissions.iter().fold(user, |user, permission| user.with_permission(&**permission))
    }

    /// Whether who came in before may stay: what it came in by still lets it in. What it may do is another matter.
    pub(super) fn lets_stay(&self, before: &Self) -> bool {
        self.password == before.password && self.keys.is_superset(&before.keys)
    }
}

/// All users, by login and by key.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// Hashed by a key of this process: how long a look-up takes tells nothing of the other logins.
    entries: HashMap<String, Entry>,
    /// Public keys are no secrets, so their order may show.
    keys: BTreeMap<PublicKey, String>,
}

impl Users {
    /// # Errors
    /// A key has two users.
    pub(crate) fn new(entries: HashMap<String, Entry>) -> Result<Self, String> {
        let mut keys: BTreeMap<PublicKey, String> = BTreeMap::new();
        for (login, entry) in &entries {
            for key in &entry.keys {
                if let Some(other) = keys.insert(*key, login.clone()) {
                    let (one, other) = (login.min(&other), login.max(&other));
                    return Err(format!("one key is given to several users: {one} and {other}"));
                }
            }
        }
        Ok(Self { entries, keys })
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(login, entry)| (login.as_str(), entry))
    }

    pub(crate) fn by_login(&self, login: &[u8]) -> Option<(&str, &Entry)> {
        let (login, entry) = self.entries.get_key_value(std::str::from_utf8(login).ok()?)?;
        Some((login, entry))
    }

    pub(crate) fn by_key(&self, key: &PublicKey) -> Option<User> {
        let login = self.keys.get(key)?;
        Some(self.entries.get(login)?.user(login))
    }

    /// Who was let in by `before` and may not stay, in order.
    pub(crate) fn gone_since(&self, before: &Self) -> Vec<String> {
        let is_gone = |(login, entry): &(&str, &Entry)| {
            !self.entries.get(*login).is_some_and(|now| now.lets_stay(entry))
        };
        let mut gone: Vec<_> =
            before.entries().filter(is_gone).map(|(login, _)| login.to_owned()).collect();
        gone.sort_unstable();
        gone
    }

    /// Who was let in by `before`, may stay, and may do other things than before, as it is now.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<User> {
        let changed = before.entries().filter_map(|(login, entry)| {
            let now = self.entries.get(login).filter(|now| now.lets_stay(entry))?;
            (now.permissions != entry.permissions).then(|| now.user(login))
        });
        changed.collect()
    }
}

/// # Errors
/// That can be no login: PLAIN cannot carry it, or it would pass for somebody's key where users are
/// known by that.
pub(crate) fn check_login(login: &str) -> Result<(), &'static str> {
    match login.len() {
        1..=255 => {}
        _ => return Err("a login has 1 to 255 bytes"),
    }
    match login.parse::<PublicKey>() {
        Ok(_) => Err("a login cannot be a key: give that with --key"),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    const OTHER: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

    fn entry(password: Option<&PasswordHash>, keys: &[&str], permissions: &[&str]) -> Entry {
        Entry {
            password: password.cloned(),
            keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
            permissions: permissions.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    fn users(entry: Option<Entry>) -> Users {
        Users::new(entry.map(|entry| ("charly".to_owned(), entry)).into_iter().collect()).unwrap()
    }

    #[test]
    fn who_came_in_by_what_it_no_longer_has_may_not_stay() {
        let (one, two) = (PasswordHash::of(b"1").unwrap(), PasswordHash::of(b"2").unwrap());
        let before = || users(Some(entry(Some(&one), &[KEY], &["staff"])));
        for (now, stays) in [
            (Some(entry(Some(&one), &[KEY], &["staff"])), true),
            (Some(entry(Some(&one), &[KEY, OTHER], &["staff"])), true),
            (None, false),
            (Some(entry(Some(&two), &[KEY], &["staff"])), false),
            (Some(entry(None, &[KEY], &["staff"])), false),
            (Some(entry(Some(&one), &[OTHER], &["staff"])), false),
            (Some(entry(Some(&one), &[KEY], &[])), true),
            (Some(entry(Some(&one), &[KEY], &["staff", "root"])), true),
        ] {
            let may_do_else = now.as_ref().is_some_and(|now| now.permissions.len() != 1);
            let now = users(now);
            let gone = now.gone_since(&before());
            assert_eq!(gone.is_empty(), stays, "{gone:?}");
            assert_eq!(now.changed_since(&before()).len(), usize::from(may_do_else));
        }
        assert!(before().gone_since(&users(None)).is_empty(), "who is new was not in");
    }

    #[test]
    fn a_key_is_one_users() {
        let charly = ("charly".to_owned(), entry(None, &[KEY], &[]));
        let alice = ("alice".to_owned(), entry(None, &[KEY], &[]));
        let error = Users::new([charly, alice].into()).unwrap_err();
        assert_eq!(error, "one key is given to several users: alice and charly");
    }

    #[test]
    fn a_login_is_no_key() {
        assert!(check_login("charly").is_ok() && check_login(&"a".repeat(255)).is_ok());
        for login in ["", KEY, &"a".repeat(256)] {
            assert!(check_login(login).is_err(), "{login}");
        }
    }
}
