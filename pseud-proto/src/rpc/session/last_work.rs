//! A call that was challenged, and what its driver decides of it.

use crate::call::{CallOptions, Outcome};
use crate::dialect::Claim;
use crate::error::{CallRefused, Reason};
use crate::rpc::session::Session;
use crate::rpc::session::calls::CallKey;
use crate::rpc::session::entry::Outbound;
use crate::rpc::session::kept::Challenged;
use crate::rpc::session::sink::Sink;
use crate::value::{EncodeError, Packed};
use serde::Serialize;
use smol_str::SmolStr;

/// A call that its peer did not run, since it wants to know first who we are: the WORK that Python's
/// `save_last_work` is given.
#[derive(Debug, Clone)]
pub struct LastWork {
    name: SmolStr,
    body: Packed,
}

impl LastWork {
    /// A call of that name with those arguments, as [`Packed::call`] takes them.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn new<A, K>(name: impl AsRef<str>, args: &A, kwargs: &K) -> Result<Self, EncodeError>
    where
        A: Serialize + ?Sized,
        K: Serialize + ?Sized,
    {
        Ok(Self { name: SmolStr::new(name), body: Packed::call(args, kwargs)? })
    }

    /// The dotted name of what is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is called with, [apart](Packed::into_arguments).
    pub fn arguments(&self) -> &Packed {
        &self.body
    }
}

impl Session {
    /// That call, where it was challenged and nothing is [decided](Self::save_last_work) of it yet.
    pub fn last_work(&self, call: CallKey) -> Option<LastWork> {
        let Outbound { name, body, .. } = self.showing.as_ref()?.undecided(call.0)?;
        Some(LastWork { name: name.clone(), body: body.clone() })
    }

    /// What is kept of that call, to be sent once its peer believes us: it, or another one in its place, whose
    /// answer is then its own. Of `None` nothing: it ends as [`Unauthorized`](Reason::Unauthorized), not
    /// executed. One in its place that could not be called ends it, not executed, too. Nothing happens where it is over, or
    /// was decided of.
    pub fn save_last_work(&mut self, call: CallKey, work: Option<LastWork>, sink: &mut impl Sink) {
        let Some(undecided) = self.showing.as_ref().and_then(|showing| showing.undecided(call.0))
        else {
            return;
        };
        let claim = undecided.claim.clone();
        let work = work.ok_or(Reason::Unauthorized);
        let kept = match work.and_then(|LastWork { name, body }| self.may_call(name, body, claim)) {
            Ok(work) => {
                self.showing.as_mut().and_then(|showing| Some((showing.kept(call.0)?, work)))
            }
            Err(why) => {
                self.finish(call.0, Outcome::NotExecuted(why), sink);
                None
            }
        };
        if let Some((kept, work)) = kept {
            (kept.work, kept.challenged) = (work, Challenged::Yes);
        }
        self.send_again(sink);
    }

    /// The error is why such a call would end.
    fn may_call(
        &self,
        name: SmolStr,
        body: Packed,
        claim: Option<Box<Claim>>,
    ) -> Result<Outbound, Reason> {
        let options = CallOptions::default();
        let mut work = Outbound::new(name, body, options, &self.config.limits).map_err(why)?;
        work.claim = claim;
        self.check_call(&work).map_err(why)?;
        Ok(work)
    }
}

fn why(refused: CallRefused) -> Reason {
    match refused {
        CallRefused::BodyTooLarge { .. } | CallRefused::OverLimit { .. } => Reason::CallTooLarge,
        _ => Reason::Unsupported,
    }
}
