//! The gate: who is asked whether a stranger may come in, and what an answer does to its link.

use crate::hub::Hub;
use crate::link::AnyLink;
use bytes::Bytes;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;
use pseud_proto::zmtp::{Question, Secret, Verdict};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

#[cfg(test)]
mod tests;

type Judging = Pin<Box<dyn Future<Output = Verdict> + Send>>;
type Judge = dyn Fn(Question, Source) -> Judging + Send + Sync;

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
#[derive(Clone)]
pub struct Authenticator(Arc<Judge>);

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Authenticator {
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
        Self(Arc::new(move |question, source| Box::pin(judge(question, source))))
    }

    /// Admits who shows the password of its name, as that name. Only PLAIN asks so; others are
    /// denied.
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
    /// `trusted_curve`. Only CURVE asks so; others are denied.
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

/// Who is asked about strangers, and how many of them may wait for the answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Gate {
    /// Who is asked. Default: nobody, so that nobody is admitted where somebody must be asked.
    pub authenticator: Option<Authenticator>,
    /// Questions that wait for their answers at the same time; one more is answered
    /// [`Verdict::Unavailable`]. Default: 256.
    pub questions_parked_max: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { authenticator: None, questions_parked_max: 256 }
    }
}

/// A gate, and how many wait at it.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    gate: Gate,
    parked: AtomicUsize,
}

impl Doors {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate, parked: AtomicUsize::new(0) }
    }

    fn park(&self) -> bool {
        let max = self.gate.questions_parked_max;
        let more = |parked| (parked < max).then_some(parked + 1);
        self.parked.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }
}

/// Asks about the stranger behind that link. `Some`: answered at once; else the link is told later.
pub(crate) fn ask(
    hub: &Arc<Hub>,
    link: &Arc<dyn AnyLink>,
    question: Question,
    address: &str,
) -> Option<Verdict> {
    let Some(authenticator) = &hub.doors.gate.authenticator else {
        tracing::error!("nobody is there to authenticate peers: none is admitted");
        return Some(Verdict::Unavailable);
    };
    let (source, who) = (Source { address: address.to_owned() }, question.to_string());
    let judging = catch_unwind(AssertUnwindSafe(|| (authenticator.0)(question, source)));
    let Ok(judging) = judging else { return Some(panicked()) };
    let mut judging = Guarded(judging);
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(verdict) = Pin::new(&mut judging).poll(&mut cx) {
        return Some(told(verdict, &who, address));
    }
    if !hub.doors.park() {
        tracing::warn!(address, "too many peers wait to be authenticated");
        return Some(Verdict::Unavailable);
    }
    let parked = Parked { hub: hub.clone(), link: Some(link.clone()) };
    let address = address.to_owned();
    (hub.runtime.spawn)(Box::pin(async move {
        if let Some(verdict) = unless_ended(&parked.link, judging).await {
            parked.answer(told(verdict, &who, &address));
        }
    }));
    None
}

/// Tells the operator who was not let in: that they may have forgotten to add.
fn told(verdict: Verdict, who: &str, address: &str) -> Verdict {
    if verdict == Verdict::Deny {
        tracing::info!(%who, address, "not admitted");
    }
    verdict
}

/// The verdict; `None` if the link ended before: its place is for somebody else then.
async fn unless_ended(link: &Option<Arc<dyn AnyLink>>, mut judging: Guarded) -> Option<Verdict> {
    poll_fn(|cx| match link.as_ref().map(|link| link.poll_ended(cx)) {
        None | Some(Poll::Ready(())) => Poll::Ready(None),
        Some(Poll::Pending) => Pin::new(&mut judging).poll(cx).map(Some),
    })
    .await
}

/// The duty to answer one question, once. Dropped without an answer (its task was killed), nobody
/// could tell.
struct Parked {
    hub: Arc<Hub>,
    link: Option<Arc<dyn AnyLink>>,
}

impl Parked {
    fn answer(mut self, verdict: Verdict) {
        self.tell(verdict);
    }

    fn tell(&mut self, verdict: Verdict) {
        if let Some(link) = self.link.take() {
            self.hub.doors.parked.fetch_sub(1, Ordering::AcqRel);
            link.answer(&self.hub, verdict);
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.tell(Verdict::Unavailable);
    }
}

/// An authenticator's future, whose panic is an answer.
struct Guarded(Judging);

impl Future for Guarded {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_) => Poll::Ready(panicked()),
        }
    }
}

/// The panic's text is not logged: it may hold what was asked about.
fn panicked() -> Verdict {
    tracing::error!("an authenticator panicked");
    Verdict::Unavailable
}
