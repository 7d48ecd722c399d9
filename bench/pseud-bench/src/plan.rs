//! The scenarios of a full run. Names are `what-size-cores`.

use crate::contestants;
use crate::job::Runtime;
use crate::scenario::{Cores, Entry, Kind, Scenario, Shape, bytes};

const ONE: Cores = Cores::One;
const FREE: Cores = Cores::Free;

/// Everybody, on tokio's current_thread where they have a choice.
const EVERYBODY: &[&str] = &[
    "raw-std",
    "raw-tokio",
    "pseud",
    "pseud-plain",
    "pseud-curve",
    "pseud-smol",
    "pseud-blocking",
    "pseud-zmq",
    "zeromq",
    "tarpc",
    "libzmq",
    "libzmq-bare",
    "libzmq-curve",
    "capnp-rpc",
    "tonic",
    "jsonrpsee",
    "python",
    "python-pseud",
    "python-libzmq",
];

/// Those that are near to what sockets can do.
const FAST: &[&str] =
    &["raw-tokio", "pseud", "pseud-curve", "zeromq", "tarpc", "libzmq", "libzmq-curve"];

/// Those of which a server of thousands is made here.
const CROWDED: &[&str] =
    &["raw-tokio", "pseud", "pseud-plain", "pseud-curve", "zeromq", "libzmq", "libzmq-curve"];

/// Those whose servers call their clients.
const CALLING_OUT: &[&str] = &["raw-tokio", "pseud", "pseud-curve", "libzmq"];

/// All, without what this build does not have.
pub(crate) fn all() -> Vec<Scenario> {
    let both = [Runtime::Ct, Runtime::Mt];
    vec![
        calls("seq", 16, 1, 1, ONE, EVERYBODY).with("pseud", Runtime::Mt),
        calls("seq", 16, 1, 1, FREE, EVERYBODY).with("pseud", Runtime::Mt),
        calls("deep", 16, 256, 1, ONE, EVERYBODY),
        calls("deep", 16, 256, 1, FREE, EVERYBODY).with("pseud", Runtime::Mt),
        calls("some", 16, 16, 1, FREE, FAST),
        calls("wide", 16, 16, 16, FREE, FAST)
            .on("raw-tokio", both)
            .on("pseud", both)
            .on("tarpc", both),
        calls("deep", 1 << 10, 256, 1, FREE, FAST).with("pseud", Runtime::Mt),
        calls("seq", 64 << 10, 1, 1, ONE, FAST),
        calls("seq", 64 << 10, 1, 1, FREE, FAST),
        calls("some", 64 << 10, 16, 1, FREE, FAST),
        calls("seq", 1 << 20, 1, 1, FREE, FAST),
        quiet("quiet-many-small", "1 000 × 16 B", 16, 1_000, 0),
        quiet("quiet-some-large", "64 × 64 KiB", 64 << 10, 64, 0),
        quiet("quiet-slow-handlers", "1 000 × 16 B and handlers of 30 µs", 16, 1_000, 30),
        crowd(
            "call-1000",
            Kind::CallOut,
            1_000,
            "A server calls its 1 000 clients, 16 B, 64 calls at a time",
            CALLING_OUT,
        ),
        crowd(
            "idle-1k",
            Kind::Idle,
            1_000,
            "1 000 peers connect, idle, call once, and leave",
            CROWDED,
        ),
        crowd(
            "idle-10k",
            Kind::Idle,
            10_000,
            "10 000 peers connect, idle, call once, and leave",
            CROWDED,
        ),
    ]
}

/// Who could be compared, and is not in this build.
pub(crate) fn missing() -> Vec<String> {
    let known = contestants::all();
    let is_known = |name: &&&str| known.iter().any(|known| known.name == **name);
    let missing: Vec<_> = EVERYBODY.iter().filter(|name| !is_known(name)).copied().collect();
    match missing.is_empty() {
        true => Vec::new(),
        false => vec![format!("Not in this build: {}", missing.join(", "))],
    }
}

/// What is asked for by options instead of a name.
pub(crate) fn custom(shape: Shape, cores: Cores, runtimes: &[Runtime], names: &[&str]) -> Scenario {
    let Shape { size, in_flight, links, handler_micros } = shape;
    let mut scenario = calls("custom", size, in_flight, links, cores, &[]);
    scenario.shape.handler_micros = handler_micros;
    if handler_micros > 0 {
        scenario.title += &format!(", handlers of {handler_micros} µs");
    }
    names.iter().fold(scenario, |scenario, name| scenario.on(name, runtimes.iter().copied()))
}

fn calls(
    word: &str,
    size: usize,
    in_flight: usize,
    links: usize,
    cores: Cores,
    names: &[&str],
) -> Scenario {
    let (at, where_) = match cores {
        Cores::One => ("one-core", "both ends on one core"),
        Cores::Free => ("free", "free to run on any core"),
    };
    let over = match links {
        1 => String::new(),
        links => format!(" on each of {links} links"),
    };
    let flight = match in_flight {
        1 => "one call at a time".to_owned(),
        count => format!("{count} calls in flight{over}"),
    };
    let short = bytes(size).replace(' ', "");
    Scenario {
        name: format!("{word}-{short}-{at}"),
        title: format!("{}, {flight}, {where_}", bytes(size)),
        kind: Kind::Calls,
        cores,
        shape: Shape::new(size, in_flight, links),
        entries: entries(names),
    }
}

fn quiet(name: &str, title: &str, size: usize, in_flight: usize, handler_micros: u64) -> Scenario {
    let greedy = Shape { size, in_flight, links: 1, handler_micros };
    Scenario {
        name: name.into(),
        title: format!("A quiet peer, one call at a time, beside a greedy one with {title}"),
        kind: Kind::Quiet { greedy },
        cores: FREE,
        shape: Shape { size, in_flight: 1, links: 1, handler_micros },
        entries: entries(FAST),
    }
}

fn crowd(name: &str, kind: Kind, links: usize, title: &str, names: &[&str]) -> Scenario {
    Scenario {
        name: name.into(),
        title: title.into(),
        kind,
        cores: FREE,
        shape: Shape::new(16, 64, links),
        entries: entries(names),
    }
}

fn entries(names: &[&str]) -> Vec<Entry> {
    names.iter().map(|name| Entry { contestant: (*name).into(), runtime: Runtime::Ct }).collect()
}

impl Scenario {
    /// That contestant on that runtime, too.
    fn with(self, contestant: &str, runtime: Runtime) -> Self {
        self.on(contestant, [runtime])
    }

    /// That contestant on those runtimes, once each, beside each other.
    fn on(mut self, contestant: &str, runtimes: impl IntoIterator<Item = Runtime>) -> Self {
        for runtime in runtimes {
            let entry = Entry { contestant: contestant.into(), runtime };
            if !self.entries.contains(&entry) {
                let beside = self.entries.iter().rposition(|at| at.contestant == contestant);
                let at = beside.map_or(self.entries.len(), |at| at + 1);
                self.entries.insert(at, entry);
            }
        }
        self
    }

    /// For a look at whether it works.
    pub(crate) fn shrink(&mut self) {
        if matches!(self.kind, Kind::CallOut | Kind::Idle) {
            self.shape.links = 50;
            self.shape.in_flight = 8;
        }
    }

    /// Without contestants that this build lacks, that cannot do it, or that are not among `only`.
    pub(crate) fn retain(&mut self, only: &[String]) {
        let shape = self.shape;
        let in_flight = match self.kind {
            Kind::Quiet { greedy } => greedy.in_flight,
            _ => shape.in_flight,
        };
        let known = contestants::all();
        self.entries.retain(|entry| {
            let found = known.iter().find(|known| known.name == entry.contestant);
            let fits =
                |found: &contestants::Contestant| (found.fits)(&Shape { in_flight, ..shape });
            let asked = only.is_empty() || only.contains(&entry.contestant);
            asked && found.is_some_and(fits)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_both_that_ratios_are_made_of() {
        let scenarios = all();
        let names: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.name).collect();
        assert_eq!(names.len(), scenarios.len());
        for scenario in &scenarios {
            for name in ["raw-tokio", "pseud"] {
                let is_there = scenario.entries.iter().any(|entry| entry.label() == name);
                assert!(is_there, "{name} in {}", scenario.name);
            }
        }
    }

    #[test]
    fn a_scenario_keeps_who_fits_and_who_was_asked_for() {
        let shape = Shape::new(16, 256, 1);
        let runtimes = [Runtime::Ct, Runtime::Mt];
        let mut scenario = custom(shape, FREE, &runtimes, &["raw-std", "raw-tokio", "pseud"]);
        scenario.retain(&[]);
        let labels =
            |scenario: &Scenario| -> Vec<_> { scenario.entries.iter().map(Entry::label).collect() };
        assert_eq!(labels(&scenario), ["raw-tokio", "raw-tokio mt", "pseud", "pseud mt"]);
        scenario.retain(&["pseud".into()]);
        assert_eq!(labels(&scenario), ["pseud", "pseud mt"]);
    }
}
