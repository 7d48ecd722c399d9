//! The kernel's buffers of a socket.

use socket2::SockRef;

/// Asks for buffers of so many bytes each way; the kernel may round, and bounds it. Where it refuses, that
/// is logged, and they stay as they are.
pub(super) fn set(socket: &SockRef<'_>, bytes: usize) {
    let set = socket.set_recv_buffer_size(bytes).and_then(|()| socket.set_send_buffer_size(bytes));
    if let Err(error) = set {
        tracing::warn!(%error, bytes, "a socket's buffers stay as they are");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::set;
    use socket2::SockRef;
    use std::os::unix::net::UnixStream;

    #[test]
    fn both_ways_are_set() {
        let (stream, _other) = UnixStream::pair().unwrap();
        let socket = SockRef::from(&stream);
        for bytes in [16 << 10, 64 << 10] {
            set(&socket, bytes);
            let got = [socket.recv_buffer_size().unwrap(), socket.send_buffer_size().unwrap()];
            // Linux counts its own bookkeeping in.
            assert!(got.iter().all(|got| (bytes..=2 * bytes).contains(got)), "{bytes}: {got:?}");
        }
    }
}
