//! The ready-made heartbeat plug-ins.

use super::backend::HeartbeatBackend;
use crate::node::backends::Role;
use crate::node::options::Options;
use crate::presence::beats::Sign;
use std::sync::Arc;
use std::time::Duration;

/// How often Python pseud's own ticking plug-in ticks.
const TICK: Duration = Duration::from_millis(100);
/// Ten of them.
const SILENCE: Duration = Duration::from_secs(1);

/// The ready-made one of that name.
pub(super) fn find(role: Role, name: &str) -> Option<Arc<dyn HeartbeatBackend>> {
    match (role, name) {
        (_, "noop" | "noop_heartbeat_backend") => Some(Arc::new(Noop)),
        (_, "ping") => Some(Arc::new(Pings)),
        (Role::Client, "ticking") => Some(Arc::new(Ticking::new(TICK, None))),
        (Role::Server, "ticking") => Some(Arc::new(Ticking::new(TICK, Some(SILENCE)))),
        _ => None,
    }
}

/// No heartbeats at all.
struct Noop;

impl HeartbeatBackend for Noop {
    fn configure(&self, mut options: Options) -> Options {
        options.connection.heartbeat.interval = None;
        options
    }
}

/// The wire's own PINGs, as a node does without a plug-in.
struct Pings;

impl HeartbeatBackend for Pings {}

/// HEARTBEATs to every peer, as Python pseud's ticking plug-ins send and want them; and, with a time-out, an
/// end of who sends no message for so long. PINGs stay as they are.
///
/// By the name `ticking` a client beats every 100 ms; a server does too, and wants a message of each peer every
/// second.
#[derive(Debug, Clone, Copy)]
pub struct Ticking {
    interval: Duration,
    timeout: Option<Duration>,
}

impl Ticking {
    /// One that beats so often, and lets peers be silent for so long, or (`None`) for ever.
    pub fn new(interval: Duration, timeout: Option<Duration>) -> Self {
        Self { interval, timeout }
    }
}

impl HeartbeatBackend for Ticking {
    fn interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn sends(&self) -> bool {
        true
    }

    fn counts(&self) -> Sign {
        Sign::Message
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
