//! A link's way out: what is queued for its peer, into its socket.

use super::Link;
use super::carrier::Carrier;
use crate::engine::effects::Effects;
use crate::runtime::Writer;
use pseud_proto::pseud::BACKLOG_BYTES_LOW;
use std::io::{self, IoSlice};
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

/// How many slices one write gathers.
const SLICES_MAX: usize = 32;

/// Whether a flush wrote everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing is left.
    All,
    /// The socket takes no more now: flush again when it is writable.
    Blocked,
}

impl<W: Writer> Link<W> {
    /// Pulls what is queued for this peer and writes until all is written or the socket is full.
    ///
    /// # Errors
    /// The socket's.
    pub fn flush(&self) -> io::Result<Flushed> {
        self.flush_locked(self.lock())
    }

    pub(super) fn flush_locked<'a>(
        &'a self,
        mut connection: MutexGuard<'a, Carrier>,
    ) -> io::Result<Flushed> {
        loop {
            if self.over.load(Ordering::Relaxed) {
                return Ok(Flushed::All);
            }
            let effects = self.pull(&mut connection);
            let written = self.write(&mut connection);
            if effects.is_empty() && matches!(written, Ok(None)) {
                continue;
            }
            drop(connection);
            self.hub().perform(effects, None);
            match written {
                Ok(Some(flushed)) => return Ok(flushed),
                Ok(None) => connection = self.lock(),
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells the endpoint what was written and pulls what comes next, under one lock.
    fn pull(&self, connection: &mut Carrier) -> Effects {
        let Some(&peer) = self.peer.get() else { return Effects::default() };
        let ((), effects) = self.hub().with(|inner, now| {
            // Only `Written` can wait here: input is exchanged under the lock that it came in.
            let _ = self.exchange(connection, inner, |_, _| {}, &mut None, now);
            if connection.backlog() < BACKLOG_BYTES_LOW {
                inner.endpoint.pull(peer, now, |message, token| {
                    connection.send(message, token);
                    connection.backlog() < BACKLOG_BYTES_LOW
                });
            }
            // A call that its wire has no words for has ended by this.
            let _ = self.exchange(connection, inner, |_, _| {}, &mut None, now);
        });
        effects
    }

    /// One write. `None`: something was written, and there may be more.
    fn write(&self, connection: &mut Carrier) -> io::Result<Option<Flushed>> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let count = connection.slices(&mut slices);
        if count == 0 {
            return Ok(Some(Flushed::All));
        }
        match self.writer.try_write(&slices[..count]) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                connection.advance(written);
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Some(Flushed::Blocked)),
            Err(error) => Err(error),
        }
    }
}
