//! A stream socket by the system's own calls, for adapters whose runtime only says when it is ready.

use crate::os::socket_file::{SocketFile, bind as bind_socket_file};
use crate::runtime::SocketAddress;
#[cfg(not(target_os = "linux"))]
use crate::runtime::unsupported;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io::{self, IoSlice};

/// How many connections may wait to be accepted, as with the standard library.
const BACKLOG: i32 = 1024;

/// A peer that is gone is an error, not a signal: embedders may have SIGPIPE at its default.
#[cfg(not(target_vendor = "apple"))]
const FLAGS: i32 = libc::MSG_NOSIGNAL;
/// Apple's sockets are told so themselves: see [`prepare`].
#[cfg(target_vendor = "apple")]
const FLAGS: i32 = 0;

fn system_address(of: &SocketAddress) -> io::Result<SockAddr> {
    match of {
        SocketAddress::Tcp(address) => Ok((*address).into()),
        SocketAddress::UnixPath(path) => SockAddr::unix(path),
        // A path that begins with a zero byte is a name in the abstract name space (unix(7)).
        #[cfg(target_os = "linux")]
        SocketAddress::UnixAbstract(name) => SockAddr::unix(format!("\0{name}")),
        #[cfg(not(target_os = "linux"))]
        _ => Err(unsupported()),
    }
}

/// Begins to connect. The socket does not block; once it is writable, [`connected`] says how that ended.
///
/// # Errors
/// The system's; `unsupported` where there are no such sockets.
pub fn connecting(to: &SocketAddress) -> io::Result<Socket> {
    let address = system_address(to)?;
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    prepare(&socket)?;
    match socket.connect(&address) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// Whether a socket that has become writable is connected.
///
/// # Errors
/// Why it is not.
pub fn connected(socket: &SockRef<'_>) -> io::Result<()> {
    socket.take_error()?.map_or(Ok(()), Err)
}

/// Listens, without blocking; `mode` are the permissions of a Unix socket's file, which goes with its
/// [`SocketFile`].
///
/// # Errors
/// The system's; `unsupported` where there are no such sockets.
pub fn listening(
    at: &SocketAddress,
    mode: Option<u32>,
) -> io::Result<(Option<SocketFile>, Socket)> {
    if let SocketAddress::UnixPath(path) = at {
        let (file, listener) = bind_socket_file(path, mode)?;
        return Ok((Some(file), listener.into()));
    }
    let address = system_address(at)?;
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    if address.domain() != Domain::UNIX {
        // What closed there may linger (TIME_WAIT) and does not keep us out.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok((None, socket))
}

/// A connection that waits to be accepted; [`io::ErrorKind::WouldBlock`] where there is none.
///
/// # Errors
/// The system's.
pub fn accept(listener: &SockRef<'_>) -> io::Result<Socket> {
    let (socket, _) = listener.accept()?;
    prepare(&socket)?;
    Ok(socket)
}

fn prepare(socket: &Socket) -> io::Result<()> {
    #[cfg(target_vendor = "apple")]
    socket.set_nosigpipe(true)?;
    socket.set_nonblocking(true)
}

/// Writes what it can at once.
///
/// # Errors
/// The system's; [`io::ErrorKind::WouldBlock`] where that is nothing.
pub fn send(socket: &SockRef<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match slices {
        [slice] => socket.send_with_flags(slice, FLAGS),
        slices => socket.send_vectored_with_flags(slices, FLAGS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::halves::{is_connected_to_itself, peer_address, set_no_delay};
    use std::io::{ErrorKind, Read};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    fn until<T>(mut done: impl FnMut() -> io::Result<T>) -> T {
        let begun = Instant::now();
        loop {
            match done() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return done.unwrap(),
            }
            assert!(begun.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(1));
        }
    }

    fn meet(at: &SocketAddress) {
        let (_file, listener) = listening(at, None).unwrap();
        let to = match listener.local_addr().unwrap().as_socket() {
            Some(address) => SocketAddress::Tcp(address),
            None => at.clone(),
        };
        let ours = connecting(&to).unwrap();
        let theirs = until(|| accept(&SockRef::from(&listener)));
        until(|| connected(&SockRef::from(&ours)));
        let is_tcp = matches!(at, SocketAddress::Tcp(_));
        let ours_ref = SockRef::from(&ours);
        assert_eq!(set_no_delay(&ours_ref).unwrap(), is_tcp);
        assert!(!is_connected_to_itself(&ours_ref).unwrap());
        assert_eq!(peer_address(&ours_ref).unwrap() == "ipc", !is_tcp);
        let parts = [IoSlice::new(b"he"), IoSlice::new(b"llo")];
        assert_eq!(until(|| send(&ours_ref, &parts)), 5);
        let mut read = [0; 5];
        let mut theirs = theirs;
        until(|| theirs.read_exact(&mut read));
        assert_eq!(&read, b"hello");
        // A peer that is gone is an error, and no signal.
        drop(theirs);
        let begun = Instant::now();
        while send(&ours_ref, &[IoSlice::new(b"x")]).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
    }

    #[test]
    fn over_tcp_and_unix() {
        meet(&SocketAddress::Tcp(([127, 0, 0, 1], 0).into()));
        let name = format!("pseud-{}-os-socket", std::process::id());
        meet(&SocketAddress::UnixPath(std::env::temp_dir().join(&name)));
        #[cfg(target_os = "linux")]
        meet(&SocketAddress::UnixAbstract(name));
    }
}
