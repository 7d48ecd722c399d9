//! Sessions come and go: what that does to names and users.

use crate::auth::user::User;
use crate::call::PeerId;
use crate::call::late_guard::LateGuard;
use crate::call::peer::PeerInfo;
use crate::rpc::directory::Directory;
use crate::rpc::directory::member::Member;
use crate::rpc::directory::parked::Awaited;
use crate::rpc::directory::shares::ShareOwner;
use crate::rpc::session::Admitted;
use crate::rpc::session::entry::NewCall;
use crate::rpc::share::Held;
use bytes::Bytes;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

/// Somebody is let in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Joined {
    /// What its session is made of.
    pub admitted: Admitted,
    /// Whose session is to end first, as [`Reason::Replaced`](crate::Reason): it has lost its name.
    pub ends: Option<PeerId>,
    /// Whose session is to end as well, as [`Misbehaved::NotLoggedIn`](crate::Misbehaved): too many have not
    /// said who they are, and it has had the longest time to.
    pub crowded_out: Option<PeerId>,
}

/// Somebody has said who it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoggedIn {
    /// Who it is now.
    pub info: Arc<PeerInfo>,
    /// Whose session is to end, as [`Reason::Replaced`](crate::Reason): it has lost its name.
    pub ends: Option<PeerId>,
}

/// Somebody has left.
#[derive(Debug)]
#[non_exhaustive]
pub struct Left {
    /// Who it was.
    pub info: Arc<PeerInfo>,
    /// Who has its name now: what waited for that is to be sent there.
    pub successor: Option<PeerId>,
}

impl Directory {
    /// A link's handshake is over. The newest link of an identity takes it over; but a link that we
    /// opened, and before those that others opened one of another user, keeps the name as long as it
    /// lives: others that announce it stand by and are only called as sessions. So does a second link of
    /// one node, by name and as its user, while the first lives ([`Siblings`](crate::Siblings)).
    pub fn join(&mut self, mut info: PeerInfo) -> Joined {
        if info.identity.is_empty() {
            info.identity = self.mint_identity();
        }
        info.late_guard = Some(match info.has_late_guard() {
            true => info.late_guard.unwrap_or(self.config.late_guard),
            false => LateGuard::Off,
        });
        let info = Arc::new(info);
        self.unreachable.joined(&info, self.config.server.as_ref());
        let (share_of, held) = (ShareOwner::of(&info), Arc::<Held>::default());
        let share = self.shares.join(share_of.as_ref());
        let (is_welcome, has_logged_in) = (false, false);
        let (kept, told) = (info.clone(), held.clone());
        let (unnamed, asked) = (None, None);
        let held_by = told;
        let member =
            Member { info: kept, held: held_by, is_welcome, unnamed, has_logged_in, asked };
        let id = PeerId(self.members.insert(member));
        // Who has not said yet who it is takes no name: it could be another's.
        let (ends, crowded_out) = match self.config.challenges(&info) {
            true => (None, self.join_unnamed(id)),
            false => (self.names.take(id, &info), None),
        };
        self.users.join(&info.user, id, self.elder(&info));
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        Joined { admitted: Admitted { id, info, share, held, seed }, ends, crowded_out }
    }

    fn join_unnamed(&mut self, peer: PeerId) -> Option<PeerId> {
        let max = self.config.limits.sessions_unnamed_max;
        let (place, crowded_out) = self.unnamed.join(peer, max);
        if let Some(member) = self.members.get_mut(peer.0) {
            member.unnamed = Some(place);
        }
        crowded_out.filter(|oldest| *oldest != peer)
    }

    /// The session of the same user and the same node that is called, while this one stands by.
    fn elder(&self, info: &PeerInfo) -> Option<PeerId> {
        if info.siblings.is_alone() {
            return None;
        }
        let yields = |peer: &&PeerId| {
            let other = self.peer_info(**peer);
            other.is_some_and(|other| info.siblings.yields_to(other.siblings.link()))
        };
        self.users.sessions(info.user.id()).iter().find(yields).copied()
    }

    /// Unlike libzmq's, these cannot be guessed: who guesses one could announce it and take it over.
    fn mint_identity(&mut self) -> Bytes {
        let mut identity = [0; 17];
        let (_, random) = identity.split_at_mut(1);
        self.rng.fill_bytes(random);
        Bytes::copy_from_slice(&identity)
    }

    /// Its session is made: from now on it can be found. Returns what waited for it.
    pub fn welcome(&mut self, peer: PeerId) -> Vec<NewCall> {
        if let Some(member) = self.members.get_mut(peer.0) {
            member.is_welcome = true;
        }
        self.waiting_for(peer)
    }

    /// What waits for a session that cannot be found yet, to be sent there first; where nothing does, it
    /// can be found from now on. To be asked until it returns nothing: so calls keep their order.
    pub fn welcome_behind(&mut self, peer: PeerId) -> Vec<NewCall> {
        let waiting = self.take_waiting(peer);
        if waiting.is_empty()
            && let Some(member) = self.members.get_mut(peer.0)
        {
            member.is_welcome = true;
        }
        waiting
    }

    pub(crate) fn is_welcome(&self, peer: PeerId) -> bool {
        self.members.get(peer.0).is_some_and(|member| member.is_welcome)
    }

    /// What waits for that session, taken out to be sent. An identity means whoever holds it, a user's
    /// session whatever it announces; who is a user is known as nothing else.
    pub fn waiting_for(&mut self, peer: PeerId) -> Vec<NewCall> {
        match self.is_welcome(peer) {
            true => self.take_waiting(peer),
            false => Vec::new(),
        }
    }

    fn take_waiting(&mut self, peer: PeerId) -> Vec<NewCall> {
        if self.parked.len() == 0 {
            return Vec::new();
        }
        let Some(info) = self.peer_info(peer).cloned() else { return Vec::new() };
        let (name, user) = (&info.identity, info.user.id());
        let (holds, anonymous) = (self.names.holder(name) == Some(peer), user.is_empty());
        let whom = [
            holds.then(|| Awaited::Identity(name.clone())),
            (!anonymous).then(|| Awaited::User(user.clone())),
            (!anonymous).then(|| Awaited::Known(user.clone())),
            (anonymous && holds).then(|| Awaited::Known(name.clone())),
        ];
        whom.iter().flatten().flat_map(|whom| self.parked.take(whom)).collect()
    }

    /// That session has ended. `None`: it has left before.
    pub fn leave(&mut self, peer: PeerId) -> Option<Left> {
        let Member { info, unnamed, has_logged_in, .. } = self.members.remove(peer.0)?;
        let _ = unnamed.map(|place| self.unnamed.leave(place));
        self.unreachable.left(&info, self.config.server.as_ref());
        // Who it has become since has no part in that: a share is taken where a session begins.
        let share_of = match has_logged_in {
            true => ShareOwner::of_source(&info),
            false => ShareOwner::of(&info),
        };
        self.shares.leave(share_of.as_ref());
        let successor = self.names.release(&info.identity, peer);
        self.users.leave(&info.user, peer);
        Some(Left { info, successor })
    }

    /// An anonymous session says who it is, and was believed: it is that user from now on. At most once;
    /// `None` where it has left, is somebody already, or that user was [shown out](Self::revoke) since the
    /// question was [asked](Self::asked). What waited for that user is
    /// [sent](Self::waiting_for) after its [session](crate::rpc::session::Session::set_info) was told.
    ///
    /// Where nobody is let in [without a login](crate::Config::requires_login) it has a name and can be
    /// found only from now on; it may take its name from an older session of the same user.
    pub fn login(&mut self, peer: PeerId, user: User) -> Option<LoggedIn> {
        let member = self.members.get_mut(peer.0)?;
        let mut meanwhile = member.asked.take().unwrap_or_default();
        if meanwhile.shown_out.contains(user.id()) {
            return None;
        }
        let user = meanwhile.updated.remove(user.id()).unwrap_or(user);
        if member.has_logged_in || !member.info.user.is_anonymous() || user.is_anonymous() {
            return None;
        }
        member.has_logged_in = true;
        let _ = member.unnamed.take().map(|place| self.unnamed.leave(place));
        let info = Arc::make_mut(&mut member.info);
        info.user = user;
        let info = member.info.clone();
        let ends = match self.config.requires_login {
            true => self.names.take(peer, &info),
            false => {
                self.names.set_info(peer, &info);
                None
            }
        };
        self.users.join(&info.user, peer, self.elder(&info));
        Some(LoggedIn { info, ends })
    }

    /// The sessions of that user, further links of its nodes among them, are of what it is said to be here.
    /// Their [sessions](crate::rpc::session::Session::set_info) are to be told. A [login](Self::login) as that user
    /// about which somebody is [asked](Self::asked) has it so, too.
    pub fn update_user(&mut self, user: &User) -> Vec<(PeerId, Arc<PeerInfo>)> {
        if !user.is_anonymous() {
            for asked in self.members.values_mut().filter_map(|member| member.asked.as_mut()) {
                asked.updated.insert(user.id().clone(), user.clone());
            }
        }
        let sessions: Vec<PeerId> = self.users.all(user.id()).collect();
        let changed = sessions.into_iter().filter_map(|peer| {
            let member = self.members.get_mut(peer.0)?;
            Arc::make_mut(&mut member.info).user = user.clone();
            self.names.set_info(peer, &member.info);
            Some((peer, member.info.clone()))
        });
        changed.collect()
    }

    /// Somebody is about to be asked who that session is. Its answer may be older than a
    /// [revocation](Self::revoke), or a [change](Self::update_user), that comes meanwhile.
    pub fn asked(&mut self, peer: PeerId) {
        if let Some(member) = self.members.get_mut(peer.0) {
            member.asked = Some(Box::default());
        }
    }

    /// The sessions of that user, which is forgotten: they are to be closed. It does not keep the user
    /// from coming back: that is up to whoever authenticates it.
    pub fn revoke(&mut self, user: &[u8]) -> Vec<PeerId> {
        for asked in self.members.values_mut().filter_map(|member| member.asked.as_mut()) {
            asked.shown_out.insert(Bytes::copy_from_slice(user));
        }
        // Taken all at once: each need not be searched then, however many they are.
        self.users.take(user)
    }

    /// Whose output holds most: to be closed where [all hold too much](crate::rpc::budget::Budget::is_over).
    pub fn largest_holder(&self) -> Option<PeerId> {
        let held = self.members.iter().map(|(key, member)| (member.held.bytes(), PeerId(key)));
        held.max().filter(|(bytes, _)| *bytes > 0).map(|(_, peer)| peer)
    }
}
