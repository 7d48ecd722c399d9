//! A type's name stands once, so that in a signature, in an error and in a search it means one thing.

use crate::source::Package;
use std::collections::BTreeMap;

/// Packages whose names are met side by side, and names that may stand in more than one of their files.
pub(crate) const TOGETHER: &[(&[&str], &[&[&str]])] = &[
    (
        &["pseud-proto", "pseud-async", "pseud-tokio", "pseud-asyncstd", "pseud-blocking"],
        &[FACES, WIRES, RUNTIMES, BUILDS],
    ),
    (&["pseud-testkit"], &[]),
    (&["pseud-cli"], &[&["Hangups", "Signals"]]),
];

/// What an application starts from has one name whatever the runtime and the wire:
/// `pseud::tokio::Server`, `pseud::tokio::kaa::Server`, `pseud::blocking::zmq::Server`.
const FACES: &[&str] = &["Client", "Endpoint", "Server"];

/// So have the things that it meets there, under their wire's path: `kaa::Channel`, `rpcudp::Request`.
const WIRES: &[&str] = &[
    "Action",
    "Address",
    "Call",
    "CallOptions",
    "Channel",
    "Config",
    "Connection",
    "Options",
    "Outcome",
    "Peer",
    "Request",
    "Stats",
    "Ticket",
    "Transmit",
];

/// Traits that an adapter implements, and its implementations.
const RUNTIMES: &[&str] = &["Listener", "ReadHalf", "Socket", "Stream", "Timer", "WriteHalf"];

/// Of two definitions one is built, by the feature `curve` or by the system.
const BUILDS: &[&str] = &["Opener", "PolledSocket", "Scratch", "Sealer"];

/// Names that are defined more than once in those packages, with the files.
pub(crate) fn repeated<'a>(packages: &[(&str, &'a Package)], may: &[&[&str]]) -> Vec<String> {
    let mut files = BTreeMap::<&'a str, Vec<String>>::new();
    for (name, package) in packages {
        for module in package.modules.values() {
            for defined in &module.types {
                files.entry(defined).or_default().push(format!("{name}/src/{}", module.file));
            }
        }
    }
    files.retain(|name, files| files.len() > 1 && !may.concat().contains(name));
    files.into_iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}
