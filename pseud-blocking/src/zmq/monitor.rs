//! What libzmq tells of a connecting socket.

use super::sockets::io_error;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something happened to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// The handshake is over: the peer can be sent to.
    Ready,
    /// The connection is lost, or was never made: libzmq tries again.
    Lost,
    /// The peer does not let us in: libzmq gives up.
    Denied,
    /// The peer speaks otherwise: libzmq gives up.
    Incompatible,
}

const EVENTS: &[(zmq::SocketEvent, Happened)] = &[
    (zmq::SocketEvent::HANDSHAKE_SUCCEEDED, Happened::Ready),
    (zmq::SocketEvent::DISCONNECTED, Happened::Lost),
    (zmq::SocketEvent::CLOSED, Happened::Lost),
    (zmq::SocketEvent::HANDSHAKE_FAILED_AUTH, Happened::Denied),
    (zmq::SocketEvent::HANDSHAKE_FAILED_PROTOCOL, Happened::Incompatible),
];

/// Where the next monitor is found: in a context that others may use, too.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name for a socket of this library's within a context.
pub(super) fn inproc(what: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("inproc://pseud-{what}-{}-{number}", std::process::id())
}

/// A socket that hears of that one's connection.
pub(super) fn watch(context: &zmq::Context, socket: &zmq::Socket) -> io::Result<zmq::Socket> {
    let mask = EVENTS.iter().fold(0, |mask, (event, _)| mask | i32::from(event.to_raw()));
    begin(context, socket, mask)
}

/// A socket that hears when an endpoint of that one is free again: libzmq closes what listens in a thread
/// of its own, some time after it was told to. Of other events there may be many, and nobody reads them.
pub(super) fn watch_closing(
    context: &zmq::Context,
    socket: &zmq::Socket,
) -> io::Result<zmq::Socket> {
    begin(context, socket, i32::from(zmq::SocketEvent::CLOSED.to_raw()))
}

fn begin(context: &zmq::Context, socket: &zmq::Socket, mask: i32) -> io::Result<zmq::Socket> {
    let endpoint = inproc("monitor");
    let begin = || {
        socket.monitor(&endpoint, mask)?;
        let monitor = context.socket(zmq::PAIR)?;
        monitor.set_linger(0)?;
        monitor.connect(&endpoint)?;
        Ok(monitor)
    };
    begin().map_err(io_error)
}

/// Waits until an endpoint is free, for so many milliseconds at most.
pub(super) fn closed(monitor: &zmq::Socket, at_most: i64) {
    if monitor.poll(zmq::POLLIN, at_most).is_ok_and(|ready| ready > 0) {
        let _ = monitor.recv_multipart(zmq::DONTWAIT);
    }
}

/// The next thing that happened. A message is the event's number and a value, 16 and 32 bits in the order
/// of this machine, and the endpoint (zmq_socket_monitor).
pub(super) fn next(monitor: &zmq::Socket) -> zmq::Result<Option<Happened>> {
    loop {
        let message = match monitor.recv_multipart(zmq::DONTWAIT) {
            Ok(message) => message,
            Err(zmq::Error::EAGAIN) => return Ok(None),
            Err(error) => return Err(error),
        };
        let number = message.first().and_then(|frame| frame.first_chunk::<2>());
        let number = number.copied().map(u16::from_ne_bytes);
        if let Some((_, happened)) = EVENTS.iter().find(|(event, _)| Some(event.to_raw()) == number)
        {
            return Ok(Some(*happened));
        }
    }
}
