//! Which exts a Python peer unpickles.

/// Exts whose content a Python peer unpickles.
pub(crate) const ZONE: i8 = 123;
pub(crate) const DELTA: i8 = 124;
pub(crate) const DATETIME: i8 = 125;
pub(crate) const DATE: i8 = 126;

/// Whether a Python peer unpickles what is in exts of that code.
pub(crate) fn is_run(code: i8) -> bool {
    (ZONE..=DATE).contains(&code)
}

/// Whether a date is in protocol 5, which a Python 3.6 or 3.7 peer dies of.
pub(crate) fn is_protocol_5(pickle: &[u8]) -> bool {
    pickle.starts_with(&[0x80, 5])
}
