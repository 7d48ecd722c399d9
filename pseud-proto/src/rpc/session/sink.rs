//! What a session tells its driver as it happens.

use crate::call::peer::PeerInfo;
use crate::call::{IncomingWork, Outcome, Request, RequestId, ShowingStep};
use crate::rpc::session::calls::CallKey;
use crate::rpc::session::visit::Arrived;
use crate::rpc::stats::Counted;
use std::sync::Arc;

/// Takes what a [`Session`](crate::rpc::session::Session) gives rise to. It is called under the session's
/// lock: it notes things down, and nothing of an application's runs in it.
pub trait Sink {
    /// That call is over, told once for each call: the name that its driver gave it, and how it ended.
    fn finish(&mut self, call: u64, outcome: Outcome);

    /// That request is to be served. Default, for drivers that [look at](crate::rpc::session::Session::visit)
    /// messages where they lie: there is none.
    fn serve(&mut self, request: Request) {
        let _ = request;
    }

    /// Whether requests are [answered](crate::rpc::session::Session::answer) where they came, or kept by who
    /// serves them. Default: their session keeps them.
    fn answers_in_place(&self) -> bool {
        false
    }

    /// The same request, where it is so.
    fn serve_in_place(&mut self, arrived: Arrived, work: IncomingWork) {
        let _ = (arrived, work);
    }

    /// The caller of a request that is served is gone.
    fn cancelled(&mut self, request: RequestId);

    /// An answer is not sent, since its caller may no longer wait for it and would die of it: who asked,
    /// and what was called.
    fn withheld(&mut self, caller: &Arc<PeerInfo>, name: &str);

    /// There is something to pull; told again only after a pull has found nothing.
    fn flush(&mut self);

    /// That call was not run: its peer wants to know first who we are. Says whether it is
    /// [decided](crate::rpc::session::Session::save_last_work) later what is kept of it; it is not sent again
    /// before that. Default: it is kept.
    fn challenged(&mut self, call: CallKey) -> bool {
        let _ = call;
        false
    }

    /// A login of ours has come one step further. Default: nobody wants to know.
    fn showing(&mut self, step: ShowingStep) {
        let _ = step;
    }

    /// Something to count.
    fn count(&mut self, what: Counted);
}
