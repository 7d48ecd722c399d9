//! Boxes and commands of CURVE, made by hand, right or wrong. It knows no connection: those who
//! attack over sockets use it as well.

use dryoc::classic::crypto_box::{crypto_box_easy, crypto_box_open_easy};
use pseud_proto::zmtp::{KeyPair, PublicKey};

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
pub(crate) struct Forger {
    pub(crate) key_pair: KeyPair,
    pub(crate) transient: KeyPair,
    pub(crate) server_key: PublicKey,
    pub(crate) server_transient: PublicKey,
    pub(crate) cookie: Vec<u8>,
}

impl Forger {
    /// One with that key, which knows a server.
    pub(crate) fn with(key_pair: KeyPair, server_key: PublicKey) -> Self {
        Self {
            key_pair,
            transient: KeyPair::generate([0x0c; 32]),
            server_key,
            server_transient: server_key,
            cookie: vec![0; 96],
        }
    }

    /// HELLO's data.
    pub(crate) fn hello(&self) -> Vec<u8> {
        self.hello_around(&[0; 64])
    }

    /// The same with something in its box.
    pub(crate) fn hello_around(&self, content: &[u8; 64]) -> Vec<u8> {
        let number = 1_u64.to_be_bytes();
        let nonce = nonce(b"CurveZMQHELLO---", &number);
        let sealed = seal(content, &nonce, &self.server_key, &self.transient);
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
        self.initiate_as(self.key_pair.public(), vouch, metadata)
    }

    /// The same, of another number.
    pub(crate) fn initiate_numbered(&self, number: u64, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        self.initiate_with(number, self.key_pair.public(), vouch, metadata)
    }

    /// The same, by whoever says to have that key.
    pub(crate) fn initiate_as(&self, key: &PublicKey, vouch: &[u8], metadata: &[u8]) -> Vec<u8> {
        self.initiate_with(2, key, vouch, metadata)
    }

    fn initiate_with(
        &self,
        number: u64,
        key: &PublicKey,
        vouch: &[u8],
        metadata: &[u8],
    ) -> Vec<u8> {
        let number = number.to_be_bytes();
        let content = [&key.as_bytes()[..], vouch, metadata].concat();
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

    /// The plaintext of a server's MESSAGE frame.
    pub(crate) fn open_message(&self, body: &[u8]) -> Option<Vec<u8>> {
        let nonce = nonce(b"CurveZMQMESSAGES", &body[8..16]);
        open(&body[16..], &nonce, &self.server_transient, &self.transient)
    }
}

/// `C'`, as HELLO's data says it.
fn client_transient(hello: &[u8]) -> PublicKey {
    PublicKey::from_bytes(hello[74..106].try_into().unwrap())
}

/// READY's data of that number, for that HELLO's data and the WELCOME with that key.
pub(crate) fn ready_numbered(
    number: u64,
    hello: &[u8],
    server_transient: &KeyPair,
    metadata: &[u8],
) -> Vec<u8> {
    let number = number.to_be_bytes();
    let nonce = nonce(b"CurveZMQREADY---", &number);
    [&number[..], &seal(metadata, &nonce, &client_transient(hello), server_transient)].concat()
}

/// WELCOME's data for that HELLO's data, by somebody with those keys.
pub(crate) fn welcome(hello: &[u8], server: &KeyPair, server_transient: &PublicKey) -> Vec<u8> {
    let client_transient = client_transient(hello);
    let content = [&server_transient.as_bytes()[..], &[5; 96]].concat();
    let nonce = nonce(b"WELCOME-", &[6; 16]);
    [&[6; 16][..], &seal(&content, &nonce, &client_transient, server)].concat()
}

/// The 7 points of low order, with the top bit clear and set where that is another encoding.
pub(crate) fn weak_keys() -> Vec<PublicKey> {
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
        let clear = PublicKey::from_bytes(point);
        point[31] |= 0x80;
        [clear, PublicKey::from_bytes(point)]
    };
    points.into_iter().flat_map(both).collect()
}
