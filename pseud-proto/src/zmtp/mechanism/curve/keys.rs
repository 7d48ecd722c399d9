//! The keys of CURVE (RFC 26): 32 bytes, as text 40 characters of Z85.

use super::cipher::{Boxes, Cipher};
use super::z85;
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Points of low order (the top bit is ignored): a secret shared with one of them is no secret.
const LOW_ORDER: [[u8; 32]; 7] = [
    ends(0, 0, 0),
    ends(1, 0, 0),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
];

/// `first`, thirty times `middle`, `last`.
const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut point = [middle; 32];
    point[0] = first;
    point[31] = last;
    point
}

/// How a key's text can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 40 characters.
    #[error("a key has 40 characters")]
    Length,
    /// A character that Z85 does not have.
    #[error("a character that is not Z85")]
    Alphabet,
    /// A group of five characters worth more than four bytes.
    #[error("a group of characters worth more than four bytes")]
    Overflow,
    /// The text has no line for that half of the pair, or a second one.
    #[error("no single line `{0} = \"…\"`")]
    Line(&'static str),
    /// The two halves do not belong together.
    #[error("the public key does not belong to the secret key")]
    Mismatch,
}

/// A public key: says who somebody is. Shown and parsed as Z85.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with those bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether it is of low order, all zeros among them: nobody's key, and refused everywhere.
    pub fn is_weak(&self) -> bool {
        let mut point = self.0;
        point[31] &= 0x7f;
        LOW_ORDER.contains(&point)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        z85::decode(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A secret key: wiped when dropped, compared in constant time, never shown.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// The key with those bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key of 40 characters of Z85.
    ///
    /// # Errors
    /// The text is no key.
    pub fn from_z85(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        z85::decode(text, &mut bytes)?;
        Ok(Self(bytes))
    }

    /// Its 40 characters of Z85.
    pub fn to_z85(&self) -> Zeroizing<String> {
        Zeroizing::new(z85::encode(&self.0))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key that belongs to it.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(Boxes::public_key(&self.0))
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A secret key and the public key that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    public: PublicKey,
    secret: SecretKey,
}

impl KeyPair {
    /// A new pair. Draw `random` from the operating system, for this pair alone: it is the secret
    /// key.
    pub fn generate(random: [u8; 32]) -> Self {
        SecretKey::from_bytes(random).into()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The secret half.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// Two lines, as for a file that only its owner may read:
    ///
    /// ```text
    /// public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
    /// secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
    /// ```
    pub fn to_text(&self) -> Zeroizing<String> {
        let secret = self.secret.to_z85();
        Zeroizing::new(format!("public = \"{}\"\nsecret = \"{}\"\n", self.public, *secret))
    }

    /// Reads [`to_text`](Self::to_text)'s lines, in any order; other lines are left to others. The
    /// public one may be missing.
    ///
    /// # Errors
    /// There is no single `secret` line, there are two `public` ones, a key is none, or the two do
    /// not belong together.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let secret = line(text, "secret")?.ok_or(KeyError::Line("secret"))?;
        let pair = Self::from(SecretKey::from_z85(secret)?);
        match line(text, "public")?.map(str::parse).transpose()? {
            Some(public) if pair.public != public => Err(KeyError::Mismatch),
            _ => Ok(pair),
        }
    }
}

impl From<SecretKey> for KeyPair {
    fn from(secret: SecretKey) -> Self {
        Self { public: secret.public_key(), secret }
    }
}

/// The value of the one line `name = "value"`.
fn line<'a>(text: &'a str, name: &'static str) -> Result<Option<&'a str>, KeyError> {
    let value = |line: &'a str| {
        let value = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?;
        value.trim().strip_prefix('"')?.strip_suffix('"')
    };
    let mut values = text.lines().filter_map(value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(KeyError::Line(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair in libzmq's manual.
    const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    #[test]
    fn the_pair_of_libzmqs_manual() {
        let pair = KeyPair::from(SecretKey::from_z85(SECRET).unwrap());
        assert_eq!(pair.public().to_string(), PUBLIC);
        assert_eq!(*pair.secret().to_z85(), SECRET);
        let text = format!("public = \"{PUBLIC}\"\nsecret = \"{SECRET}\"\n");
        assert_eq!(*pair.to_text(), text);
        assert_eq!(KeyPair::from_text(&text), Ok(pair.clone()));
        let other_way = format!("# ours\r\n\tsecret=\"{SECRET}\"\r\npublic =\"{PUBLIC}\"");
        assert_eq!(KeyPair::from_text(&other_way), Ok(pair.clone()));
        assert_eq!(KeyPair::from_text(&format!("secret = \"{SECRET}\"")), Ok(pair));
    }

    #[test]
    fn texts_that_are_no_pair() {
        let (secret, public) = (format!("secret = \"{SECRET}\"\n"), "public = \"".to_owned());
        let other = KeyPair::generate([1; 32]).public;
        for (text, error) in [
            (String::new(), KeyError::Line("secret")),
            (format!("secret = {SECRET}"), KeyError::Line("secret")),
            (format!("{secret}{secret}"), KeyError::Line("secret")),
            (format!("{secret}{public}{PUBLIC}\"\n{public}{PUBLIC}\"\n"), KeyError::Line("public")),
            (format!("{secret}{public}{other}\"\n"), KeyError::Mismatch),
            (format!("{secret}{public}\""), KeyError::Length),
            (format!("secret = \"{}~\"", &SECRET[1..]), KeyError::Alphabet),
        ] {
            assert_eq!(KeyPair::from_text(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn secrets_compare_and_do_not_show() {
        let pair = KeyPair::generate([1; 32]);
        assert_eq!(pair.secret, SecretKey::from_bytes([1; 32]));
        for index in 0..32 {
            let mut other = [1; 32];
            other[index] ^= 0x80;
            assert_ne!(pair.secret, SecretKey::from_bytes(other), "{index}");
        }
        let shown = format!("{pair:?}");
        assert_eq!(
            shown,
            format!("KeyPair {{ public: PublicKey({}), secret: SecretKey(..) }}", pair.public)
        );
        assert!(!shown.contains(&**pair.secret.to_z85()));
    }

    #[test]
    fn every_point_of_low_order_is_weak_with_and_without_its_top_bit() {
        for mut point in LOW_ORDER {
            assert!(PublicKey(point).is_weak());
            point[31] |= 0x80;
            assert!(PublicKey(point).is_weak());
            point[5] ^= 1;
            assert!(!PublicKey(point).is_weak());
        }
        assert!(!KeyPair::generate([1; 32]).public.is_weak());
    }
}
