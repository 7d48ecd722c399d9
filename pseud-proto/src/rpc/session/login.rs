//! A peer that nobody has authenticated, and how it becomes somebody: UNAUTHORIZED to its WORKs, and a
//! HELLO that is asked about (`on_socket_ready` of Python `pseud/common.py`: `handle_authentication`,
//! `handle_hello`).

use crate::auth::question::Question;
use crate::base::secret::Secret;
use crate::call::dropped::Dropped;
use crate::call::late_guard::Guard;
use crate::call::open_request::OpenRequest;
use crate::call::peer::PeerInfo;
use crate::call::wire_id::WireId;
use crate::dialect::{Answer, Envelope, Hello, Kind};
use crate::error::{Misbehaved, PeerError};
use crate::rpc::session::Session;
use crate::rpc::session::challenge::AskedLogin;
use crate::rpc::session::sink::Sink;
use crate::rpc::session::visit::Visit;
use crate::rpc::stats::Counted;
use bytes::Bytes;
use smol_str::SmolStr;
use std::sync::Arc;
use std::time::Instant;

/// HELLOs that wait for the same answer: a peer with several calls that were challenged may show the
/// same for each. One more is refused.
const HELLOS_MAX: usize = 16;

impl Session {
    /// A message of a peer that has not logged in. Nothing is run, and no body but a HELLO's is read.
    pub(super) fn visit_stranger(
        &mut self,
        envelope: &Envelope<'_>,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        match (envelope.kind, WireId::new(envelope.id)) {
            (Kind::Work, Some(id)) => self.challenge(id, now, sink)?,
            (Kind::Hello, _) => return self.visit_hello(envelope, now, sink),
            (Kind::Heartbeat, _) => {
                sink.count(Counted::Heartbeat);
                self.flood(now)?;
            }
            // A peer that has not logged in is called by nobody: an OK or an ERROR of its answers nothing.
            _ => self.drop_message(Dropped::Unsolicited, now, sink)?,
        }
        Ok(Visit::Nothing)
    }

    /// Its time runs from the end of its handshake on, whatever it says or does not say later.
    pub(super) fn start_login(&mut self, now: Instant) {
        let timeout = self.config.limits.login_timeout;
        let login = self.login.get_or_insert_default();
        if login.by.is_none() {
            login.by = now.checked_add(timeout);
        }
    }

    /// Until when a peer that has not logged in may be there.
    pub(super) fn login_by(&self) -> Option<Instant> {
        let login = self.login.as_ref().filter(|_| self.is_stranger)?;
        login.by
    }

    fn challenge(
        &mut self,
        id: WireId,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<(), PeerError> {
        let limit = self.config.limits.unauthorized;
        if !self.login.get_or_insert_default().challenges.spend(limit, now) {
            return Err(Misbehaved::AuthFlood.into());
        }
        sink.count(Counted::Challenged);
        self.tell_login(id, self.guard(now), Answer::unauthorized(true), sink);
        Ok(())
    }

    /// A HELLO, also of a peer that has logged in: a Python client shows one for each call that was
    /// challenged.
    pub(super) fn visit_hello(
        &mut self,
        envelope: &Envelope<'_>,
        now: Instant,
        sink: &mut impl Sink,
    ) -> Result<Visit, PeerError> {
        let Some(id) = WireId::new(envelope.id).filter(|_| self.config.requires_login) else {
            self.drop_message(Dropped::Unsolicited, now, sink)?;
            return Ok(Visit::Nothing);
        };
        self.flood(now)?;
        let (guard, tries_max) = (self.guard(now), self.config.limits.login_tries_max);
        let known = (!self.is_stranger).then(|| self.info.user.id().clone());
        let login = self.login.get_or_insert_default();
        if login.refused >= tries_max {
            return Err(Misbehaved::LoginTries.into());
        }
        let hello = Hello::read(envelope.body);
        if let Some(user) = known {
            let ours = login.login.as_ref().unwrap_or(&user);
            let is_again = hello.is_some_and(|hello| hello.login == ours);
            let answer =
                if is_again { Answer::authenticated() } else { Answer::unauthorized(false) };
            self.tell_login(id, guard, answer, sink);
            return Ok(Visit::Nothing);
        }
        let Some(hello) = hello.filter(|hello| !login.is_denied(hello, now)) else {
            login.refused += 1;
            sink.count(Counted::LoginRefused);
            self.tell_login(id, guard, Answer::unauthorized(false), sink);
            return Ok(Visit::Nothing);
        };
        Ok(self.ask_about(hello, (id, guard), sink))
    }

    /// One question at a time; who shows the same HELLO again waits for the same answer.
    fn ask_about(&mut self, hello: Hello, waits: (WireId, Guard), sink: &mut impl Sink) -> Visit {
        match &mut self.login.get_or_insert_default().asked {
            Some(asked) if asked.hello == hello && asked.waiting.len() < HELLOS_MAX => {
                asked.waiting.push(waits);
                Visit::Nothing
            }
            Some(_) => {
                let (id, guard) = waits;
                self.tell_login(id, guard, Answer::unauthorized(false), sink);
                Visit::Nothing
            }
            place @ None => {
                let (login, password) = (hello.login.clone(), hello.password.clone());
                *place = Some(AskedLogin { hello, waiting: vec![waits] });
                Visit::Login(self.question(login, password))
            }
        }
    }

    fn question(&self, login: Bytes, password: Secret) -> Question {
        Question::Login {
            login,
            password,
            #[cfg(feature = "_curve")]
            client_key: self.info.client_key.as_deref().copied(),
        }
    }

    /// Whether it must log in before anything else.
    pub fn is_stranger(&self) -> bool {
        self.is_stranger
    }

    /// Whether a HELLO is asked about, whose answer may make it somebody.
    pub fn may_log_in(&self) -> bool {
        self.is_stranger && self.login.as_ref().is_some_and(|login| login.asked.is_some())
    }

    /// The peer is who its HELLO said, as its directory [knows](Self::set_info) already.
    pub fn logged_in(&mut self, info: Arc<PeerInfo>, sink: &mut impl Sink) {
        self.set_info(info);
        let Some(asked) = self.login.as_mut().and_then(|login| login.asked.take()) else { return };
        if let Some(login) = &mut self.login {
            login.login = Some(asked.hello.login);
            login.denied = None;
        }
        self.answer_hellos(asked.waiting, Answer::authenticated, sink);
    }

    /// The peer is not who its HELLO said, or (`is_denied` is false) nobody can tell.
    ///
    /// A Python client hears the same of both; any other peer is told which it was, so that it comes again.
    pub fn login_refused(&mut self, is_denied: bool, now: Instant, sink: &mut impl Sink) {
        let is_v1 = self.profile().is_v1();
        let Some(login) = &mut self.login else { return };
        login.refused = login.refused.saturating_add(u8::from(is_denied));
        if is_denied {
            sink.count(Counted::LoginRefused);
        }
        let Some(asked) = login.asked.take() else { return };
        if is_denied {
            login.denied = Some((asked.hello, now));
        }
        let answer = || match is_denied || is_v1 {
            true => Answer::unauthorized(false),
            false => Answer::login_unavailable(),
        };
        self.answer_hellos(asked.waiting, answer, sink);
    }

    fn answer_hellos(
        &mut self,
        waiting: Vec<(WireId, Guard)>,
        answer: impl Fn() -> Answer,
        sink: &mut impl Sink,
    ) {
        for (id, guard) in waiting {
            self.tell_login(id, guard, answer(), sink);
        }
    }

    /// Nobody who drains waits for it.
    fn tell_login(&mut self, id: WireId, guard: Guard, answer: Answer, sink: &mut impl Sink) {
        let (name, bytes) = (SmolStr::default(), 0);
        self.enqueue_reply(OpenRequest { id, guard, name, bytes }, answer, false, sink);
    }
}
