//! S-01: calls over a link of CURVE on whose path somebody deletes, doubles or swaps each frame in
//! turn. The link ends; no call gets another's result, no handler runs for what nobody asked or twice,
//! and no call is said not to have run that did.

use pseud::proto::zmtp::{KeyPair, MechanismConfig};
use pseud::proto::{CallId, Insecure, PeerError, Refusal};
use pseud::{Fault, Reason};
use pseud_testkit::memory::{Ended, Pair, Setup, Talker};
use pseud_testkit::path::{EDITS, Edit};
use std::time::Duration;

/// HELLO and INITIATE, or WELCOME and READY.
const HANDSHAKE: usize = 2;

/// What the client calls, and what the server calls at the client. Each has a payload of its own.
const CALLS: [(&str, u64); 6] =
    [("balance", 1), ("balance", 2), ("missing", 3), ("pay", 4), ("delete", 5), ("fails", 6)];
const BACK: [(&str, u64); 3] = [("confirm", 7), ("missing", 8), ("notify", 9)];

/// A call, by what only it carries, and how it ends where nobody is on the path.
#[derive(Debug)]
struct Call {
    id: CallId,
    name: &'static str,
    payload: u64,
    right: Ended,
}

/// The calls of one side, and what the other side's handlers ran.
#[derive(Debug, Default)]
struct Asked {
    calls: Vec<Call>,
    ran: Vec<(String, u64)>,
}

impl Asked {
    fn by(caller: &mut Talker, calls: &[(&'static str, u64)], is_declared: bool) -> Self {
        let call = |&(name, payload)| Call {
            id: caller.call(name, (payload,)),
            name,
            payload,
            right: right(name, payload, is_declared),
        };
        Self { calls: calls.iter().map(call).collect(), ran: Vec::new() }
    }

    /// Serves all that has come to that side. Says whether anything had.
    fn served_by(&mut self, callee: &mut Talker) -> bool {
        let mut has_served = false;
        while let Some(work) = callee.next_work() {
            has_served = true;
            let (name, (payload,)) = (work.name.clone(), work.args::<(u64,)>());
            match name.as_str() {
                "missing" => callee.refuse(work, &Refusal::NoSuchService("missing".into())),
                "fails" => callee.fail(work, Fault::new("Failed", payload.to_string())),
                _ => callee.answer(work, answer(&name, payload)),
            }
            if name != "missing" {
                self.ran.push((name, payload));
            }
        }
        has_served
    }

    /// Judges all that became of it; how many calls ended rightly.
    fn check(&self, caller: &Talker) -> usize {
        for ran in &self.ran {
            let is_it = |call: &&Call| (call.name, call.payload) == (&ran.0, ran.1);
            assert!(self.calls.iter().any(|call| is_it(&call)), "nobody asked for {ran:?}");
            assert_eq!(self.ran.iter().filter(|other| *other == ran).count(), 1, "{ran:?} twice");
        }
        let is_right = |call: &&Call| {
            let has_run = self.ran.iter().any(|ran| (call.name, call.payload) == (&ran.0, ran.1));
            match caller.ended(call.id) {
                ended if ended == call.right => return true,
                Ended::Unknown(_) => {}
                Ended::NotExecuted(_) => assert!(!has_run, "{call:?} ran, and is said not to"),
                other => panic!("{call:?} ended as {other:?}"),
            }
            false
        };
        self.calls.iter().filter(is_right).count()
    }
}

fn answer(name: &str, payload: u64) -> u64 {
    payload * 1_000 + name.len() as u64
}

fn right(name: &str, payload: u64, is_declared: bool) -> Ended {
    match name {
        "missing" if is_declared => Ended::NotExecuted(Reason::NoSuchService),
        "missing" => Ended::Fault(Fault::new("ServiceNotFoundError", "missing")),
        "fails" => Ended::Fault(Fault::new("Failed", payload.to_string())),
        _ => Ended::Value(answer(name, payload).into()),
    }
}

/// Which direction is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Up,
    Down,
}

/// A link of CURVE with PINGs. The server declares what it can do, or passes for a peer of v1.
fn setup(is_declared: bool) -> Setup {
    let (client, server) = (KeyPair::generate([0xc1; 32]), KeyPair::generate([0x51; 32]));
    let server_keys = vec![*server.public()];
    let setup = if is_declared { Setup::default().declared() } else { Setup::default() };
    setup.with(|setup| {
        setup.client_link.mechanism =
            MechanismConfig::CurveClient { server_keys, key_pair: client };
        setup.server_link.mechanism = MechanismConfig::CurveServer { key_pairs: vec![server] };
        for link in [&mut setup.client_link, &mut setup.server_link] {
            link.heartbeat.interval = Some(Duration::from_secs(1));
        }
    })
}

/// A whole life of a link: everybody calls everybody, twice, and then long silence. How many calls
/// ended rightly, and how many frames each direction had when all had called once.
fn live(is_declared: bool, edit: Option<(Path, usize, Edit)>) -> (Pair, usize, [usize; 2]) {
    let mut pair = setup(is_declared).fresh();
    let on = |path| edit.filter(|(on, ..)| *on == path).map(|(_, index, edit)| (index, edit));
    pair.up.editor = Some(pseud_testkit::path::Editor::new(on(Path::Up)));
    pair.down.editor = Some(pseud_testkit::path::Editor::new(on(Path::Down)));
    let (mut rounds, mut came) = (Vec::new(), [0; 2]);
    for round in 0..2 {
        let mut down = Asked::default();
        let mut up = match pair.client.left().is_none() && pair.client.error.is_none() {
            true => Asked::by(&mut pair.client, &CALLS, is_declared),
            false => Asked::default(),
        };
        pair.settle();
        if pair.server.is_connected() {
            down = Asked::by(&mut pair.server, &BACK, is_declared);
        }
        pair.settle();
        while up.served_by(&mut pair.server) | down.served_by(&mut pair.client) {
            pair.settle();
        }
        pair.advance(Duration::from_millis(100));
        rounds.push((up, down));
        if round == 0 {
            came = [&pair.up, &pair.down].map(|pipe| pipe.editor.as_ref().map_or(0, |it| it.came));
        }
    }
    // What is left of the calls, and of the link.
    pair.advance(Duration::from_secs(60));
    let checked = rounds.iter().map(|(up, down)| up.check(&pair.client) + down.check(&pair.server));
    let checked = checked.sum();
    (pair, checked, came)
}

#[test]
fn s_01_no_call_gets_what_is_anothers() {
    for is_declared in [true, false] {
        let (_, right, frames) = live(is_declared, None);
        assert_eq!(right, 2 * (CALLS.len() + BACK.len()));
        for (path, frames) in [Path::Up, Path::Down].into_iter().zip(frames) {
            assert!(frames > 5 * (CALLS.len() + BACK.len()), "{frames}");
            for (index, edit) in (0..frames).flat_map(|index| EDITS.map(|edit| (index, edit))) {
                let (pair, ..) = live(is_declared, Some((path, index, edit)));
                let name = format!("declared: {is_declared}, {path:?} {index}: {edit:?}");
                let told = if path == Path::Up { &pair.server } else { &pair.client };
                if index >= HANDSHAKE {
                    let why = if edit == Edit::Double { Insecure::Replay } else { Insecure::Gap };
                    assert_eq!(told.error, Some(PeerError::from(why)), "{name}");
                }
                for side in [&pair.client, &pair.server] {
                    assert!(!side.is_connected() && side.stats().calls_pending == 0, "{name}");
                }
            }
        }
    }
}
