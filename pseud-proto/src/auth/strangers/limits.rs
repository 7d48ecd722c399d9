//! What strangers may cost together, and how those who fail are slowed down.

use std::time::Duration;

/// Bounds of handshakes in progress, and the back-off of sources and users that fail. A source is an
/// IPv4 address or an IPv6 /64, which one subscriber has whole; who comes by a Unix socket is of none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StrangerLimits {
    /// Handshakes in progress at once, of all who connect to us. One more is dropped. Default 256
    /// (OpenSSH's `MaxStartups`: 100).
    pub handshakes_max: usize,
    /// From so many on, newcomers are dropped at random: three of ten at first, all at
    /// `handshakes_max`, more in between the more there are, as `MaxStartups` has it. Who is dropped may
    /// come again at once: it is no failure. Default 128.
    pub handshakes_drop_from: usize,
    /// Handshakes in progress at once of one source. One more is dropped. As many questions about who comes from
    /// there, of handshakes and of logins, are in work at once; for one more nobody can tell. Default 16
    /// (OpenSSH's `PerSourceMaxStartups`: none).
    pub handshakes_per_source_max: usize,
    /// Failures of one source that have no consequence: handshakes that were denied, broke the
    /// protocol, or took too long, and logins that were wrong. Who only connects and leaves, as probes of health do, has not
    /// failed. Default 8: behind one address may be many.
    pub source_failures_free: u32,
    /// Wrong passwords for one name, known or not, that have no consequence. Default 3. After that the sources
    /// that were wrong about the name wait before they may try it again; others need not. Behind one address
    /// (also that of a proxy on this machine) a guesser so delays the user whose name it guesses.
    pub user_failures_free: u32,
    /// How long a source or a name waits after the first failure that has a consequence; each further one
    /// doubles it. Default 1 s.
    pub backoff_first: Duration,
    /// The longest wait. Default 5 min.
    pub backoff_max: Duration,
    /// Half of the failures are forgotten each time that this passes without another; and, once in that time,
    /// when somebody of that source comes in. Default 1 min.
    pub failures_halve_after: Duration,
    /// Sources, as many names, and as many pairs of both, that are remembered; those with the fewest failures
    /// are forgotten first. Default 4 096 each, at some 100 bytes and the name's.
    pub remembered_max: usize,
    /// Whether sources on this machine (127.0.0.0/8, ::1) are bounded as others are. Default false: behind
    /// a proxy or a tunnel there may be everybody. What is remembered of names
    /// ([`user_failures_free`](Self::user_failures_free)) holds there, too: else who comes by a proxy might guess
    /// without end.
    pub bounds_loopback: bool,
}

impl Default for StrangerLimits {
    fn default() -> Self {
        Self {
            handshakes_max: 256,
            handshakes_drop_from: 128,
            handshakes_per_source_max: 16,
            source_failures_free: 8,
            user_failures_free: 3,
            backoff_first: Duration::from_secs(1),
            backoff_max: Duration::from_secs(300),
            failures_halve_after: Duration::from_secs(60),
            remembered_max: 4_096,
            bounds_loopback: false,
        }
    }
}
