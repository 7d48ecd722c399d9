//! One suite for all drivers: each scenario is written once, and holds between a server of each and a
//! client of each. What a driver has no means for it says ([`Driver::cannot`]), and each pair prints
//! what it held and what not.
//!
//! | file | what it is |
//! |---|---|
//! | `end` | what the suite asks of a server and of a client, whoever drives it |
//! | `scenarios/` | what must hold |
//! | `adversity` | HOSTILE P by id, on each adapter |
//! | `nodes/` | the adapters' nodes, over sockets and in a simulated world |
//! | `presence` | who is there, between adapters' nodes: own loops and Python have no such |
//! | `own_loop` | the loop of `examples/own_loop` |
//! | `live` | Python pseud, as it is |
#![cfg(unix)]
#![allow(missing_docs, reason = "tests")]

mod adversity;
mod end;
mod live;
mod nodes;
mod own_loop;
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
use std::thread;

/// Runs every scenario of a pair, side by side where they can: how many they were, and which not.
fn hold(server: &Driver, client: &Driver) -> String {
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

/// Each on a thread: most of them only wait.
fn hold_side_by_side(held: &[&Scenario], server: &Driver, client: &Driver) {
    let failed: Vec<_> = thread::scope(|scope| {
        let begin = |scenario: &&Scenario| {
            let (name, hold) = (scenario.name, scenario.hold);
            let named = thread::Builder::new().name(name.to_owned());
            (name, named.spawn_scoped(scope, move || hold(server, client)).expect("a thread"))
        };
        let running: Vec<_> = held.iter().map(begin).collect();
        let failed =
            running.into_iter().filter_map(|(name, running)| running.join().err().map(|_| name));
        failed.collect()
    });
    assert!(failed.is_empty(), "{} serves {}: {failed:?}", server.name, client.name);
}

macro_rules! pairs {
    ($($test:ident: $server:path, $client:path;)*) => {$(
        #[test]
        fn $test() {
            $crate::print(&$crate::hold(&$server(), &$client()));
        }
    )*};
}

pairs! {
    tokio_serves_tokio: tokio, tokio;
    tokio_serves_blocking: tokio, blocking;
    blocking_serves_tokio: blocking, tokio;
    blocking_serves_blocking: blocking, blocking;
    own_loop_serves_own_loop: own_loop::driver, own_loop::driver;
    own_loop_serves_tokio: own_loop::driver, tokio;
    own_loop_serves_blocking: own_loop::driver, blocking;
    tokio_serves_own_loop: tokio, own_loop::driver;
    blocking_serves_own_loop: blocking, own_loop::driver;
}

#[cfg(not(feature = "async-std"))]
mod on_smol {
    use super::{blocking, own_loop, smol, tokio};

    pairs! {
        tokio_serves_smol: tokio, smol;
        smol_serves_tokio: smol, tokio;
        smol_serves_smol: smol, smol;
        smol_serves_blocking: smol, blocking;
        smol_serves_own_loop: smol, own_loop::driver;
        blocking_serves_smol: blocking, smol;
        own_loop_serves_smol: own_loop::driver, smol;
    }
}

/// The same adapter, whose tasks then run on async-std's executor.
#[cfg(feature = "async-std")]
mod on_async_std {
    use super::{blocking, own_loop, smol as async_std, tokio};

    pairs! {
        tokio_serves_async_std: tokio, async_std;
        async_std_serves_tokio: async_std, tokio;
        async_std_serves_async_std: async_std, async_std;
        async_std_serves_blocking: async_std, blocking;
        async_std_serves_own_loop: async_std, own_loop::driver;
        blocking_serves_async_std: blocking, async_std;
        own_loop_serves_async_std: own_loop::driver, async_std;
    }
}

#[cfg(feature = "zmq")]
mod over_libzmq {
    use super::{blocking, own_loop, smol, tokio};
    use crate::nodes::sockets::zmq;

    pairs! {
        zmq_serves_zmq: zmq, zmq;
        zmq_serves_tokio: zmq, tokio;
        zmq_serves_smol: zmq, smol;
        zmq_serves_blocking: zmq, blocking;
        zmq_serves_own_loop: zmq, own_loop::driver;
        tokio_serves_zmq: tokio, zmq;
        smol_serves_zmq: smol, zmq;
        blocking_serves_zmq: blocking, zmq;
        own_loop_serves_zmq: own_loop::driver, zmq;
    }
}

mod beside_python {
    use super::{Driver, blocking, hold, live, own_loop, print, smol, tokio};

    fn python_serves(client: &Driver) {
        if let Some(python) = live::driver() {
            print(&hold(&python, client));
        }
    }

    fn serves_python(server: &Driver) {
        if let Some(python) = live::driver() {
            print(&hold(server, &python));
        }
    }

    macro_rules! with_python {
        ($($serves:ident, $served:ident: $driver:path;)*) => {$(
            #[test]
            fn $serves() {
                serves_python(&$driver());
            }

            #[test]
            fn $served() {
                python_serves(&$driver());
            }
        )*};
    }

    with_python! {
        tokio_serves_python, python_serves_tokio: tokio;
        smol_serves_python, python_serves_smol: smol;
        blocking_serves_python, python_serves_blocking: blocking;
        own_loop_serves_python, python_serves_own_loop: own_loop::driver;
    }

    #[cfg(feature = "zmq")]
    mod over_libzmq {
        with_python! {
            zmq_serves_python, python_serves_zmq: crate::nodes::sockets::zmq;
        }
        use super::{python_serves, serves_python};
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
    let python = [live::NOT_AS_SERVER, live::NOT_AS_CLIENT].concat();
    for (name, _) in left_out.into_iter().chain(python) {
        assert!(scenarios::ALL.iter().any(|known| known.name == name), "{name}");
    }
}
