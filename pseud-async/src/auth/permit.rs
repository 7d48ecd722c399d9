//! A question's place.

use crate::engine::handshakes::SourcePlace;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A question's place among those of [`Admission::questions_parked_max`](crate::Admission::questions_parked_max). It is free again once all clones
/// are dropped.
///
/// The admission holds one until the authenticator's future has ended, or was dropped: which happens when
/// the link has ended *and* the handshake's time is up. Work that goes on after that, as
/// a thread does which was begun by the future, must hold a clone
/// ([`Authenticator::with_permit`](crate::Authenticator::with_permit)); else that bound bounds questions, and no work.
/// [`Authenticator::blocking`](crate::Authenticator::blocking) does it by itself.
#[derive(Clone)]
#[must_use = "dropped, it holds no place"]
pub struct Permit(#[expect(dead_code, reason = "held to be dropped")] Arc<TakenPlace>);

impl Permit {
    /// Of one who is counted in `taken` and among those of its source, until the permit goes.
    pub(super) fn new(taken: Arc<AtomicUsize>, of_source: SourcePlace) -> Self {
        Self(Arc::new(TakenPlace { taken, _of_source: of_source }))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

struct TakenPlace {
    taken: Arc<AtomicUsize>,
    _of_source: SourcePlace,
}

impl Drop for TakenPlace {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }
}
