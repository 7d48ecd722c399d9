//! What listens: a TCP port, or a Unix socket with its file.

use crate::socket::{Stream, unsupported};
use pseud_proto::address::Address;
use std::io;
use std::task::{Context, Poll};
use tokio::net::TcpListener;

#[cfg(unix)]
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
#[cfg(unix)]
use tokio::net::UnixListener;

pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, #[expect(dead_code, reason = "held to be dropped")] Option<SocketFile>),
}

impl Listener {
    /// Listens there; `ipc_mode` are the permissions of a Unix socket's file.
    pub(crate) async fn bind(address: &Address, ipc_mode: Option<u32>) -> io::Result<Self> {
        match address {
            Address::Tcp { host, port } => {
                let host = if host == "*" { "0.0.0.0" } else { host };
                Ok(Self::Tcp(TcpListener::bind((host, *port)).await?))
            }
            #[cfg(unix)]
            Address::Ipc { path } => {
                let (listener, file) = bind_file(Path::new(path), ipc_mode)?;
                Ok(Self::Unix(listener, Some(file)))
            }
            #[cfg(target_os = "linux")]
            Address::IpcAbstract { name } => {
                Ok(Self::Unix(UnixListener::bind(format!("\0{name}"))?, None))
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
            Self::Unix(listener, _) => {
                listener.poll_accept(cx).map_ok(|(stream, _)| Stream::Unix(stream))
            }
        }
    }
}

/// The file of a Unix socket: it goes when its listener goes.
#[cfg(unix)]
pub(crate) struct SocketFile(PathBuf);

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Binds a path. A file that a dead process left there is replaced; one that somebody listens at, or
/// that is no socket, is not.
#[cfg(unix)]
fn bind_file(path: &Path, mode: Option<u32>) -> io::Result<(UnixListener, SocketFile)> {
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    let file = SocketFile(path.to_owned());
    if let Some(mode) = mode {
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok((listener, file))
}

#[cfg(unix)]
fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::{fs::FileTypeExt, net::UnixStream};
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file there is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
        Err(error) => Err(error),
    }
}
