//! An endpoint that is connected to.

use pseud_async::Address;
use pseud_async::adapter::{Dial, Host, after, seed};
use pseud_proto::Reason;
use pseud_proto::backoff::{Backoff, Retry};
use std::io;
use std::time::{Duration, Instant};

/// How endpoints between threads of one process begin: libzmq tells nothing of their connections.
pub(super) const INPROC: &str = "inproc://";

/// A connection that lived so long counts as a success.
const SETTLED: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct DialedSocket {
    endpoint: Address,
    dial: Dial,
    backoff: Backoff,
    monitor: Option<zmq::Socket>,
    /// Since when there is a connection.
    ready: Option<Instant>,
    /// When it is tried again.
    again: Option<Instant>,
}

impl DialedSocket {
    pub(super) fn new(host: &Host, endpoint: &Address, retry: Retry) -> Self {
        Self {
            endpoint: endpoint.clone(),
            dial: host.dial(endpoint),
            backoff: Backoff::new(retry),
            monitor: None,
            ready: None,
            again: None,
        }
    }

    pub(super) fn endpoint(&self) -> &Address {
        &self.endpoint
    }

    pub(super) fn monitor(&self) -> Option<&zmq::Socket> {
        self.monitor.as_ref()
    }

    pub(super) fn again(&self) -> Option<Instant> {
        self.again
    }

    /// An attempt begins; `None` where nothing is told of it.
    pub(super) fn begin(&mut self, monitor: Option<zmq::Socket>) {
        (self.monitor, self.again) = (monitor, None);
        self.dial.connecting();
    }

    pub(super) fn ready(&mut self) {
        self.ready = Some(Instant::now());
    }

    /// This attempt is over, for that reason where it is known.
    pub(super) fn over(&mut self, reason: Reason, now: Instant) {
        self.monitor = None;
        let ready = self.ready.take();
        match (ready, reason) {
            (None, Reason::PeerGone) => {
                let text = format!("cannot connect to {}: nobody answers there", self.endpoint);
                self.dial.report_failed(&io::Error::new(io::ErrorKind::ConnectionRefused, text));
                self.dial.failed();
            }
            (ready, reason) => self.dial.ended(reason, ready.is_some()),
        }
        if ready.is_some_and(|since| now.duration_since(since) >= SETTLED) {
            self.backoff.succeeded();
        }
        // The same credentials are not shown again soon.
        let wait = match reason.is_denial() {
            true => self.backoff.refused(random()),
            false => self.backoff.failed(random()),
        };
        self.again = Some(after(now, wait));
    }
}

fn random() -> u32 {
    seed().map_or(u32::MAX, |[a, b, c, d, ..]| u32::from_ne_bytes([a, b, c, d]))
}
