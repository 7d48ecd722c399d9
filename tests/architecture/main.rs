//! The structure that ARCHITECTURE.md draws holds: imports point down, no files import each other in a
//! circle, what must not be named is not, no type's name stands twice, and no two adapters have twins.
//!
//! The sources are read as text, with `syn`: names are followed through re-exports to the file that
//! defines them. Test modules may import what they like.

mod elders;
mod graph;
mod hostile;
mod names;
mod page;
mod source;
mod storeys;
mod surface;
mod twins;

use graph::Graph;
use source::Package;
use std::collections::BTreeSet;
use storeys::STOREYS;
use surface::Crates;

#[test]
fn no_new_circle_of_files() {
    for &(name, _) in STOREYS {
        let circles = Graph::of(&Package::read(name)).circles();
        let known = storeys::CIRCLES.iter().filter(|(package, _)| *package == name);
        let known: Vec<_> = known.map(|(_, files)| files.to_vec()).collect();
        assert_eq!(circles, known, "{name}: a circle that is gone goes from the list, too");
    }
}

#[test]
fn imports_point_down() {
    for &(name, storeys) in STOREYS {
        let package = Package::read(name);
        let graph = Graph::of(&package);
        let upward = graph.upward(storeys);
        assert!(upward.is_empty(), "{name}: {upward:#?}");
        let homeless = package.folders_outside(storeys);
        assert!(homeless.is_empty(), "{name}: not in tests/architecture/storeys.rs: {homeless:?}");
    }
}

/// What is named nowhere in a part of the tree, and why.
#[test]
fn what_must_not_be_named_is_not() {
    for &(package, under, words, why) in storeys::NOT_NAMED {
        let named = Package::read(package).named(under, words);
        assert!(
            named.is_empty(),
            "{package}/src/{under} names what it must not: {why}\n{named:#?}"
        );
    }
}

#[test]
fn no_type_name_stands_twice() {
    for &(together, may) in names::TOGETHER {
        let packages: Vec<_> = together.iter().map(|name| (*name, Package::read(name))).collect();
        let packages: Vec<_> = packages.iter().map(|(name, package)| (*name, package)).collect();
        let repeated = names::repeated(&packages, may);
        assert!(repeated.is_empty(), "a name of its own for one of each: {repeated:#?}");
        let all = names::repeated(&packages, &[]);
        let stands = |name: &&str| all.iter().any(|line| line.starts_with(&format!("{name}: ")));
        let idle: Vec<_> = may.concat().into_iter().filter(|name| !stands(name)).collect();
        assert!(idle.is_empty(), "they stand once: they go from the list, too: {idle:?}");
    }
}

/// The packages that applications name.
const SHOWN: &[&str] =
    &["", "pseud-proto", "pseud-async", "pseud-tokio", "pseud-asyncstd", "pseud-blocking"];

/// In signatures, in errors and in the docs a type then has the same name everywhere.
#[test]
fn each_public_type_has_one_path_in_its_crate() {
    let crates = Crates::read(SHOWN);
    let mut several = Vec::new();
    for name in SHOWN {
        let shown = crates.shown(name);
        assert!(shown.len() > 5, "{name} shows something");
        several.extend(shown.into_iter().filter(|(_, paths)| paths.len() > 1));
    }
    assert!(several.is_empty(), "{several:#?}");
}

/// An enum that may get another variant says so to the compiler; one that will not says why.
#[test]
fn a_public_enum_is_open_or_says_why_not() {
    let crates = Crates::read(SHOWN);
    let is_unsure = |item: &syn::ItemEnum| {
        let is_open = item.attrs.iter().any(|word| word.path().is_ident("non_exhaustive"));
        let says = surface::docs(&item.attrs).iter().any(|line| line.starts_with("Closed: "));
        is_open == says && !item.variants.is_empty()
    };
    let enums = SHOWN.iter().flat_map(|name| crates.enums(name));
    let unsure: BTreeSet<_> =
        enums.filter(|(_, item)| is_unsure(item)).map(|(path, _)| path).collect();
    assert!(unsure.is_empty(), "#[non_exhaustive], or a line `Closed: why`: {unsure:#?}");
}

/// What an application, or a driver of the core, begins with.
const MAIN_TYPES: &[&str] = &[
    "pseud_async::AuthBackend",
    "pseud_async::AuthBackends",
    "pseud_async::Authenticator",
    "pseud_async::BindOptions",
    "pseud_async::Call",
    "pseud_async::CallAll",
    "pseud_async::CallError",
    "pseud_async::Caller",
    "pseud_async::Cancelled",
    "pseud_async::Client",
    "pseud_async::Events",
    "pseud_async::HeartbeatBackend",
    "pseud_async::HeartbeatBackends",
    "pseud_async::Object",
    "pseud_async::Options",
    "pseud_async::Peer",
    "pseud_async::Peers",
    "pseud_async::Presence",
    "pseud_async::PresenceFeed",
    "pseud_async::PresenceStore",
    "pseud_async::Registry",
    "pseud_async::Request",
    "pseud_async::Server",
    "pseud_async::Service",
    "pseud_async::TrustedKeys",
    "pseud_async::UserStore",
    "pseud_async::kaa::Client",
    "pseud_async::kaa::Server",
    "pseud_async::rpcudp::Endpoint",
    "pseud_asyncstd::Client",
    "pseud_asyncstd::Server",
    "pseud_asyncstd::kaa::Client",
    "pseud_asyncstd::kaa::Server",
    "pseud_asyncstd::rpcudp::Endpoint",
    "pseud_blocking::Client",
    "pseud_blocking::Server",
    "pseud_blocking::Wait",
    "pseud_blocking::kaa::Client",
    "pseud_blocking::kaa::Server",
    "pseud_blocking::rpcudp::Endpoint",
    "pseud_blocking::zmq::Client",
    "pseud_blocking::zmq::Server",
    "pseud_proto::Config",
    "pseud_proto::Fault",
    "pseud_proto::address::Address",
    "pseud_proto::kaa::Channel",
    "pseud_proto::pseud::Channel",
    "pseud_proto::pseud::Endpoint",
    "pseud_proto::pseud::Link",
    "pseud_proto::rpcudp::Endpoint",
    "pseud_proto::value::Value",
    "pseud_proto::zmtp::Connection",
    "pseud_proto::zmtp::KeyPair",
    "pseud_tokio::Client",
    "pseud_tokio::Server",
    "pseud_tokio::kaa::Client",
    "pseud_tokio::kaa::Server",
    "pseud_tokio::rpcudp::Endpoint",
];

#[test]
fn each_main_type_has_an_example() {
    let crates = Crates::read(SHOWN);
    let bare: Vec<_> = MAIN_TYPES.iter().filter(|path| !crates.has_example(path)).collect();
    assert!(bare.is_empty(), "neither on its page nor on its module's: {bare:#?}");
}

/// What it is, how it is had, and the two commands that do everything, on the front page of docs.rs as well.
#[test]
fn readme_begins_with_what_a_newcomer_needs() {
    let readme = include_str!("../../README.md");
    let opening: String = readme.split("\n## ").next().into_iter().collect();
    for (line, before) in [
        ("# pseud", ""),
        ("Bidirectional RPC", "# pseud"),
        ("cargo add pseud", "Bidirectional RPC"),
        ("cargo run --example hello", "cargo add pseud"),
        ("cargo test --workspace", "cargo run --example hello"),
    ] {
        let (at, after) = (opening.find(line), opening.find(before));
        assert!(at.is_some() && at >= after, "{line} stands in the opening, behind {before}");
    }
    let front = include_str!("../../src/lib.rs");
    assert!(front.contains("include_str!(\"../README.md\")"));
}

/// What is alike in two adapters is `pseud-async`'s.
#[test]
fn no_two_adapters_have_six_equal_lines() {
    let adapters = ["pseud-tokio", "pseud-asyncstd", "pseud-blocking"];
    let twins = twins::among(&adapters.map(|name| (name, source::texts(name))));
    assert!(twins.is_empty(), "{twins:#?}");
    // The check checks.
    let lines = |before: &str, count: usize| {
        let same: String = (0..count).map(|n| format!("    {n}\n\n    // a word\n")).collect();
        vec![("a.rs".to_owned(), format!("{before}\n{same}"))]
    };
    assert!(twins::among(&[("one", lines("a", 5)), ("two", lines("b", 5))]).is_empty());
    let found = twins::among(&[("one", lines("a", 6)), ("two", lines("b", 7))]);
    assert_eq!(found, ["one/src/a.rs:2 and two/src/a.rs:2"]);
}

/// What is published says what it is, and under which licences.
#[test]
fn each_package_has_its_licences_and_a_readme() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for &(name, _) in STOREYS {
        let manifest =
            std::fs::read_to_string(root.join(name).join("Cargo.toml")).expect("it has one");
        if manifest.contains("publish = false") {
            continue;
        }
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
            assert!(root.join(name).join(file).is_file(), "{name} has no {file}");
        }
    }
}

/// The check checks: it finds a circle, an upward import, a forbidden name and a repeated one where there
/// are some.
#[test]
fn a_crooked_house_is_seen() {
    let package = Package::of(&[
        ("lib.rs", "mod low; mod high; pub use high::High;"),
        ("low.rs", "use crate::High; pub struct Low(High);"),
        (
            "high.rs",
            "use crate::low::Low; pub struct High(Option<Box<Low>>); fn now() { std::time::Instant::now(); }",
        ),
    ]);
    let graph = Graph::of(&package);
    assert_eq!(graph.circles(), [["high.rs", "low.rs"]]);
    let storeys: &[&[&str]] = &[&["low"], &["high"]];
    assert_eq!(graph.upward(storeys), ["low.rs -> high.rs"]);
    assert_eq!(package.named("high.rs", &["Instant::now"]).len(), 1);
    assert_eq!(package.folders_outside(&[&["low"]]), ["high"]);
    let other =
        Package::of(&[("lib.rs", "pub type Low = u8; #[cfg(test)] mod tests { enum High {} }")]);
    let both = [("one", &package), ("two", &other)];
    assert_eq!(names::repeated(&both, &[]), ["Low: one/src/low.rs, two/src/lib.rs"]);
    assert!(names::repeated(&both, &[&["Low"]]).is_empty());
}
