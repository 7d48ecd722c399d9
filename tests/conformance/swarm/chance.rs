//! Everything that is random in a run, from one seed.

use bytes::Bytes;
use pseud::Config;
use pseud::proto::zmtp::{ConnectionConfig, Heartbeat, MechanismConfig};
use pseud::proto::{Capabilities, Several};
use pseud_testkit::memory::{ms, shows};
use pseud_testkit::weather::Weather;
use std::time::Duration;

/// One run's luck. Each run draws its own habits first, so that some have only one kind of trouble.
#[derive(Debug)]
pub(crate) struct Chance {
    /// What happens to the links.
    pub(crate) weather: Weather,
    /// How likely each of what may happen is, against the others.
    weights: [usize; HAPPENINGS.len()],
    tiny_limits: bool,
    heavy: bool,
    beats: bool,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Bytes,
    ClientCalls,
    ServerCalls,
    Answer,
    CallBack,
    Cancel,
    Wait,
    LongWait,
    Cut,
    Connect,
    Stop,
    Flow,
    UserCalled,
    Revoke,
    Repeat,
}

const HAPPENINGS: [(Happening, usize); 15] = [
    (Happening::Bytes, 300),
    (Happening::ClientCalls, 60),
    (Happening::ServerCalls, 30),
    (Happening::Answer, 250),
    (Happening::CallBack, 15),
    (Happening::Cancel, 10),
    (Happening::Wait, 40),
    (Happening::LongWait, 1),
    (Happening::Cut, 3),
    (Happening::Connect, 6),
    (Happening::Stop, 5),
    (Happening::Flow, 8),
    (Happening::UserCalled, 25),
    (Happening::Revoke, 2),
    (Happening::Repeat, 10),
];

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut weather = Weather::new(seed);
        let luck = &mut weather.0;
        let weights = HAPPENINGS.map(|(_, weight)| weight * luck.one_of(&[1, 1, 2, 0]));
        let [tiny_limits, heavy, beats] = [(); 3].map(|()| luck.between(0, 3) == 0);
        let mut chance = Self { weather, weights, tiny_limits, heavy, beats };
        // Nothing at all happens without these.
        for needed in [0, 1, 6, 9] {
            chance.weights[needed] = chance.weights[needed].max(HAPPENINGS[needed].1);
        }
        chance
    }

    /// What happens next.
    pub(crate) fn next(&mut self) -> Happening {
        let mut left = self.up_to(self.weights.iter().sum::<usize>());
        for ((happening, _), weight) in HAPPENINGS.into_iter().zip(self.weights) {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return happening,
            }
        }
        Happening::Bytes
    }

    /// One of that many, from zero.
    pub(crate) fn up_to(&mut self, count: usize) -> usize {
        self.weather.0.between(0, count)
    }

    /// One of them, if there are any.
    pub(crate) fn pick(&mut self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.up_to(count))
    }

    pub(crate) fn timeout(&mut self) -> Duration {
        [ms(0), ms(50), ms(500), ms(2_000), ms(5_000), ms(5_000)][self.up_to(6)]
    }

    /// Bytes that a call carries besides.
    pub(crate) fn padding(&mut self) -> usize {
        let heavy = [0, 100, 3_000, 150_000];
        if self.heavy { heavy[self.up_to(4)] } else { heavy[self.up_to(2)] }
    }

    /// A member's settings; number 0 is the server.
    pub(crate) fn settings(&mut self, number: usize) -> (Config, ConnectionConfig) {
        let (mut config, mut link) = (Config::default(), ConnectionConfig::default());
        // Some declare what they can, some pass for v1 peers.
        config.capabilities = match self.up_to(3) {
            0 => Capabilities::NONE,
            1 => Capabilities::LATE_ANSWERS,
            _ => Capabilities::ALL,
        };
        if self.tiny_limits {
            let mut up_to = |count| self.weather.0.between(0, count);
            let limits = &mut config.limits;
            limits.calls_pending_max = 8 + up_to(30);
            limits.calls_pending_per_peer_max = 2 + up_to(10);
            limits.requests_open_max = 3 + up_to(10);
            limits.requests_open_per_peer_max = 1 + up_to(6);
            limits.requests_open_bytes_max = 10_000 + up_to(400_000);
            limits.requests_open_bytes_per_peer_max = 1_000 + up_to(200_000);
            limits.queue_bytes_soft_max = 500 + up_to(5_000);
            limits.queue_bytes_hard_max = 4_000 + up_to(20_000);
        }
        link.heartbeat = Heartbeat::default();
        if !self.beats {
            link.heartbeat.interval = None;
        }
        match number {
            0 => {
                link.identity = Bytes::from_static(b"server");
                link.mechanism = MechanismConfig::PlainServer;
            }
            _ => {
                link.mechanism = shows(&name(number));
                config.server = Some(Bytes::from_static(b"server"));
                link.identity = name(number);
            }
        }
        (config, link)
    }

    /// As which user a client is authenticated, if it is.
    pub(crate) fn user(&mut self) -> Option<&'static str> {
        [Some("alice"), Some("alice"), Some("bob"), None][self.up_to(4)]
    }

    /// Which of a user's sessions a call means.
    pub(crate) fn several(&mut self) -> Several {
        [Several::Newest, Several::Newest, Several::Refuse][self.up_to(3)]
    }
}

/// What that client calls itself.
pub(crate) fn name(number: usize) -> Bytes {
    format!("client {number}").into()
}
