//! Sockets of libzmq, set up.

use pseud_async::Options;
use pseud_proto::zmtp::{ConnectionConfig, FrameLimits, MechanismConfig, SocketType};
use std::io;

/// How long what was handed to libzmq may take to leave when its socket is closed, in milliseconds. Set
/// before anything else: a context with unsent messages waits for them for ever (rust-zmq#382).
pub(super) const LINGER: i32 = 1_000;

/// The domain of our questions (RFC 27).
pub(super) const ZAP_DOMAIN: &str = "pseud";

/// A socket's role: who connects probes, and takes over the id of a server that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketRole {
    Binding,
    Connecting,
}

/// An error of libzmq, as the system's where it is one.
pub(super) fn io_error(error: zmq::Error) -> io::Error {
    let kind = match error {
        zmq::Error::EADDRINUSE => io::ErrorKind::AddrInUse,
        zmq::Error::EINVAL => io::ErrorKind::InvalidInput,
        zmq::Error::EADDRNOTAVAIL => io::ErrorKind::AddrNotAvailable,
        zmq::Error::EAGAIN => io::ErrorKind::WouldBlock,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// What libzmq cannot do is an error, not silence.
pub(super) fn check(options: &Options) -> io::Result<()> {
    match mechanism(options).or_else(|| settings(options)) {
        Some(cause) => Err(io::Error::new(io::ErrorKind::Unsupported, cause)),
        None => Ok(()),
    }
}

/// Why that mechanism cannot be had, if so.
fn mechanism(options: &Options) -> Option<&'static str> {
    match &options.connection.mechanism {
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveServer { key_pairs } => match key_pairs.len() {
            0 | 1 => (!has_curve()).then_some(NO_CURVE),
            _ => Some("a server over libzmq has one key pair"),
        },
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveClient { server_keys, .. } => match server_keys.len() {
            0 | 1 => (!has_curve()).then_some(NO_CURVE),
            _ => Some("a client over libzmq knows one key of its server's"),
        },
        MechanismConfig::PlainClient { username, password } => {
            let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
            let both = is_text(username) && is_text(password.expose());
            (!both).then_some("names and passwords over libzmq are UTF-8 without zero bytes")
        }
        _ => None,
    }
}

/// Which setting libzmq has no means for, if there is one that is not at its default.
fn settings(options: &Options) -> Option<&'static str> {
    let (connection, default) = (&options.connection, ConnectionConfig::default());
    let unsupported = [
        (options.ipc_mode.is_some(), "libzmq makes the files of Unix sockets: no `ipc_mode`"),
        (connection.socket_type != SocketType::Router, "over libzmq every node is a ROUTER"),
        (!connection.properties.is_empty(), "libzmq announces no metadata of ours"),
        (connection.strict, "libzmq lets reserved flags of frames pass: it is never `strict`"),
        (
            connection.greeting_timeout != default.greeting_timeout,
            "libzmq bounds a handshake as a whole: `handshake_timeout`, no `greeting_timeout`",
        ),
        (
            connection.message_timeout != default.message_timeout,
            "libzmq does not bound the time of one message: no `message_timeout`",
        ),
    ];
    unsupported.into_iter().find_map(|(is_set, cause)| is_set.then_some(cause))
}

#[cfg(feature = "_curve")]
const NO_CURVE: &str = "this libzmq is built without CURVE, as the vendored one is: link the system's, see the README \
                        of pseud-blocking";

/// Whether the linked libzmq has CURVE: which one that is, is the program's choice, and known when it runs.
pub fn has_curve() -> bool {
    zmq::has("curve") == Some(true)
}

/// A ROUTER of that role.
pub(super) fn router(
    context: &zmq::Context,
    options: &Options,
    role: SocketRole,
) -> io::Result<zmq::Socket> {
    let socket = context.socket(zmq::ROUTER).map_err(io_error)?;
    set_up(&socket, options, role).map_err(io_error)?;
    Ok(socket)
}

fn set_up(socket: &zmq::Socket, options: &Options, role: SocketRole) -> zmq::Result<()> {
    socket.set_linger(LINGER)?;
    let connection = &options.connection;
    if !connection.identity.is_empty() {
        socket.set_identity(&connection.identity)?;
    }
    socket.set_router_mandatory(true)?;
    if role == SocketRole::Connecting {
        socket.set_probe_router(options.connection.probe)?;
        // A server that comes back is to be had at once. On a bound socket it would let anybody take
        // anybody's id, and with it the answers that are meant for that.
        socket.set_router_handover(true)?;
        socket.set_connect_timeout(millis(options.connect_timeout))?;
    }
    socket.set_ipv6(true)?;
    let FrameLimits { frame_bytes_max, .. } = connection.limits;
    socket.set_maxmsgsize(i64::try_from(frame_bytes_max).unwrap_or(i64::MAX))?;
    socket.set_handshake_ivl(millis(connection.handshake_timeout))?;
    if let Some(interval) = connection.heartbeat.interval {
        socket.set_heartbeat_ivl(millis(interval))?;
        socket.set_heartbeat_timeout(millis(connection.heartbeat.timeout))?;
    }
    set_mechanism(socket, &connection.mechanism)
}

/// 0 would mean never: what is shorter than a millisecond takes one.
fn millis(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX).max(1)
}

fn set_mechanism(socket: &zmq::Socket, mechanism: &MechanismConfig) -> zmq::Result<()> {
    match mechanism {
        MechanismConfig::Null => Ok(()),
        MechanismConfig::PlainServer => {
            socket.set_zap_domain(ZAP_DOMAIN)?;
            socket.set_plain_server(true)
        }
        MechanismConfig::PlainClient { username, password } => {
            socket.set_plain_username(std::str::from_utf8(username).ok())?;
            socket.set_plain_password(std::str::from_utf8(password.expose()).ok())
        }
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveServer { key_pairs } => {
            socket.set_zap_domain(ZAP_DOMAIN)?;
            socket.set_curve_server(true)?;
            match key_pairs.first() {
                Some(pair) => socket.set_curve_secretkey(pair.secret().expose()),
                None => Err(zmq::Error::EINVAL),
            }
        }
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveClient { server_keys, key_pair } => {
            socket.set_curve_publickey(key_pair.public().as_bytes())?;
            socket.set_curve_secretkey(key_pair.secret().expose())?;
            match server_keys.first() {
                Some(key) => socket.set_curve_serverkey(key.as_bytes()),
                None => Err(zmq::Error::EINVAL),
            }
        }
        // `MechanismConfig` may grow; what this does not know, it does not do.
        _ => Err(zmq::Error::EINVAL),
    }
}

/// Whether peers of that mechanism are asked about.
pub(super) fn asks(mechanism: &MechanismConfig) -> bool {
    match mechanism {
        MechanismConfig::PlainServer => true,
        #[cfg(feature = "_curve")]
        MechanismConfig::CurveServer { .. } => true,
        _ => false,
    }
}
