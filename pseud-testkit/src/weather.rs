//! What happens to bytes on their way, from one seed: latency, pieces, full sockets, lost links.

use crate::luck::Luck;
use crate::memory::{Clock, End, Pipe, Wire, ms};
use std::time::Duration;

/// One run's weather. Same seed, same weather.
#[derive(Debug, Clone)]
pub struct Weather(pub Luck);

/// What happens to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is lost, with all that is on its way.
    Cut,
    /// A side's socket takes so many more bytes: the client's, if that is `up`.
    Stop { up: bool, room: usize },
    /// Both sockets take everything again.
    Flow,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        Self(Luck::new(seed))
    }

    /// How many bytes are written or read at once.
    pub fn chunk(&mut self) -> usize {
        self.0.one_of(&[1, 3, 17, 64, 1_000, usize::MAX])
    }

    /// How long a byte travels.
    pub fn latency(&mut self) -> Duration {
        self.0.millis(0, 40)
    }

    /// A socket that is nearly full, on either side.
    pub fn stop(&mut self) -> Trouble {
        Trouble::Stop { up: self.0.between(0, 2) == 0, room: self.0.between(0, 200) }
    }

    /// A fresh link between those two.
    pub fn wire<A: End, B: End>(&mut self, client: A, server: B, clock: &Clock) -> Wire<A, B> {
        let [up, down] = [(); 2].map(|()| Pipe::new(self.latency()));
        Wire { clock: clock.clone(), client, server, up, down, chunk: usize::MAX }
    }

    /// A short silence.
    pub fn pause(&mut self) -> Duration {
        Duration::from_micros(self.0.between(0, 30_000) as u64)
    }

    /// A long one: longer than most time-outs.
    pub fn silence(&mut self) -> Duration {
        ms(self.0.between(0, 6_000) as u64)
    }
}

impl Trouble {
    pub fn strike<A: End, B: End>(self, wire: &mut Wire<A, B>) {
        match self {
            Self::Cut => wire.cut(),
            Self::Stop { up: true, room } => wire.up.room = room,
            Self::Stop { up: false, room } => wire.down.room = room,
            Self::Flow => {
                wire.up.flow();
                wire.down.flow();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_weather() {
        let draw = |seed| {
            let mut weather = Weather::new(seed);
            (0..50)
                .map(|_| (weather.chunk(), weather.latency(), weather.stop()))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
