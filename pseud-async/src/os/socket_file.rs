//! The files of Unix sockets: made whole before they are seen, and of several who want a path one gets
//! it.
//!
//! A socket is bound and made to listen in a directory that only its owner may enter, gets its mode
//! there, and is then linked to its path, which fails where there is a file. So whoever finds it can
//! rely on its mode, and finds somebody who listens. Where a dead process left a file, one contender at a
//! time, by a lock, looks whether somebody listens there, removes it, and tries again.

use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The file of a Unix socket, by its path and its device and inode: it goes when its listener goes,
/// unless another stands in its place by then.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: FileId,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|found| found == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device and inode: while a socket lives, no other file has its inode.
type FileId = (u64, u64);

fn id(path: &Path) -> io::Result<FileId> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Listens at a path; its file has that mode, or what the umask leaves. A file that a dead process left
/// there is replaced; one that somebody listens at, or that is no socket, is not. The listener does not
/// block.
///
/// # Errors
/// [`ErrorKind::AddrInUse`]: somebody listens there, or is about to.
pub fn bind(path: &Path, mode: Option<u32>) -> io::Result<(SocketFile, UnixListener)> {
    let made = HiddenSocket::new(path, mode)?;
    made.listener.set_nonblocking(true)?;
    if let Some(bound) = made.publish(path)? {
        return Ok((bound, made.listener));
    }
    is_stale(path)?;
    let _lock = Lock::take(path)?;
    // Whoever held the lock before may listen at this path by now: so it is looked at again. Where there is
    // no file any more, the path is free.
    if is_stale(path)? {
        fs::remove_file(path)?;
    }
    match made.publish(path)? {
        Some(bound) => Ok((bound, made.listener)),
        None => Err(in_use()),
    }
}

fn in_use() -> io::Error {
    io::Error::new(ErrorKind::AddrInUse, "somebody listens there")
}

/// Whether a file is there at which nobody listens. One that is no such file is an error.
fn is_stale(path: &Path) -> io::Result<bool> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(false) };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "the file there is no socket"));
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Connecting within a machine is done at once, or not at all.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => Ok(true),
            ErrorKind::NotFound => Ok(false),
            // One that is too busy to take us listens as well.
            ErrorKind::WouldBlock => Err(in_use()),
            _ => Err(error),
        },
        Ok(_) => Err(in_use()),
    }
}

/// A socket that listens where nobody else can see it.
struct HiddenSocket {
    listener: UnixListener,
    file: Hidden,
}

impl HiddenSocket {
    fn new(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        let file = Hidden::beside(path)?;
        let listener = file.listen()?;
        if let Some(mode) = mode {
            fs::set_permissions(file.socket(), Permissions::from_mode(mode))?;
        }
        Ok(Self { listener, file })
    }

    /// Makes it visible; `None` if a file is there.
    fn publish(&self, path: &Path) -> io::Result<Option<SocketFile>> {
        let id = id(&self.file.socket())?;
        match fs::hard_link(self.file.socket(), path) {
            Ok(()) => Ok(Some(SocketFile { path: path.to_owned(), id })),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A directory for its owner alone, beside a path, and the socket in it. It goes when it is dropped.
struct Hidden(PathBuf);

/// Names that are tried, in the unlikely case that they are taken.
const NAMES_MAX: u32 = 16;

impl Hidden {
    fn beside(path: &Path) -> io::Result<Self> {
        for _ in 0..NAMES_MAX {
            let mut random = [0; 4];
            random.copy_from_slice(&crate::entropy::seed()?[..4]);
            let directory = path.with_file_name(format!(".{:08x}", u32::from_ne_bytes(random)));
            match DirBuilder::new().mode(0o700).create(&directory) {
                Ok(()) => {
                    let made = Self(directory);
                    // A umask that is meant for the socket may have taken the right to enter.
                    fs::set_permissions(&made.0, Permissions::from_mode(0o700))?;
                    return Ok(made);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "there is no name for a directory beside it"))
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s")
    }

    /// Where its path is too long for a socket's address, though the one beside it is not, the system
    /// is given the directory itself.
    fn listen(&self) -> io::Result<UnixListener> {
        match UnixListener::bind(self.socket()) {
            #[cfg(target_os = "linux")]
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                use std::os::fd::AsRawFd;
                let directory = File::open(&self.0)?;
                UnixListener::bind(format!("/proc/self/fd/{}/s", directory.as_raw_fd()))
            }
            bound => bound,
        }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.0);
    }
}

/// The right to replace the file at a path: a file beside it that is locked, and goes with the lock. It
/// can be opened by its owner alone, so that nobody else can hold it for ever.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// # Errors
    /// [`ErrorKind::AddrInUse`]: somebody else has it.
    fn take(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = path.with_file_name(format!(".{name}.pseud-lock"));
        for _ in 0..NAMES_MAX {
            let Some(file) = open(&path)? else { continue };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever held the lock before may have removed its file after we opened it: a lock on a file that has no
            // name any more keeps nobody out.
            let locked = file.metadata()?;
            if id(&path).is_ok_and(|found| found == (locked.dev(), locked.ino())) {
                return Ok(Self { path, _file: file });
            }
        }
        Err(in_use())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens the file there, or makes it: never one that a link there points to. `None` if it has just gone.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map(Some),
    }
    match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}
