//! Links that are lost and made again, and what is told of them.

use crate::end::{Driver, Failed, Setup, Whom};
use pseud::Value;
use std::time::Duration;

pub(crate) fn reconnect(server: &Driver, client: &Driver) {
    let first = (server.server)(Setup::default());
    let endpoint = first.listen("tcp://127.0.0.1:*").expect("loopback has a port");
    let client =
        (client.client)(Setup { call_timeout: Duration::from_secs(3), ..Setup::default() });
    client.connect(&endpoint);
    client.check();
    let lost = client.begin(Whom::Server, ("sleep", vec![Value::from(30.0)]), None);
    // `check` was the first. libzmq keeps what had not left for the next server.
    first.has_heard(2);
    first.shut_down();
    drop(first);
    // In a slow world it had not left yet.
    let lost = lost.wait();
    assert!(
        matches!(lost, Err(Failed::Unknown(_) | Failed::NotExecuted(_) | Failed::TimedOut)),
        "{lost:?}"
    );
    let again = (server.server)(Setup::default());
    again.listen(&endpoint).expect("it is free again");
    // What is lost with the old link is known to be lost; what waits for the new one is answered there.
    loop {
        match client.call("add", [Value::from(2), Value::from(4)]) {
            Ok(sum) => break assert_eq!(sum, Value::from(6)),
            Err(Failed::Unknown(_) | Failed::NotExecuted(_) | Failed::TimedOut) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    // Both ways.
    let greeting = again.call_to(Whom::Charly, "hello", vec![Value::Str("back".into())]);
    assert_eq!(greeting, Ok(Value::Str("Hello back".into())));
}

pub(crate) fn events(server: &Driver, client: &Driver) {
    let server = (server.server)(Setup::default());
    let endpoint = server.listen("tcp://127.0.0.1:*").expect("loopback has a port");
    let client = (client.client)(Setup::default());
    client.connect(&endpoint);
    client.check();
    assert_eq!(server.next_to_join(), b"charly");
}
