//! A plug-in of an application's own, in the places where a node asks and tells.

use super::backend::{AuthBackend, Role};
use crate::auth::authenticator::Authenticator;
use crate::engine::event::{KeptEvent, LinkEvent};
use crate::engine::hooks::Hooks;
use crate::node::options::Options;
use crate::node::security::asks_nobody;
use crate::node::setup_error::SetupError;
use crate::panics::caught;
use bytes::Bytes;
use pseud_proto::User;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::LastWork;
use pseud_proto::zmtp::Verdict;
use std::fmt;
use std::sync::{Arc, Once};

/// One node's use of a plug-in.
pub(super) struct Hooked {
    backend: Arc<dyn AuthBackend>,
    stopped: Once,
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooked(..)")
    }
}

impl Hooked {
    pub(super) fn new(backend: Arc<dyn AuthBackend>) -> Self {
        Self { backend, stopped: Once::new() }
    }

    /// # Errors
    /// Nobody would be asked, and everybody let in.
    pub(super) fn configure(self, role: Role, options: Options) -> Result<Options, SetupError> {
        let mut options = self.backend.configure(options);
        if role == Role::Server {
            if asks_nobody(&options) && !self.backend.admits_unasked() {
                return Err(SetupError::Mechanism(UNASKED));
            }
            let (backend, logs_in) = (self.backend.clone(), options.config.requires_login);
            options.admission.authenticator =
                Some(Authenticator::with_source(move |question, source| {
                    let backend = backend.clone();
                    async move {
                        match backend.authenticate(question, source).await {
                            Verdict::Admit(user) => known(&*backend, user, logs_in),
                            verdict => verdict,
                        }
                    }
                }));
        }
        options.hooks = Some(Arc::new(self));
        Ok(options)
    }
}

const UNASKED: &str = "a server's plug-in that names neither PLAIN nor CURVE nor logins would not be asked \
                       about anybody: everybody would come in";

/// Who that is, in the words of that plug-in. Who is not known is nobody, where it can log in.
fn known(backend: &dyn AuthBackend, user: User, logs_in: bool) -> Verdict {
    match backend.is_authenticated(&user) {
        true => Verdict::Admit(backend.predicate_arguments(user)),
        false if logs_in => Verdict::Admit(User::default()),
        false => Verdict::Deny,
    }
}

/// What a plug-in's panic says may be a secret.
fn unlogged(_: &str) {
    tracing::error!("an authentication plug-in panicked");
}

impl Hooks for Hooked {
    fn happened(&self, event: &KeptEvent) {
        let backend = &self.backend;
        let _ = match event {
            LinkEvent::Connected { peer, .. } | LinkEvent::LoggedIn { peer, .. } => {
                caught(|| backend.register_routing_id(peer), unlogged)
            }
            LinkEvent::Authenticated { peer, .. } => {
                caught(|| backend.handle_authenticated(peer), unlogged)
            }
            _ => None,
        };
    }

    /// Of a panic nothing: whoever would have said no has not said yes.
    fn save_last_work(&self, server: &PeerInfo, work: LastWork) -> Option<LastWork> {
        caught(|| self.backend.save_last_work(server, work), unlogged).flatten()
    }

    fn routing_id(&self, user_id: &[u8]) -> Option<Bytes> {
        caught(|| self.backend.routing_id(user_id), unlogged).flatten()
    }

    fn stopped(&self) {
        self.stopped.call_once(|| {
            let _ = caught(|| self.backend.stop(), unlogged);
        });
    }
}
