//! Who decides whether a stranger may come in.

use super::permit::Permit;
use bytes::Bytes;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Secret, Verdict};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

pub(crate) type Judging = Pin<Box<dyn Future<Output = Verdict> + Send>>;
type AsyncJudge = dyn Fn(Question, Source, Permit) -> Judging + Send + Sync;
pub(crate) type BlockingJudge = dyn Fn(Question, Source) -> Verdict + Send + Sync;

/// How one decides.
#[derive(Clone)]
pub(crate) enum Judge {
    /// Polled once where the question arose, and spawned if it is not ready.
    Async(Arc<AsyncJudge>),
    /// Runs on a thread that may block.
    Blocking(Arc<BlockingJudge>),
}

/// Where a stranger comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// Its address as text: `127.0.0.1:5555`, `ipc`. For logs and for counting tries.
    pub address: String,
}

/// Decides who may come in, as a server of PLAIN or CURVE. Cheap to clone.
///
/// It is asked once a link, never under a lock, and polled once where the question arose; one that
/// has to wait costs a task. The time for its answer is what is left of
/// [`ConnectionConfig::handshake_timeout`](pseud_proto::zmtp::ConnectionConfig::handshake_timeout);
/// later answers mean nothing. One that panics has answered [`Verdict::Unavailable`].
///
/// Strangers have it work for nothing, so a [`Gate`](crate::Gate) bounds how many questions are in work. What hashes
/// passwords, or blocks, belongs in [`blocking`](Self::blocking). A future must not end before its work
/// has: whatever it hands to threads or tasks, it waits for. It is polled to its end also when its link
/// has ended, but dropped when the handshake's time is up by then: what may take longer than that, and
/// goes on when its future is dropped, must hold the question's [`Permit`]:
/// [`with_permit`](Self::with_permit).
///
/// ```no_run
/// use pseud::{Authenticator, Options, Question, Server, Verdict};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let judge = Authenticator::new(|question| async move {
///     match question {
///         Question::Plain { username, .. } if username == "guest" => Verdict::Admit("guest".into()),
///         _ => Verdict::Deny,
///     }
/// });
/// let server = Server::with_options(Options::server("service").plain_server(judge))?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Authenticator(Judge);

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Authenticator {
    pub(crate) fn judge(&self) -> &Judge {
        &self.0
    }

    /// One of your own: `|question| async move { … }`.
    pub fn new<F, Fut>(judge: F) -> Self
    where
        F: Fn(Question) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self::with_source(move |question, _| judge(question))
    }

    /// The same, told where the stranger comes from.
    pub fn with_source<F, Fut>(judge: F) -> Self
    where
        F: Fn(Question, Source) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self::with_permit(move |question, source, _permit| judge(question, source))
    }

    /// The same, given the question's place: for work that goes on when the future is dropped. A place
    /// is free when the future has ended and all clones of its permit are dropped.
    ///
    /// ```
    /// # use pseud_async::Authenticator;
    /// # use pseud_proto::zmtp::{Question, Verdict};
    /// # fn hash_and_compare(_: Question) -> Verdict { Verdict::Deny }
    /// # fn pool(work: impl FnOnce() + Send + 'static) { std::thread::spawn(work); }
    /// # async fn heard<T>(_: std::sync::mpsc::Receiver<T>) -> Option<T> { None }
    /// let authenticator = Authenticator::with_permit(|question, _source, permit| async move {
    ///     let (tell, told) = std::sync::mpsc::channel();
    ///     pool(move || {
    ///         let _ = tell.send(hash_and_compare(question));
    ///         drop(permit);
    ///     });
    ///     heard(told).await.unwrap_or(Verdict::Unavailable)
    /// });
    /// ```
    pub fn with_permit<F, Fut>(judge: F) -> Self
    where
        F: Fn(Question, Source, Permit) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self(Judge::Async(Arc::new(move |question, source, permit| {
            Box::pin(judge(question, source, permit))
        })))
    }

    /// A function that blocks or computes, as password hashes do. It runs on a thread of the runtime's
    /// that may block, and keeps the question's place until it returns, whatever becomes of the link.
    /// Who has left before a thread is free is not asked about.
    ///
    /// ```
    /// # use pseud_async::Authenticator;
    /// # use pseud_proto::zmtp::{Question, Verdict};
    /// # fn verify(_: &[u8], _: &[u8]) -> bool { false }
    /// let authenticator = Authenticator::blocking(|question, _source| match question {
    ///     Question::Plain { username, password } if verify(&username, password.expose()) => {
    ///         Verdict::Admit(username.into())
    ///     }
    ///     _ => Verdict::Deny,
    /// });
    /// ```
    pub fn blocking<F>(judge: F) -> Self
    where
        F: Fn(Question, Source) -> Verdict + Send + Sync + 'static,
    {
        Self(Judge::Blocking(Arc::new(judge)))
    }

    /// Admits who shows the password of its name, as that name. Only PLAIN asks so; others are
    /// denied. Of a name that is given twice the last password counts.
    ///
    /// An unknown name is compared, too, and [at the same length](Secret::matches): the time of the
    /// answer tells neither whether a name is known nor how near or long a password is. Not constant
    /// is the search for the name, by comparisons with known ones: it depends on how many they are
    /// and where among them the name would be.
    pub fn passwords<U: Into<User>>(users: impl IntoIterator<Item = (U, Secret)>) -> Self {
        let named = |(user, password): (U, Secret)| {
            let user = user.into();
            (user.id().clone(), (user, password))
        };
        let users: Passwords = users.into_iter().map(named).collect();
        Self::new(move |question| {
            ready(match question {
                Question::Plain { username, password } => {
                    who_knows(&users, &username, |known| known.matches(password.expose()))
                        .map_or(Verdict::Deny, |user| Verdict::Admit(user.clone()))
                }
                _ => Verdict::Deny,
            })
        })
    }

    /// Admits who proves one of these keys, as the user that it belongs to: Python's
    /// `trusted_curve`. Only CURVE asks so; others are denied. A key that is given twice belongs to
    /// the last user.
    #[cfg(feature = "_curve")]
    pub fn keys<U: Into<User>>(users: impl IntoIterator<Item = (PublicKey, U)>) -> Self {
        let users: BTreeMap<PublicKey, User> =
            users.into_iter().map(|(key, user)| (key, user.into())).collect();
        Self::new(move |question| {
            ready(match question {
                Question::Curve { client_key } => users
                    .get(&client_key)
                    .map_or(Verdict::Deny, |user| Verdict::Admit(user.clone())),
                _ => Verdict::Deny,
            })
        })
    }

    /// Admits whoever has a key, as that key's Z85: links are encrypted, and a user is whoever holds
    /// the same key again. Nobody is known. Only CURVE asks so; others are denied.
    #[cfg(feature = "_curve")]
    pub fn any_key() -> Self {
        Self::new(|question| {
            ready(match question {
                Question::Curve { client_key } => Verdict::Admit(client_key.to_string().into()),
                _ => Verdict::Deny,
            })
        })
    }
}

/// Users and their passwords, by name.
type Passwords = BTreeMap<Bytes, (User, Secret)>;

/// Who has that name, if its password matches: one comparison, whether there is such a name or not.
fn who_knows<'a>(
    users: &'a Passwords,
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

    #[test]
    fn an_unknown_name_is_compared_as_a_known_one() {
        let users = Passwords::from([("known".into(), ("known".into(), Secret::new("secret")))]);
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
}
