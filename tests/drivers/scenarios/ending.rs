//! How ends end: everything at once, or when all is answered.

use super::joined;
use crate::end::{Driver, Failed, SOON, Whom};
use pseud::Value;

pub(crate) fn shutdown(server: &Driver, client: &Driver) {
    let (server, client) = joined(server, client);
    let call = client.begin(Whom::Server, ("sleep", vec![Value::from(0.5)]), None);
    client.shut_down();
    assert_eq!(call.wait(), Err(Failed::Closed));
    server.shut_down();
    assert!(server.listen("tcp://127.0.0.1:*").is_err(), "it has ended");
}

pub(crate) fn drain(server: &Driver, client: &Driver) {
    let (server, client) = joined(server, client);
    let call = client.begin(Whom::Server, ("sleep", vec![Value::from(0.5)]), None);
    // The server has heard of the first when it answers the second.
    client.check();
    assert!(server.drain(SOON), "it is answered within that time");
    assert_eq!(call.wait(), Ok(Value::from(0.5)));
}
