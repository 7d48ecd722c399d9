//! Calls that are made as a part of serving a request.

use super::request::Request;
use crate::call::Call;

impl<T, A, K> Call<T, A, K> {
    /// Makes it as a part of serving that request: one hop further than it, so that a circle of peers
    /// that call each other ends.
    pub fn within(self, request: &Request) -> Self {
        self.hops(request.caller().hops_of_calls())
    }

    /// The same, and in the name of that request's [user](Request::user): for gateways. The peer
    /// believes it if it gave us [`User::FORWARD`](pseud_proto::User::FORWARD), and else refuses it
    /// ([`Reason::Unauthorized`](pseud_proto::Reason::Unauthorized)); a v1 peer, which would run it with our own rights, is not sent it
    /// ([`Reason::Unsupported`](pseud_proto::Reason::Unsupported)).
    pub fn on_behalf_of(self, request: &Request) -> Self {
        let user_id = request.user().id().clone();
        self.within(request).origin(user_id)
    }
}
