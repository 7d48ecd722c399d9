//! Sessions that say who they are.

use crate::auth::question::Verdict;
use crate::auth::user::User;
use crate::call::peer::PeerInfo;
use crate::call::{Action, PeerId};
use crate::error::Reason;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::session::Session;
use std::sync::Arc;
use std::time::Instant;

impl Endpoint {
    /// Answers an [`Action::Login`]. What was called as that user, and waited for it, is sent. Nothing
    /// happens where the session has ended; a user that was [shown out](Self::disconnect_user) since the
    /// question was asked is refused, whatever the answer says.
    pub fn answer_login(&mut self, peer: PeerId, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Admit(user) => self.log_in(peer, user, now),
            Verdict::Deny => self.refuse_login(peer, true, now),
            Verdict::Unavailable => self.refuse_login(peer, false, now),
        }
    }

    /// The directory first: a revocation in between finds who has a right already.
    fn log_in(&mut self, peer: PeerId, user: User, now: Instant) {
        if !self.sessions.get(peer.0).is_some_and(Session::may_log_in) {
            return self.refuse_login(peer, true, now);
        }
        let Some(logged_in) = self.directory.login(peer, user) else {
            return self.refuse_login(peer, true, now);
        };
        if let Some(old) = logged_in.ends {
            self.close(old, Reason::Replaced);
        }
        let info = logged_in.info;
        self.visit(peer, |session, outbox| session.logged_in(info.clone(), outbox));
        self.outbox.push(Action::LoggedIn(peer, info));
        self.welcome(peer);
        self.keep_to_policy(peer);
    }

    /// From now on sessions of that user, by its id, are of what it is said to be here: its permissions, and
    /// what is kept beside it. Requests that are open keep what they began with. Who they are then; nobody, of
    /// the anonymous user.
    pub fn update_user(&mut self, user: &User) -> Vec<(PeerId, Arc<PeerInfo>)> {
        let changed = self.directory.update_user(user);
        for (peer, info) in &changed {
            self.visit(*peer, |session, _| session.set_info(info.clone()));
        }
        changed
    }

    /// Ends the sessions that its user is not to have beside each other, now that it has this one.
    pub(crate) fn keep_to_policy(&mut self, peer: PeerId) {
        for (peer, why) in self.directory.too_many(peer) {
            self.close(peer, why);
        }
    }

    fn refuse_login(&mut self, peer: PeerId, is_denied: bool, now: Instant) {
        self.visit(peer, |session, outbox| session.login_refused(is_denied, now, outbox));
    }
}
