//! Errors by blame: who is at fault decides the type.
//!
//! | type | whose fault | what follows |
//! |---|---|---|
//! | [`PeerError`] | the peer's | its link closes, or that message is dropped where framing is sound |
//! | [`CallRefused`] | the local caller's | nothing was sent |
//! | [`Fault`] | the far handler's | an outcome of the call, not an error of the machine |
//! | [`Refusal`] | nobody's, or the caller's | a request is not executed, and its caller is told so |
//! | [`Reason`] | the world's | why a call has no answer, or why a session ended |

mod exception;
mod fault;
mod fault_from;
mod insecure;
mod peer;
mod python_text;
mod reason;
mod refusal;
mod refused;

pub use crate::error::exception::Exception;
pub use crate::error::fault::Fault;
pub use crate::error::insecure::Insecure;
pub use crate::error::peer::{Incompatible, Malformed, Misbehaved, Parting, PeerError};
pub use crate::error::reason::{Executed, Reason};
pub use crate::error::refusal::Refusal;
pub use crate::error::refused::CallRefused;
