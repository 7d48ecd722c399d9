//! The server's side of the handshake.
//!
//! RFC 26 lets a server seal `C'` and `s'` into the cookie and forget its client until INITIATE. All that this
//! one keeps before that is kept with its link, as libzmq does (`curve_server.cpp`), so the cookie carries
//! nothing and is only random: a client echoes its 96 bytes untouched.

use super::{
    CLIENT_NONCE, HELLO_CONTENT, HELLO_NONCE, HELLO_PADDING, HELLO_VERSION, INITIATE_NONCE,
    READY_NONCE, SERVER_NONCE, VOUCH_LEN, VOUCH_NONCE, WELCOME_NONCE, agree, number, open_box,
    put_box,
};
use crate::auth::keys::cipher::{Boxes, long_nonce, short_nonce};
use crate::auth::keys::key::PublicKey;
use crate::auth::keys::pair::KeyPair;
use crate::auth::question::Question;
use crate::auth::user::User;
use crate::error::{Insecure, Malformed, Misbehaved, PeerError};
use crate::wire::zmtp::command;
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::mechanism::curve::random::{COOKIE_LEN, ServerRandom};
use crate::wire::zmtp::mechanism::curve::traffic::{Opener, Sealer};
use crate::wire::zmtp::mechanism::step::{Complete, Step, Traffic};
use crate::wire::zmtp::metadata;
use crate::wire::zmtp::metadata::Metadata;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a cookie lives at most (RFC 26 has its key thrown away after a minute or so): the whole
/// handshake must be over by then.
pub(crate) const COOKIE_TIMEOUT: Duration = Duration::from_secs(60);
/// Key pairs tried on one HELLO: the present one and the one before or behind it.
const KEY_PAIRS_MAX: usize = 2;

/// Our numbers: READY's and the first MESSAGE's, libzmq's (`curve_server.cpp`). WELCOME has a random nonce,
/// and so takes none.
const READY_NUMBER: u64 = 1;
const MESSAGE_NUMBER: u64 = 2;

/// What the server waits for.
enum CurveServerAwaits {
    Hello,
    Initiate(Welcomed),
    Verdict(Vouched),
}

/// A client that knows one of our keys.
struct Welcomed {
    /// `S`, which the client chose.
    server_key: PublicKey,
    client_transient: PublicKey,
    transient: KeyPair,
    hello_number: u64,
}

/// A client that proved its own key.
struct Vouched {
    client_key: PublicKey,
    /// The key shared by `S'` and `C'`.
    key: Boxes,
    initiate_number: u64,
    metadata: Metadata,
}

/// A server's handshake with one client.
pub(crate) struct ServerHandshake {
    random: ServerRandom,
    awaits: CurveServerAwaits,
}

impl ServerHandshake {
    pub(crate) fn new(random: ServerRandom) -> Self {
        Self { random, awaits: CurveServerAwaits::Hello }
    }

    pub(crate) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match (&self.awaits, command.name) {
            (CurveServerAwaits::Hello, b"HELLO") => {
                let pairs = config.mechanism.server_pairs();
                let (welcomed, key) =
                    HelloFields::parse(command.data)?.open(pairs, &self.random)?;
                let body = self.welcome(&welcomed, &key);
                self.awaits = CurveServerAwaits::Initiate(welcomed);
                Ok(Step::Send(body))
            }
            (CurveServerAwaits::Initiate(welcomed), b"INITIATE") => {
                let initiate = Initiate::parse(command.data)?;
                if !bool::from(initiate.cookie.ct_eq(&self.random.cookie)) {
                    return Err(Insecure::Cookie.into());
                }
                let (client_key, vouched) = initiate.open(welcomed, config)?;
                self.awaits = CurveServerAwaits::Verdict(vouched);
                Ok(Step::Ask(Question::Curve { client_key }))
            }
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    /// READY and the traffic behind it.
    pub(crate) fn admit(
        &mut self,
        user: User,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        let awaits = std::mem::replace(&mut self.awaits, CurveServerAwaits::Hello);
        let CurveServerAwaits::Verdict(Vouched { client_key, key, initiate_number, metadata }) =
            awaits
        else {
            return Err(Misbehaved::UnexpectedCommand.into());
        };
        let session = Traffic {
            sealer: Sealer::new(&key, SERVER_NONCE, MESSAGE_NUMBER),
            opener: Opener::new(&key, CLIENT_NONCE, initiate_number),
        };
        let last = Some(ready(&key, config));
        let (client_key, session) = (Some(client_key), Some(Box::new(session)));
        Ok(Step::Complete(Complete { last, metadata, user, client_key, session }))
    }

    /// WELCOME (RFC 26), 168 bytes: random (16) | box of S' (32) and the cookie (96), from `S` to `C'`.
    fn welcome(&self, welcomed: &Welcomed, key: &Boxes) -> Vec<u8> {
        let ServerRandom { welcome_nonce, cookie, .. } = &self.random;
        let server_transient = welcomed.transient.public().as_bytes();
        let mut body = Vec::with_capacity(168);
        command::put_name(&mut body, "WELCOME");
        body.extend_from_slice(welcome_nonce);
        let nonce = long_nonce(WELCOME_NONCE, *welcome_nonce);
        put_box(&mut body, key, &nonce, &[server_transient, cookie]);
        body
    }
}

/// HELLO's data (RFC 26), 200 bytes with its name: version (2) | padding (72) | C' (32) | number (8) | box of
/// 64 zeros (80), from `C'` to `S`.
struct HelloFields<'a> {
    client_transient: PublicKey,
    number: u64,
    sealed: &'a [u8; 80],
}

impl<'a> HelloFields<'a> {
    fn parse(data: &'a [u8]) -> Result<Self, PeerError> {
        let parsed = (|| {
            let rest = data.strip_prefix(&HELLO_VERSION)?.strip_prefix(&HELLO_PADDING)?;
            let (client_transient, rest) = rest.split_first_chunk()?;
            let (number, rest) = rest.split_first_chunk()?;
            Some(Self {
                client_transient: PublicKey::from_bytes(*client_transient),
                number: u64::from_be_bytes(*number),
                sealed: rest.try_into().ok()?,
            })
        })();
        parsed.ok_or(Insecure::Hello.into())
    }

    /// Finds which of our keys the client knows, and makes this link's.
    fn open(
        &self,
        pairs: &[KeyPair],
        random: &ServerRandom,
    ) -> Result<(Welcomed, Boxes), PeerError> {
        let mut refused = Insecure::Box.into();
        for pair in pairs.iter().take(KEY_PAIRS_MAX) {
            match self.open_with(pair) {
                Ok(key) => return Ok((self.welcomed(pair, random), key)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn open_with(&self, pair: &KeyPair) -> Result<Boxes, PeerError> {
        let key = agree(&self.client_transient, pair.secret())?;
        let content = open_box(self.sealed, &key, &short_nonce(&HELLO_NONCE, self.number))?;
        if content[..] == HELLO_CONTENT { Ok(key) } else { Err(Insecure::Hello.into()) }
    }

    fn welcomed(&self, pair: &KeyPair, random: &ServerRandom) -> Welcomed {
        Welcomed {
            server_key: *pair.public(),
            client_transient: self.client_transient,
            transient: KeyPair::generate(*random.transient_key),
            hello_number: self.number,
        }
    }
}

/// INITIATE's data (RFC 26): cookie (96) | number (8) | box of C (32), vouch (96) and metadata, from `C'` to
/// `S'`.
struct Initiate<'a> {
    cookie: &'a [u8; COOKIE_LEN],
    number: u64,
    sealed: &'a [u8],
}

impl<'a> Initiate<'a> {
    fn parse(data: &'a [u8]) -> Result<Self, PeerError> {
        let parsed = (|| {
            let (cookie, rest) = data.split_first_chunk()?;
            let (number, sealed) = rest.split_first_chunk()?;
            Some(Self { cookie, number: u64::from_be_bytes(*number), sealed })
        })();
        parsed.ok_or(Malformed::BadCommand.into())
    }

    /// The client's key and what follows from it, if it is proven.
    fn open(
        &self,
        welcomed: &Welcomed,
        config: &ConnectionConfig,
    ) -> Result<(PublicKey, Vouched), PeerError> {
        number::follows(welcomed.hello_number, self.number)?;
        let key = agree(&welcomed.client_transient, welcomed.transient.secret())?;
        let content = open_box(self.sealed, &key, &short_nonce(&INITIATE_NONCE, self.number))?;
        let (client_key, rest) = content.split_first_chunk().ok_or(Malformed::BadCommand)?;
        let (vouch, block) = rest.split_first_chunk().ok_or(Malformed::BadCommand)?;
        let client_key = PublicKey::from_bytes(*client_key);
        check_vouch(vouch, &client_key, welcomed)?;
        let metadata = metadata::parse(block, config)?;
        let initiate_number = self.number;
        Ok((client_key, Vouched { client_key, key, initiate_number, metadata }))
    }
}

/// A vouch (RFC 26) is random (16) | box of C' and S, from `C` to `S'`. It is good if `C` made it for this link and
/// for us: its second half keeps another server, which the client knows too, from handing it on to us. libzmq
/// looks at the first half alone (`curve_server.cpp`).
fn check_vouch(
    vouch: &[u8; VOUCH_LEN],
    client_key: &PublicKey,
    welcomed: &Welcomed,
) -> Result<(), PeerError> {
    let key = agree(client_key, welcomed.transient.secret())?;
    let (random, sealed) = vouch.split_first_chunk::<16>().ok_or(Malformed::BadCommand)?;
    let content =
        open_box(sealed, &key, &long_nonce(VOUCH_NONCE, *random)).map_err(|_| Insecure::Vouch)?;
    let wanted = [&welcomed.client_transient.as_bytes()[..], welcomed.server_key.as_bytes()];
    if content.ct_eq(&wanted.concat()).into() { Ok(()) } else { Err(Insecure::Vouch.into()) }
}

/// READY (RFC 26): number (8) | box of our metadata, from `S'` to `C'`.
fn ready(key: &Boxes, config: &ConnectionConfig) -> Vec<u8> {
    let mut block = Vec::new();
    metadata::put(&mut block, config);
    let mut body = Vec::with_capacity(30 + block.len());
    command::put_name(&mut body, "READY");
    body.extend_from_slice(&READY_NUMBER.to_be_bytes());
    put_box(&mut body, key, &short_nonce(&READY_NONCE, READY_NUMBER), &[&block]);
    body
}
