//! What one listener does otherwise.

use pseud_proto::LateGuard;

/// Settings of one listener: what its links do otherwise than those of the node.
///
/// ```no_run
/// use pseud::{BindOptions, Server};
/// use std::time::Duration;
///
/// # async fn run(server: Server) -> Result<(), Box<dyn std::error::Error>> {
/// let mut patient = BindOptions::default();
/// patient.late_guard = Some(Duration::from_secs(30).into());
/// server.bind_with("tcp://127.0.0.1:0", patient).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct BindOptions {
    /// Until when requests that come in there may be answered. Default `None`: as
    /// [`Options::late_guard`](crate::Options::late_guard) says.
    pub late_guard: Option<LateGuard>,
}

impl BindOptions {
    /// Says until when requests that come in there may be answered: see [`LateGuard`].
    #[must_use]
    pub fn late_guard(mut self, guard: impl Into<LateGuard>) -> Self {
        self.late_guard = Some(guard.into());
        self
    }
}
