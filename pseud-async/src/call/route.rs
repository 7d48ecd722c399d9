//! Whom calls go to, and where they were last found.

use crate::engine::deliver::{Absent, LOOKS_MAX, Sent, not_executed};
use crate::engine::effects::Effects;
use crate::engine::hub::{Hub, Inner};
use crate::engine::seat::Seat;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{AbsentPeer, Counted, NewCall, NotCalled, Sink, Target};
use pseud_proto::{CallRefused, Outcome, PeerId, Reason, To, WhenFull};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

/// Whom a handle means. Shared by what is made of it, so that calls on several threads meet nowhere but
/// at their sessions.
pub(crate) struct Route {
    pub(crate) hub: Arc<Hub>,
    pub(crate) to: To,
    meant: Meant,
}

enum Meant {
    /// That session and no other.
    Session { seat: Option<Arc<Seat>>, info: Arc<PeerInfo> },
    /// Whoever the directory says.
    Name(Mutex<LastFound>),
}

/// Who was found last, and how often the directory had changed by then.
#[derive(Default)]
struct LastFound {
    seat: Weak<Seat>,
    changes: u64,
}

/// What became of a call as it was made.
pub(crate) enum Routed {
    /// It is at a session.
    Sent(Sent),
    /// It waits for somebody to be there.
    Waits(Arc<Absent>),
    /// It is over.
    Over(Outcome),
}

/// What became of a call at a session.
enum Tried {
    Routed(Routed),
    /// The session has ended: the call is given back.
    Ended(Reason, NewCall),
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to.fmt(f)
    }
}

impl Route {
    /// To whoever that is when it is called.
    pub(crate) fn new(hub: Arc<Hub>, to: To) -> Arc<Self> {
        Arc::new(Self { hub, to, meant: Meant::Name(Mutex::default()) })
    }

    /// To that session.
    pub(crate) fn to_session(seat: Arc<Seat>, info: Arc<PeerInfo>) -> Arc<Self> {
        let (hub, session) = (seat.hub.clone(), seat.peer);
        Self::to_past_session(hub, session, Some(seat), info)
    }

    /// To a session that may have ended.
    pub(crate) fn to_past_session(
        hub: Arc<Hub>,
        session: PeerId,
        seat: Option<Arc<Seat>>,
        info: Arc<PeerInfo>,
    ) -> Arc<Self> {
        Arc::new(Self { hub, to: To::Peer(session), meant: Meant::Session { seat, info } })
    }

    /// Who is behind the session, if it means one.
    pub(crate) fn info(&self) -> Option<&Arc<PeerInfo>> {
        match &self.meant {
            Meant::Session { info, .. } => Some(info),
            Meant::Name(_) => None,
        }
    }

    /// The session that would be called now.
    pub(crate) fn session(&self) -> Option<PeerId> {
        self.hub.lock().directory.session_of(&self.to)
    }

    /// Makes a call. Its caller's waker, if it is known, saves a look.
    pub(crate) fn call(
        &self,
        mut call: NewCall,
        waker: Option<&Waker>,
        now: Instant,
    ) -> Result<Routed, CallRefused> {
        let hub = &self.hub;
        if let Meant::Session { seat, .. } = &self.meant {
            let Some(seat) = seat else { return self.gone(&call, false) };
            return match try_call(seat, call, waker)? {
                Tried::Routed(routed) => Ok(routed),
                Tried::Ended(reason, call) => self.gone(&call, reason == Reason::Shutdown),
            };
        }
        for _ in 0..LOOKS_MAX {
            let seat = match self.remembered() {
                Some(seat) => seat,
                None => match self.find(call, waker, now)? {
                    Ok((seat, found)) => {
                        call = found;
                        seat
                    }
                    Err(routed) => return Ok(routed),
                },
            };
            match try_call(&seat, call, waker)? {
                Tried::Routed(routed) => return Ok(routed),
                Tried::Ended(_, back) => {
                    hub.left(&seat);
                    call = back;
                }
            }
        }
        self.gone(&call, false)
    }

    /// Nobody is there to take it.
    fn gone(&self, call: &NewCall, is_shut_down: bool) -> Result<Routed, CallRefused> {
        call.check_size(&self.hub.config)?;
        let why = match is_shut_down || self.hub.is_shut_down() {
            true => Reason::Shutdown,
            false => Reason::PeerGone,
        };
        self.over(not_executed(why))
    }

    fn over(&self, outcome: Outcome) -> Result<Routed, CallRefused> {
        self.hub.counts.of_nobody().count(Counted::Called);
        Ok(Routed::Over(outcome))
    }

    /// Who was found last, if the directory has not changed since.
    fn remembered(&self) -> Option<Arc<Seat>> {
        let Meant::Name(found) = &self.meant else { return None };
        let found = found.lock().unwrap_or_else(PoisonError::into_inner);
        (found.changes == self.hub.changes()).then(|| found.seat.upgrade())?
    }

    fn remember(&self, seat: &Arc<Seat>, changes: u64) {
        if let Meant::Name(found) = &self.meant {
            let found = &mut *found.lock().unwrap_or_else(PoisonError::into_inner);
            *found = LastFound { seat: Arc::downgrade(seat), changes };
        }
    }

    /// Asks the directory. The call is given back where somebody is there; else it waits, or is over.
    #[allow(clippy::type_complexity, reason = "a name for it would say no more")]
    fn find(
        &self,
        call: NewCall,
        waker: Option<&Waker>,
        now: Instant,
    ) -> Result<Result<(Arc<Seat>, NewCall), Routed>, CallRefused> {
        let hub = &self.hub;
        let inner = hub.lock();
        let changes = hub.changes();
        let wanted = match inner.directory.find(&self.to)? {
            Target::Session(peer) => match inner.seat(peer) {
                Some(seat) => {
                    drop(inner);
                    self.remember(&seat, changes);
                    return Ok(Ok((seat, call)));
                }
                None => {
                    drop(inner);
                    return self.gone(&call, false).map(Err);
                }
            },
            Target::Nobody(wanted) => wanted,
        };
        self.wait(inner, wanted, call, waker, now).map(Err)
    }

    /// Lets a call wait for whom it wants, where that is not in vain.
    fn wait(
        &self,
        mut inner: MutexGuard<'_, Inner>,
        wanted: AbsentPeer,
        call: NewCall,
        waker: Option<&Waker>,
        now: Instant,
    ) -> Result<Routed, CallRefused> {
        let hub = &self.hub;
        let mut absent = None;
        let parked = inner.park(wanted, call, now, |parking| {
            let caller = Absent::new(self.to.clone(), parking, waker.cloned());
            absent = Some(caller.clone());
            caller
        });
        let rearm = hub.arm_directory(&inner);
        drop(inner);
        if rearm {
            hub.timer.wake();
        }
        let why = match (parked?, absent) {
            (None, Some(caller)) => {
                hub.counts.of_nobody().count(Counted::Called);
                return Ok(Routed::Waits(caller));
            }
            (why, _) => why.unwrap_or(Reason::NotConnected),
        };
        self.over(not_executed(why))
    }
}

/// Calls that session, under its lock alone.
fn try_call(
    seat: &Arc<Seat>,
    mut call: NewCall,
    waker: Option<&Waker>,
) -> Result<Tried, CallRefused> {
    let mut effects = Effects::default();
    let (tried, forgotten) = seat.visit_into(&mut effects, |session, noted| {
        let waiter = noted.waiters.insert(waker.cloned());
        call.tag = waiter as u64;
        let room = &seat.hub.room;
        let is_behind = noted.backlog.is_some() || room.is_wanted(session.has_few_calls());
        let called = match is_behind {
            false => session.call(call, noted),
            true => Err(session.call_behind(call)),
        };
        let called = match called {
            Ok(call) => {
                noted.count(Counted::Called);
                match noted.waiters.take_done(waiter) {
                    None => return (Ok(Ok((waiter, Some(call)))), None),
                    Some(outcome) => return (Ok(Err(Tried::Routed(Routed::Over(outcome)))), None),
                }
            }
            Err(NotCalled::Full(_, call)) if call.when_full == WhenFull::Wait => {
                noted.count(Counted::Called);
                noted.wait_for_room(*call, waiter, &seat.hub.budget);
                return (Ok(Ok((waiter, None))), None);
            }
            Err(NotCalled::Full(full, _)) => Err(full),
            Err(NotCalled::Refused(refused)) => Err(refused),
            Err(NotCalled::Ended(reason, call)) => Ok(Err(Tried::Ended(reason, *call))),
            Err(_) => {
                noted.count(Counted::Called);
                let over = Outcome::NotExecuted(Reason::TakesNoCalls);
                Ok(Err(Tried::Routed(Routed::Over(over))))
            }
        };
        (called, noted.waiters.forget(waiter))
    });
    drop(forgotten);
    seat.perform(&mut effects, false);
    tried.map(|tried| match tried {
        Ok((waiter, call)) => {
            Tried::Routed(Routed::Sent(Sent { seat: seat.clone(), waiter, call }))
        }
        Err(tried) => tried,
    })
}
