//! What listens: a TCP port, or a Unix socket with its file.

use crate::connect::resolve;
use crate::socket::{Stream, unsupported};
use pseud_proto::address::Address;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::net::TcpListener;

#[cfg(unix)]
use crate::socket_file::{self, SocketFile};
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use tokio::net::UnixListener;

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
                Ok(Self::Tcp(bind_tcp(&resolve(host, *port).await?).await?))
            }
            #[cfg(unix)]
            Address::Ipc { path } => {
                let (file, listener) = socket_file::bind(Path::new(path), ipc_mode).await?;
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

/// Binds the first of a host's addresses that this machine has. One that is in use is an error: else a
/// second server at `localhost` would stand beside the first, at the name's next address.
async fn bind_tcp(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    let mut error = io::Error::new(io::ErrorKind::InvalidInput, "the host has no address");
    for address in addresses {
        match TcpListener::bind(address).await {
            Err(failed) if failed.kind() != io::ErrorKind::AddrInUse => error = failed,
            bound => return bound,
        }
    }
    Err(error)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn two_at_localhost_are_one_too_many() {
        let tcp = |port| Address::Tcp { host: "localhost".to_owned(), port };
        let first = Listener::bind(&tcp(0), None).await.unwrap();
        let Listener::Tcp(listener) = &first else { panic!("no TCP") };
        let port = listener.local_addr().unwrap().port();
        let Err(error) = Listener::bind(&tcp(port), None).await else { panic!("bound twice") };
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

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
