//! One direction of a connection.

use super::clock::{Alarm, SimClock};
use super::conditions::Climate;
use super::trace::Trace;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// What pipes are made of, in one world.
#[derive(Debug, Clone)]
pub(super) struct Air {
    pub(super) clock: Arc<SimClock>,
    pub(super) climate: Arc<Climate>,
    pub(super) trace: Arc<Trace>,
}

/// Bytes on their way from one writer to one reader.
#[derive(Debug)]
pub(super) struct SimPipe {
    air: Air,
    state: Mutex<PipeState>,
}

#[derive(Debug)]
struct PipeState {
    flying: VecDeque<(Instant, VecDeque<u8>)>,
    /// How many bytes fly, or were swallowed.
    held: usize,
    capacity: usize,
    end: PipeEnd,
    /// When the last byte arrives: none overtakes it.
    last: Instant,
    reader: Option<Waker>,
    arrival: Alarm,
    writer: Option<Waker>,
    full_until: Option<Instant>,
    flow: Alarm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PipeEnd {
    Open,
    /// The writer has said that nothing more comes.
    Finished,
    /// The reader has closed its socket.
    Closed,
    /// What flew is lost, and both are told.
    Reset,
    /// What is written is swallowed, and nobody is told.
    Silent,
}

/// What came of a write.
pub(super) enum Wrote {
    Bytes(usize),
    /// Into a socket that the other side has closed: it answers with a reset.
    Closed(usize),
}

impl SimPipe {
    pub(super) fn new(air: &Air) -> Self {
        let state = PipeState {
            flying: VecDeque::new(),
            held: 0,
            capacity: air.climate.capacity(),
            end: PipeEnd::Open,
            last: air.clock.now(),
            reader: None,
            arrival: Alarm::new(&air.clock),
            writer: None,
            full_until: None,
            flow: Alarm::new(&air.clock),
        };
        Self { air: air.clone(), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let now = self.air.clock.now();
        let mut state = self.lock();
        let PipeState { flying, end, last, arrival, .. } = &mut *state;
        let Some((at, bytes)) = flying.front_mut() else {
            match *end {
                PipeEnd::Reset => return Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
                PipeEnd::Finished if *last <= now => return Poll::Ready(Ok(0)),
                PipeEnd::Finished => arrival.set(*last, cx.waker()),
                PipeEnd::Open | PipeEnd::Closed | PipeEnd::Silent => {
                    state.reader = Some(cx.waker().clone())
                }
            }
            return Poll::Pending;
        };
        if *at > now {
            arrival.set(*at, cx.waker());
            return Poll::Pending;
        }
        let count = buffer.len().min(bytes.len()).min(self.air.climate.chunk());
        for (place, byte) in buffer.iter_mut().zip(bytes.drain(..count)) {
            *place = byte;
        }
        if bytes.is_empty() {
            flying.pop_front();
        }
        state.held -= count;
        let writer = state.writer.take();
        drop(state);
        self.air.trace.bytes(&buffer[..count]);
        wake(writer);
        Poll::Ready(Ok(count))
    }

    /// Writes what it can at once, `at_most` so much.
    pub(super) fn try_write(&self, slices: &[IoSlice<'_>], at_most: usize) -> io::Result<Wrote> {
        let now = self.air.clock.now();
        let mut state = self.lock();
        match state.end {
            PipeEnd::Reset => return Err(ErrorKind::ConnectionReset.into()),
            PipeEnd::Finished => return Err(ErrorKind::BrokenPipe.into()),
            PipeEnd::Open | PipeEnd::Closed | PipeEnd::Silent => {}
        }
        if state.full_until.is_none_or(|until| until <= now) {
            // Who found it full before finds it so no more: else nothing would ever be written.
            let had_to_wait = state.full_until.take().is_some();
            let blocked = (!had_to_wait).then(|| self.air.climate.blocked()).flatten();
            state.full_until = blocked.map(|wait| now + wait);
        }
        let room = state.capacity - state.held;
        if state.full_until.is_some() || room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let limit = room.min(at_most).min(self.air.climate.chunk());
        let mut bytes = VecDeque::new();
        for slice in slices {
            let left = limit - bytes.len();
            bytes.extend(&slice[..left.min(slice.len())]);
        }
        let count = bytes.len();
        self.air.trace.bytes(bytes.make_contiguous());
        if state.end == PipeEnd::Closed {
            return Ok(Wrote::Closed(count));
        }
        state.held += count;
        if state.end == PipeEnd::Open && count > 0 {
            state.last = state.last.max(now + self.air.climate.latency());
            let at = state.last;
            state.flying.push_back((at, bytes));
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Ok(Wrote::Bytes(count))
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.air.clock.now();
        let mut state = self.lock();
        if matches!(state.end, PipeEnd::Reset | PipeEnd::Finished) {
            return Poll::Ready(());
        }
        if let Some(until) = state.full_until.filter(|until| *until > now) {
            state.flow.set(until, cx.waker());
            return Poll::Pending;
        }
        if state.held < state.capacity {
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nothing more comes; what flies arrives.
    pub(super) fn finish(&self) {
        let latency = self.air.climate.latency();
        let mut state = self.lock();
        if state.end == PipeEnd::Open {
            state.end = PipeEnd::Finished;
            state.last = state.last.max(self.air.clock.now() + latency);
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    /// Nobody reads any more. Says whether something was not read.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        let unread = !state.flying.is_empty();
        state.flying.clear();
        if state.end == PipeEnd::Open {
            (state.end, state.held) = (PipeEnd::Closed, 0);
        }
        let writer = state.writer.take();
        drop(state);
        wake(writer);
        unread
    }

    /// What flies is lost, and both sides are told.
    pub(super) fn reset(&self) {
        self.lose(PipeEnd::Reset);
    }

    /// What flies is lost, and so is what comes; nobody is told.
    pub(super) fn fall_silent(&self) {
        self.lose(PipeEnd::Silent);
    }

    fn lose(&self, end: PipeEnd) {
        let mut state = self.lock();
        if state.end != PipeEnd::Reset {
            state.end = end;
        }
        state.flying.clear();
        let both = [state.reader.take(), state.writer.take()];
        drop(state);
        both.into_iter().for_each(wake);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
