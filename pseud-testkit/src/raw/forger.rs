//! Boxes and commands of CURVE, made by hand, right or wrong. It knows no connection: those who
//! attack over sockets use it as well.

use dryoc::classic::crypto_box::{crypto_box_easy, crypto_box_open_easy};
use dryoc::classic::crypto_core::crypto_scalarmult_base;

/// A public key's bytes.
pub type Key = [u8; 32];

/// A pair of keys: bytes, so that this compiles where the core is built without CURVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    pub public: Key,
    pub secret: [u8; 32],
}

impl Keys {
    /// The pair of that secret key.
    pub fn generate(secret: [u8; 32]) -> Self {
        let mut public = [0; 32];
        crypto_scalarmult_base(&mut public, &secret);
        Self { public, secret }
    }
}

/// A box from that secret key to that public key; between weak keys, zeros.
pub fn seal(content: &[u8], nonce: &[u8], to: &Key, from: &Keys) -> Vec<u8> {
    let mut sealed = vec![0; content.len() + 16];
    let nonce = nonce.try_into().unwrap();
    let _ = crypto_box_easy(&mut sealed, content, &nonce, to, &from.secret);
    sealed
}

pub fn open(sealed: &[u8], nonce: &[u8], from: &Key, to: &Keys) -> Option<Vec<u8>> {
    let mut content = vec![0; sealed.len() - 16];
    let nonce = nonce.try_into().unwrap();
    crypto_box_open_easy(&mut content, sealed, &nonce, from, &to.secret).ok()?;
    Some(content)
}

pub fn nonce(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    [prefix, rest].concat()
}

/// A client with its keys, and what it learnt from WELCOME.
#[derive(Clone)]
pub struct Forger {
    pub key_pair: Keys,
    pub transient: Keys,
    pub server_key: Key,
    pub server_transient: Key,
    pub cookie: Vec<u8>,
}

impl Forger {
    /// One with that key, which knows a server.
    pub fn with(key_pair: Keys, server_key: Key) -> Self {
        Self {
            key_pair,
            transient: Keys::generate([0x0c; 32]),
            server_key,
            server_transient: server_key,
            cookie: vec![0; 96],
        }
    }

    /// HELLO's data.
    pub fn hello(&self) -> Vec<u8> {
        self.hello_around(&[0; 64])
    }

    /// The same with something in its box.
    pub fn hello_around(&self, content: &[u8; 64]) -> Vec<u8> {
        let number = 1_u64.to_be_bytes();
        let nonce = nonce(b"CurveZMQHELLO---", &number);
        let sealed = seal(content, &nonce, &self.server_key, &self.transient);
        let version = [&[1, 0][..], &[0; 72]].concat();
        [&version, &self.transient.public[..], &number, &sealed].concat()
    }

    /// Learns from the server's WELCOME, which is the last it wrote.
    pub fn take_welcome(&mut self, wrote: &[u8]) {
        let data = &wrote[wrote.len() - 160..];
        let nonce = nonce(b"WELCOME-", &data[..16]);
        let content = open(&data[16..], &nonce, &self.server_key, &self.transient).unwrap();
        self.server_transient = content[..32].try_into().unwrap();
        self.cookie = content[32..].to_vec();
    }

    pub fn vouch(&self, of: &Key, to: &Key, by: &Keys) -> Vec<u8> {
        let content = [&of[..], to].concat();
        let nonce = nonce(b"VOUCH---", &[9; 16]);
        [&[9; 16][..], &seal(&content, &nonce, &self.server_transient, by)].concat()
    }

    pub fn good_vouch(&self) -> Vec<u8> {
        self.vouch(&self.transient.public, &self.server_key, &self.key_pair)
    }

    /// INITIATE's data.
    pub fn initiate(&self, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        self.initiate_as(&self.key_pair.public, vouch, metadata)
    }

    /// The same, of another number.
    pub fn initiate_numbered(&self, number: u64, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        self.initiate_with(number, &self.key_pair.public, vouch, metadata)
    }

    /// The same, by whoever says to have that key.
    pub fn initiate_as(&self, key: &Key, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        self.initiate_with(2, key, vouch, metadata)
    }

    fn initiate_with(&self, number: u64, key: &Key, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        let number = number.to_be_bytes();
        let content = [&key[..], vouch, metadata].concat();
        let nonce = nonce(b"CurveZMQINITIATE", &number);
        let sealed = seal(&content, &nonce, &self.server_transient, &self.transient);
        [&self.cookie[..], &number, &sealed].concat()
    }

    /// A MESSAGE frame's body around any plaintext, inner flags included.
    pub fn message(&self, number: u64, plaintext: &[u8]) -> Vec<u8> {
        let number = number.to_be_bytes();
        let nonce = nonce(b"CurveZMQMESSAGEC", &number);
        let sealed = seal(plaintext, &nonce, &self.server_transient, &self.transient);
        [&b"\x07MESSAGE"[..], &number, &sealed].concat()
    }

    /// The plaintext of a server's MESSAGE frame.
    pub fn open_message(&self, body: &[u8]) -> Option<Vec<u8>> {
        let nonce = nonce(b"CurveZMQMESSAGES", &body[8..16]);
        open(&body[16..], &nonce, &self.server_transient, &self.transient)
    }
}

/// `C'`, as HELLO's data says it.
fn client_transient(hello: &[u8]) -> Key {
    hello[74..106].try_into().unwrap()
}

/// READY's data of that number, for that HELLO's data and the WELCOME with that key.
pub fn ready_numbered(
    number: u64,
    hello: &[u8],
    server_transient: &Keys,
    metadata: &[u8],
) -> Vec<u8> {
    let number = number.to_be_bytes();
    let nonce = nonce(b"CurveZMQREADY---", &number);
    [&number[..], &seal(metadata, &nonce, &client_transient(hello), server_transient)].concat()
}

/// WELCOME's data for that HELLO's data, by somebody with those keys.
pub fn welcome(hello: &[u8], server: &Keys, server_transient: &Key) -> Vec<u8> {
    let client_transient = client_transient(hello);
    let content = [&server_transient[..], &[5; 96]].concat();
    let nonce = nonce(b"WELCOME-", &[6; 16]);
    [&[6; 16][..], &seal(&content, &nonce, &client_transient, server)].concat()
}

/// The 7 points of low order, with the top bit clear and set where that is another encoding.
pub fn weak_keys() -> Vec<Key> {
    let ends = |first, middle, last| {
        let mut point = [middle; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let hex = |text: &str| -> [u8; 32] {
        let digit = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
        std::array::from_fn(digit)
    };
    let points = [
        ends(0, 0, 0),
        ends(1, 0, 0),
        hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ends(0xec, 0xff, 0x7f),
        ends(0xed, 0xff, 0x7f),
        ends(0xee, 0xff, 0x7f),
    ];
    let both = |mut point: [u8; 32]| {
        let clear = point;
        point[31] |= 0x80;
        [clear, point]
    };
    points.into_iter().flat_map(both).collect()
}
