//! A key with its other half, and the text of both.

use crate::auth::keys::key::{PublicKey, SecretKey};
use crate::auth::keys::key_error::KeyError;
use zeroize::Zeroizing;

/// A secret key and the public key that belongs to it.
///
/// ```
/// use pseud_proto::zmtp::KeyPair;
///
/// let pair = KeyPair::generate([7; 32]); // draw the bytes from the operating system
/// assert_eq!(pair.public().to_string().len(), 40); // Z85 (RFC 32)
/// ```
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
}
