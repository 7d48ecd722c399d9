//! Nodes in a simulated world: both ends of a pair live in the one that is on this thread.

use super::{Adapter, Peering, client, failed, server};
use crate::end::{Call, Driver, Outcome};
use pseud::{Drain, Node, Options};
use pseud_testkit::sim::{self, Conditions, Sim};
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Under how many seeds, unless `PSEUD_SEEDS` says otherwise.
const SEEDS: u64 = 20;

thread_local! {
    static WORLD: RefCell<Option<Sim>> = const { RefCell::new(None) };
}

pub(crate) struct Simulated;

pub(crate) fn driver() -> Driver {
    Driver {
        name: "simulated",
        server: Box::new(server::<Simulated>),
        client: Box::new(client::<Simulated>),
        side_by_side: false,
        not_as_server: Vec::new(),
        not_as_client: Vec::new(),
    }
}

/// Holds the suite in a world of each seed: in calm weather under the first, in wind under the others.
pub(crate) fn in_all_weathers(hold: fn(&Arc<Driver>, &Arc<Driver>) -> String) -> String {
    let (mut said, mut worlds) = (String::new(), 0);
    for seed in sim::seeds(SEEDS) {
        let conditions = if seed == 0 { Conditions::calm() } else { Conditions::windy() };
        WORLD.set(Some(Sim::new(seed, conditions)));
        let _world = World;
        said = hold(&driver().into(), &driver().into());
        worlds += 1;
    }
    format!("in {worlds} worlds, {said}")
}

/// Ends the world, before the thread's other variables are gone.
struct World;

impl Drop for World {
    fn drop(&mut self) {
        WORLD.set(None);
    }
}

impl Adapter for Simulated {
    type Server = sim::Server;
    type Client = sim::Client;

    fn server(options: Options) -> Self::Server {
        Self::wait(async { sim::Server::with_options(options).unwrap() })
    }

    fn client(options: Options) -> Self::Client {
        Self::wait(async { sim::Client::with_options(options).unwrap() })
    }

    fn wait<F: Future>(future: F) -> F::Output {
        let mut world = WORLD.take().expect("a world is on this thread, and nobody waits in it");
        let output = world.run(future);
        WORLD.set(Some(world));
        output
    }

    async fn sleep(duration: Duration) {
        sim::sleep(duration).await;
    }

    /// There are no threads in a world: as tasks.
    fn call_side_by_side(node: &Node, calls: Vec<Call>) -> Vec<Outcome> {
        Self::wait(async {
            let calls = calls.into_iter().map(|(name, args)| {
                let call = node.call(name, args);
                sim::spawn(async move { call.await.map_err(failed) })
            });
            sim::join_all(calls.collect::<Vec<_>>()).await
        })
    }
}

super::asynchronous!(Simulated, sim::Server, sim::Client);
