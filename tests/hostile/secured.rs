//! Servers and clients of PLAIN and CURVE, and who is known to them.

use pseud::{Authenticator, Options, Secret};

#[cfg(feature = "_curve")]
use pseud::{KeyPair, Question, Verdict};
#[cfg(feature = "_curve")]
use pseud_testkit::raw::forger::Keys;
#[cfg(feature = "_curve")]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub(crate) const PASSWORD: &str = "marker-of-a-password";

/// A server of PLAIN that knows the canary, and others.
pub(crate) fn plain_server<const N: usize>(others: [(&'static [u8], &[u8]); N]) -> Options {
    let canary = [(&b"canary"[..], PASSWORD.as_bytes())];
    let users = canary.into_iter().chain(others);
    let known = users.map(|(user, password)| (user, Secret::new(password)));
    Options::server("service").plain_server(Authenticator::passwords(known))
}

/// A client of PLAIN, of the server of that name.
pub(crate) fn plain_client(server: &str) -> Options {
    Options::client(server).plain_client("canary", Secret::new(PASSWORD))
}

#[cfg(feature = "_curve")]
pub(crate) fn server_pair() -> KeyPair {
    KeyPair::generate([0x51; 32])
}

#[cfg(feature = "_curve")]
pub(crate) fn canary_pair() -> KeyPair {
    KeyPair::generate([0xca; 32])
}

/// The server knows this one, too: an attacker that is let in.
#[cfg(feature = "_curve")]
pub(crate) fn mallory_pair() -> KeyPair {
    KeyPair::generate([0xa1; 32])
}

/// Nobody knows this one.
#[cfg(feature = "_curve")]
pub(crate) fn stranger_pair() -> KeyPair {
    KeyPair::generate([0x57; 32])
}

/// The bytes of that pair.
#[cfg(feature = "_curve")]
pub(crate) fn keys(pair: &KeyPair) -> Keys {
    Keys { public: *pair.public().as_bytes(), secret: *pair.secret().expose() }
}

/// A server of CURVE. It counts how often somebody was asked about another than the canary.
#[cfg(feature = "_curve")]
pub(crate) fn curve_server(asked: &Arc<AtomicU64>) -> Options {
    let (asked, canary, mallory) = (asked.clone(), canary_pair(), mallory_pair());
    let check = move |question| {
        std::future::ready(match question {
            Question::Curve { client_key } if client_key == *canary.public() => {
                Verdict::Admit("canary".into())
            }
            Question::Curve { client_key } => {
                asked.fetch_add(1, Ordering::Relaxed);
                match client_key == *mallory.public() {
                    true => Verdict::Admit("mallory".into()),
                    false => Verdict::Deny,
                }
            }
            _ => Verdict::Deny,
        })
    };
    Options::server("service").curve_server([server_pair()], Authenticator::new(check))
}

/// A client of CURVE, of the server of that name, whose key is always the same.
#[cfg(feature = "_curve")]
pub(crate) fn curve_client(server: &str) -> Options {
    Options::client(server).curve_client(canary_pair(), [*server_pair().public()])
}
