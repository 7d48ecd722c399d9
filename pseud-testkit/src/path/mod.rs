//! Somebody on the path between two peers.
//!
//! | module | what it does |
//! |---|---|
//! | `split` | finds the frames in a direction's bytes |
//! | `editor` | deletes, doubles and swaps frames |
//! | `requests` | reads along: which requests pass |
//! | `relay` | carries one link over sockets, and edits it |
//! | `black_hole` | carries links over sockets, until it swallows all that comes |
//! | `cutting` | carries many links over sockets, and cuts them off |

mod black_hole;
mod cutting;
mod editor;
mod relay;
mod requests;
pub(crate) mod split;

pub use black_hole::BlackHole;
pub use cutting::CuttingRelay;
pub use editor::{EDITS, Edit, Editor, numbers};
pub use relay::{CarriedLink, Change, Relay};
pub use requests::Requests;
pub use split::{Frame, Split};
