//! How long a test waits for what must come.

use std::time::Duration;

/// How long anything that must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
