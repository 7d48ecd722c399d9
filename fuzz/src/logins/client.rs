//! A client: one session at a time, of which its driver decides what is kept of challenged calls.

use super::judge::{Judge, name_of};
use super::settings::USERS;
use super::world::{Frames, frames_of, parts_of};
use crate::limits;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Kind;
use pseud_proto::session::{
    Budget, CallKey, Came, Counted, Directory, LastWork, NewCall, Portion, Reply, Session, Sink,
};
use pseud_proto::value::Packed;
use pseud_proto::zmtp::Token;
use pseud_proto::{
    CallOptions, Config, Fault, Outcome, Reason, Refusal, Request, RequestId, ShowingStep, Ticket,
};
use pseud_testkit::ledger::{Number, answer_to};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Client {
    which: usize,
    config: Arc<Config>,
    budget: Arc<Budget>,
    directory: Directory,
    pub(super) side: Option<ClientSide>,
}

/// Its end of a link.
pub(super) struct ClientSide {
    session: Session,
    notes: Notes,
    keys: Vec<CallKey>,
    pulled: VecDeque<(Token, Frames)>,
    hellos: u8,
    /// Whether it was told that its link is gone: nothing is written then.
    is_gone: bool,
}

/// What a session tells.
#[derive(Default)]
struct Notes {
    ended: Vec<(Number, Outcome)>,
    serving: BTreeMap<RequestId, (Ticket, Option<Number>)>,
    /// What has just come to be served.
    arrived: Option<Request>,
    /// Whether its driver decides what is kept of challenged calls, and those of which it has not yet.
    decides: bool,
    undecided: Vec<CallKey>,
    is_challenged: bool,
    has_withheld: bool,
}

impl Sink for Notes {
    fn finish(&mut self, call: u64, outcome: Outcome) {
        self.ended.push((call, outcome));
    }

    fn serve(&mut self, request: Request) {
        assert!(self.arrived.replace(request).is_none(), "one message has one request");
    }

    fn cancelled(&mut self, request: RequestId) {
        let _ = self.serving.remove(&request).expect("it is served");
    }

    fn withheld(&mut self, _: &Arc<PeerInfo>, _: &str) {
        self.has_withheld = true;
    }

    fn flush(&mut self) {}

    fn challenged(&mut self, call: CallKey) -> bool {
        self.undecided.extend(self.decides.then_some(call));
        self.decides
    }

    fn showing(&mut self, step: ShowingStep) {
        self.is_challenged |= step == ShowingStep::Challenged;
    }

    fn count(&mut self, _: Counted) {}
}

impl Client {
    pub(super) fn new(which: usize, config: Config) -> Self {
        let config = Arc::new(config);
        let budget = Arc::new(Budget::new(&config));
        let directory = Directory::new(config.clone(), budget.clone(), [0xc0 + which as u8; 32]);
        Self { which, config, budget, directory, side: None }
    }

    pub(super) fn connect(&mut self, info: PeerInfo, decides: bool, now: Instant) {
        let admitted = self.directory.join(info).admitted;
        let mut session = Session::new(self.config.clone(), self.budget.clone(), admitted);
        let mut notes = Notes { decides, ..Notes::default() };
        session.begin(now, &mut notes);
        let (keys, pulled, hellos, is_gone) = (Vec::new(), VecDeque::new(), 0, false);
        self.side = Some(ClientSide { session, notes, keys, pulled, hellos, is_gone });
    }

    pub(super) fn call(&mut self, [choice, more]: [u8; 2], judge: &mut Judge, now: Instant) {
        let Some(ClientSide { session, notes, keys, .. }) = &mut self.side else { return };
        let number = judge.next_number();
        let mut options = CallOptions::default().hops(u32::from(more & 1));
        if more & 2 != 0 {
            options = options.timeout(limits::time(more / 4));
        }
        let body = Packed::call(&("x".repeat(usize::from(choice)),), &()).expect("a text");
        let Ok(mut new) = NewCall::made(name_of(number), body, options, &self.config, now) else {
            return;
        };
        new.tag = number;
        if let Ok(key) = session.call(&mut new, notes) {
            judge.made(number, 1 + self.which, now);
            keys.push(key);
        }
    }

    pub(super) fn cancel(&mut self, choice: u8) {
        let Some(ClientSide { session, notes, keys, .. }) = &mut self.side else { return };
        if let Some(key) = keys.get(usize::from(choice) % keys.len().max(1)) {
            session.cancel(*key, notes);
        }
    }

    /// Its driver decides what is kept of a challenged call: it, another one in its place, or nothing.
    pub(super) fn decide(&mut self, [choice, more]: [u8; 2]) {
        let Some(ClientSide { session, notes, .. }) = &mut self.side else { return };
        if notes.undecided.is_empty() {
            return;
        }
        let key = notes.undecided.remove(usize::from(choice) % notes.undecided.len());
        let last = session.last_work(key);
        let kept = match more % 4 {
            0 => None,
            1 => last.map(|last| {
                let text = "y".repeat(usize::from(more) * 8);
                LastWork::new(last.name(), &(text,), &()).expect("a text")
            }),
            _ => last,
        };
        session.save_last_work(key, kept, notes);
        assert!(session.last_work(key).is_none(), "it was decided of");
    }

    /// The next message is handed to its connection.
    pub(super) fn pull(&mut self, judge: &mut Judge, now: Instant) -> bool {
        let Some(side) = &mut self.side else { return false };
        let Some(transmit) = side.session.poll_transmit(now, &mut side.notes) else { return false };
        let kind = transmit.kind();
        let (frames, number, token) = frames_of(transmit);
        if kind == Kind::Hello {
            side.hellos += 1;
            self.is_shown_rightly(&frames);
        }
        judge.leaves(&frames[2], number);
        self.side.iter_mut().for_each(|side| side.pulled.push_back((token, frames.clone())));
        true
    }

    fn is_shown_rightly(&self, frames: &Frames) {
        let side = self.side.as_ref().expect("it was pulled there");
        let credentials = self.config.credentials.as_ref().expect("there is nothing to show");
        assert!(credentials.allow_plaintext, "a password in clear");
        let is_asked =
            side.notes.is_challenged || side.session.info().profile != super::settings::profile(0);
        assert!(is_asked, "shown unasked to a v1 peer");
        assert!(side.hellos <= self.config.limits.logins_shown_max, "shown too often");
        let login =
            [&b"\x92\xc4\x04"[..], USERS[self.which].as_bytes(), b"\xc4\x06sesame"].concat();
        assert_eq!(frames[4], login);
    }

    /// The oldest of those has left whole.
    pub(super) fn write(&mut self) -> Option<Frames> {
        let side = self.side.as_mut().filter(|side| side.session.ended().is_none())?;
        let (token, frames) = side.pulled.pop_front()?;
        side.session.handle_written(token);
        Some(frames)
    }

    pub(super) fn hear(&mut self, frames: &Frames, judge: &mut Judge, now: Instant) {
        let Some(ClientSide { session, notes, is_gone, .. }) = &mut self.side else { return };
        let mut portion = Portion::take(&self.budget);
        let came = session.handle_message(parts_of(frames), now, &mut portion, notes);
        drop(portion);
        if let Some(request) = notes.arrived.take() {
            assert!(session.ended().is_none(), "served after its end");
            let number = judge.runs(request.name(), 1 + self.which);
            let (id, ticket) = (request.id(), request.into_ticket());
            assert!(notes.serving.insert(id, (ticket, number)).is_none(), "served twice");
        }
        match came {
            Ok(Came::Login(_)) => panic!("a server logs in nowhere"),
            Ok(_) => {}
            Err(error) => {
                *is_gone |= session.ended().is_none();
                session.handle_gone(error.into(), notes);
            }
        }
    }

    pub(super) fn reply(&mut self, [choice, more]: [u8; 2], now: Instant) -> bool {
        let Some(ClientSide { session, notes, .. }) = &mut self.side else { return false };
        let some = usize::from(choice) % notes.serving.len().max(1);
        let Some(key) = notes.serving.keys().nth(some).copied() else { return false };
        let (ticket, number) = notes.serving.remove(&key).expect("it is there");
        session.reply(ticket, Reply::Handled(answer(number, more)), now, notes);
        true
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        let Some(ClientSide { session, notes, .. }) = &mut self.side else { return };
        session.handle_timeout(now, notes);
        assert!(session.poll_timeout().is_none_or(|next| next > now), "it is due still");
    }

    /// Its link is gone, or it leaves of itself.
    pub(super) fn lose(&mut self, is_ours: bool) {
        let Some(ClientSide { session, notes, is_gone, .. }) = &mut self.side else { return };
        match is_ours {
            true => session.close(Reason::Disconnected, notes),
            false => session.handle_gone(Reason::PeerGone, notes),
        }
        *is_gone = !is_ours;
    }

    /// Tells what has ended; if the session has, what may leave of it yet.
    pub(super) fn settle(&mut self, judge: &mut Judge, now: Instant) -> Option<Vec<Frames>> {
        let side = self.side.as_mut()?;
        side.notes.ended.drain(..).for_each(|(call, outcome)| judge.ended(call, outcome, now));
        judge.is_odd |= side.notes.has_withheld;
        side.session.ended()?;
        assert_eq!((side.session.calls_pending(), side.notes.serving.len()), (0, 0));
        let side = self.side.take()?;
        self.directory.leave(side.session.id());
        // Where it ended of itself, its driver may have been writing.
        let pulled = side.pulled.into_iter().map(|(_, frames)| frames);
        Some(pulled.filter(|_| !side.is_gone).collect())
    }

    pub(super) fn check(&self) {
        let (taken, limits) = (self.budget.taken(), &self.config.limits);
        let Some(ClientSide { session, .. }) = &self.side else {
            return assert_eq!(taken, Default::default(), "of a link that is gone");
        };
        assert_eq!(taken.calls, session.calls_pending());
        assert!(taken.calls <= limits.calls_pending_per_peer_max.min(limits.calls_pending_max));
        assert!(!session.is_stranger() && taken.sessions == 1);
    }

    /// Calls that are pending, and whether nothing is to be decided of.
    pub(super) fn pending(&self) -> (usize, bool) {
        let side = self.side.as_ref();
        side.map_or((0, true), |side| {
            (side.session.calls_pending(), side.notes.undecided.is_empty())
        })
    }
}

/// What is answered to that call.
pub(super) fn answer(number: Option<Number>, choice: u8) -> Result<Packed, Fault> {
    match (number, choice % 4) {
        (Some(number), 1..) => Ok(Packed::result(&answer_to(number)).expect("a number")),
        (None, 1) => Ok(Packed::result(&Refusal::Draining.to_string()).expect("a text")),
        _ => Err(Fault::new("E", "x".repeat(usize::from(choice)))),
    }
}
