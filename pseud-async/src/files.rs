//! Secrets in files that only their owner may read.

use pseud_proto::zmtp::Secret;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

#[cfg(feature = "_curve")]
use pseud_proto::zmtp::KeyPair;
#[cfg(feature = "_curve")]
use std::{fs::OpenOptions, io::Write};

/// Far more than any secret has.
const BYTES_MAX: u64 = 64 << 10;

/// What a HELLO of PLAIN can carry.
const PASSWORD_BYTES_MAX: usize = 255;

/// A new pair of keys, drawn from the operating system.
///
/// # Errors
/// It gives no entropy.
#[cfg(feature = "_curve")]
pub fn new_key_pair() -> io::Result<KeyPair> {
    crate::entropy::seed().map(KeyPair::generate)
}

/// Writes a pair to a new file, as [`KeyPair::to_text`] does, with mode 600 on Unix. A file that is
/// there already is left alone: remove it first to change a key.
///
/// # Errors
/// The file is there already, or cannot be written: the error names it.
#[cfg(feature = "_curve")]
pub fn save_key_pair(path: impl AsRef<Path>, pair: &KeyPair) -> io::Result<()> {
    let path = path.as_ref();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = |mut file: File| {
        file.write_all(pair.to_text().as_bytes())?;
        file.sync_all()
    };
    options.open(path).and_then(write).map_err(|error| naming("write", path, &error))
}

/// Reads a pair from a file.
///
/// # Errors
/// The file cannot be read, others than its owner may read or write it, or it holds no pair: the
/// error names it.
#[cfg(feature = "_curve")]
pub fn load_key_pair(path: impl AsRef<Path>) -> io::Result<KeyPair> {
    let path = path.as_ref();
    let read = || {
        let bytes = read_whole(path, BYTES_MAX)?;
        let text = std::str::from_utf8(bytes.expose()).map_err(bad)?;
        KeyPair::from_text(text).map_err(|error| bad(format!("it holds no pair of keys: {error}")))
    };
    read().map_err(|error| naming("use", path, &error))
}

/// Reads a password from a file: all of it, but the end of its last line.
///
/// # Errors
/// The file cannot be read, others than its owner may read or write it, it is empty, or it holds more
/// than PLAIN's 255 bytes: the error names it.
pub fn load_password(path: impl AsRef<Path>) -> io::Result<Secret> {
    load(path.as_ref(), false)
}

/// The same of a password that is shown, not asked for: it may be empty, as Python's `trusted_peer` has it.
/// (Where one is asked for, an empty file is more likely a slip that lets everybody in.)
///
/// # Errors
/// As for [`load_password`], but that it is empty.
pub fn load_shown_password(path: impl AsRef<Path>) -> io::Result<Secret> {
    load(path.as_ref(), true)
}

fn load(path: &Path, may_be_empty: bool) -> io::Result<Secret> {
    let read = || {
        let bytes = read_whole(path, BYTES_MAX)?;
        let line = bytes.expose();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match line.strip_suffix(b"\r").unwrap_or(line) {
            [] if !may_be_empty => Err(bad("it is empty")),
            long if long.len() > PASSWORD_BYTES_MAX => Err(bad("a password has at most 255 bytes")),
            password => Ok(Secret::new(password)),
        }
    };
    read().map_err(|error| naming("use", path, &error))
}

/// Reads a file that nobody but its owner may read or write, of so many bytes at most.
///
/// # Errors
/// The file cannot be read, others than its owner may read or write it, or it is longer: the error names
/// it.
pub fn read_private(path: impl AsRef<Path>, bytes_max: u64) -> io::Result<Secret> {
    let path = path.as_ref();
    read_whole(path, bytes_max).map_err(|error| naming("use", path, &error))
}

fn read_whole(path: &Path, bytes_max: u64) -> io::Result<Secret> {
    let file = File::open(path)?;
    check(&file)?;
    // As large as it will be: bytes that a growing vector leaves behind are not wiped. What has no
    // length, such as a pipe, may be as long as a secret.
    let len = file.metadata()?.len().max(BYTES_MAX).min(bytes_max);
    let mut bytes = Vec::with_capacity(len as usize + 1);
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    let is_long = bytes.len() as u64 > bytes_max;
    let secret = Secret::new(bytes);
    match is_long {
        true => Err(bad("it is too long for a secret")),
        false => Ok(secret),
    }
}

#[cfg(unix)]
fn check(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata()?;
    let cause = match metadata.permissions().mode() & 0o077 {
        0 => return Ok(()),
        _ if metadata.is_file() => "others than its owner may use it (chmod 600 it)",
        // A directory or a device: nobody should change those for us.
        _ => "it is not a file, and others than its owner may use it",
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, cause))
}

#[cfg(not(unix))]
fn check(_: &File) -> io::Result<()> {
    Ok(())
}

fn bad(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

fn naming(verb: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {}: {error}", path.display()))
}
