//! One suite for all drivers: each scenario is written once, and holds between a server of each and a
//! client of each. What a driver has no means for it says ([`Driver::cannot`]), and each pair prints
//! what it held and what not.
//!
//! | file | what it is |
//! |---|---|
//! | `bounded` | the time that a test may take |
//! | `end` | what the suite asks of a server and of a client, whoever drives it |
//! | `scenarios/` | what must hold |
//! | `pairs` | which drivers: each with each |
//! | `adversity` | HOSTILE P by id, on each adapter |
//! | `misuse` | what hostile programs do to an adapter |
//! | `nodes/` | the adapters' nodes, over sockets and in a simulated world |
//! | `presence` | who is there, between adapters' nodes: own loops and Python have no such |
//! | `own_loop` | the loop of `examples/own_loop` |
//! | `live` | Python pseud, as it is |
#![cfg(unix)]
#![allow(missing_docs, reason = "tests")]

mod adversity;
mod bounded;
mod end;
mod live;
mod misuse;
mod nodes;
mod own_loop;
mod pairs;
mod presence;
mod scenarios;

// The example's loop, and the interop tests' way to Python, as they are.
#[path = "../../examples/own_loop/handlers.rs"]
mod handlers;
#[path = "../../examples/own_loop/node.rs"]
mod node;
#[path = "../../examples/own_loop/socket.rs"]
mod socket;

#[allow(dead_code, reason = "the suite needs a part of it")]
#[path = "../interop/environment.rs"]
mod environment;
#[allow(dead_code, reason = "the suite needs a part of it")]
#[path = "../interop/environment27.rs"]
mod environment27;
#[allow(dead_code, reason = "the suite needs a part of it")]
#[path = "../interop/python.rs"]
mod python;
#[path = "../interop/tagged.rs"]
#[allow(dead_code, reason = "the suite needs a part of it")]
mod tagged;
#[path = "../interop/talk.rs"]
#[allow(dead_code, reason = "the suite needs a part of it")]
mod talk;

use end::Driver;
use nodes::simulated;
use nodes::sockets::{blocking, smol, tokio};
use scenarios::Scenario;
use std::io::Write;
use std::sync::Arc;

/// Runs every scenario of a pair, side by side where they can: how many they were, and which not.
fn hold(server: &Arc<Driver>, client: &Arc<Driver>) -> String {
    let why_not = |scenario: &Scenario| {
        server.cannot(scenario.name, true).or(client.cannot(scenario.name, false))
    };
    let (left_out, held): (Vec<_>, Vec<_>) =
        scenarios::ALL.iter().partition(|scenario| why_not(scenario).is_some());
    match server.side_by_side && client.side_by_side {
        true => hold_side_by_side(&held, server, client),
        false => held.iter().for_each(|scenario| {
            println!("{}", scenario.name);
            (scenario.hold)(server, client);
        }),
    }
    let line = |scenario: &&Scenario| {
        format!("\n    not {}: {}", scenario.name, why_not(scenario).unwrap_or_default())
    };
    let left_out: String = left_out.iter().map(line).collect();
    let (server, client, count) = (server.name, client.name, held.len());
    format!("{server} serves {client}: {count} scenarios{left_out}\n")
}

/// Past the harness, which shows nothing of tests that pass.
fn print(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn hold_side_by_side(held: &[&Scenario], server: &Arc<Driver>, client: &Arc<Driver>) {
    let job = |scenario: &&Scenario| -> bounded::Job {
        let (hold, server, client) = (scenario.hold, server.clone(), client.clone());
        (scenario.name, Box::new(move || hold(&server, &client)))
    };
    if let Err(which) = bounded::hold_all(held.iter().map(job).collect()) {
        panic!("{} serves {}: {which}", server.name, client.name);
    }
}

/// In worlds of several seeds: in calm weather, and in wind.
#[test]
fn simulated_serves_simulated() {
    print(&simulated::in_all_weathers(hold));
}

/// What a driver leaves out is a scenario of that name.
#[test]
fn nobody_leaves_out_what_there_is_not() {
    let drivers = [tokio(), smol(), blocking(), own_loop::driver(), simulated::driver()];
    let left_out = drivers.iter().map(Driver::left_out).collect::<Vec<_>>().concat();
    let python = [live::NOT_AS_SERVER, live::NOT_AS_CLIENT, live::NOT_OF_ITS_OWN].concat();
    for (name, _) in left_out.into_iter().chain(python) {
        assert!(scenarios::ALL.iter().any(|known| known.name == name), "{name}");
    }
}
