//! Who decides whether a stranger may come in.

use super::permit::Permit;
use super::user_store::UserStore;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Secret, Verdict};
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

/// A verdict to come.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;
type AsyncJudge = dyn Fn(Question, Source, Permit) -> Judging<'static> + Send + Sync;
pub(crate) type BlockingJudge = dyn Fn(Question, Source) -> Verdict + Send + Sync;

/// How one decides.
#[derive(Clone)]
pub(crate) enum Decide {
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

/// What decides who may come in, as an object: see [`Authenticator::object`].
pub trait Authenticate: Send + Sync + 'static {
    /// Whether who asks that, from there, may come in.
    fn authenticate(&self, question: Question, source: Source) -> Judging<'_>;
}

/// Decides who may come in, as a server of PLAIN or CURVE. Cheap to clone.
///
/// It is asked once a link, never under a lock, and polled once where the question arose; one that
/// has to wait costs a task. The time for its answer is what is left of
/// [`ConnectionConfig::handshake_timeout`](pseud_proto::zmtp::ConnectionConfig::handshake_timeout);
/// later answers mean nothing. One that panics has answered [`Verdict::Unavailable`].
///
/// Strangers have it work for nothing, so a [`Admission`](crate::Admission) bounds how many questions are in work. What hashes
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
/// let check = Authenticator::new(|question| async move {
///     match question {
///         Question::Plain { username, .. } if username == "guest" => Verdict::Admit("guest".into()),
///         _ => Verdict::Deny,
///     }
/// });
/// let server = Server::with_options(Options::server("service").plain_server(check))?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Authenticator(Decide);

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Authenticator {
    pub(crate) fn check(&self) -> &Decide {
        &self.0
    }

    /// One of your own: `|question| async move { … }`.
    pub fn new<F, Fut>(check: F) -> Self
    where
        F: Fn(Question) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self::with_source(move |question, _| check(question))
    }

    /// The same, told where the stranger comes from.
    pub fn with_source<F, Fut>(check: F) -> Self
    where
        F: Fn(Question, Source) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self::with_permit(move |question, source, _permit| check(question, source))
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
    pub fn with_permit<F, Fut>(check: F) -> Self
    where
        F: Fn(Question, Source, Permit) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Verdict> + Send + 'static,
    {
        Self(Decide::Async(Arc::new(move |question, source, permit| {
            Box::pin(check(question, source, permit))
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
    pub fn blocking<F>(check: F) -> Self
    where
        F: Fn(Question, Source) -> Verdict + Send + Sync + 'static,
    {
        Self(Decide::Blocking(Arc::new(check)))
    }

    /// One that is an object: a database, a directory service, shared with others.
    ///
    /// ```
    /// # use pseud_async::{Authenticate, Authenticator, Judging, Source};
    /// # use pseud_proto::zmtp::{Question, Verdict};
    /// # use std::sync::Arc;
    /// struct Accounts(/* a pool of connections */);
    ///
    /// impl Authenticate for Accounts {
    ///     fn authenticate(&self, question: Question, source: Source) -> Judging<'_> {
    ///         Box::pin(async move { Verdict::Unavailable })
    ///     }
    /// }
    ///
    /// let authenticator = Authenticator::object(Arc::new(Accounts()));
    /// ```
    pub fn object(object: Arc<dyn Authenticate>) -> Self {
        Self::with_source(move |question, source| {
            let object = object.clone();
            async move { object.authenticate(question, source).await }
        })
    }

    /// Admits who is in that store when it is asked: under PLAIN who shows the password of its name, as
    /// that name's user; under CURVE who proves a key, as the user that it belongs to. Both may change
    /// while it serves.
    ///
    /// An unknown name is compared, too, and [at the same length](Secret::matches): the time of the
    /// answer tells neither whether a name is known nor how near or long a password is.
    pub fn users(store: &UserStore) -> Self {
        let store = store.clone();
        Self::new(move |question| ready(store.check(&question)))
    }

    /// Admits who shows the password of its name, as that name: [`users`](Self::users) that do not
    /// change. Only PLAIN asks so; others are denied. Of a name that is given twice the last password
    /// counts.
    pub fn passwords<U: Into<User>>(users: impl IntoIterator<Item = (U, Secret)>) -> Self {
        let store = UserStore::new();
        users.into_iter().for_each(|(user, password)| store.set_password(user, password));
        Self::users(&store)
    }

    /// Admits who proves one of these keys, as the user that it belongs to: Python's
    /// `trusted_curve`, and [`users`](Self::users) that do not change. Only CURVE asks so; others are
    /// denied. A key that is given twice belongs to the last user.
    #[cfg(feature = "_curve")]
    pub fn keys<U: Into<User>>(users: impl IntoIterator<Item = (PublicKey, U)>) -> Self {
        let store = UserStore::new();
        users.into_iter().for_each(|(key, user)| store.add_key(key, user));
        Self::users(&store)
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
