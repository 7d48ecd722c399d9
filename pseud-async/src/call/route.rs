//! Whom calls go to, and where they were last found.

use crate::engine::deliver::{Absent, LOOKS_MAX, Sent, not_executed};
use crate::engine::effects::Effects;
use crate::engine::hub::{Hub, Inner};
use crate::engine::seat::Seat;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::{AbsentPeer, CallKey, Counted, NewCall, NotCalled, Sink, Target};
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

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Routed {
    /// It is at a session.
    Sent(Sent),
    /// It waits for somebody to be there.
    Waits(Arc<Absent>, Arc<Hub>),
    /// It is over, and not told yet.
    Over(Outcome),
    Told,
}

/// Why a call was not made at a session.
enum NotSent {
    Refused(CallRefused),
    /// The session has ended: the call is as it was.
    Ended(Reason, Arc<Seat>),
}

/// What the directory said.
enum SeatLookup {
    Seat(Arc<Seat>),
    /// What became of the call.
    Nobody(Routed),
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
        call: &mut NewCall,
        waker: Option<&Waker>,
        now: Instant,
    ) -> Result<Routed, CallRefused> {
        if let Meant::Session { seat, .. } = &self.meant {
            let Some(seat) = seat else { return self.gone(call, false) };
            return match try_call(seat.clone(), call, waker) {
                Ok(sent) => Ok(sent),
                Err(NotSent::Refused(refused)) => Err(refused),
                Err(NotSent::Ended(reason, _)) => self.gone(call, reason == Reason::Shutdown),
            };
        }
        for _ in 0..LOOKS_MAX {
            let seat = match self.remembered() {
                Some(seat) => seat,
                None => match self.find(call, waker, now)? {
                    SeatLookup::Seat(seat) => seat,
                    SeatLookup::Nobody(routed) => return Ok(routed),
                },
            };
            match try_call(seat, call, waker) {
                Ok(sent) => return Ok(sent),
                Err(NotSent::Refused(refused)) => return Err(refused),
                Err(NotSent::Ended(_, seat)) => self.hub.left(&seat),
            }
        }
        self.gone(call, false)
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

    /// Asks the directory. Where nobody is there the call waits, or is over.
    fn find(
        &self,
        call: &mut NewCall,
        waker: Option<&Waker>,
        now: Instant,
    ) -> Result<SeatLookup, CallRefused> {
        let hub = &self.hub;
        let inner = hub.lock();
        let changes = hub.changes();
        let wanted = match inner.directory.find(&self.to)? {
            Target::Session(peer) => match inner.seat(peer) {
                Some(seat) => {
                    drop(inner);
                    self.remember(&seat, changes);
                    return Ok(SeatLookup::Seat(seat));
                }
                None => {
                    drop(inner);
                    return self.gone(call, false).map(SeatLookup::Nobody);
                }
            },
            Target::Nobody(wanted) => wanted,
        };
        self.wait(inner, wanted, call.take(), waker, now).map(SeatLookup::Nobody)
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
                return Ok(Routed::Waits(caller, hub.clone()));
            }
            (why, _) => why.unwrap_or(Reason::NotConnected),
        };
        self.over(not_executed(why))
    }
}

/// Calls that session, under its lock alone.
fn try_call(seat: Arc<Seat>, call: &mut NewCall, waker: Option<&Waker>) -> Result<Routed, NotSent> {
    let (mut effects, mut forgotten) = (Effects::default(), None);
    let visited = seat.visit_into(&mut effects, |session, noted| {
        let waiter = noted.waiters.insert(waker.cloned());
        call.tag = waiter as u64;
        let room = &seat.hub.room;
        let is_behind = noted.backlog.is_some() || room.is_wanted(session.has_few_calls());
        let called = match is_behind {
            false => session.call(call, noted),
            true => Err(session.call_behind(call)),
        };
        let visited = match called {
            Ok(key) => {
                noted.count(Counted::Called);
                return match noted.waiters.take_done(waiter) {
                    None => Visited::Placed(waiter, Some(key)),
                    Some(outcome) => Visited::Over(outcome),
                };
            }
            Err(NotCalled::Full(_)) if call.when_full == WhenFull::Wait => {
                noted.count(Counted::Called);
                noted.wait_for_room(call.take(), waiter, &seat.hub.budget);
                return Visited::Placed(waiter, None);
            }
            Err(NotCalled::Full(refused) | NotCalled::Refused(refused)) => {
                Visited::Refused(refused)
            }
            Err(NotCalled::Ended(reason)) => Visited::Ended(reason),
            Err(_) => {
                noted.count(Counted::Called);
                Visited::Over(Outcome::NotExecuted(Reason::TakesNoCalls))
            }
        };
        forgotten = noted.waiters.forget(waiter);
        visited
    });
    drop(forgotten);
    seat.perform(&mut effects, false);
    match visited {
        Visited::Placed(waiter, call) => Ok(Routed::Sent(Sent { seat, waiter, call })),
        Visited::Over(outcome) => Ok(Routed::Over(outcome)),
        Visited::Refused(refused) => Err(NotSent::Refused(refused)),
        Visited::Ended(reason) => Err(NotSent::Ended(reason, seat)),
    }
}

/// Where a visit has left a call.
enum Visited {
    /// It is pending for that waiter, or waits for room.
    Placed(usize, Option<CallKey>),
    Over(Outcome),
    Refused(CallRefused),
    /// The session has ended.
    Ended(Reason),
}
