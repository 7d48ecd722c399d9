//! What listens: a TCP port, or a Unix socket with its file.

use crate::socket::{Stream, resolve, unsupported};
use pseud_proto::address::Address;
use std::io;
use std::task::{Context, Poll};
use tokio::net::TcpListener;

#[cfg(unix)]
use std::{
    fs::{self, Permissions},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    /// The file goes first: whoever binds there next finds none, and loses none to us.
    Unix(#[expect(dead_code, reason = "held to be dropped")] Option<SocketFile>, UnixListener),
}

impl Listener {
    /// Listens there; `ipc_mode` are the permissions of a Unix socket's file.
    pub(crate) async fn bind(address: &Address, ipc_mode: Option<u32>) -> io::Result<Self> {
        match address {
            Address::Tcp { host, port } => {
                let host = if host == "*" { "0.0.0.0" } else { host };
                Ok(Self::Tcp(TcpListener::bind(&*resolve(host, *port).await?).await?))
            }
            #[cfg(unix)]
            Address::Ipc { path } => {
                let (file, listener) = bind_file(Path::new(path), ipc_mode).await?;
                Ok(Self::Unix(Some(file), listener))
            }
            #[cfg(target_os = "linux")]
            Address::IpcAbstract { name } => {
                Ok(Self::Unix(None, UnixListener::bind(format!("\0{name}"))?))
            }
            _ => Err(unsupported()),
        }
    }

    /// The endpoint that was asked for, with the port that it really has.
    pub(crate) fn endpoint(&self, asked: &Address) -> io::Result<String> {
        match self {
            Self::Tcp(listener) => Ok(format!("tcp://{}", listener.local_addr()?)),
            #[cfg(unix)]
            Self::Unix(..) => Ok(asked.to_string()),
        }
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Self::Tcp(listener) => {
                listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Tcp(stream))
            }
            #[cfg(unix)]
            Self::Unix(_, listener) => {
                listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Unix(stream))
            }
        }
    }
}

/// The file of a Unix socket, by its path and its device and inode: it goes when its listener goes,
/// unless another stands in its place by then.
#[cfg(unix)]
pub(crate) struct SocketFile {
    path: PathBuf,
    id: Option<(u64, u64)>,
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.id.is_some() && id(&self.path) == self.id {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn id(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Binds a path. A file that a dead process left there is replaced; one that somebody listens at, or
/// that is no socket, is not.
#[cfg(unix)]
async fn bind_file(path: &Path, mode: Option<u32>) -> io::Result<(SocketFile, UnixListener)> {
    remove_stale(path).await?;
    let listener = UnixListener::bind(path)?;
    let file = SocketFile { path: path.to_owned(), id: id(path) };
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok((file, listener))
}

#[cfg(unix)]
async fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file there is no socket"));
    }
    // One that somebody listens at may be too busy to take us: that must not hold us up.
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_own_file_goes_with_a_listener() {
        let path = std::env::temp_dir().join(format!("pseud-{}-own", std::process::id()));
        let _ = fs::remove_file(&path);
        let address = Address::Ipc { path: path.to_str().unwrap().to_owned() };
        let first = Listener::bind(&address, None).await.unwrap();
        assert!(Listener::bind(&address, None).await.is_err(), "somebody listens there");
        fs::remove_file(&path).unwrap();
        let second = Listener::bind(&address, None).await.unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
