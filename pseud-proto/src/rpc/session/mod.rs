//! One peer's session: calls and requests that are open, and what waits to be sent to it.

pub(crate) mod calling;
pub(crate) mod calls;
pub(crate) mod challenge;
pub(crate) mod ending;
pub(crate) mod entry;
pub(crate) mod heard;
pub(crate) mod heartbeat;
pub(crate) mod ids;
pub(crate) mod inbound;
pub(crate) mod kept;
pub(crate) mod last_work;
pub(crate) mod late;
pub(crate) mod login;
pub(crate) mod output;
pub(crate) mod owned;
pub(crate) mod replay_window;
pub(crate) mod replying;
pub(crate) mod requests;
pub(crate) mod showing;
pub(crate) mod sink;
pub(crate) mod transmit;
pub(crate) mod visit;

use crate::base::budget::FloodBudget;
use crate::call::peer::PeerInfo;
use crate::call::profile::Profile;
use crate::call::{PeerId, RequestId};
use crate::error::Reason;
use crate::rpc::budget::Budget;
use crate::rpc::config::Config;
use crate::rpc::session::calls::Calls;
use crate::rpc::session::challenge::Login;
use crate::rpc::session::heard::Heard;
use crate::rpc::session::ids::Dialect;
use crate::rpc::session::kept::Showing;
use crate::rpc::session::late::Late;
use crate::rpc::session::output::Output;
use crate::rpc::session::replay_window::Seen;
use crate::rpc::session::requests::Requests;
use crate::rpc::share::{Held, Share};
use crate::value::{Packed, Risk};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Instant;

/// One peer: sans-IO, and apart from all other peers, so that it can live under its link's own lock.
///
/// It knows no names and no other session. A [`Directory`](crate::rpc::directory::Directory) says who is
/// meant by a name; the two are never locked together. What all sessions of a node may take is in a
/// [`Budget`] of atomics. For one thread that drives many peers there is
/// [`Endpoint`](crate::pseud::Endpoint), which is made of these.
///
/// Once it [has ended](Self::ended) it takes nothing more and gives nothing out; its driver then tells
/// the directory so, with the same reason.
#[derive(Debug)]
pub struct Session {
    pub(crate) id: PeerId,
    pub(crate) config: Arc<Config>,
    pub(crate) budget: Arc<Budget>,
    share: Option<Arc<Share>>,
    pub(crate) held: Arc<Held>,
    pub(crate) info: Arc<PeerInfo>,
    pub(crate) calls: Calls,
    pub(crate) requests: Requests,
    pub(crate) output: Output,
    /// What of `output` the budget counts.
    output_charged: usize,
    /// Bytes of a message that is not whole, as its driver has told.
    partial_charged: usize,
    /// Several messages are queued, and charged together.
    charges_later: bool,
    /// Where the last answer ends that whoever drains waits for.
    pub(crate) answered: u64,
    pub(crate) late: Late,
    /// Whether the driver was told to pull and has not found the output empty since.
    pub(crate) flushing: bool,
    /// The ids of its requests.
    pub(crate) seen: Seen,
    /// For fingerprints of ids.
    pub(crate) print_key: u64,
    /// Made where there is something: hardly ever.
    heard: Option<Box<Heard>>,
    /// Whether it must log in before anything else.
    pub(crate) is_stranger: bool,
    /// Made where it must log in.
    login: Option<Box<Login>>,
    /// What is needed where we may be asked to log in; `None` once we were believed.
    showing: Option<Box<Showing>>,
    pub(crate) bad_envelopes: u8,
    /// Whether it was told that its version of the protocol is not ours.
    pub(crate) version_told: bool,
    /// In place: nearly every peer is a ROUTER that sends a probe.
    flood: FloodBudget,
    /// Answers that may yet come though nobody waits for them: they are no flood.
    pub(crate) answers_due: u32,
    /// Boxed, as no session has one but at its end.
    pub(crate) ended: Option<Box<Reason>>,
    /// Whether the budget counts it as one that owes answers.
    owes: bool,
    /// For who drives many: whether it was seen to have a deadline.
    pub(crate) is_timed: bool,
}

/// What a directory says of a session that it has let in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Admitted {
    /// Its id.
    pub id: PeerId,
    /// Who is behind it.
    pub info: Arc<PeerInfo>,
    /// What it shares with other sessions of the same user or address; `None` where it shares with nobody.
    pub share: Option<Arc<Share>>,
    /// Where it tells how much it holds, and what it has open where it has no share.
    pub held: Arc<Held>,
    /// For ids and fingerprints.
    pub seed: [u8; 32],
}

impl Session {
    /// A session that begins now, with what its directory said of it.
    pub fn new(config: Arc<Config>, budget: Arc<Budget>, admitted: Admitted) -> Self {
        let Admitted { id, info, share, held, seed } = admitted;
        let mut rng = ChaCha20Rng::from_seed(seed);
        budget.joined();
        let (is_stranger, showing) = (config.challenges(&info), Showing::of(&config, &info));
        Self {
            id,
            share,
            held,
            info,
            calls: Calls::new(id.0.machine, Dialect::Pseud, &mut rng),
            requests: Requests::default(),
            output: Output::default(),
            output_charged: 0,
            partial_charged: 0,
            charges_later: false,
            answered: 0,
            late: Late::default(),
            flushing: false,
            seen: Seen::default(),
            print_key: rng.next_u64(),
            heard: None,
            is_stranger,
            login: None,
            showing,
            bad_envelopes: 0,
            version_told: false,
            flood: FloodBudget::default(),
            // As many as its peer may have been asked for over an earlier link.
            answers_due: config.limits.calls_pending_per_peer_max.try_into().unwrap_or(u32::MAX),
            ended: None,
            owes: false,
            is_timed: false,
            config,
            budget,
        }
    }

    /// Which session it is.
    pub fn id(&self) -> PeerId {
        self.id
    }

    /// Who is behind it.
    pub fn info(&self) -> &Arc<PeerInfo> {
        &self.info
    }

    /// Its user is another from now on, as its directory said after a
    /// [login](crate::rpc::directory::Directory::login). Requests that are open keep the one that they
    /// began with.
    pub fn set_info(&mut self, info: Arc<PeerInfo>) {
        self.is_stranger = self.config.challenges(&info);
        self.info = info;
    }

    /// Why it has ended, once it has.
    #[inline]
    pub fn ended(&self) -> Option<Reason> {
        self.ended.as_deref().copied()
    }

    /// Calls of ours that are pending here.
    #[inline]
    pub fn calls_pending(&self) -> usize {
        self.calls.len()
    }

    /// Requests of this peer that are served.
    #[inline]
    pub fn requests_open(&self) -> usize {
        self.requests.len()
    }

    /// What those take, in bytes.
    pub(crate) fn requests_open_bytes(&self) -> usize {
        self.requests.bytes()
    }

    /// Whether at most one call or request is open between that peer and us: then writing at once
    /// beats gathering what else there may be.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.calls_pending() + self.requests_open() <= 1
    }

    /// Whether no call and no request is open, and every answer is written; answers to requests that
    /// came while the node drains do not count.
    pub fn is_idle(&self) -> bool {
        self.calls_pending() + self.requests_open() == 0 && self.output.has_written(self.answered)
    }

    /// The earliest moment at which [`handle_timeout`](Self::handle_timeout) has something to do; it may
    /// be early, never late.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.ended.is_some() {
            return None;
        }
        let next = earlier(earlier(self.calls.next(), self.requests.next()), self.late.next());
        if self.is_stranger { earlier(next, self.login_by()) } else { next }
    }

    /// Guards of requests that may still be answered, by scanning them.
    pub(crate) fn count_guards(&self) -> usize {
        self.requests.count_guards() + self.late.len()
    }

    /// Guarded answers that are not written.
    pub(crate) fn count_late(&self) -> usize {
        self.late.len()
    }

    /// Whether somebody still waits for that request to be answered.
    pub fn is_awaited(&self, request: RequestId) -> bool {
        self.ended.is_none() && request.peer == self.id && self.requests.is_open(request.number)
    }

    /// Answers that wait to be sent.
    pub fn answers_waiting(&self) -> usize {
        self.output.replies()
    }

    /// While the node drains, the budget counts sessions with answers that are not written. Those that
    /// were there before are to be told so once.
    pub fn note_owing(&mut self) {
        let owes = self.budget.is_closed()
            && self.ended.is_none()
            && !self.output.has_written(self.answered);
        if std::mem::replace(&mut self.owes, owes) != owes {
            self.budget.note_owing(owes);
        }
    }

    /// Whether something depends on what was [written](Self::handle_written), and is to be told soon: an answer
    /// that may come too late, or one that who drains waits for. All else can be told when the session is
    /// visited next, or when its link ends.
    #[inline]
    pub fn awaits_written(&self) -> bool {
        self.owes || self.late.len() > 0
    }

    /// Whether its peer may still ask us who we are.
    pub(crate) fn must_show(&self) -> bool {
        self.showing.is_some()
    }

    pub(crate) fn profile(&self) -> Profile {
        self.info.profile
    }

    /// A body of this peer's was checked: the pickles of its own classes and the zones by key in it may
    /// be sent back to it, the first 4 096 of them.
    pub fn learn(&mut self, body: &Packed) {
        if body.risks().next().is_some() {
            self.heard.get_or_insert_default().learn(body);
        }
    }

    /// What in that body would harm this peer, for people.
    #[inline]
    pub(crate) fn risk(&self, body: &Packed) -> Option<String> {
        if body.is_v1_safe() { None } else { self.first_risk(body) }
    }

    fn first_risk(&self, body: &Packed) -> Option<String> {
        let harmless = |risk: Risk<'_>| {
            let heard = self.heard.as_ref().is_some_and(|heard| heard.knows(risk));
            heard
                || match risk {
                    Risk::Zone(key) => {
                        !self.profile().is_v1() || self.config.known_zones.contains(key)
                    }
                    Risk::Pickle(..) => false,
                }
        };
        body.risks().find(|risk| !harmless(*risk)).map(|risk| risk.to_string())
    }

    /// Whether something may be there to pull.
    pub fn has_output(&self) -> bool {
        self.flushing
    }

    /// What it has open, with those it shares with.
    pub(crate) fn share(&self) -> &Share {
        self.share.as_deref().unwrap_or(&self.held.own)
    }

    /// Tells the budget and the directory what the output holds now.
    #[inline]
    pub(crate) fn charge_output(&mut self) {
        if self.charges_later {
            return;
        }
        let held = self.output.bytes_held();
        match held.checked_sub(self.output_charged) {
            Some(0) => return,
            Some(more) => self.budget.take_output(more),
            None => self.budget.give_output(self.output_charged - held),
        }
        self.output_charged = held;
        self.held.set(held + self.partial_charged);
    }

    /// So many bytes have come of this peer's next message: they count with what waits to be written.
    #[inline]
    pub fn note_partial(&mut self, bytes: usize) {
        let bytes = if self.ended.is_some() { 0 } else { bytes };
        match bytes.checked_sub(self.partial_charged) {
            Some(0) => return,
            Some(more) => self.budget.take_partial(more),
            None => self.budget.give_partial(self.partial_charged - bytes),
        }
        self.partial_charged = bytes;
        self.held.set(self.output_charged + bytes);
    }
}

/// The earlier of two moments that may not be.
#[inline]
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
