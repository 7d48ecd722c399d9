//! What a world does to the links in it.

use crate::luck::Luck;
use crate::weather::Weather;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What may happen to links, and how likely: in thousandths where it is a chance.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// How long bytes travel, in microseconds; drawn anew for each write, but bytes do not overtake.
    pub latency: Range<usize>,
    /// Whether reads and writes move less than they could.
    pub chunks: bool,
    /// How many bytes a direction of a link holds: what both sockets do.
    pub capacity: usize,
    /// Writes that find the socket full though it is not.
    pub blocked: usize,
    /// After how many bytes, both ways together, a link is lost.
    pub lost_after: Option<Range<usize>>,
    /// Of lost links, those that neither side is told of: what is written is swallowed.
    pub silent: usize,
    /// Connects that are refused.
    pub refused: usize,
    /// Connects that are never answered.
    pub swallowed: usize,
    /// Datagrams that never arrive.
    pub datagrams_lost: usize,
    /// Datagrams that arrive twice, the copy whenever it likes.
    pub datagrams_doubled: usize,
}

impl Conditions {
    /// Bytes arrive at once, whole, and always.
    pub fn calm() -> Self {
        Self {
            latency: 0..1,
            chunks: false,
            capacity: 256 << 10,
            blocked: 0,
            lost_after: None,
            silent: 0,
            refused: 0,
            swallowed: 0,
            datagrams_lost: 0,
            datagrams_doubled: 0,
        }
    }

    /// Bytes travel, come in pieces, and sockets are full; but no link is lost, and no datagram.
    pub fn windy() -> Self {
        Self { latency: 0..5_000, chunks: true, blocked: 100, ..Self::calm() }
    }

    /// The same, and links and datagrams are lost.
    pub fn stormy() -> Self {
        Self {
            lost_after: Some(0..20_000),
            silent: 100,
            refused: 200,
            swallowed: 50,
            datagrams_lost: 200,
            datagrams_doubled: 200,
            ..Self::windy()
        }
    }
}

/// What happens to a connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Refused,
    Swallowed,
}

/// How a link is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Both sides see a reset.
    Reset,
    /// Neither side sees anything.
    Silent,
}

/// The weather of one world under its conditions.
#[derive(Debug)]
pub(super) struct Climate {
    conditions: Mutex<Conditions>,
    weather: Mutex<Weather>,
}

impl Climate {
    pub(super) fn new(conditions: Conditions, luck: Luck) -> Arc<Self> {
        let (conditions, weather) = (Mutex::new(conditions), Mutex::new(Weather(luck)));
        Arc::new(Self { conditions, weather })
    }

    /// From now on.
    pub(super) fn change(&self, conditions: Conditions) {
        *self.conditions.lock().unwrap_or_else(PoisonError::into_inner) = conditions;
    }

    fn draw<T>(&self, draw: impl FnOnce(&Conditions, &mut Weather) -> T) -> T {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        draw(&conditions, &mut self.weather.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn latency(&self) -> Duration {
        self.draw(|now, weather| {
            Duration::from_micros(weather.0.between(now.latency.start, now.latency.end) as u64)
        })
    }

    /// How much a read or a write moves at most.
    pub(super) fn chunk(&self) -> usize {
        self.draw(|now, weather| if now.chunks { weather.chunk() } else { usize::MAX })
    }

    pub(super) fn capacity(&self) -> usize {
        self.draw(|now, _| now.capacity)
    }

    /// For how long a socket is full now though it is not.
    pub(super) fn blocked(&self) -> Option<Duration> {
        self.draw(|now, weather| chance(now.blocked, weather).then(|| weather.pause()))
    }

    pub(super) fn connect(&self) -> Fate {
        self.draw(|now, weather| match () {
            () if chance(now.refused, weather) => Fate::Refused,
            () if chance(now.swallowed, weather) => Fate::Swallowed,
            () => Fate::Answered,
        })
    }

    /// How long each copy of a datagram travels that arrives.
    #[cfg(feature = "rpcudp")]
    pub(super) fn datagram(&self) -> Vec<Duration> {
        let copies = self.draw(|now, weather| match () {
            () if chance(now.datagrams_lost, weather) => 0,
            () if chance(now.datagrams_doubled, weather) => 2,
            () => 1,
        });
        std::iter::repeat_with(|| self.latency()).take(copies).collect()
    }

    /// After how many bytes a fresh link is lost, and how.
    pub(super) fn loss(&self) -> Option<(usize, Loss)> {
        self.draw(|now, weather| {
            let after = now.lost_after.as_ref()?;
            let after = weather.0.between(after.start, after.end);
            let loss = if chance(now.silent, weather) { Loss::Silent } else { Loss::Reset };
            Some((after, loss))
        })
    }
}

fn chance(thousandths: usize, weather: &mut Weather) -> bool {
    thousandths > 0 && weather.0.between(0, 1_000) < thousandths
}
