//! A CURVE peer that makes its own commands, right ones or wrong ones.

use super::secured::*;
use super::zmtp_wire::*;
use dryoc::classic::crypto_box::{crypto_box_easy, crypto_box_open_easy};
use pseud_proto::PeerError;
use pseud_proto::zmtp::*;
use std::sync::Arc;
use std::time::Instant;

/// A box from that secret key to that public key; between weak keys, zeros.
pub(crate) fn seal(content: &[u8], nonce: &[u8], to: &PublicKey, from: &KeyPair) -> Vec<u8> {
    let mut sealed = vec![0; content.len() + 16];
    let nonce = nonce.try_into().unwrap();
    let _ = crypto_box_easy(&mut sealed, content, &nonce, to.as_bytes(), from.secret().expose());
    sealed
}

pub(crate) fn open(sealed: &[u8], nonce: &[u8], from: &PublicKey, to: &KeyPair) -> Option<Vec<u8>> {
    let mut content = vec![0; sealed.len() - 16];
    let nonce = nonce.try_into().unwrap();
    crypto_box_open_easy(&mut content, sealed, &nonce, from.as_bytes(), to.secret().expose())
        .ok()?;
    Some(content)
}

pub(crate) fn nonce(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    [prefix, rest].concat()
}

/// A client with its keys, and what it learnt from WELCOME.
#[derive(Clone)]
pub(crate) struct Rogue {
    pub(crate) key_pair: KeyPair,
    pub(crate) transient: KeyPair,
    pub(crate) server_key: PublicKey,
    pub(crate) server_transient: PublicKey,
    pub(crate) cookie: Vec<u8>,
}

impl Rogue {
    pub(crate) fn new() -> Self {
        let server_key = *server_pair().public();
        Self {
            key_pair: client_pair(),
            transient: KeyPair::generate([0x0c; 32]),
            server_key,
            server_transient: server_key,
            cookie: vec![0; 96],
        }
    }

    /// HELLO's data.
    pub(crate) fn hello(&self) -> Vec<u8> {
        let number = 1_u64.to_be_bytes();
        let sealed =
            seal(&[0; 64], &nonce(b"CurveZMQHELLO---", &number), &self.server_key, &self.transient);
        let version = [&[1, 0][..], &[0; 72]].concat();
        [&version, &self.transient.public().as_bytes()[..], &number, &sealed].concat()
    }

    /// Learns from the server's WELCOME, which is the last it wrote.
    pub(crate) fn take_welcome(&mut self, wrote: &[u8]) {
        let data = &wrote[wrote.len() - 160..];
        let nonce = nonce(b"WELCOME-", &data[..16]);
        let content = open(&data[16..], &nonce, &self.server_key, &self.transient).unwrap();
        self.server_transient = PublicKey::from_bytes(content[..32].try_into().unwrap());
        self.cookie = content[32..].to_vec();
    }

    pub(crate) fn vouch(&self, of: &PublicKey, to: &PublicKey, by: &KeyPair) -> Vec<u8> {
        let content = [&of.as_bytes()[..], to.as_bytes()].concat();
        let nonce = nonce(b"VOUCH---", &[9; 16]);
        [&[9; 16][..], &seal(&content, &nonce, &self.server_transient, by)].concat()
    }

    pub(crate) fn good_vouch(&self) -> Vec<u8> {
        self.vouch(self.transient.public(), &self.server_key, &self.key_pair)
    }

    /// INITIATE's data.
    pub(crate) fn initiate(&self, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        let number = 2_u64.to_be_bytes();
        let content = [&self.key_pair.public().as_bytes()[..], vouch, metadata].concat();
        let nonce = nonce(b"CurveZMQINITIATE", &number);
        let sealed = seal(&content, &nonce, &self.server_transient, &self.transient);
        [&self.cookie[..], &number, &sealed].concat()
    }

    /// A MESSAGE frame's body around any plaintext, inner flags included.
    pub(crate) fn message(&self, number: u64, plaintext: &[u8]) -> Vec<u8> {
        let number = number.to_be_bytes();
        let nonce = nonce(b"CurveZMQMESSAGEC", &number);
        let sealed = seal(plaintext, &nonce, &self.server_transient, &self.transient);
        [&b"\x07MESSAGE"[..], &number, &sealed].concat()
    }
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
    feed(&mut server, &greeting_of(b"CURVE"), usize::MAX, now).unwrap();
    server
}

/// A server that has welcomed the rogue.
pub(crate) fn welcomed(rogue: &mut Rogue, seed: u8, now: Instant) -> Connection {
    let mut server = greeted(seed, now);
    assert_eq!(feed(&mut server, &command("HELLO", &rogue.hello()), 1, now), Ok(()));
    rogue.take_welcome(&written(&mut server));
    server
}

/// A server that has admitted the rogue.
pub(crate) fn admitted(now: Instant) -> (Rogue, Connection) {
    let mut rogue = Rogue::new();
    let mut server = welcomed(&mut rogue, 1, now);
    let initiate = rogue.initiate(&rogue.good_vouch(), &metadata());
    assert_eq!(feed(&mut server, &command("INITIATE", &initiate), 1, now), Ok(()));
    server.answer(admit(), now).unwrap();
    assert!(matches!(drain(&mut server)[..], [Seen::Asked(_), Seen::Ready(_)]));
    written(&mut server);
    (rogue, server)
}

/// What that command does to a greeted server.
pub(crate) fn to_greeted(name: &str, data: &[u8]) -> Result<(), PeerError> {
    let now = Instant::now();
    feed(&mut greeted(1, now), &command(name, data), 1, now)
}
