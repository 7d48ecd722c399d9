//! What everything stands on: tables, budgets, deadlines, addresses. No meaning.

pub mod address;
pub mod backoff;
pub(crate) mod budget;
pub(crate) mod deadline;
pub(crate) mod heap_room;
pub(crate) mod name;
pub(crate) mod pieces;
pub(crate) mod progress;
pub(crate) mod secret;
pub(crate) mod side;
pub(crate) mod slab;
pub(crate) mod stored;
pub(crate) mod text;
