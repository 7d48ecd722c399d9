//! Where relative names of sockets lie: `$TMPDIR/kaa-<uid>`, or below `/tmp`, as kaa/base/utils.py has it.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

/// That directory, which is there now and for its owner alone. As the reference does, one that others may
/// enter, or that is a link, is refused: who made it could stand between the two sides.
pub(super) fn made() -> io::Result<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let temp = std::env::var_os("TMPDIR").filter(|temp| !temp.is_empty());
    let temp = temp.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let path = temp.join(format!("kaa-{uid}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&path)?;
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o777 != 0o700 {
        let text = format!("{} is not a directory of ours alone", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(path)
}
