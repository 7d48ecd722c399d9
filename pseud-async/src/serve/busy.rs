//! Handlers that keep their link's task busy: nothing else of that link goes on meanwhile, PINGs neither.

use pseud_proto::Request;
use smallvec::SmallVec;
use smol_str::SmolStr;
use std::time::Duration;

/// Longer than that nobody is to be kept waiting: a peer may take the link to be dead.
const TOO_LONG: Duration = Duration::from_secs(1);

/// What requests that arrived together call: kept until their handlers have begun.
#[derive(Debug, Default)]
pub(crate) struct CalledMethods(SmallVec<[SmolStr; 1]>);

impl CalledMethods {
    /// Those of these requests, too.
    pub(crate) fn add(&mut self, requests: &[Request]) {
        self.0.extend(requests.iter().map(|request| SmolStr::new(request.name())));
    }

    /// Whether nothing was called.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Handlers of theirs, begun where their requests arrived, have had the link's task for so long before
    /// each answered, or waited for something.
    pub(crate) fn warn(&self, took: Duration) {
        if took < TOO_LONG || self.is_empty() {
            return;
        }
        let methods: Vec<_> = self.0.iter().map(|name| name.escape_debug().to_string()).collect();
        let (method, seconds) = (methods.join(", "), took.as_secs_f64());
        tracing::warn!(
            %method, seconds,
            "a handler kept its link busy: have what blocks or computes run by register_blocking"
        );
    }
}
