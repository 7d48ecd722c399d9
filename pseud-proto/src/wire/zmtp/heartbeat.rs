//! Liveness after the handshake: when to PING, and when silence is final (RFC 37, "connection heartbeating").
//!
//! A message costs two stores here; everything else is worked out when the one deadline comes.

use crate::wire::zmtp::config::Heartbeat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// The shortest interval: below it a link would be busy with PINGs alone.
const INTERVAL_MIN: Duration = Duration::from_millis(10);
/// A ttl is tenths of a second in 16 bits (RFC 37), and libzmq holds it in 16 bits of milliseconds
/// (`zmtp_engine.cpp`): 656 tenths wrap to 64 ms, and it closes its link at once.
const TTL_DECISECONDS_MAX: u16 = 655;

/// What to do when the deadline came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Something was heard meanwhile.
    Wait,
    /// Nothing was heard for an interval: ask.
    Ping,
    /// Nothing was heard for too long.
    Silent,
}

/// Who was heard when, and what follows from it.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// In nanoseconds, as half of a `Duration`'s size; 0: we do not PING and do not mind silence.
    interval: u64,
    timeout: u64,
    heard: Instant,
    /// When to look again.
    next: Option<Instant>,
    /// When a peer that announced a ttl must have been heard. Gone with the next byte.
    ttl: Option<Instant>,
}

impl Liveness {
    /// At rest until [`Liveness::begin`].
    pub(crate) fn new(config: &Heartbeat, seed: [u8; 32], now: Instant) -> Self {
        let interval = config.interval.map(|interval| jittered(interval.max(INTERVAL_MIN), seed));
        let timeout = config.timeout.max(interval.unwrap_or_default().saturating_mul(2));
        let (interval, timeout) = (nanos(interval.unwrap_or_default()), nanos(timeout));
        Self { interval, timeout, heard: now, next: None, ttl: None }
    }

    /// The handshake is over. A 3.0 peer has no PING (RFC 23; zeromq.rs 0.7 drops the link at one): it is never
    /// asked and may be silent.
    pub(crate) fn begin(&mut self, minor: u8, now: Instant) {
        if minor == 0 {
            self.interval = 0;
        }
        self.next = self.interval().and_then(|interval| now.checked_add(interval));
    }

    fn interval(&self) -> Option<Duration> {
        (self.interval > 0).then(|| Duration::from_nanos(self.interval))
    }

    fn timeout(&self) -> Duration {
        Duration::from_nanos(self.timeout)
    }

    /// Whether a silent peer is asked.
    pub(crate) fn pings(&self) -> bool {
        self.interval > 0
    }

    /// Bytes came. Any byte is a sign of life, not a PONG alone: libzmq, too, clears both of its timers at any
    /// frame.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.ttl = None;
    }

    /// When a byte came last.
    pub(crate) fn last_heard(&self) -> Instant {
        self.heard
    }

    /// The peer announced that it will be heard within `ttl` of its PING (RFC 37); 0 announces nothing.
    pub(crate) fn expect(&mut self, ttl_deciseconds: u16, now: Instant) {
        let ttl = Duration::from_millis(u64::from(ttl_deciseconds) * 100);
        self.ttl = if ttl.is_zero() { None } else { now.checked_add(ttl) };
    }

    /// When to call [`Liveness::beat`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (self.next, self.ttl) {
            (Some(next), Some(ttl)) => Some(next.min(ttl)),
            (next, ttl) => next.or(ttl),
        }
    }

    /// The deadline may have come.
    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        if self.ttl.is_some_and(|ttl| ttl <= now) {
            return Beat::Silent;
        }
        let due = self.next.filter(|due| *due <= now);
        let (Some(interval), Some(due)) = (self.interval(), due) else { return Beat::Wait };
        // Who was stopped itself has read nothing since: that is nobody's silence, and asked about first.
        let silence = due.saturating_duration_since(self.heard);
        if silence >= self.timeout() {
            return Beat::Silent;
        }
        let (beat, wait) = if silence < interval {
            (Beat::Wait, interval.saturating_sub(silence))
        } else {
            (Beat::Ping, interval.min(self.timeout().saturating_sub(silence)))
        };
        self.next = now.checked_add(wait);
        beat
    }

    /// The ttl that our PING announces: within it the peer hears our next PING, or is right to go.
    pub(crate) fn ttl_deciseconds(&self) -> u16 {
        let deciseconds = self.timeout().as_millis() / 100;
        u16::try_from(deciseconds).unwrap_or(u16::MAX).min(TTL_DECISECONDS_MAX)
    }
}

/// 584 years at most.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// 90 % to 110 % of `interval`.
fn jittered(interval: Duration, seed: [u8; 32]) -> Duration {
    let permille = 900 + ChaCha8Rng::from_seed(seed).next_u32() % 201;
    interval.checked_mul(permille).map_or(interval, |scaled| scaled / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn liveness(interval: u64, timeout: u64, now: Instant) -> Liveness {
        let config = Heartbeat {
            interval: Some(SECOND * interval as u32),
            timeout: SECOND * timeout as u32,
        };
        let mut liveness = Liveness::new(&config, [7; 32], now);
        liveness.begin(1, now);
        liveness
    }

    #[test]
    fn silence_is_asked_about_and_then_final() {
        let start = Instant::now();
        let mut liveness = liveness(5, 15, start);
        let mut beats = Vec::new();
        while beats.last() != Some(&Beat::Silent) {
            let at = liveness.deadline().unwrap();
            beats.push(liveness.beat(at));
        }
        assert!(beats.iter().filter(|beat| **beat == Beat::Ping).count() >= 2, "{beats:?}");
        assert_eq!(liveness.deadline(), Some(start + 15 * SECOND));
    }

    /// A process that was stopped for longer than the timeout asks before it ends anybody.
    #[test]
    fn a_pause_of_our_own_is_no_silence_of_the_peers() {
        let start = Instant::now();
        let mut liveness = liveness(5, 15, start);
        let woken = start + 60 * SECOND;
        assert_eq!(liveness.beat(woken), Beat::Ping);
        // It answers, and goes on as before.
        liveness.heard(woken + SECOND);
        let at = liveness.deadline().unwrap();
        assert_eq!(liveness.beat(at), Beat::Wait);
        assert_eq!(liveness.beat(woken + 120 * SECOND), Beat::Ping);
        // It does not.
        let at = liveness.deadline().unwrap();
        assert!(at <= woken + 126 * SECOND);
        assert_eq!(liveness.beat(at), Beat::Silent);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        for seed in 0..=255 {
            let interval = jittered(5 * SECOND, [seed; 32]);
            assert!((4_500..=5_500).contains(&interval.as_millis()), "{interval:?}");
        }
    }

    #[test]
    fn odd_settings_neither_spin_nor_kill_an_idle_peer() {
        let start = Instant::now();
        let mut liveness = liveness(0, 0, start);
        let first = liveness.deadline().unwrap();
        assert!(first > start);
        assert_eq!(liveness.beat(first), Beat::Ping);
        assert!(liveness.deadline().unwrap() > first);
    }

    #[test]
    fn the_ttl_never_exceeds_what_libzmq_can_hold() {
        let now = Instant::now();
        assert_eq!(liveness(5, 15, now).ttl_deciseconds(), 150);
        assert_eq!(liveness(5, 3_600, now).ttl_deciseconds(), 655);
    }

    #[test]
    fn a_minor_0_peer_is_never_asked() {
        let now = Instant::now();
        let mut liveness = liveness(5, 15, now);
        liveness.begin(0, now);
        assert_eq!((liveness.deadline(), liveness.beat(now + 100 * SECOND)), (None, Beat::Wait));
    }
}
