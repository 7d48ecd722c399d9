//! A caller reads its link's socket itself: its call then costs one write and one read.
//!
//! While it does, the reactor does not watch the socket. What was read is put where the link's task looks
//! for it, and that task is polled by the caller. Between calls that follow each other closely nobody
//! watches; a tick of the reactor's does so again when callers are done.
//!
//! Nobody can be woken out of `recv` without harm to the socket, so a caller stays there for a slice of
//! time only ([`SLICE`](super::raw::SLICE)), and only while nobody else has business with that socket.

use super::ahead;
use super::raw::{RawSocket, SLICE};
use crate::threads::tasks;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How many polls of tasks a caller does for what it read, before the rest is the reactor's.
const TURNS_MAX: usize = 64;

/// How long callers leave a socket to the reactor that others had business with, too.
const BARRED: Duration = Duration::from_millis(10);

thread_local! {
    /// What this thread wrote to last, since it began to wait for something.
    static WROTE: RefCell<LastWritten> = const { RefCell::new(LastWritten::NotAsked) };
}

enum LastWritten {
    NotAsked,
    Nothing,
    To(Arc<RawSocket>),
}

/// For a thread that waits: notes what it writes to.
pub(crate) struct Noting(());

impl Noting {
    /// `None`: it waits within something that waits.
    pub(crate) fn begin() -> Option<Self> {
        WROTE.with_borrow_mut(|wrote| match wrote {
            LastWritten::NotAsked => {
                *wrote = LastWritten::Nothing;
                Some(Self(()))
            }
            LastWritten::Nothing | LastWritten::To(_) => None,
        })
    }

    /// The socket that it wrote to last.
    pub(crate) fn take(&self) -> Option<Arc<RawSocket>> {
        match WROTE.replace(LastWritten::Nothing) {
            LastWritten::To(raw) => Some(raw),
            LastWritten::Nothing | LastWritten::NotAsked => None,
        }
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        drop(WROTE.replace(LastWritten::NotAsked));
    }
}

/// This thread has written there.
pub(super) fn note(raw: &Arc<RawSocket>) {
    let before = WROTE.with_borrow_mut(|wrote| match wrote {
        LastWritten::Nothing => Some(std::mem::replace(wrote, LastWritten::To(raw.clone()))),
        LastWritten::NotAsked | LastWritten::To(_) => None,
    });
    drop(before);
}

/// Reads that socket on this thread until `is_done`, if it may: see the module. Returns at the latest
/// once nothing has come for a slice of time.
pub(crate) fn read_until(raw: &Arc<RawSocket>, is_done: impl Fn() -> bool) {
    let Some(leading) = Leading::begin(raw) else { return };
    while !is_done() && leading.read() {}
}

/// While it lives this thread reads that socket, and nobody else does.
struct Leading<'a>(&'a Arc<RawSocket>);

impl<'a> Leading<'a> {
    fn begin(raw: &'a Arc<RawSocket>) -> Option<Self> {
        let now = Instant::now();
        // A timer that is due while this thread sleeps is the reactor's; but it may end this very call.
        if raw.reactor.next_timer().is_some_and(|at| at < now + SLICE) {
            return None;
        }
        let mut state = raw.lock();
        if state.led {
            state.shared = true;
            return None;
        }
        let is_barred = state.barred_until.is_some_and(|until| now < until);
        // Who reads now, or is about to, does so to the end.
        if is_barred || state.reading.is_none() || !state.ahead.is_taken() {
            return None;
        }
        raw.unwatch(&mut state);
        (state.led, state.shared) = (true, false);
        drop(state);
        raw.reactor.left_alone(raw.clone());
        ahead::lead(Some(raw.number()));
        Some(Self(raw))
    }

    /// One read, and what follows from it. `false`: nothing came, or somebody else is to read on.
    fn read(&self) -> bool {
        let raw = self.0;
        let mut buffer = raw.reactor.take_spare();
        let read = raw.read_blocking(&mut buffer);
        match &read {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                raw.reactor.keep_spare(buffer);
                return true;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                raw.reactor.keep_spare(buffer);
                // Whoever waits longer than that waits for the reactor.
                raw.lock().shared = true;
                return false;
            }
            _ => {}
        }
        let mut state = raw.lock();
        state.ahead.put(buffer, read);
        let reader = state.reading.take();
        drop(state);
        let reactor = &raw.reactor;
        let wake = || reader.into_iter().for_each(Waker::wake);
        reactor.enqueue(tasks::run_own(reactor.id(), TURNS_MAX, wake));
        let state = raw.lock();
        state.ahead.is_taken() && state.reading.is_some()
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        ahead::lead(None);
        let (raw, now) = (self.0, Instant::now());
        let mut state = raw.lock();
        (state.led, state.left) = (false, Some(now));
        let mut reader = None;
        let unread = !state.ahead.is_taken() || state.reading.is_none();
        if state.shared || unread || state.is_watched() {
            state.barred_until = Some(now + BARRED);
            if raw.watch(&mut state).is_err() || unread || state.is_readable() {
                reader = state.reading.take();
            }
        }
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}
