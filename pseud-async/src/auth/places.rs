//! Who is asked about strangers, and how many questions may be in work.

use super::authenticator::Authenticator;
use super::permit::Permit;
use super::revoked::Revoked;
use crate::engine::handshakes::Handshakes;
use crate::engine::refusals::line::Unavailable;
use pseud_proto::StrangerLimits;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who is asked about strangers, and how many questions may be in work.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Admission {
    /// Who is asked. Default: nobody, so that nobody is admitted where somebody must be asked.
    pub authenticator: Option<Authenticator>,
    /// Questions in work at the same time. One more is not put: its stranger is answered
    /// [`Verdict::Unavailable`](pseud_proto::zmtp::Verdict::Unavailable). A question's place is taken
    /// before the authenticator is asked and is free again when its work has ended: see [`Permit`].
    /// With 0 nobody comes in. Default: 256.
    pub questions_parked_max: usize,
    /// What strangers may cost before they are asked about, and how those who fail are slowed down.
    pub strangers: StrangerLimits,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            authenticator: None,
            questions_parked_max: 256,
            strangers: StrangerLimits::default(),
        }
    }
}

/// An admission, and how many are in work at it.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    admission: Admission,
    taken: Arc<AtomicUsize>,
    pub(crate) handshakes: Handshakes,
    pub(crate) revoked: Arc<Revoked>,
}

impl Admissions {
    pub(crate) fn new(admission: Admission) -> Self {
        let handshakes = Handshakes::new(admission.strangers.clone());
        Self { admission, taken: Arc::default(), handshakes, revoked: Arc::default() }
    }

    pub(crate) fn authenticator(&self) -> Option<&Authenticator> {
        self.admission.authenticator.as_ref()
    }

    /// Takes a place for a question about who comes from there.
    ///
    /// # Errors
    /// There is none, in all or of that source.
    pub(crate) fn enter(&self, address: &str) -> Result<Permit, Unavailable> {
        let of_source = self.handshakes.ask(address).ok_or(Unavailable::QuestionsOfSource)?;
        let max = self.admission.questions_parked_max;
        let more = |taken| (taken < max).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.map_err(|_| Unavailable::Crowded)?;
        Ok(Permit::new(self.taken.clone(), of_source))
    }

    /// Places that are taken.
    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }
}
