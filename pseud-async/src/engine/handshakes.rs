//! Handshakes in progress, and who has to wait: the core's [`Strangers`] behind a lock.

use bytes::Bytes;
use pseud_proto::{HandshakeEnd, Misbehaved, PeerError, Reason};
use pseud_proto::{StrangerDropped, StrangerLimits, StrangerStats, Strangers};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// All of a node's. Its lock is taken under the hub's, never the other way round.
#[derive(Clone, Default)]
pub(crate) struct Handshakes(Arc<Mutex<Strangers>>);

impl fmt::Debug for Handshakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handshakes").field(&self.stats()).finish()
    }
}

impl Handshakes {
    pub(crate) fn new(limits: StrangerLimits) -> Self {
        Self(Arc::new(Mutex::new(Strangers::new(limits))))
    }

    fn lock(&self) -> MutexGuard<'_, Strangers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stats(&self) -> StrangerStats {
        self.lock().stats()
    }

    /// Somebody has connected from there, with that luck.
    ///
    /// # Errors
    /// Its connection is to be closed.
    pub(crate) fn begin(
        &self,
        address: &str,
        luck: u32,
        now: Instant,
    ) -> Result<Handshake, StrangerDropped> {
        let from = ip(address);
        self.lock().begin(from, luck, now)?;
        Ok(Handshake { all: self.clone(), from, began: now, is_over: false })
    }

    /// Whether that name's password may be checked for who comes from there.
    pub(crate) fn may_ask(&self, user: &Bytes, address: &str, now: Instant) -> bool {
        self.lock().may_ask(user, ip(address), now)
    }

    /// The password for that name that was shown from there was wrong.
    pub(crate) fn denied(&self, user: &Bytes, address: &str, now: Instant) {
        self.lock().denied(user, ip(address), now);
    }

    /// It was right.
    pub(crate) fn admitted(&self, user: &Bytes, address: &str) {
        self.lock().admitted(user, ip(address));
    }

    /// Takes the place of a question about who comes from there; `None`: there are many.
    pub(crate) fn ask(&self, address: &str) -> Option<SourcePlace> {
        let from = ip(address);
        self.lock().asks(from).then(|| SourcePlace { all: self.clone(), from })
    }

    /// What somebody showed from there, once it was in, was right or wrong.
    pub(crate) fn logged_in(&self, address: &str, is_right: bool, now: Instant) {
        self.lock().logged_in(ip(address), is_right, now);
    }
}

/// The place of a question among those of its source, until it is dropped.
#[derive(Debug)]
pub(crate) struct SourcePlace {
    all: Handshakes,
    from: Option<IpAddr>,
}

impl Drop for SourcePlace {
    fn drop(&mut self) {
        self.all.lock().answered(self.from);
    }
}

/// One handshake, until it is over; dropped, it was abandoned.
#[derive(Debug)]
pub(crate) struct Handshake {
    all: Handshakes,
    from: Option<IpAddr>,
    began: Instant,
    is_over: bool,
}

impl Handshake {
    pub(crate) fn end(mut self, how: HandshakeEnd, now: Instant) {
        self.is_over = true;
        self.all.lock().end(self.from, how, now);
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        if !self.is_over {
            self.all.lock().end(self.from, HandshakeEnd::Abandoned, self.began);
        }
    }
}

/// Whose fault it is that a handshake has ended for that reason. `asked`: somebody here was asked about
/// the peer, and it was waiting for us.
pub(crate) fn blame(reason: Reason, asked: bool) -> HandshakeEnd {
    match reason {
        Reason::PeerFault(PeerError::Misbehaved(Misbehaved::HandshakeTimeout)) if asked => {
            HandshakeEnd::Abandoned
        }
        Reason::PeerFault(PeerError::Misbehaved(Misbehaved::HandshakeIncomplete)) => {
            HandshakeEnd::Abandoned
        }
        // By 500 we have said that it is our own fault.
        Reason::PeerFault(PeerError::Denied(code)) if code != 400 => HandshakeEnd::Abandoned,
        Reason::PeerFault(_) => HandshakeEnd::Failed,
        _ => HandshakeEnd::Abandoned,
    }
}

/// The address without its port, which libzmq does not tell; `None` for a Unix socket.
fn ip(address: &str) -> Option<IpAddr> {
    let with_port = address.parse().map(|address: SocketAddr| address.ip());
    with_port.or_else(|_| address.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pseud_proto::{Insecure, Malformed};

    #[test]
    fn who_is_to_blame() {
        let timeout = Reason::PeerFault(Misbehaved::HandshakeTimeout.into());
        for (reason, asked, end) in [
            (timeout, false, HandshakeEnd::Failed),
            (timeout, true, HandshakeEnd::Abandoned),
            (Reason::PeerFault(PeerError::Denied(400)), true, HandshakeEnd::Failed),
            (Reason::PeerFault(PeerError::Denied(500)), true, HandshakeEnd::Abandoned),
            (Reason::PeerFault(Malformed::NotZmtp.into()), false, HandshakeEnd::Failed),
            (Reason::PeerFault(Insecure::HelloRefused.into()), false, HandshakeEnd::Failed),
            // A probe of health connects and leaves.
            (
                Reason::PeerFault(Misbehaved::HandshakeIncomplete.into()),
                false,
                HandshakeEnd::Abandoned,
            ),
            (Reason::PeerGone, false, HandshakeEnd::Abandoned),
            (Reason::Shutdown, false, HandshakeEnd::Abandoned),
        ] {
            assert_eq!(blame(reason, asked), end, "{reason} {asked}");
        }
    }

    #[test]
    fn a_handshake_counts_until_it_is_dropped() {
        let (now, all) = (Instant::now(), Handshakes::default());
        let one = all.begin("192.0.2.1:1", 0, now).unwrap();
        let other = all.begin("ipc", 0, now).unwrap();
        assert_eq!((one.from.is_some(), other.from, all.stats().handshakes), (true, None, 2));
        drop(one);
        other.end(HandshakeEnd::Completed, now);
        assert_eq!(all.stats().handshakes, 0);
        assert_eq!(ip("[fe80::1%3]:5"), "fe80::1".parse().ok(), "a zone is no part of it");
        assert_eq!(ip("192.0.2.1"), "192.0.2.1".parse().ok());
    }
}
