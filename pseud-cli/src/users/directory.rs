//! Users while they are served: asked about strangers, read again on a signal.

use super::entry::{Entry, Users};
use super::file::{bad, read};
use super::password::PasswordHash;
use bytes::Bytes;
use pseud::proto::User;
use pseud::proto::zmtp::{PublicKey, Question, Secret, Verdict};
use pseud::{Authenticator, Permit, TrustedKeys};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// What a user of the file has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its password, or its key.
    Own,
    /// Its name: peers are believed.
    Name,
    /// Its key, or its password once it is there: the key that it came with is then its own.
    Login,
}

/// The users of one file.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    known: RwLock<Arc<KnownUsers>>,
    /// Keys of users who have logged in with them. Locked before `known`.
    trusted: Mutex<TrustedKeys>,
    /// Passwords that are checked at the same time: each takes a processor, and 19 MiB.
    checks: Arc<Semaphore>,
}

/// What the file said when it was read.
#[derive(Debug)]
struct KnownUsers {
    users: Users,
    /// Checked for those who are not known, so that they wait as long.
    decoy: PasswordHash,
}

/// What came of reading the file again.
#[derive(Debug)]
pub(crate) struct Reloaded {
    /// How many there are now.
    pub(crate) users: usize,
    /// Whose sessions must end: they are users no more, or lost what they came in by.
    pub(crate) gone: Vec<String>,
    /// Whose sessions stay, and may do other things from now on.
    pub(crate) changed: Vec<User>,
}

/// How many users have no password, no key, or neither.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lacking {
    pub(crate) password: usize,
    pub(crate) key: usize,
    pub(crate) both: usize,
}

impl Directory {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is not for its owner alone, is malformed, or has an entry that means nothing
    /// here: whoever wrote that believes that it does. The error names it.
    pub(crate) fn open(path: PathBuf) -> io::Result<Arc<Self>> {
        let known = KnownUsers::read(&path)?;
        let checks = available_parallelism().map_or(1, usize::from);
        Ok(Arc::new(Self {
            path,
            known: RwLock::new(Arc::new(known)),
            trusted: Mutex::default(),
            checks: Arc::new(Semaphore::new(checks)),
        }))
    }

    /// Reads the file again. Who was asked for before this returns may have been checked by what it said
    /// before: [`Reloaded::gone`] are to be disconnected after, and those who changed to be updated.
    ///
    /// # Errors
    /// As for [`open`](Self::open); those who were known before still are.
    pub(crate) fn reload(&self) -> io::Result<Reloaded> {
        let now = Arc::new(KnownUsers::read(&self.path)?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, now.clone());
        drop(known);
        let gone = now.users.gone_since(&before.users);
        let mut trusted = self.trusted();
        gone.iter().for_each(|user| trusted.forget(user));
        let changed = now.users.changed_since(&before.users);
        Ok(Reloaded { users: now.users.len(), gone, changed })
    }

    fn trusted(&self) -> MutexGuard<'_, TrustedKeys> {
        self.trusted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether that is one of its users.
    pub(crate) fn knows(&self, login: &str) -> bool {
        self.known().users.by_login(login.as_bytes()).is_some()
    }

    fn known(&self) -> Arc<KnownUsers> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many have nothing to show.
    pub(crate) fn lacking(&self) -> Lacking {
        let known = self.known();
        let count = |lacks: fn(&Entry) -> bool| {
            known.users.entries().filter(|(_, entry)| lacks(entry)).count()
        };
        Lacking {
            password: count(|entry| entry.password.is_none()),
            key: count(|entry| entry.keys.is_empty()),
            both: count(|entry| entry.password.is_none() && entry.keys.is_empty()),
        }
    }

    /// Admits the users of the file by that proof.
    pub(crate) fn authenticator(self: &Arc<Self>, proof: Proof) -> Authenticator {
        let directory = self.clone();
        Authenticator::with_permit(move |question, _source, permit| {
            directory.clone().answer(proof, question, permit)
        })
    }

    async fn answer(self: Arc<Self>, proof: Proof, question: Question, permit: Permit) -> Verdict {
        match question {
            Question::Curve { client_key } => self.by_key(proof, &client_key),
            Question::Plain { username, .. } if proof == Proof::Name => {
                let known = self.known();
                verdict(known.users.by_login(&username).map(|(login, entry)| entry.user(login)))
            }
            Question::Plain { username, password } => {
                self.by_password(self.known(), username, password, permit).await
            }
            Question::Login { login, password, client_key } => {
                let known = self.known();
                let checked = self.by_password(known.clone(), login, password, permit).await;
                match (checked, client_key) {
                    (Verdict::Admit(user), Some(key)) => verdict(self.trust(key, &user, &known)),
                    (verdict, _) => verdict,
                }
            }
            _ => Verdict::Deny,
        }
    }

    fn by_key(&self, proof: Proof, key: &PublicKey) -> Verdict {
        let known = self.known();
        if let Some(user) = known.users.by_key(key) {
            return Verdict::Admit(user);
        }
        if proof != Proof::Login {
            return Verdict::Deny;
        }
        let login = self.trusted().user_id(key).cloned();
        let found = login.as_deref().and_then(|login| known.users.by_login(login));
        // Who has not logged in yet comes in as nobody.
        Verdict::Admit(found.map(|(login, entry)| entry.user(login)).unwrap_or_default())
    }

    async fn by_password(
        &self,
        known: Arc<KnownUsers>,
        login: Bytes,
        password: Secret,
        permit: Permit,
    ) -> Verdict {
        let Ok(check) = self.checks.clone().acquire_owned().await else {
            return Verdict::Unavailable;
        };
        let checked = spawn_blocking(move || {
            let user = known.by_password(&login, &password);
            drop((check, permit));
            user
        });
        checked.await.map_or(Verdict::Unavailable, verdict)
    }

    /// That user's password was right by what was known `before`: its key is its own from now on. `None`:
    /// the file has said otherwise meanwhile.
    fn trust(&self, key: PublicKey, user: &User, before: &KnownUsers) -> Option<User> {
        // `reload` forgets the keys of who is gone after it has changed what is known, under this lock.
        let mut trusted = self.trusted();
        let known = self.known();
        let (_, before) = before.users.by_login(user.id())?;
        let (login, now) = known.users.by_login(user.id())?;
        if !now.lets_stay(before) {
            return None;
        }
        trusted.trust(key, login);
        Some(now.user(login))
    }
}

fn verdict(user: Option<User>) -> Verdict {
    user.map_or(Verdict::Deny, Verdict::Admit)
}

impl KnownUsers {
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
