//! A CURVE peer that makes its own commands, right ones or wrong ones, before a server of ours.

use super::secured::*;
use pseud_proto::zmtp::*;
use pseud_testkit::connection::*;
pub(crate) use pseud_testkit::raw::forger::*;
use pseud_testkit::raw::{command, greeting_of, ready_command};
use std::sync::Arc;
use std::time::Instant;

/// The bytes of that pair.
pub(crate) fn keys(pair: &KeyPair) -> Keys {
    Keys { public: *pair.public().as_bytes(), secret: *pair.secret().expose() }
}

/// An attacker whose key the tests' servers know.
pub(crate) fn forger() -> Forger {
    Forger::with(keys(&client_pair()), *server_pair().public().as_bytes())
}

pub(crate) fn metadata() -> Vec<u8> {
    ready_command(&[(b"Socket-Type", b"DEALER")])[8..].to_vec()
}

/// A server that has been greeted.
pub(crate) fn greeted(seed: u8, now: Instant) -> Connection {
    greeted_as(with(curve_server()), seed, now)
}

pub(crate) fn greeted_as(config: Arc<ConnectionConfig>, seed: u8, now: Instant) -> Connection {
    let mut server = Connection::new(config, Side::Accepting, [seed; 32], now);
    feed(&mut server, &greeting_of("CURVE"), usize::MAX, now).unwrap();
    server
}

/// A server that has welcomed the rogue.
pub(crate) fn welcomed(rogue: &mut Forger, seed: u8, now: Instant) -> Connection {
    let mut server = greeted(seed, now);
    assert_eq!(feed(&mut server, &command("HELLO", &rogue.hello()), 1, now), Ok(()));
    rogue.take_welcome(&written(&mut server));
    server
}

/// A server that has admitted the rogue.
pub(crate) fn admitted(now: Instant) -> (Forger, Connection) {
    let mut rogue = forger();
    let mut server = welcomed(&mut rogue, 1, now);
    let initiate = rogue.initiate(&rogue.good_vouch(), &metadata());
    assert_eq!(feed(&mut server, &command("INITIATE", &initiate), 1, now), Ok(()));
    server.answer(admit(), now).unwrap();
    assert!(matches!(drain(&mut server)[..], [Seen::Asked(_), Seen::Ready(_)]));
    written(&mut server);
    (rogue, server)
}
