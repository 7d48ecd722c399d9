//! Links that speak PLAIN or CURVE, and what happens between two of them.
#![allow(dead_code, reason = "each test file uses its own share")]

use pseud_testkit::connection::*;

use pseud_proto::PeerError;
use pseud_proto::zmtp::*;
use std::sync::Arc;
use std::time::Instant;

pub(crate) const USERNAME: &str = "marker-of-a-name";
pub(crate) const PASSWORD: &str = "marker-of-a-password";

/// What both ends are set to, and which of them opens the link.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) client: Arc<ConnectionConfig>,
    pub(crate) server: Arc<ConnectionConfig>,
    pub(crate) name: MechanismName,
}

pub(crate) fn with(mechanism: MechanismConfig) -> Arc<ConnectionConfig> {
    config(|config| config.mechanism = mechanism)
}

pub(crate) fn plain_client() -> MechanismConfig {
    MechanismConfig::PlainClient { username: USERNAME.into(), password: Secret::new(PASSWORD) }
}

pub(crate) fn plain() -> Room {
    let (client, server) = (with(plain_client()), with(MechanismConfig::PlainServer));
    Room { client, server, name: MechanismName::Plain }
}

#[cfg(feature = "_curve")]
pub(crate) fn curve_client(server_keys: &[PublicKey]) -> MechanismConfig {
    let key_pair = client_pair();
    MechanismConfig::CurveClient { server_keys: server_keys.to_vec(), key_pair }
}

#[cfg(feature = "_curve")]
pub(crate) fn curve_server() -> MechanismConfig {
    MechanismConfig::CurveServer { key_pairs: vec![server_pair()] }
}

#[cfg(feature = "_curve")]
pub(crate) fn curve() -> Room {
    let (client, server) = (with(curve_client(&[*server_pair().public()])), with(curve_server()));
    Room { client, server, name: MechanismName::Curve }
}

#[cfg(feature = "_curve")]
pub(crate) fn server_pair() -> KeyPair {
    KeyPair::generate([0x51; 32])
}

#[cfg(feature = "_curve")]
pub(crate) fn client_pair() -> KeyPair {
    KeyPair::generate([0xc1; 32])
}

pub(crate) fn rooms() -> Vec<Room> {
    vec![
        plain(),
        #[cfg(feature = "_curve")]
        curve(),
    ]
}

impl Room {
    /// Client and server, just opened; the seeds differ.
    pub(crate) fn open(&self, client_side: Side, now: Instant) -> (Connection, Connection) {
        let server_side = match client_side {
            Side::Connecting => Side::Accepting,
            Side::Accepting => Side::Connecting,
        };
        (
            Connection::new(self.client.clone(), client_side, [0xcc; 32], now),
            Connection::new(self.server.clone(), server_side, [0x55; 32], now),
        )
    }

    /// Client and server behind their handshake, with nothing left to say.
    pub(crate) fn ready(&self, now: Instant) -> (Connection, Connection) {
        let (mut client, mut server) = self.open(Side::Connecting, now);
        let met = meet(&mut client, &mut server, usize::MAX, &Verdict::Admit("me".into()), now);
        assert_eq!((met.client, met.server), (Ok(()), Ok(())));
        (client, server)
    }
}

/// How a meeting ended.
#[derive(Debug)]
pub(crate) struct Met {
    pub(crate) client: Result<(), PeerError>,
    pub(crate) server: Result<(), PeerError>,
    pub(crate) client_seen: Vec<Seen>,
    pub(crate) server_seen: Vec<Seen>,
    /// All bytes that the client and the server wrote.
    pub(crate) client_wrote: Vec<u8>,
    pub(crate) server_wrote: Vec<u8>,
}

/// Carries bytes both ways in pieces until both rest, and answers what is asked.
pub(crate) fn meet(
    client: &mut Connection,
    server: &mut Connection,
    chunk: usize,
    verdict: &Verdict,
    now: Instant,
) -> Met {
    let mut met = Met {
        client: Ok(()),
        server: Ok(()),
        client_seen: vec![],
        server_seen: vec![],
        client_wrote: vec![],
        server_wrote: vec![],
    };
    while client.backlog() + server.backlog() > 0 {
        let (from_client, from_server) = (written(client), written(server));
        met.server = met.server.and(feed(server, &from_client, chunk, now));
        met.client = met.client.and(feed(client, &from_server, chunk, now));
        met.client_wrote.extend(from_client);
        met.server_wrote.extend(from_server);
        for seen in drain(server) {
            if matches!(seen, Seen::Asked(_)) {
                met.server = met.server.and(server.answer(verdict.clone(), now));
            }
            met.server_seen.push(seen);
        }
        met.server_seen.extend(drain(server));
        met.client_seen.extend(drain(client));
    }
    met
}

pub(crate) fn admit() -> Verdict {
    Verdict::Admit("me".into())
}
