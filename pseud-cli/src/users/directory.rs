//! Users while they are served: asked about strangers, read again on a signal.

use super::entry::{Entry, Users};
use super::file::{bad, read};
use super::password::PasswordHash;
use pseud::Authenticator;
use pseud::proto::User;
use pseud::proto::zmtp::{Question, Secret, Verdict};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The users of one file.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    known: RwLock<Arc<Known>>,
    /// Passwords that are checked at the same time: each takes a processor, and 19 MiB.
    checks: Arc<Semaphore>,
}

/// What the file said when it was read.
#[derive(Debug)]
struct Known {
    users: Users,
    /// Checked for those who are not known, so that they wait as long.
    decoy: PasswordHash,
}

/// What came of reading the file again.
#[derive(Debug)]
pub(crate) struct Reloaded {
    /// How many there are now.
    pub(crate) users: usize,
    /// Whose sessions must end: they are users no more, or lost or gained what they may do.
    pub(crate) gone: Vec<String>,
}

impl Directory {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is not for its owner alone, is malformed, or has an entry that means nothing
    /// here: whoever wrote that believes that it does. The error names it.
    pub(crate) fn open(path: PathBuf) -> io::Result<Arc<Self>> {
        let known = Known::read(&path)?;
        let checks = available_parallelism().map_or(1, usize::from);
        Ok(Arc::new(Self {
            path,
            known: RwLock::new(Arc::new(known)),
            checks: Arc::new(Semaphore::new(checks)),
        }))
    }

    /// Reads the file again. Who was asked for before this returns may have been checked by what it said
    /// before: [`Reloaded::gone`] are to be disconnected after.
    ///
    /// # Errors
    /// As for [`open`](Self::open); those who were known before still are.
    pub(crate) fn reload(&self) -> io::Result<Reloaded> {
        let now = Arc::new(Known::read(&self.path)?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, now.clone());
        drop(known);
        Ok(Reloaded { users: now.users.len(), gone: now.users.gone_since(&before.users) })
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many have no password, and how many no key.
    pub(crate) fn lacking(&self) -> (usize, usize) {
        let known = self.known();
        let count = |lacks: fn(&Entry) -> bool| {
            known.users.entries().filter(|(_, entry)| lacks(entry)).count()
        };
        (count(|entry| entry.password.is_none()), count(|entry| entry.keys.is_empty()))
    }

    /// Admits the users of the file: under PLAIN by password, under CURVE by key.
    pub(crate) fn authenticator(self: &Arc<Self>) -> Authenticator {
        let directory = self.clone();
        Authenticator::with_permit(move |question, _source, permit| {
            let (known, checks) = (directory.known(), directory.checks.clone());
            async move {
                match question {
                    Question::Curve { client_key } => verdict(known.users.by_key(&client_key)),
                    Question::Plain { username, password } => {
                        let Ok(check) = checks.acquire_owned().await else {
                            return Verdict::Unavailable;
                        };
                        let checked = spawn_blocking(move || {
                            let user = known.by_password(&username, &password);
                            drop((check, permit));
                            user
                        });
                        checked.await.map_or(Verdict::Unavailable, verdict)
                    }
                    _ => Verdict::Deny,
                }
            }
        })
    }
}

fn verdict(user: Option<User>) -> Verdict {
    user.map_or(Verdict::Deny, Verdict::Admit)
}

impl Known {
    fn read(path: &std::path::Path) -> io::Result<Self> {
        let document = read(path)?;
        if let [unknown, ..] = &document.unknown()[..] {
            return Err(bad(path, &format!("{unknown} means nothing here")));
        }
        let users = document.users().map_err(|error| bad(path, &error))?;
        let hashes = || users.entries().filter_map(|(_, entry)| entry.password.as_ref());
        let costliest = hashes().max_by_key(|hash| hash.cost());
        if let Some(costliest) = costliest
            && hashes().any(|hash| hash.cost() != costliest.cost())
        {
            tracing::warn!(
                file = %path.display(),
                "hashes of different costs: the time of a refusal tells some names that are known"
            );
        }
        let decoy = match costliest {
            Some(hash) => hash.decoy()?,
            None => PasswordHash::of(b"")?.decoy()?,
        };
        Ok(Self { users, decoy })
    }

    /// One check, whether there is such a user, and whether it has a password, or not.
    fn by_password(&self, login: &[u8], password: &Secret) -> Option<User> {
        let found = self.users.by_login(login);
        let hash = found.and_then(|(_, entry)| entry.password.as_ref());
        let matches = hash.unwrap_or(&self.decoy).matches(password.expose());
        match (found, hash) {
            (Some((login, entry)), Some(_)) if matches => Some(entry.user(login)),
            _ => None,
        }
    }
}
