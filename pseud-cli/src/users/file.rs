//! The file of users on disk: read whole, replaced whole, by one program at a time.

use super::document::Document;
use pseud::tokio::files::read_private;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Some 50 000 users.
const BYTES_MAX: u64 = 16 << 20;

/// Reads it.
///
/// # Errors
/// It cannot be read, others than its owner may read or write it, or it is malformed: the error names it.
pub(crate) fn read(path: &Path) -> io::Result<Document> {
    let bytes = read_private(path, BYTES_MAX)?;
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| bad(path, "it is not UTF-8"))?;
    Document::parse(text).map_err(|error| bad(path, &error))
}

pub(crate) fn bad(path: &Path, cause: &str) -> io::Error {
    let text = format!("cannot use {}: {cause}", path.display());
    io::Error::new(ErrorKind::InvalidData, text)
}

/// The right to change the file, while no other `pseud user` does.
pub(crate) struct Exclusive {
    path: PathBuf,
    /// Its directory, which is locked: the file itself is another one after each change.
    #[cfg(unix)]
    directory: File,
}

impl Exclusive {
    /// Waits for it.
    ///
    /// # Errors
    /// There is no such directory, or it cannot be locked.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        // Behind a symbolic link the file is replaced, not the link.
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(naming("use", path, &error)),
        };
        #[cfg(unix)]
        let directory = {
            let lock = || {
                let directory = File::open(parent(&path))?;
                directory.lock()?;
                Ok(directory)
            };
            lock().map_err(|error: io::Error| naming("write", &path, &error))?
        };
        Ok(Self {
            path,
            #[cfg(unix)]
            directory,
        })
    }

    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// As for [`read`].
    pub(crate) fn read(&self) -> io::Result<Option<Document>> {
        match read(&self.path) {
            Ok(document) => Ok(Some(document)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file, with mode 600 and the owner that it had: whoever reads it finds it as it was
    /// or as it is, never half of it.
    ///
    /// # Errors
    /// It cannot be written: the error names it, and it is as it was.
    pub(crate) fn replace(&self, document: &Document) -> io::Result<()> {
        self.write(document).map_err(|error| naming("write", &self.path, &error))
    }

    fn write(&self, document: &Document) -> io::Result<()> {
        // `tempfile` creates it with mode 600 and removes it where it does not come to the renaming.
        let mut new = tempfile::NamedTempFile::new_in(parent(&self.path))?;
        new.write_all(document.to_string().as_bytes())?;
        #[cfg(unix)]
        keep_owner(new.as_file(), &self.path)?;
        new.as_file().sync_all()?;
        new.persist(&self.path).map_err(|error| error.error)?;
        // The renaming itself lasts once the directory is written.
        #[cfg(unix)]
        self.directory.sync_all()?;
        Ok(())
    }
}

/// Root may change the file of a server that is not root: that must still be able to read it.
#[cfg(unix)]
fn keep_owner(new: &File, old: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(old) = fs::metadata(old) else { return Ok(()) };
    let made = new.metadata()?;
    match (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        true => Ok(()),
        false => fchown(new, Some(old.uid()), Some(old.gid())),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn naming(verb: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {verb} {}: {error}", path.display()))
}
