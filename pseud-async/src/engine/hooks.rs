//! What an application's own plug-in is told of.

use super::event::KeptEvent;
use bytes::Bytes;
use pseud_proto::peer::PeerInfo;
use pseud_proto::session::LastWork;
use std::fmt;

/// Told of sessions as they come and go, under no lock. It may be asked from any task.
pub(crate) trait Hooks: fmt::Debug + Send + Sync {
    /// A session began, logged in or ended; or a login of ours has come further.
    fn happened(&self, event: &KeptEvent);
    /// What is kept of a call that this server did not run.
    fn save_last_work(&self, server: &PeerInfo, work: LastWork) -> Option<LastWork>;
    /// The identity by which that user is called, where the plug-in says so.
    fn routing_id(&self, user_id: &[u8]) -> Option<Bytes>;
    /// The node has ended; perhaps told again.
    fn stopped(&self);
}
