//! Whatever the text, it is a key of 32 bytes exactly where RFC 32 says so, and that key's text is the
//! same; and whatever the 32 bytes, their text reads back as them.

use crate::memory::bounded;
use pseud_proto::zmtp::{PublicKey, SecretKey};

const ALPHABET: &str =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// A key as text, and one as bytes.
pub fn z85(data: &[u8]) {
    bounded(data.len(), || {
        if let Ok(text) = std::str::from_utf8(data) {
            read(text);
        }
        if let Some(bytes) = data.first_chunk::<32>() {
            let text = PublicKey::from_bytes(*bytes).to_string();
            assert_eq!(text.parse(), Ok(PublicKey::from_bytes(*bytes)));
            assert_eq!(decode(&text).as_deref(), Some(&bytes[..]));
        }
    });
}

fn read(text: &str) {
    let public = text.parse::<PublicKey>();
    let secret = SecretKey::from_z85(text);
    assert_eq!(public.as_ref().err(), secret.as_ref().err());
    match (public, secret, decode(text)) {
        (Ok(public), Ok(secret), Some(bytes)) => {
            assert_eq!((&public.as_bytes()[..], &secret.expose()[..]), (&bytes[..], &bytes[..]));
            assert_eq!((public.to_string(), &**secret.to_z85()), (text.to_owned(), text));
        }
        (Err(_), Err(_), None) => {}
        (public, _, bytes) => panic!("{public:?} for {bytes:?}"),
    }
}

/// A second opinion: 40 characters, groups of five digits to the base 85, each worth four bytes.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| ALPHABET.find(digit).map(|digit| digit as u64));
    let digits = digits.collect::<Option<Vec<u64>>>().filter(|digits| digits.len() == 40)?;
    let group = |group: &[u64]| {
        let value = group.iter().fold(0, |value, digit| value * 85 + digit);
        u32::try_from(value).ok().map(u32::to_be_bytes)
    };
    Some(digits.chunks(5).map(group).collect::<Option<Vec<_>>>()?.concat())
}
