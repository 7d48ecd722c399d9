//! An authentication plug-in, step by step.

use crate::auth::authenticator::{Judging, Source};
use crate::node::options::Options;
use bytes::Bytes;
use pseud_proto::User;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::LastWork;
use pseud_proto::zmtp::{Question, Verdict};
use std::future::ready;

/// On which side a plug-in is.
///
/// Closed: a link has two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It decides who comes in.
    Server,
    /// It shows who we are.
    Client,
}

/// An authentication plug-in of one's own: Python's `IAuthenticationBackend` (`pseud/interfaces.py`), step by
/// step. One object may serve several nodes. A step that panics has admitted nobody, and ends nothing else.
///
/// | Python | here |
/// |---|---|
/// | `configure` | [`configure`](Self::configure): also the mechanism, and its keys |
/// | its ZAP handler, `handle_hello` | [`authenticate`](Self::authenticate); the answers are sent for it |
/// | `is_authenticated` | [`is_authenticated`](Self::is_authenticated) |
/// | `get_predicate_arguments` | [`predicate_arguments`](Self::predicate_arguments) |
/// | `register_routing_id`, `get_routing_id` | [`register_routing_id`](Self::register_routing_id), [`routing_id`](Self::routing_id); users are found without them |
/// | `save_last_work` | [`save_last_work`](Self::save_last_work): what is kept of a call; the session keeps it, and sends it again |
/// | `handle_authenticated` | [`handle_authenticated`](Self::handle_authenticated): told, since what was kept is sent for it ([`Options::credentials`]) |
/// | `stop` | [`stop`](Self::stop) |
///
/// ```
/// use pseud::{
///     AuthBackend, Authenticator, Judging, Options, Question, Source, User, UserStore, Verdict,
/// };
///
/// struct Office;
///
/// impl AuthBackend for Office {
///     fn configure(&self, options: Options) -> Options {
///         options.plain_server(Authenticator::users(&UserStore::new()))
///     }
///
///     fn authenticate(&self, question: Question, _from: Source) -> Judging<'_> {
///         let verdict = match question {
///             Question::Plain { username, .. } if *username == *b"charly" => {
///                 Verdict::Admit(User::new("charly").with_permission("staff"))
///             }
///             _ => Verdict::Deny,
///         };
///         Box::pin(async { verdict })
///     }
/// }
/// ```
///
/// `examples/own_auth.rs` is one of both sides, with logins.
#[doc(alias = "IAuthenticationBackend")]
pub trait AuthBackend: Send + Sync + 'static {
    /// Sets a node's mechanism, its keys, and whether peers
    /// [must log in](Options::requires_login). Whose authenticator is named there does not matter: on a
    /// server it is this plug-in.
    fn configure(&self, options: Options) -> Options;

    /// Whether everybody is to be let in unasked, as nobody, where [`configure`](Self::configure) names neither a
    /// mechanism that asks (PLAIN, CURVE) nor [logins](Options::requires_login). Default: no; such options are a
    /// [`SetupError`](crate::SetupError).
    fn admits_unasked(&self) -> bool {
        false
    }

    /// Whether a peer may come in ([`Question::Plain`], `Question::Curve`), or is who its HELLO says
    /// ([`Question::Login`]). Default: nobody.
    fn authenticate(&self, question: Question, source: Source) -> Judging<'_> {
        let _ = (question, source);
        Box::pin(ready(Verdict::Deny))
    }

    /// Whether who was admitted as that user is known. Else it is nobody, who has to log in where the node asks
    /// for that, and is not let in where it does not. Default: all but the anonymous user are.
    fn is_authenticated(&self, user: &User) -> bool {
        !user.is_anonymous()
    }

    /// That user, with what predicates and handlers are to be told of it: its permissions, and values of the
    /// application's own ([`User::with_extension`]). Default: as it was admitted.
    #[doc(alias = "get_predicate_arguments")]
    fn predicate_arguments(&self, user: User) -> User {
        user
    }

    /// A session began, or has logged in: who it is ([`PeerInfo::user`]), and its identity. On a client that
    /// is its server.
    fn register_routing_id(&self, info: &PeerInfo) {
        let _ = info;
    }

    /// The identity of the session that [`send_to`](crate::Node::send_to) means by that id. Whoever holds that
    /// identity is called, be it another user. Default `None`: who is known by that id.
    fn routing_id(&self, user_id: &[u8]) -> Option<Bytes> {
        let _ = user_id;
        None
    }

    /// On a client: that server did not run a call, since it wants to know who we are first. What is returned is
    /// sent once it believes us: that call, or another one in its place, whose answer the caller then has. Of
    /// `None` nothing is sent again: the call ends as [`Unauthorized`](pseud_proto::Reason::Unauthorized), not
    /// executed; so it does where this panics. Once for each such call. Default: the call itself.
    fn save_last_work(&self, server: &PeerInfo, work: LastWork) -> Option<LastWork> {
        let _ = server;
        Some(work)
    }

    /// On a client: that server believes who we are, and what was kept is sent again.
    fn handle_authenticated(&self, server: &PeerInfo) {
        let _ = server;
    }

    /// The node has ended. Once for each node.
    fn stop(&self) {}
}
