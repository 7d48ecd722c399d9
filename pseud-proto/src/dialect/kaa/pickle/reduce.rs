//! The few calls in a pickle that are plain data: known by the pair of names and by the shape of their
//! arguments. They are computed here; nothing is called.

use super::node::{Graph, NodeId, PickleNode};
use std::borrow::Cow;

/// What `class(*args)` is, where that is data; else it is an object that nobody makes.
pub(crate) fn reduced<'a>(
    graph: &Graph<'a>,
    class: NodeId,
    args: NodeId,
) -> Option<PickleNode<'a>> {
    let (module, name) = graph.global(class)?;
    let PickleNode::Tuple(all) = graph.get(args) else { return None };
    // A set of nothing has what is in the empty tuple of its arguments.
    let args = if all.is_empty() && name.ends_with("set") { &[args] } else { all.as_slice() };
    match (module, name) {
        ("_codecs", "encode") => encoded(graph, args),
        ("__builtin__" | "builtins", name) => match name {
            "set" | "frozenset" => set(graph, args, name == "frozenset"),
            "complex" => complex(graph, args),
            "bytearray" | "bytes" | "str" => bytes(graph, args),
            _ => None,
        },
        _ => None,
    }
}

/// `_codecs.encode(text, 'latin1')`: how protocols 0 to 2 write the bytes of Python 3.
fn encoded<'a>(graph: &Graph<'a>, args: &[NodeId]) -> Option<PickleNode<'a>> {
    let [text, encoding] = args else { return None };
    if !is_latin_1(graph.text(*encoding)?) {
        return None;
    }
    graph.text(*text)?;
    Some(PickleNode::Latin1(*text))
}

/// `bytearray(text, 'latin-1')`, `bytearray(bytes)`, or none at all.
fn bytes<'a>(graph: &Graph<'a>, args: &[NodeId]) -> Option<PickleNode<'a>> {
    match args {
        [] => Some(PickleNode::Bytes(Cow::Owned(Vec::new()))),
        [one] => match graph.get(*one) {
            PickleNode::Latin1(text) => Some(PickleNode::Latin1(*text)),
            PickleNode::Bytes(Cow::Borrowed(bytes)) => {
                Some(PickleNode::Bytes(Cow::Borrowed(bytes)))
            }
            _ => None,
        },
        [_, _] => encoded(graph, args),
        _ => None,
    }
}

fn is_latin_1(encoding: &str) -> bool {
    matches!(encoding, "latin1" | "latin-1")
}

fn set<'a>(graph: &Graph<'a>, args: &[NodeId], is_frozen: bool) -> Option<PickleNode<'a>> {
    let [items] = args else { return None };
    graph.items(*items)?;
    Some(if is_frozen { PickleNode::FrozenSet(*items) } else { PickleNode::Set(*items) })
}

fn complex<'a>(graph: &Graph<'a>, args: &[NodeId]) -> Option<PickleNode<'a>> {
    let [real, imaginary] = args else { return None };
    match (graph.get(*real), graph.get(*imaginary)) {
        (PickleNode::Float(real), PickleNode::Float(imaginary)) => {
            Some(PickleNode::Complex(*real, *imaginary))
        }
        _ => None,
    }
}
