//! What an application's own plug-in is told of.

use super::event::KeptEvent;
use std::fmt;

/// Told of sessions as they come and go, under no lock. It may be asked from any task.
pub(crate) trait Hooks: fmt::Debug + Send + Sync {
    /// A session began, logged in or ended.
    fn happened(&self, event: &KeptEvent);
    /// The node has ended; perhaps told again.
    fn stopped(&self);
}
