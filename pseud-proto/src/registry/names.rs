//! Which names a handler may have.

pub use crate::base::name::NAME_BYTES_MAX;

/// A name that cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRefused {
    /// The empty name.
    #[error("a handler needs a name")]
    Empty,
    /// Over [`NAME_BYTES_MAX`].
    #[error("a name of {0} bytes exceeds the limit of {NAME_BYTES_MAX}")]
    TooLong(usize),
    /// `pseud` and `pseud.*` belong to the library.
    #[error("the name {0:?} is reserved: `pseud.*` belongs to the library")]
    Reserved(String),
}

/// Whether a handler may have that name.
///
/// # Errors
/// It is empty, over [`NAME_BYTES_MAX`], `pseud`, or begins with `pseud.`.
pub fn check_name(name: &str) -> Result<(), NameRefused> {
    match name {
        "" => Err(NameRefused::Empty),
        long if long.len() > NAME_BYTES_MAX => Err(NameRefused::TooLong(long.len())),
        ours if ours == "pseud" || ours.starts_with("pseud.") => {
            Err(NameRefused::Reserved(ours.to_owned()))
        }
        _ => Ok(()),
    }
}
