//! One suite for all drivers: each scenario is written once, and holds between a server of each and a
//! client of each.
#![cfg(unix)]
#![allow(missing_docs, reason = "tests")]

mod driver;
mod scenarios;

use driver::{Blocking, Driver, Smol, Tokio};
use std::io::Write;

type Scenario = fn();

/// Every scenario of a pair, and how many they were.
fn hold<S: Driver, C: Driver>()
where
    C::Client: Sync,
{
    let all: &[(&str, Scenario)] = &[
        ("calls", scenarios::calls::<S, C>),
        ("calls of many threads", scenarios::calls_of_many_threads::<S, C>),
        ("callbacks", scenarios::callbacks::<S, C>),
        ("values", scenarios::values::<S, C>),
        ("errors", scenarios::errors::<S, C>),
        ("timeouts", scenarios::timeouts::<S, C>),
        ("reconnect", scenarios::reconnect::<S, C>),
        ("plain", scenarios::plain::<S, C>),
        ("events", scenarios::events::<S, C>),
        ("cancellation", scenarios::cancellation::<S, C>),
        ("shutdown", scenarios::shutdown::<S, C>),
        ("bounds", scenarios::bounds::<S, C>),
    ];
    for (name, scenario) in all {
        // Seen where it fails.
        println!("{name}");
        scenario();
    }
    let (server, client, count) = (S::NAME, C::NAME, all.len());
    // Past the harness, which shows nothing of tests that pass.
    let _ = writeln!(std::io::stderr(), "{server} serves {client}: {count} scenarios");
}

macro_rules! pairs {
    ($($test:ident: $server:ident, $client:ident;)*) => {$(
        #[test]
        fn $test() {
            hold::<$server, $client>();
        }
    )*};
}

pairs! {
    tokio_serves_tokio: Tokio, Tokio;
    tokio_serves_smol: Tokio, Smol;
    tokio_serves_blocking: Tokio, Blocking;
    smol_serves_tokio: Smol, Tokio;
    smol_serves_smol: Smol, Smol;
    smol_serves_blocking: Smol, Blocking;
    blocking_serves_tokio: Blocking, Tokio;
    blocking_serves_smol: Blocking, Smol;
    blocking_serves_blocking: Blocking, Blocking;
}

#[cfg(feature = "zmq")]
mod over_libzmq {
    use super::{Blocking, Smol, Tokio, hold};
    use crate::driver::Zmq;

    pairs! {
        zmq_serves_zmq: Zmq, Zmq;
        zmq_serves_tokio: Zmq, Tokio;
        zmq_serves_smol: Zmq, Smol;
        zmq_serves_blocking: Zmq, Blocking;
        tokio_serves_zmq: Tokio, Zmq;
        smol_serves_zmq: Smol, Zmq;
        blocking_serves_zmq: Blocking, Zmq;
    }
}
