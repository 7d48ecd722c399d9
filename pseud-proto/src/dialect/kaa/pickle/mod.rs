//! Pickles as data: read from protocols 0 to 5, written in 2.
//!
//! Nothing is ever looked up, constructed or called. What a pickle says is kept as a graph of nodes:
//! [`read`] runs the opcodes over a stack of places in that graph, [`body`] walks over the graph and
//! writes msgpack, with every node that is shared written as often as it is met, within bounds. A class
//! is a pair of names; an object is what was said about it.

pub(crate) mod body;
mod line;
pub(crate) mod node;
pub(crate) mod read;
mod reduce;
pub(crate) mod shown;
pub(crate) mod write;
