//! What an endpoint's handles and its task share: the machine under one short lock, and its socket.
//!
//! Under the lock no waker is woken, no handler runs and nothing of a user's is dropped.

use super::log::Log;
use super::socket::DatagramSocket;
use crate::engine::hub::Hub;
use crate::engine::seat::Seat;
use crate::engine::wait_list::{WaitHandle, WaitList};
use atomic_waker::AtomicWaker;
use pseud_proto::peer::PeerInfo;
use pseud_proto::rpcudp::{
    Action, CallOptions, Endpoint, Outcome, Request, Silence, Ticket, TicketId, Transmit,
};
use pseud_proto::value::Packed;
use pseud_proto::{CallId, CallRefused, Reason};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct SharedSocket {
    inner: Mutex<DatagramState>,
    /// Its executor and its end are the endpoint's. It has no links.
    pub(crate) hub: Arc<Hub>,
    /// A session of the hub's that is over: what a request's caller is as a peer of pseud's.
    pub(crate) nobody: Arc<Seat>,
    /// The task that receives.
    pub(crate) driver: AtomicWaker,
    pub(crate) log: Log,
}

#[derive(Debug)]
pub(crate) struct DatagramState {
    pub(crate) machine: Endpoint,
    waiters: BTreeMap<CallId, CallWaiter>,
    /// Who waits for the end of a request's time.
    cancelling: BTreeMap<TicketId, WaitList>,
    /// Who waits until nothing is open.
    draining: WaitList,
    /// A datagram that the socket did not take: the task sends it.
    pub(crate) stuck: Option<Transmit>,
    /// The moment for which the task sleeps: it is woken only for an earlier one.
    pub(crate) armed: Option<Instant>,
    /// Gone once the endpoint is closed, so that its port is free then, whoever holds a handle. The task
    /// has its own.
    pub(crate) socket: Option<Arc<dyn DatagramSocket>>,
}

#[derive(Debug)]
pub(crate) enum CallWaiter {
    Waiting(Waker),
    Done(Outcome),
}

impl SharedSocket {
    pub(crate) fn new(machine: Endpoint, socket: impl DatagramSocket, hub: Arc<Hub>) -> Self {
        let nobody = nobody(&hub);
        let socket: Option<Arc<dyn DatagramSocket>> = Some(Arc::new(socket));
        let inner = Mutex::new(DatagramState {
            machine,
            waiters: BTreeMap::new(),
            cancelling: BTreeMap::new(),
            draining: WaitList::default(),
            stuck: None,
            armed: None,
            socket,
        });
        Self { inner, hub, nobody, driver: AtomicWaker::new(), log: Log::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, DatagramState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Instant {
        self.hub.now()
    }

    /// Sends a call; `waker` is woken at its end.
    pub(crate) fn call(
        &self,
        to: SocketAddr,
        name: &str,
        arguments: &Packed,
        options: &CallOptions,
        waker: &Waker,
    ) -> Result<CallId, CallRefused> {
        let now = self.now();
        let mut inner = self.lock();
        let call = inner.machine.call(to, name, arguments, options, now)?;
        inner.waiters.insert(call, CallWaiter::Waiting(waker.clone()));
        drop(inner);
        self.flush();
        Ok(call)
    }

    /// How a call ended, if it has; else `waker` is woken when it does.
    pub(crate) fn take_outcome(&self, call: CallId, waker: &Waker) -> Option<Outcome> {
        let mut inner = self.lock();
        let replaced = match inner.waiters.remove(&call)? {
            CallWaiter::Done(outcome) => return Some(outcome),
            CallWaiter::Waiting(known) if known.will_wake(waker) => {
                inner.waiters.insert(call, CallWaiter::Waiting(known));
                return None;
            }
            CallWaiter::Waiting(known) => known,
        };
        inner.waiters.insert(call, CallWaiter::Waiting(waker.clone()));
        drop(inner);
        drop(replaced);
        None
    }

    /// Nobody waits for that call any more.
    pub(crate) fn give_up(&self, call: CallId) {
        let mut inner = self.lock();
        let waiter = inner.waiters.remove(&call);
        inner.machine.cancel(call);
        // Whatever else has ended since is told here: nobody else would collect it.
        let (wakers, requests) = inner.collect();
        drop(inner);
        drop((waiter, requests));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Answers a request, to be sent by [`flush`](Self::flush).
    pub(crate) fn reply(&self, ticket: Ticket, result: &Packed) -> Result<(), Silence> {
        let (id, now) = (ticket.id(), self.now());
        self.over(id, |machine| machine.reply(ticket, result, now))
    }

    /// Does not answer a request.
    pub(crate) fn abandon(&self, ticket: Ticket, why: Silence) {
        self.over(ticket.id(), |machine| machine.abandon(ticket, why));
    }

    /// What ends a request.
    fn over<T>(&self, ticket: TicketId, end: impl FnOnce(&mut Endpoint) -> T) -> T {
        let mut inner = self.lock();
        let ended = end(&mut inner.machine);
        let wait_list = inner.cancelling.remove(&ticket).unwrap_or_default();
        let (wakers, _) = inner.collect();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        wait_list.wake();
        ended
    }

    /// Lets somebody wait until a request is cancelled; `false` where it was.
    pub(crate) fn wait_for_cancel(&self, ticket: TicketId, place: &WaitHandle) -> bool {
        let mut inner = self.lock();
        let waits = inner.is_awaited(ticket);
        if waits {
            inner.cancelling.entry(ticket).or_default().join(place);
        }
        waits
    }

    /// Takes no new requests.
    pub(crate) fn drain(&self) {
        self.lock().machine.drain();
    }

    /// Lets somebody wait until nothing is open, or all is closed; `false` where it is so.
    pub(crate) fn wait_for_idle(&self, place: &WaitHandle) -> bool {
        let mut inner = self.lock();
        let waits = !inner.is_idle();
        if waits {
            inner.draining.join(place);
        }
        waits
    }

    /// Ends everything: calls end as closed, and the task ends.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.machine.close();
        inner.stuck = None;
        let socket = inner.socket.take();
        let cancelling = std::mem::take(&mut inner.cancelling);
        let (wakers, requests) = inner.collect();
        drop(inner);
        // Before those who wait are woken: they ask whether it is that.
        self.hub.shutdown();
        cancelling.into_values().for_each(WaitList::wake);
        drop((requests, socket));
        wakers.into_iter().for_each(Waker::wake);
        self.driver.wake();
    }

    /// Tries again what the socket did not take. Under the lock throughout: meanwhile nobody else finds that
    /// place empty and puts a datagram there.
    pub(crate) fn send_stuck(&self) {
        let mut inner = self.lock();
        let Some(stuck) = inner.stuck.take() else { return };
        let failed = match self.send(&inner, &stuck) {
            Ok(()) => None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                inner.stuck = Some(stuck);
                None
            }
            Err(error) => {
                let to = stuck.to;
                inner.machine.handle_not_sent(stuck);
                Some((to, error))
            }
        };
        let (wakers, _) = inner.collect();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        if let Some((to, error)) = failed {
            self.log.not_sent(to, &error);
        }
    }

    /// Sends what is to be sent, as far as the socket takes it. What it does not take is the task's, which
    /// is also told of an earlier deadline.
    pub(crate) fn flush(&self) {
        let (mut inner, mut failed) = (self.lock(), Vec::new());
        while inner.stuck.is_none() {
            let Some(transmit) = inner.machine.poll_transmit() else { break };
            // The socket does not block: sending under the lock keeps the order, and its end from racing.
            match self.send(&inner, &transmit) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    inner.stuck = Some(transmit);
                }
                Err(error) => {
                    failed.push((transmit.to, error));
                    inner.machine.handle_not_sent(transmit);
                }
            }
        }
        let next = inner.machine.poll_timeout();
        let earlier = next.is_some_and(|next| inner.armed.is_none_or(|armed| next < armed));
        let to_driver = inner.stuck.is_some() || earlier;
        let (wakers, requests) = inner.collect();
        drop(inner);
        debug_assert!(requests.is_empty(), "requests come in datagrams alone");
        wakers.into_iter().for_each(Waker::wake);
        // With no lock: what listens to the log is a user's.
        failed.into_iter().for_each(|(to, error)| self.log.not_sent(to, &error));
        if to_driver {
            self.driver.wake();
        }
    }

    /// Some systems report of an earlier datagram, on the next one, that nobody was there to take it:
    /// nothing is wrong with this one then.
    fn send(&self, inner: &DatagramState, transmit: &Transmit) -> io::Result<()> {
        // Closed: nothing is sent any more, and nobody waits for it.
        let Some(socket) = &inner.socket else { return Ok(()) };
        match socket.try_send(&transmit.payload, transmit.to) {
            Err(error) if is_of_another(&error) => socket.try_send(&transmit.payload, transmit.to),
            sent => sent,
        }
    }
}

/// Whether an error is that of a datagram that was sent before: ICMP's word, which anybody may send.
pub(crate) fn is_of_another(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    let kinds = [ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable];
    kinds.contains(&error.kind())
}

impl DatagramState {
    /// Whether that request is to be answered, as far as anybody knows.
    pub(crate) fn is_awaited(&self, ticket: TicketId) -> bool {
        self.socket.is_some() && !self.machine.is_overdue(ticket)
    }

    fn is_idle(&self) -> bool {
        self.socket.is_none() || self.stuck.is_none() && self.machine.is_idle()
    }

    /// What follows from the machine: whom to wake, and what is to be served.
    pub(crate) fn collect(&mut self) -> (Vec<Waker>, Vec<Request>) {
        let (mut wakers, mut requests) = (Vec::new(), Vec::new());
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Serve(request) => requests.push(request),
                Action::Finish { call, outcome } => {
                    // Who gave its call up waits no more.
                    if let Some(waiter) = self.waiters.get_mut(&call)
                        && let CallWaiter::Waiting(waker) =
                            std::mem::replace(waiter, CallWaiter::Done(outcome))
                    {
                        wakers.push(waker);
                    }
                }
                Action::Overdue(ticket) => {
                    let wait_list = self.cancelling.remove(&ticket).unwrap_or_default();
                    wakers.extend(wait_list.into_wakers());
                }
                _ => {}
            }
        }
        if self.is_idle() {
            wakers.extend(std::mem::take(&mut self.draining).into_wakers());
        }
        (wakers, requests)
    }
}

/// A session that has ended before anybody could call it.
fn nobody(hub: &Arc<Hub>) -> Arc<Seat> {
    let mut inner = hub.lock();
    let admitted = inner.directory.join(PeerInfo::new("".into())).admitted;
    inner.directory.leave(admitted.id);
    drop(inner);
    let seat = Seat::admit(hub, admitted, None);
    seat.end(Reason::Disconnected);
    seat
}
