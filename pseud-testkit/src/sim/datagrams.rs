//! Datagrams of a world: some are lost, some come twice, and each travels for itself, so that they overtake.

use super::clock::Alarm;
use super::pipe::Air;
use pseud_async::rpcudp::DatagramSocket;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// The first port that is given to those who ask for any.
const FIRST_PORT: u16 = 40_000;

/// All sockets of datagrams in a world.
#[derive(Debug)]
pub(super) struct Mail {
    air: Air,
    state: Mutex<MailState>,
}

#[derive(Debug)]
struct MailState {
    boxes: BTreeMap<SocketAddr, Arc<Mailbox>>,
    next_port: u16,
}

/// What flies to one socket.
#[derive(Debug)]
struct Mailbox(Mutex<MailboxState>);

#[derive(Debug)]
struct MailboxState {
    /// By arrival; the number tells those apart that arrive at one moment.
    flying: BTreeMap<(Instant, u64), (SocketAddr, Vec<u8>)>,
    count: u64,
    reader: Option<Waker>,
    arrival: Alarm,
    full_until: Option<Instant>,
    flow: Alarm,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, MailboxState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    pub(super) fn new(air: Air) -> Arc<Self> {
        let state = MailState { boxes: BTreeMap::new(), next_port: FIRST_PORT };
        Arc::new(Self { air, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, MailState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bind(self: &Arc<Self>, mut at: SocketAddr) -> io::Result<DatagramPort> {
        let mut state = self.lock();
        if at.port() == 0 {
            at.set_port(state.next_port);
            state.next_port = state.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        }
        if state.boxes.contains_key(&at) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let mailbox = Arc::new(Mailbox(Mutex::new(MailboxState {
            flying: BTreeMap::new(),
            count: 0,
            reader: None,
            arrival: Alarm::new(&self.air.clock),
            full_until: None,
            flow: Alarm::new(&self.air.clock),
        })));
        state.boxes.insert(at, mailbox.clone());
        Ok(DatagramPort { mail: self.clone(), at, mailbox })
    }

    /// Lets copies of it fly, if anybody is there.
    fn post(&self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let copies = self.air.climate.datagram();
        self.air.trace.bytes(datagram);
        let mailbox = self.lock().boxes.get(&to).cloned();
        let Some(mailbox) = mailbox else { return };
        let now = self.air.clock.now();
        let mut state = mailbox.lock();
        for travels in copies {
            state.count += 1;
            let key = (now + travels, state.count);
            state.flying.insert(key, (from, datagram.to_vec()));
        }
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

/// A socket of datagrams in a world. When it is dropped its port is free, and what flies there is lost.
#[derive(Debug)]
pub struct DatagramPort {
    mail: Arc<Mail>,
    at: SocketAddr,
    mailbox: Arc<Mailbox>,
}

impl Drop for DatagramPort {
    fn drop(&mut self) {
        self.mail.lock().boxes.remove(&self.at);
    }
}

impl DatagramSocket for DatagramPort {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.at)
    }

    fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let now = self.mail.air.clock.now();
        let mut state = self.mailbox.lock();
        let Some((&(at, number), _)) = state.flying.first_key_value() else {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if at > now {
            // One that is sent later may come earlier.
            state.reader = Some(cx.waker().clone());
            state.arrival.set(at, cx.waker());
            return Poll::Pending;
        }
        let Some((from, datagram)) = state.flying.remove(&(at, number)) else {
            return Poll::Pending;
        };
        drop(state);
        self.mail.air.trace.bytes(&datagram);
        let size = datagram.len().min(buffer.len());
        buffer[..size].copy_from_slice(&datagram[..size]);
        Poll::Ready(Ok((size, from)))
    }

    fn try_send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        let now = self.mail.air.clock.now();
        let mut state = self.mailbox.lock();
        if state.full_until.is_none_or(|until| until <= now) {
            // Who found it full before finds it so no more.
            let had_to_wait = state.full_until.take().is_some();
            let blocked = (!had_to_wait).then(|| self.mail.air.climate.blocked()).flatten();
            state.full_until = blocked.map(|wait| now + wait);
        }
        if state.full_until.is_some() {
            return Err(ErrorKind::WouldBlock.into());
        }
        drop(state);
        self.mail.post(self.at, to, datagram);
        Ok(())
    }

    fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.mail.air.clock.now();
        let mut state = self.mailbox.lock();
        if let Some(until) = state.full_until.filter(|until| *until > now) {
            state.flow.set(until, cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}
