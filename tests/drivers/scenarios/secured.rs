//! Who comes in, and who does not.

use super::pair;
use crate::end::{Driver, Failed, Security, Setup, Whom};
use pseud::Value;
use std::time::Duration;

fn secured(security: Security) -> Setup {
    Setup { security, ..Setup::default() }
}

pub(crate) fn plain(server: &Driver, client: &Driver) {
    known(server, client, Security::Plain);
}

pub(crate) fn curve(server: &Driver, client: &Driver) {
    known(server, client, Security::Curve);
}

fn known(server: &Driver, client: &Driver, security: Security) {
    let (server, client) = pair(server, client, [secured(security); 2]);
    let user = client.call("whoami", []);
    // Python's users are bytes.
    let charly = [Value::Str("charly".into()), Value::Bin(b"charly".to_vec().into())];
    assert!(user.as_ref().is_ok_and(|user| charly.contains(user)), "{user:?}");
    let greeting = server.call_to(Whom::UserCharly, "hello", vec![Value::Str("back".into())]);
    assert_eq!(greeting, Ok(Value::Str("Hello back".into())));
}

pub(crate) fn wrong_password(server: &Driver, client: &Driver) {
    unknown(server, client, [Security::Plain, Security::PlainWrong]);
}

pub(crate) fn unknown_key(server: &Driver, client: &Driver) {
    unknown(server, client, [Security::Curve, Security::CurveUnknown]);
}

/// Nothing of whom the server does not know is run, and those whom it knows come in beside.
fn unknown(server: &Driver, client: &Driver, [server_has, client_shows]: [Security; 2]) {
    let listening = (server.server)(secured(server_has));
    let endpoint = listening.listen("tcp://127.0.0.1:*").expect("loopback has a port");
    let stranger =
        (client.client)(Setup { call_timeout: Duration::from_secs(2), ..secured(client_shows) });
    stranger.connect(&endpoint);
    let denied = stranger.call("whoami", []);
    // Python is not told why it waits.
    assert!(matches!(denied, Err(Failed::Denied | Failed::TimedOut)), "{denied:?}");
    if client.name != "python" {
        assert_eq!(denied, Err(Failed::Denied));
    }
    let known = (client.client)(secured(server_has));
    known.connect(&endpoint);
    known.check();
}
