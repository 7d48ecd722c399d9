//! How keys can be refused.

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
