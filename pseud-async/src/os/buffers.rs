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
