//! What an attack is.

use super::known::Known;
use pseud_proto::PeerError;
use pseud_proto::pseud::Dropped;
use pseud_proto::zmtp::{ConnectionConfig, ConnectionStats};

/// Attacks on victims that are set up alike.
pub struct Group {
    pub mechanism: Mechanism,
    pub victim: Victim,
    /// What is set otherwise at the victim's links.
    pub settings: fn(&mut ConnectionConfig),
    /// What the victim drops, in all cases together, and why.
    pub dropped: Vec<(Dropped, u64)>,
    pub cases: Vec<Attack>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Null,
    Plain,
    Curve,
}

/// Who is attacked. A server is called `service` and serves `spy`, which answers 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Server,
    Client,
}

/// How far the attacker has come. What the victim said until then was taken, and is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing was said to the victim.
    Opened,
    /// Greetings were exchanged. A client has sent its HELLO.
    Greeted,
    /// WELCOME was sent or got. A client has sent its INITIATE.
    Welcomed,
    /// The handshake is over: a DEALER without a name was let in.
    Ready,
}

/// What must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// The victim ends the link for that. The bytes are what it says to it; `None` where calls are
    /// answered before.
    Ends(PeerError, Option<Vec<u8>>),
    /// So it does, but not before the attacker has closed its side.
    EndsWithStream(PeerError),
    /// The link lives and is in step: these frames come back, and a call after them is served.
    Lives(Vec<u8>),
    /// The link lives until the attacker closes its side between two messages.
    Parts,
}

/// What an attacker makes of what it knows.
pub type Forge = Box<dyn Fn(&Known) -> Vec<u8>>;

/// One of them.
pub struct Attack {
    pub at: Step,
    pub bytes: Forge,
    pub then: Then,
    /// How often its bytes have `spy` served.
    pub served: u64,
    /// As which of `USERS` the attacker comes in under PLAIN.
    pub user: usize,
    /// What the victim's connection has counted then, besides the handshake.
    pub counted: Option<ConnectionStats>,
}

impl Group {
    pub fn new(mechanism: Mechanism, victim: Victim, cases: Vec<Attack>) -> Self {
        Self { mechanism, victim, settings: |_| {}, dropped: vec![], cases }
    }

    /// Servers under NULL.
    pub fn servers(cases: Vec<Attack>) -> Self {
        Self::new(Mechanism::Null, Victim::Server, cases)
    }

    pub fn set(mut self, settings: fn(&mut ConnectionConfig)) -> Self {
        self.settings = settings;
        self
    }

    pub fn drops(mut self, cause: Dropped, count: u64) -> Self {
        self.dropped.push((cause, count));
        self
    }
}

impl Attack {
    /// Those bytes, once the attacker has come so far.
    pub fn new(at: Step, bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let bytes = bytes.into();
        Self::forged(at, move |_| bytes.clone(), then)
    }

    /// Bytes that depend on what the attacker has learnt.
    pub fn forged(at: Step, forge: impl Fn(&Known) -> Vec<u8> + 'static, then: Then) -> Self {
        Self { at, bytes: Box::new(forge), then, served: 0, user: 0, counted: None }
    }

    /// They have `spy` served so often.
    pub fn served(mut self, times: u64) -> Self {
        self.served = times;
        self
    }

    /// It comes in as that one of `USERS`.
    pub fn of_user(mut self, user: usize) -> Self {
        self.user = user;
        self
    }

    /// The connection counts that.
    pub fn counted(mut self, count: impl FnOnce(&mut ConnectionStats)) -> Self {
        count(self.counted.get_or_insert_default());
        self
    }
}

/// The victim ends the link for that, and says nothing.
pub fn ends(why: impl Into<PeerError>) -> Then {
    Then::Ends(why.into(), Some(vec![]))
}

/// A limit that was passed.
pub(super) fn too_large(what: &'static str, size: u64, max: u64) -> Then {
    ends(PeerError::TooLarge { what, size, max })
}
