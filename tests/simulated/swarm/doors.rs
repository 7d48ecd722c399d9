//! How the nodes of a life are set up: who must say who it is, and how much they take.

use super::book;
use pseud::proto::zmtp::Heartbeat;
use pseud::{Authenticator, Limits, Options, Question, Secret, User, Verdict};
use pseud_testkit::luck::Luck;
use std::time::Duration;

/// The intervals of PINGs, and after how much silence a peer is gone: both happen within a life.
pub(super) const PINGS: Duration = Duration::from_millis(400);
pub(super) const SILENCE: Duration = Duration::from_millis(1_200);

/// Who comes in at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Whoever is there.
    Open,
    /// Who knows its password: in the handshake, or in a HELLO behind it.
    Plain,
    Login,
}

/// How all nodes of one life are set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doors {
    door: Door,
    /// Whether the bounds of tables are so small that they are met.
    is_narrow: bool,
}

impl Doors {
    pub(super) fn new(luck: &mut Luck) -> Self {
        let door = luck.one_of(&[Door::Open, Door::Plain, Door::Login]);
        Self { door, is_narrow: luck.between(0, 3) == 0 }
    }

    /// Whether somebody who has no password is let through the handshake.
    pub(super) fn lets_strangers_in(self) -> bool {
        self.door != Door::Plain
    }

    /// Whether what such a one asks for is run.
    pub(super) fn serves_strangers(self) -> bool {
        self.door == Door::Open
    }

    pub(super) fn server(self) -> Options {
        let mut options = Options::server("service");
        if self.door == Door::Login {
            options.admission.authenticator = Some(Authenticator::new(judge));
        }
        self.bounded(match self.door {
            Door::Open => options,
            Door::Plain => options.plain_server(Authenticator::new(judge)),
            Door::Login => options.requires_login(true),
        })
    }

    pub(super) fn client(self, number: usize) -> Options {
        let name = book::name(number);
        let mut options = Options::client("service").identity(&name);
        options = match self.door {
            Door::Open => options,
            Door::Plain => options.plain_client(&name, Secret::new("sesame")),
            Door::Login => options.credentials(&name, Secret::new("sesame")).allow_plaintext(true),
        };
        options.retry.first = Duration::from_millis(20);
        options.retry.max = Duration::from_millis(300);
        self.bounded(options)
    }

    /// The bounds of one node.
    pub(super) fn limits(self) -> Limits {
        let mut limits = Limits::default();
        if self.is_narrow {
            limits.calls_pending_max = 6;
            limits.calls_pending_per_peer_max = 3;
            limits.requests_open_max = 4;
            limits.requests_open_per_peer_max = 2;
            limits.requests_remembered_max = 2;
        }
        limits
    }

    fn bounded(self, options: Options) -> Options {
        let mut heartbeat = Heartbeat::default();
        heartbeat.interval = Some(PINGS);
        heartbeat.timeout = SILENCE;
        let options = options.heartbeat(heartbeat).handshake_timeout(Duration::from_secs(2));
        options.limits(self.limits())
    }
}

async fn judge(question: Question) -> Verdict {
    let (login, password) = match question {
        Question::Plain { username, password } => (username, password),
        Question::Login { login, password, .. } => (login, password),
        _ => return Verdict::Deny,
    };
    let is_known = (0..=book::GUEST).any(|number| login == book::name(number).as_bytes());
    match is_known && password.matches(b"sesame") {
        true => Verdict::Admit(User::new(login)),
        false => Verdict::Deny,
    }
}
