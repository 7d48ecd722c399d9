//! TCP's keep-alive, for links without PINGs.

use pseud_proto::zmtp::Heartbeat;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;

/// TCP counts in whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// Has the kernel find out that the peer is gone: it asks after `interval` of silence and again every
/// `interval`, and gives the connection up after `timeout`. Peers that are silent answer by their own
/// kernels, whatever their processes do.
///
/// # Errors
/// The system's.
pub(super) fn set(socket: &SockRef<'_>, bounds: Heartbeat) -> io::Result<()> {
    let KeepAliveProbes { interval, timeout, probes } = KeepAliveProbes::from(bounds);
    let keep_alive = TcpKeepalive::new().with_time(interval).with_interval(interval);
    #[cfg(not(windows))]
    let keep_alive = keep_alive.with_retries(probes);
    #[cfg(windows)]
    let _ = probes;
    socket.set_tcp_keepalive(&keep_alive)?;
    // While written bytes are not acknowledged nothing is probed: they are sent again, for a quarter
    // of an hour unless this bounds it (RFC 5482; it bounds the probes of a closed window as well).
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia"))]
    socket.set_tcp_user_timeout(Some(timeout))?;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "fuchsia")))]
    let _ = timeout;
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct KeepAliveProbes {
    interval: Duration,
    timeout: Duration,
    probes: u32,
}

impl From<Heartbeat> for KeepAliveProbes {
    fn from(bounds: Heartbeat) -> Self {
        let interval = bounds.interval.unwrap_or(bounds.timeout / 3);
        let interval = Duration::from_secs(interval.as_secs().clamp(1, 32_767));
        let timeout = bounds.timeout.clamp(2 * interval, SECOND * 86_400);
        let probes = (timeout.as_secs() / interval.as_secs()).saturating_sub(1).clamp(1, 127);
        Self { interval, timeout, probes: probes as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(interval: Option<u64>, timeout: u64) -> (u64, u64, u32) {
        let mut heartbeat = Heartbeat::default();
        heartbeat.interval = interval.map(Duration::from_millis);
        heartbeat.timeout = Duration::from_millis(timeout);
        let KeepAliveProbes { interval, timeout, probes } = heartbeat.into();
        (interval.as_secs(), timeout.as_secs(), probes)
    }

    #[test]
    fn the_bounds_are_those_of_pings_in_whole_seconds() {
        assert_eq!(bounds(Some(5_000), 15_000), (5, 15, 2));
        assert_eq!(bounds(None, 15_000), (5, 15, 2));
        assert_eq!(bounds(Some(10), 20), (1, 2, 1));
        assert_eq!(bounds(None, 0), (1, 2, 1));
        assert_eq!(bounds(Some(u64::MAX), u64::MAX), (32_767, 86_400, 1));
    }
}
