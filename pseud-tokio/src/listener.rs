//! What listens: a TCP port, or a Unix socket with its file.

#[cfg(unix)]
use crate::socket::over_unix;
use crate::socket::{Stream, over_tcp};
use pseud_async::adapter::{self, SocketAddress, unsupported};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::net::TcpListener;

#[cfg(unix)]
use pseud_async::adapter::{SocketFile, bind_socket_file};
#[cfg(unix)]
use tokio::net::UnixListener;

/// What listens, of tokio.
#[derive(Debug)]
pub struct Listener(BoundSocket);

#[derive(Debug)]
enum BoundSocket {
    Tcp(TcpListener),
    #[cfg(unix)]
    /// The file goes first: whoever binds there next finds none, and loses none to us.
    Unix(#[expect(dead_code, reason = "held to be dropped")] Option<SocketFile>, UnixListener),
}

impl Listener {
    /// Listens there; `mode` are the permissions of a Unix socket's file.
    pub(crate) async fn bind(at: &SocketAddress, mode: Option<u32>) -> io::Result<Self> {
        #[cfg(not(unix))]
        let _ = mode;
        let kind = match at {
            SocketAddress::Tcp(address) => BoundSocket::Tcp(TcpListener::bind(address).await?),
            #[cfg(unix)]
            SocketAddress::UnixPath(path) => {
                let (file, listener) = bind_socket_file(path, mode)?;
                BoundSocket::Unix(Some(file), UnixListener::from_std(listener)?)
            }
            #[cfg(target_os = "linux")]
            SocketAddress::UnixAbstract(name) => {
                BoundSocket::Unix(None, UnixListener::bind(format!("\0{name}"))?)
            }
            _ => return Err(unsupported()),
        };
        Ok(Self(kind))
    }
}

impl adapter::Listener for Listener {
    type Stream = Stream;

    fn tcp_address(&self) -> io::Result<Option<SocketAddr>> {
        match &self.0 {
            BoundSocket::Tcp(listener) => listener.local_addr().map(Some),
            #[cfg(unix)]
            BoundSocket::Unix(..) => Ok(None),
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match &self.0 {
            BoundSocket::Tcp(listener) => {
                let (stream, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(over_tcp(stream))
            }
            #[cfg(unix)]
            BoundSocket::Unix(_, listener) => {
                let (stream, _) = ready!(listener.poll_accept(cx))?;
                Poll::Ready(over_unix(stream))
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::Server;
    use std::fs;

    #[tokio::test]
    async fn two_at_localhost_are_one_too_many() {
        let (first, second) = (Server::new("a").unwrap(), Server::new("b").unwrap());
        let bound = first.bind("tcp://localhost:*").await.unwrap();
        let (_, port) = bound.rsplit_once(':').unwrap();
        let error = second.bind(&format!("tcp://localhost:{port}")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn only_its_own_file_goes_with_a_listener() {
        let path = std::env::temp_dir().join(format!("pseud-{}-own", std::process::id()));
        let _ = fs::remove_file(&path);
        let address = SocketAddress::UnixPath(path.clone());
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
