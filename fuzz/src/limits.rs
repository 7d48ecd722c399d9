//! Settings out of a script: none, one, a few, and all that a number can say.

use crate::script::Script;
use pseud_proto::{Config, LateGuard};
use std::time::Duration;

/// A configuration out of six bytes.
pub(crate) fn config(script: &mut Script<'_>) -> Config {
    let mut config = Config::default();
    config.server = Some("server".into());
    let limits = &mut config.limits;
    let mut bytes = [0; 6].map(|_: u8| script.byte());
    let mut next = |index: usize| number(&mut bytes[index]);
    limits.calls_pending_max = next(0);
    limits.calls_pending_per_peer_max = next(0);
    limits.requests_open_max = next(0);
    limits.requests_open_per_peer_max = next(1);
    limits.requests_open_bytes_max = next(1);
    limits.requests_open_bytes_per_peer_max = next(1);
    limits.requests_remembered_max = next(2);
    limits.queue_bytes_soft_max = next(2).saturating_mul(100);
    limits.queue_bytes_hard_max = next(2).saturating_mul(100);
    limits.queue_bytes_total_max = next(3).saturating_mul(200);
    limits.hops_max = u32::try_from(next(3)).unwrap_or(u32::MAX);
    config.call_timeout = time(bytes[4]);
    config.unroutable_timeout = time(bytes[4] / 3);
    config.late_guard = match bytes[5] % 4 {
        0 => LateGuard::Off,
        _ => LateGuard::After(time(bytes[5] / 4)),
    };
    config
}

/// The next of those that a byte chooses.
fn number(byte: &mut u8) -> usize {
    let choice = *byte % 6;
    *byte /= 6;
    [usize::MAX, 4, 2, 1, 0, 16][usize::from(choice)]
}

/// No time, some, or more than there is.
pub(crate) fn time(byte: u8) -> Duration {
    [Duration::from_secs(1), Duration::ZERO, Duration::MAX][usize::from(byte % 3)]
}
