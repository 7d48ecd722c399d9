//! What holds between a server of any driver and a client of any other, one function each.

mod calls;
mod ending;
mod links;
mod secured;

use crate::end::{Driver, End, Setup};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) hold: fn(&Driver, &Driver),
}

const fn scenario(name: &'static str, hold: fn(&Driver, &Driver)) -> Scenario {
    Scenario { name, hold }
}

pub(crate) const ALL: &[Scenario] = &[
    scenario("calls", calls::calls),
    scenario("calls side by side", calls::side_by_side),
    scenario("calls of the server", calls::of_the_server),
    scenario("callbacks", calls::callbacks),
    scenario("values", calls::values),
    scenario("errors", calls::errors),
    scenario("timeouts", calls::timeouts),
    scenario("cancellation", calls::cancellation),
    scenario("late guard", calls::late_guard),
    scenario("bound of calls", calls::bound_of_calls),
    scenario("waiting for room", calls::waiting_for_room),
    scenario("bound of requests", calls::bound_of_requests),
    scenario("reconnect", links::reconnect),
    scenario("events", links::events),
    scenario("PLAIN", secured::plain),
    scenario("a wrong password", secured::wrong_password),
    scenario("CURVE", secured::curve),
    scenario("an unknown key", secured::unknown_key),
    scenario("shutdown", ending::shutdown),
    scenario("drain", ending::drain),
];

type Ends = (Box<dyn End>, Box<dyn End>);

/// A server that listens, and a client that is told where.
fn pair(server: &Driver, client: &Driver, setups: [Setup; 2]) -> Ends {
    let [for_server, for_client] = setups;
    let server = (server.server)(for_server);
    let endpoint = server.listen("tcp://127.0.0.1:*").expect("loopback has a port");
    let client = (client.client)(for_client);
    client.connect(&endpoint);
    (server, client)
}

/// The same, once the first call was answered.
fn joined(server: &Driver, client: &Driver) -> Ends {
    let ends = pair(server, client, [Setup::default(); 2]);
    ends.1.check();
    ends
}
