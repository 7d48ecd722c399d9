//! A link's way out: what is queued for its peer, into its socket.

use super::StreamLink;
use super::carrier::Carrier;
use crate::engine::effects::Effects;
use crate::engine::noted::Noted;
use crate::engine::seat::Seat;
use crate::runtime::Writer;
use crate::serve::dispatch::Answers;
use pseud_proto::pseud::{BACKLOG_BYTES_LOW, Transmit};
use pseud_proto::session::{Portion, Session};
use pseud_proto::zmtp::Event;
use pseud_proto::{Capabilities, Profile, Reason};
use std::io::{self, IoSlice};
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How many slices one write gathers.
const SLICES_MAX: usize = 32;

/// Whether a flush wrote everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing is left.
    All,
    /// The socket takes no more now: flush again when it is writable.
    Blocked,
    /// As much as was to be written at once: flush again when others had their turn.
    Part,
}

/// What came of one write.
enum WriteOutcome {
    /// So many bytes, and there may be more.
    Some(usize),
    Last(Flushed),
}

impl<W: Writer> StreamLink<W> {
    /// Pulls what is queued for this peer and writes until all is written or the socket is full.
    ///
    /// # Errors
    /// The socket's.
    pub fn flush(&self) -> io::Result<Flushed> {
        self.flush_locked(self.lock(), usize::MAX).map(|(flushed, _)| flushed)
    }

    /// The same of so many bytes, and some more, at most; and how many that were.
    pub(super) fn flush_part(&self, max: usize) -> io::Result<(Flushed, usize)> {
        self.flush_locked(self.lock(), max)
    }

    pub(super) fn flush_locked<'a>(
        &'a self,
        connection: MutexGuard<'a, Carrier>,
        max: usize,
    ) -> io::Result<(Flushed, usize)> {
        self.flush_after(connection, max, None)
    }

    /// Hands answers to the session, pulls what is queued and writes that, as [`flush_part`](Self::flush_part)
    /// does: in one visit of the session.
    pub(super) fn answer_now(
        &self,
        seat: &Seat,
        answers: Answers,
        now: Instant,
        max: usize,
    ) -> io::Result<(Flushed, usize)> {
        // Whoever asks for a flush from here on asks for another one.
        self.take_flush();
        let (mut connection, mut effects) = (self.lock(), Effects::default());
        let looks_again = seat.visit_into(&mut effects, |session, noted| {
            answers.put(session, noted, now);
            if self.over.load(Ordering::Relaxed) {
                return false;
            }
            noted.effects.pulled_here();
            self.pull_into(&mut connection, session, noted, now)
        });
        self.flush_after(connection, max, Some((effects, looks_again)))
    }

    /// The same of what was pulled already, what followed from that, and whether it is to be done again; or of
    /// what is yet to be.
    fn flush_after<'a>(
        &'a self,
        mut connection: MutexGuard<'a, Carrier>,
        max: usize,
        mut pulled: Option<(Effects, bool)>,
    ) -> io::Result<(Flushed, usize)> {
        let mut bytes = 0;
        loop {
            if self.over.load(Ordering::Relaxed) {
                drop(connection);
                self.perform(pulled);
                return Ok((Flushed::All, bytes));
            }
            let (mut effects, looks_again) = pulled.take().unwrap_or_else(|| {
                let mut effects = Effects::default();
                let looks_again = self.pull(&mut connection, &mut effects);
                (effects, looks_again)
            });
            let mut written = self.write(&mut connection);
            if let Ok(WriteOutcome::Some(count)) = written {
                bytes += count;
                if !looks_again && connection.backlog() == 0 {
                    written = Ok(WriteOutcome::Last(Flushed::All));
                }
            }
            let goes_on = matches!(written, Ok(WriteOutcome::Some(_))) && bytes < max;
            if goes_on && effects.is_empty() {
                continue;
            }
            drop(connection);
            if let Some(seat) = self.seat.get() {
                seat.perform(&mut effects, false);
            }
            match written? {
                WriteOutcome::Last(flushed) => return Ok((flushed, bytes)),
                WriteOutcome::Some(_) if goes_on => connection = self.lock(),
                WriteOutcome::Some(_) => return Ok((Flushed::Part, bytes)),
            }
        }
    }

    /// This side has ended the session, and the link has [gone](Self::gone): queues why for a peer that reads
    /// it, behind what was begun. Says whether that is to be flushed. Calls whose messages were begun have
    /// ended as such, and late answers do that peer no harm.
    pub(super) fn says_why(&self, reason: Reason) -> bool {
        let is_ours = self.closing() == Some(reason) && self.reads_goaway.load(Ordering::Relaxed);
        let profile = Profile::declared(Capabilities::ALL, usize::MAX);
        let goaway = Transmit::goaway(profile, reason).filter(|_| is_ours);
        if let Some(goaway) = goaway {
            let mut connection = self.lock();
            goaway.framed(|message, token| connection.send(message, token));
            self.over.store(false, Ordering::Relaxed);
            return true;
        }
        false
    }

    /// Tells the session what was written and pulls what comes next, under one lock. Says whether it is to be
    /// done again when that is written: else the next visit tells what was.
    fn pull(&self, connection: &mut Carrier, effects: &mut Effects) -> bool {
        let Some(seat) = self.seat.get() else { return false };
        if self.is_joining.load(Ordering::Acquire) {
            return false;
        }
        let now = self.hub().now();
        seat.visit_into(effects, |session, noted| self.pull_into(connection, session, noted, now))
    }

    /// The same within a visit.
    fn pull_into(
        &self,
        connection: &mut Carrier,
        session: &mut Session,
        noted: &mut Noted<'_>,
        now: Instant,
    ) -> bool {
        self.report_written(connection, session, noted, now);
        let is_full = connection.backlog() >= BACKLOG_BYTES_LOW
            || session.pull(now, noted, |message, token| {
                connection.send(message, token);
                connection.backlog() < BACKLOG_BYTES_LOW
            });
        if connection.has_words_for_all() {
            return is_full || session.awaits_written();
        }
        // A call that its wire has no words for has ended by this.
        self.report_written(connection, session, noted, now);
        true
    }

    /// Does what followed from a pull after which nothing is written any more.
    fn perform(&self, pulled: Option<(Effects, bool)>) {
        if let Some((seat, (mut effects, _))) = self.seat.get().zip(pulled) {
            seat.perform(&mut effects, false);
        }
    }

    /// Tells the session what was written. What was read may still wait: that is for the link's task.
    pub(super) fn report_written(
        &self,
        connection: &mut Carrier,
        session: &mut Session,
        noted: &mut Noted<'_>,
        now: Instant,
    ) {
        if let Some(zmtp) = connection.zmtp() {
            zmtp.poll_written().into_iter().for_each(|token| session.handle_written(token));
            return;
        }
        while let Some(event) = connection.poll_written() {
            match event {
                Event::Written(token) => session.handle_written(token),
                // Made here, not read: no fault of the peer's.
                Event::Message(parts) => {
                    let mut portion = Portion::exact(&self.hub().budget);
                    let _ = noted.take(session, parts, &mut portion, now);
                }
                _ => {}
            }
        }
    }

    /// One write.
    fn write(&self, connection: &mut Carrier) -> io::Result<WriteOutcome> {
        // Nearly always there is one.
        let mut few = [IoSlice::new(&[]); 2];
        let written = match connection.slices(&mut few) {
            0 => return Ok(WriteOutcome::Last(Flushed::All)),
            1 => self.writer.try_write(&few[..1]),
            _ => {
                let mut slices = [IoSlice::new(&[]); SLICES_MAX];
                let count = connection.slices(&mut slices);
                self.writer.try_write(&slices[..count])
            }
        };
        match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                connection.advance(written);
                self.activity.send(written);
                Ok(WriteOutcome::Some(written))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(WriteOutcome::Some(0)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(WriteOutcome::Last(Flushed::Blocked))
            }
            Err(error) => Err(error),
        }
    }
}
