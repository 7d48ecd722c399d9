//! What is needed to answer a request.

use crate::call::late_guard::Guard;
use crate::call::wire_id::WireId;
use smol_str::SmolStr;

/// A request that has its place and is not answered.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub(crate) id: WireId,
    pub(crate) guard: Guard,
    /// What it calls, where its answer may be withheld: of a name that is too long its front.
    pub(crate) name: SmolStr,
    /// What its message takes, and what its arguments do once they are decoded, in bytes.
    pub(crate) bytes: usize,
}
