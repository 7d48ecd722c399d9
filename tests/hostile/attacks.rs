//! What hostile peers do, over sockets and beside a bystander who is served before, during and after it. The
//! cases are the testkit's; `pseud-proto/tests/attacks.rs` has the same beside the core alone.

use crate::bench::Bench;
use crate::rogue::{Rogue, catch};
use crate::secured::{plain_client, plain_server};
use pseud::{Options, Reason};
use pseud_testkit::attacks::{
    Attack, Exchange, Group, Known, Mechanism, Step, Then, USERS, Victim,
};
use pseud_testkit::raw::{self, COMMAND, RawPeer, command, frame};

#[cfg(feature = "_curve")]
use crate::curve::Keyed;
#[cfg(feature = "_curve")]
use crate::secured::{curve_client, curve_server};

pseud_testkit::attack_tests!(run);

fn run(groups: Vec<Group>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for group in &groups {
            match (group.victim, group.mechanism) {
                (_, Mechanism::Curve) if cfg!(not(feature = "_curve")) => {}
                (Victim::Server, _) => against_servers(group).await,
                (Victim::Client, _) => against_clients(group).await,
            }
        }
    });
}

async fn against_servers(group: &Group) {
    let set = |options: &mut Options| (group.settings)(&mut options.connection);
    let served = group.cases.iter().map(served).sum();
    match group.mechanism {
        Mechanism::Null => {
            let bench = Bench::with(set).await;
            attack_server(group, &bench).await;
            bench.over(served, &group.dropped).await;
        }
        Mechanism::Plain => {
            let mut server = plain_server(USERS);
            set(&mut server);
            let bench = Bench::between(server, plain_client("service")).await;
            attack_server(group, &bench).await;
            bench.over(served, &group.dropped).await;
        }
        #[cfg(feature = "_curve")]
        Mechanism::Curve => {
            let keyed = Keyed::with(set).await;
            attack_server(group, &keyed.bench).await;
            let is_asked = |attack: &&Attack| {
                attack.at == Step::Ready
                    || matches!(attack.then, Then::Ends(pseud::PeerError::Denied(_), _))
            };
            let asked = group.cases.iter().filter(is_asked).count() as u64;
            keyed.over(asked, served, &group.dropped).await;
        }
        #[cfg(not(feature = "_curve"))]
        Mechanism::Curve => {}
    }
}

/// How often the spy is called for it.
fn served(attack: &Attack) -> u64 {
    attack.served + u64::from(matches!(attack.then, Then::Lives(_)))
}

async fn attack_server(group: &Group, bench: &Bench) {
    for attack in &group.cases {
        let (mut wire, mut known) = (bench.connect().await, known_to(attack));
        opening(&mut wire, group, attack.at).await;
        for step in group.steps(attack.at) {
            exchange(&mut wire, step, &mut known).await;
        }
        if (group.mechanism, attack.at) == (Mechanism::Null, Step::Ready) {
            // The server's READY does not wait for ours; its PONG does.
            wire.send(&command("PING", b"\0\0")).await;
            assert_eq!(wire.frame().await.body, b"\x04PONG");
        }
        let bytes = (attack.bytes)(&known);
        let name = || format!("{:?} {:x?}", attack.at, &bytes[..bytes.len().min(300)]);
        match &attack.then {
            Then::Ends(why, says) => {
                let said = bench.refuses_aloud(wire, &bytes, *why).await;
                assert!(says.as_ref().is_none_or(|says| *says == said), "{}: {said:x?}", name());
            }
            Then::EndsWithStream(why) => {
                wire.send(&bytes).await;
                assert_eq!(wire.finish().await, b"", "{}", name());
                assert_eq!(bench.end(&wire).await, Reason::PeerFault(*why), "{}", name());
            }
            Then::Parts => {
                wire.send(&bytes).await;
                part(bench, wire).await;
            }
            Then::Lives(says) => {
                wire.send(&bytes).await;
                let mut said = Vec::new();
                while said.len() < says.len() {
                    let raw::RawFrame { flags, body } = wire.frame().await;
                    said.extend(frame(flags, &body));
                }
                assert_eq!(said, *says, "{}", name());
                wire.spy().await;
                part(bench, wire).await;
            }
        }
        bench.canary().await;
    }
}

/// The attacker leaves between two messages, owed nothing.
async fn part(bench: &Bench, mut wire: RawPeer) {
    assert_eq!(wire.finish().await, b"");
    assert_eq!(bench.end(&wire).await, Reason::PeerGone);
}

async fn against_clients(group: &Group) {
    let rogue = match group.mechanism {
        Mechanism::Null => {
            Rogue::between(Options::server("honest"), Options::client("rogue")).await
        }
        Mechanism::Plain => {
            Rogue::between(plain_server([]).identity("honest"), plain_client("rogue")).await
        }
        #[cfg(feature = "_curve")]
        Mechanism::Curve => {
            let honest = curve_server(&std::sync::Arc::default()).identity("honest");
            Rogue::between(honest, curve_client("rogue")).await
        }
        #[cfg(not(feature = "_curve"))]
        Mechanism::Curve => return,
    };
    for attack in &group.cases {
        let (mut wire, mut known) = (catch(&rogue.trap().await).await, known_to(attack));
        opening(&mut wire, group, attack.at).await;
        for step in group.steps(attack.at) {
            exchange(&mut wire, step, &mut known).await;
        }
        let bytes = (attack.bytes)(&known);
        match &attack.then {
            Then::Ends(why, _) => rogue.refuses(wire, &bytes, *why).await,
            Then::EndsWithStream(why) => {
                wire.send(&bytes).await;
                rogue.canary().await;
                assert_eq!(wire.finish().await, b"", "{bytes:x?}");
                assert_eq!(rogue.end(&wire).await, Reason::PeerFault(*why), "{bytes:x?}");
            }
            then => panic!("no client is asked that: {then:?}"),
        }
    }
    rogue.over(&group.dropped).await;
}

fn known_to(attack: &Attack) -> Known {
    Known { user: attack.user, ..Known::default() }
}

/// What the victim says by itself.
async fn opening(wire: &mut RawPeer, group: &Group, step: Step) {
    let mut said = wire.greeting().await.to_vec();
    assert!(said[12..].starts_with(group.name().as_bytes()), "its mechanism");
    if group.mechanism == Mechanism::Null {
        let ready = wire.frame().await;
        said.extend(frame(ready.flags, &ready.body));
        if (group.victim, step) == (Victim::Server, Step::Opened) {
            assert_eq!(said, raw::opening());
        }
    }
}

async fn exchange(wire: &mut RawPeer, step: Exchange, known: &mut Known) {
    wire.send(&step.bytes(known)).await;
    if step.answer().is_some() {
        let said = wire.frame().await;
        assert_eq!(said.flags & COMMAND, COMMAND);
        step.learn(known, &frame(said.flags, &said.body));
    }
}
