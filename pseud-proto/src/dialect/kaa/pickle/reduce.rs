//! The few calls in a pickle that are plain data: known by the pair of names and by the shape of their
//! arguments. They are computed here; nothing is called.

use super::node::{Graph, Id, Node};
use std::borrow::Cow;

/// What `class(*args)` is, where that is data; else it is an object that nobody makes.
pub(crate) fn reduced<'a>(graph: &Graph<'a>, class: Id, args: Id) -> Option<Node<'a>> {
    let (module, name) = graph.global(class)?;
    let Node::Tuple(all) = graph.get(args) else { return None };
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
fn encoded<'a>(graph: &Graph<'a>, args: &[Id]) -> Option<Node<'a>> {
    let [text, encoding] = args else { return None };
    if !is_latin_1(graph.text(*encoding)?) {
        return None;
    }
    graph.text(*text)?;
    Some(Node::Latin1(*text))
}

/// `bytearray(text, 'latin-1')`, `bytearray(bytes)`, or none at all.
fn bytes<'a>(graph: &Graph<'a>, args: &[Id]) -> Option<Node<'a>> {
    match args {
        [] => Some(Node::Bytes(Cow::Owned(Vec::new()))),
        [one] => match graph.get(*one) {
            Node::Latin1(text) => Some(Node::Latin1(*text)),
            Node::Bytes(Cow::Borrowed(bytes)) => Some(Node::Bytes(Cow::Borrowed(bytes))),
            _ => None,
        },
        [_, _] => encoded(graph, args),
        _ => None,
    }
}

fn is_latin_1(encoding: &str) -> bool {
    matches!(encoding, "latin1" | "latin-1")
}

fn set<'a>(graph: &Graph<'a>, args: &[Id], is_frozen: bool) -> Option<Node<'a>> {
    let [items] = args else { return None };
    graph.items(*items)?;
    Some(if is_frozen { Node::FrozenSet(*items) } else { Node::Set(*items) })
}

fn complex<'a>(graph: &Graph<'a>, args: &[Id]) -> Option<Node<'a>> {
    let [real, imaginary] = args else { return None };
    match (graph.get(*real), graph.get(*imaginary)) {
        (Node::Float(real), Node::Float(imaginary)) => Some(Node::Complex(*real, *imaginary)),
        _ => None,
    }
}
