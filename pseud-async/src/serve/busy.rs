//! Handlers that keep their link's task busy: nothing else of that link goes on meanwhile, PINGs neither.

use std::time::Duration;

/// Longer than that nobody is to be kept waiting: a peer may take the link to be dead.
const TOO_LONG: Duration = Duration::from_secs(1);

/// A handler of that name, begun where its request arrived, has had the link's task for so long before it
/// answered, or waited for something.
pub(crate) fn warn(name: &str, took: Duration) {
    if took >= TOO_LONG {
        let (method, seconds) = (name.escape_debug(), took.as_secs_f64());
        tracing::warn!(
            %method, seconds,
            "a handler kept its link busy: have what blocks or computes run by register_blocking"
        );
    }
}
