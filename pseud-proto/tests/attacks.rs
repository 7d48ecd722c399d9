//! What hostile peers do, beside the core alone: each case of the testkit has one exact answer, whole, a byte
//! at a time, and in two pieces cut at every byte. `tests/hostile/attacks.rs` has the same over sockets.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

#[cfg(feature = "_curve")]
mod secured;

use pseud_proto::pseud::{Channel, Dropped, Stats};
use pseud_proto::value::{Packed, ValueLimits};
use pseud_proto::zmtp::{ConnectionConfig, MechanismConfig, Question, Secret, Side, Verdict};
use pseud_proto::{Action, Config, PeerError};
use pseud_testkit::attacks::{Attack, Group, Known, Mechanism, Step, Then, USERS, Victim};
use pseud_testkit::memory::gather;
use pseud_testkit::raw;
use std::sync::Arc;
use std::time::Instant;

pseud_testkit::attack_tests!(run);

/// A victim, and what its attacker knows.
struct Beside {
    channel: Channel,
    known: Known,
    now: Instant,
    served: u64,
}

fn run(groups: Vec<Group>) {
    for group in groups {
        if group.mechanism == Mechanism::Curve && cfg!(not(feature = "_curve")) {
            continue;
        }
        let mut dropped = vec![0; group.dropped.len()];
        for attack in &group.cases {
            let len = (attack.bytes)(&Known::default()).len();
            play(&group, attack, &[len]);
            let stats = play(&group, attack, &vec![1; len]);
            for (sum, (cause, _)) in dropped.iter_mut().zip(&group.dropped) {
                *sum += stats.dropped(*cause);
            }
            if group.mechanism != Mechanism::Curve && len < 200 {
                for cut in 1..len {
                    play(&group, attack, &[cut, len - cut]);
                }
            }
        }
        let wanted: Vec<u64> = group.dropped.iter().map(|(_, count)| *count).collect();
        assert_eq!(dropped, wanted, "{:?}", group.dropped);
    }
}

/// Plays it in pieces of those sizes.
fn play(group: &Group, attack: &Attack, pieces: &[usize]) -> Stats {
    let mut beside = Beside::new(group);
    beside.known.user = attack.user;
    beside.come(group, attack.at);
    let before = *beside.channel.machines().0.stats();
    let bytes = (attack.bytes)(&beside.known);
    let name = || format!("{:?} {:x?}", attack.at, &bytes[..bytes.len().min(300)]);
    let (mut rest, mut result) = (&bytes[..], Ok(()));
    for size in pieces {
        let (piece, behind) = rest.split_at(*size);
        result = result.and_then(|()| beside.feed(piece));
        rest = behind;
    }
    if let Some(counted) = attack.counted {
        let mut stats = *beside.channel.machines().0.stats();
        stats.pings -= before.pings;
        assert_eq!(stats, counted, "{}", name());
    }
    let said = beside.said();
    match &attack.then {
        Then::Ends(why, says) => {
            assert_eq!(result, Err(*why), "{}", name());
            assert!(says.as_ref().is_none_or(|says| *says == said), "{}: {said:x?}", name());
        }
        _ => assert_eq!(result, Ok(()), "{}", name()),
    }
    match &attack.then {
        Then::Ends(..) => {}
        Then::EndsWithStream(why) => {
            assert_eq!(said, b"", "{}", name());
            assert_eq!(beside.channel.handle_eof(beside.now), Err(*why), "{}", name());
        }
        Then::Parts => assert_eq!(beside.channel.handle_eof(beside.now), Ok(()), "{}", name()),
        Then::Lives(says) => {
            assert_eq!(said, *says, "{}", name());
            beside.spy();
        }
    }
    let lives = matches!(attack.then, Then::Lives(_));
    assert_eq!(beside.served, attack.served + u64::from(lives), "{}", name());
    let stats = beside.channel.machines().1.stats();
    if !lives {
        assert_eq!((beside.channel.poll_timeout(), beside.channel.peer()), (None, None));
        assert_eq!((stats.sessions, stats.requests_open), (0, 0), "{}", name());
    }
    let wanted: u64 = group.dropped.iter().map(|(cause, _)| stats.dropped(*cause)).sum();
    // Whoever sends a call and what ends the link in one piece is not answered.
    let unheard = stats.dropped(Dropped::CallerGone);
    assert_eq!(stats.dropped_total(), wanted + unheard, "{}: {stats:?}", name());
    stats
}

impl Beside {
    fn new(group: &Group) -> Self {
        let (mut config, mut link) = (Config::default(), ConnectionConfig::default());
        (group.settings)(&mut link);
        link.mechanism = mechanism(group);
        let side = match group.victim {
            Victim::Server => {
                link.identity = "service".into();
                Side::Accepting
            }
            Victim::Client => {
                config.server = Some("rogue".into());
                Side::Connecting
            }
        };
        let now = Instant::now();
        let channel = Channel::new(Arc::new(config), Arc::new(link), side, [1; 32], now);
        Self { channel, known: Known::default(), now, served: 0 }
    }

    /// The attacker comes so far.
    fn come(&mut self, group: &Group, step: Step) {
        let opening = self.said();
        assert_eq!(opening[12..][..4], group.name().as_bytes()[..4], "our greeting");
        if (group.mechanism, group.victim, step) == (Mechanism::Null, Victim::Server, Step::Opened)
        {
            assert_eq!(opening, raw::opening());
        }
        let next = group.steps(step);
        for step in next {
            let bytes = step.bytes(&self.known);
            assert_eq!(self.feed(&bytes), Ok(()));
            let said = self.said();
            step.learn(&mut self.known, &said);
        }
    }

    /// Bytes come; requests are served at once.
    fn feed(&mut self, bytes: &[u8]) -> Result<(), PeerError> {
        let mut result = self.channel.handle_input(&mut bytes.to_vec(), self.now);
        if let Some(question) = self.channel.poll_question() {
            let answered = self.channel.answer(verdict(&question), self.now);
            result = result.and(answered);
        }
        while let Some(action) = self.channel.poll_action() {
            let Action::Serve(request) = action else { continue };
            assert_eq!(request.name(), "spy");
            let opened = request.open(&ValueLimits::default()).expect("a sound request");
            let seven = Packed::result(&7).expect("an encodable result");
            self.channel.reply(opened.ticket, Ok(seven), self.now);
            self.served += 1;
        }
        result
    }

    /// All that the victim has to say.
    fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        loop {
            let bytes = gather(usize::MAX, |out| self.channel.slices(out));
            if bytes.is_empty() {
                return said;
            }
            self.channel.advance(bytes.len(), self.now);
            said.extend(bytes);
        }
    }

    /// The link is in step: a call is served.
    fn spy(&mut self) {
        let id = raw::fresh_id();
        assert_eq!(self.feed(&raw::work(&id, "spy")), Ok(()));
        assert_eq!(self.said(), raw::envelope(&id, raw::OK, &[7]));
    }
}

fn mechanism(group: &Group) -> MechanismConfig {
    match (group.mechanism, group.victim) {
        (Mechanism::Null, _) => MechanismConfig::Null,
        (Mechanism::Plain, Victim::Server) => MechanismConfig::PlainServer,
        (Mechanism::Plain, Victim::Client) => {
            MechanismConfig::PlainClient { username: "me".into(), password: Secret::new("secret") }
        }
        #[cfg(feature = "_curve")]
        (Mechanism::Curve, Victim::Server) => secured::curve_server(),
        #[cfg(feature = "_curve")]
        (Mechanism::Curve, Victim::Client) => {
            secured::curve_client(&[*secured::server_pair().public()])
        }
        #[cfg(not(feature = "_curve"))]
        (Mechanism::Curve, _) => panic!("no CURVE in this build"),
    }
}

fn verdict(question: &Question) -> Verdict {
    let is_known = match question {
        Question::Plain { username, password } => {
            USERS.iter().any(|user| *user == (&username[..], password.expose()))
        }
        #[cfg(feature = "_curve")]
        Question::Curve { client_key } => *client_key.as_bytes() == Known::mallory().public,
        _ => false,
    };
    if is_known { Verdict::Admit("mallory".into()) } else { Verdict::Deny }
}
