//! The client's side of the handshake. It knows the server's key beforehand and takes none from the
//! wire.

use super::{
    CLIENT_NONCE, HELLO_CONTENT, HELLO_NONCE, HELLO_PADDING, HELLO_VERSION, INITIATE_NONCE,
    READY_NONCE, SERVER_NONCE, VOUCH_LEN, VOUCH_NONCE, WELCOME_NONCE, agree, number, open_box,
    put_box,
};
use crate::auth::keys::cipher::{Boxes, long_nonce, short_nonce};
use crate::auth::keys::key::PublicKey;
use crate::auth::keys::pair::KeyPair;
use crate::auth::user::User;
use crate::error::{Incompatible, Insecure, Malformed, Misbehaved, PeerError};
use crate::wire::zmtp::command;
use crate::wire::zmtp::command::Command;
use crate::wire::zmtp::config::ConnectionConfig;
use crate::wire::zmtp::mechanism::curve::random::{COOKIE_LEN, ClientRandom};
use crate::wire::zmtp::mechanism::curve::traffic::{Opener, Sealer};
use crate::wire::zmtp::mechanism::step::{Complete, Step, Traffic};
use crate::wire::zmtp::metadata;

/// Our numbers: HELLO's, INITIATE's, and the first MESSAGE's.
const HELLO_NUMBER: u64 = 1;
const INITIATE_NUMBER: u64 = 2;
const MESSAGE_NUMBER: u64 = 3;

/// What the client waits for.
enum CurveClientAwaits {
    Greeting,
    /// With the key shared by `S` and `C'`.
    Welcome {
        transient: KeyPair,
        key: Boxes,
    },
    /// With the key shared by `S'` and `C'`.
    Ready {
        key: Boxes,
    },
}

/// A client's handshake.
pub(crate) struct ClientHandshake {
    /// Without one nothing can be opened.
    server_key: Option<PublicKey>,
    key_pair: KeyPair,
    random: ClientRandom,
    awaits: CurveClientAwaits,
}

impl ClientHandshake {
    /// Believes in one of those keys: the next one with each attempt.
    pub(crate) fn new(
        server_keys: &[PublicKey],
        attempt: u32,
        key_pair: KeyPair,
        random: ClientRandom,
    ) -> Self {
        let turn = (attempt as usize).checked_rem(server_keys.len()).unwrap_or_default();
        let server_key = server_keys.get(turn).copied();
        Self { server_key, key_pair, random, awaits: CurveClientAwaits::Greeting }
    }

    fn server_key(&self) -> Result<PublicKey, PeerError> {
        self.server_key.ok_or(Insecure::WeakKey.into())
    }

    /// HELLO.
    pub(crate) fn handle_greeting(&mut self) -> Result<Vec<u8>, PeerError> {
        let transient = KeyPair::generate(*self.random.transient_key);
        let key = agree(&self.server_key()?, transient.secret())?;
        let mut body = Vec::with_capacity(200);
        command::put_name(&mut body, "HELLO");
        body.extend_from_slice(&HELLO_VERSION);
        body.extend_from_slice(&HELLO_PADDING);
        body.extend_from_slice(transient.public().as_bytes());
        body.extend_from_slice(&HELLO_NUMBER.to_be_bytes());
        put_box(&mut body, &key, &short_nonce(&HELLO_NONCE, HELLO_NUMBER), &[&HELLO_CONTENT]);
        self.awaits = CurveClientAwaits::Welcome { transient, key };
        Ok(body)
    }

    pub(crate) fn handle_command(
        &mut self,
        command: Command<'_>,
        config: &ConnectionConfig,
    ) -> Result<Step, PeerError> {
        match (&self.awaits, command.name) {
            (CurveClientAwaits::Welcome { transient, key }, b"WELCOME") => {
                let welcome = Welcome::open(command.data, key)?;
                let (body, key) = self.initiate(transient, &welcome, config)?;
                self.awaits = CurveClientAwaits::Ready { key };
                Ok(Step::Send(body))
            }
            (CurveClientAwaits::Ready { key }, b"READY") => {
                Ok(Step::Complete(ready(command.data, key, config)?))
            }
            (_, b"ERROR") => Err(Incompatible::Refused(command::error_code(command.data)?).into()),
            _ => Err(Misbehaved::UnexpectedCommand.into()),
        }
    }

    /// The server went. One that cannot open HELLO goes without a word.
    pub(crate) fn left_alone(&self) -> PeerError {
        match self.awaits {
            CurveClientAwaits::Welcome { .. } => Insecure::HelloRefused.into(),
            CurveClientAwaits::Greeting | CurveClientAwaits::Ready { .. } => {
                Misbehaved::HandshakeIncomplete.into()
            }
        }
    }

    /// INITIATE, and the key of all that follows.
    fn initiate(
        &self,
        transient: &KeyPair,
        welcome: &Welcome,
        config: &ConnectionConfig,
    ) -> Result<(Vec<u8>, Boxes), PeerError> {
        let key = agree(&welcome.server_transient, transient.secret())?;
        let vouch = self.vouch(transient, welcome)?;
        let mut block = Vec::new();
        metadata::put(&mut block, config);
        let mut body = Vec::with_capacity(257 + block.len());
        command::put_name(&mut body, "INITIATE");
        body.extend_from_slice(&welcome.cookie);
        body.extend_from_slice(&INITIATE_NUMBER.to_be_bytes());
        let nonce = short_nonce(&INITIATE_NONCE, INITIATE_NUMBER);
        put_box(&mut body, &key, &nonce, &[self.key_pair.public().as_bytes(), &vouch, &block]);
        Ok((body, key))
    }

    /// The proof that `C` stands behind `C'`, towards the server `S` alone.
    fn vouch(&self, transient: &KeyPair, welcome: &Welcome) -> Result<Vec<u8>, PeerError> {
        let key = agree(&welcome.server_transient, self.key_pair.secret())?;
        let random = self.random.vouch_nonce;
        let mut vouch = Vec::with_capacity(VOUCH_LEN);
        vouch.extend_from_slice(&random);
        let content = [&transient.public().as_bytes()[..], self.server_key()?.as_bytes()].concat();
        put_box(&mut vouch, &key, &long_nonce(VOUCH_NONCE, random), &[&content]);
        Ok(vouch)
    }
}

/// What WELCOME holds.
struct Welcome {
    server_transient: PublicKey,
    cookie: [u8; COOKIE_LEN],
}

impl Welcome {
    /// WELCOME's data: random (16) | box of S' (32) and the cookie (96).
    fn open(data: &[u8], key: &Boxes) -> Result<Self, PeerError> {
        let (random, sealed) = data.split_first_chunk::<16>().ok_or(Malformed::BadCommand)?;
        if data.len() != 16 + 16 + 32 + COOKIE_LEN {
            return Err(Malformed::BadCommand.into());
        }
        let content = open_box(sealed, key, &long_nonce(WELCOME_NONCE, *random))?;
        let (server_transient, cookie) =
            content.split_first_chunk().ok_or(Malformed::BadCommand)?;
        Ok(Self {
            server_transient: PublicKey::from_bytes(*server_transient),
            cookie: cookie.try_into().map_err(|_| Malformed::BadCommand)?,
        })
    }
}

/// READY's data: number (8) | box of the server's metadata.
fn ready(data: &[u8], key: &Boxes, config: &ConnectionConfig) -> Result<Complete, PeerError> {
    let (number, sealed) = data.split_first_chunk().ok_or(Malformed::BadCommand)?;
    let number = u64::from_be_bytes(*number);
    number::follows(number::NONE, number)?;
    let block = open_box(sealed, key, &short_nonce(&READY_NONCE, number))?;
    let session = Traffic {
        sealer: Sealer::new(key, CLIENT_NONCE, MESSAGE_NUMBER),
        opener: Opener::new(key, SERVER_NONCE, number),
    };
    Ok(Complete {
        last: None,
        metadata: metadata::parse(&block, config)?,
        user: User::default(),
        client_key: None,
        session: Some(Box::new(session)),
    })
}
