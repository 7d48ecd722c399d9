//! What a pickle says, as a graph.

use std::borrow::Cow;

/// A place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u32);

/// One thing that a pickle says. None holds a copy of another: what a node takes is bounded by the bytes
/// of its own opcode, whatever a memo makes of it.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// Of more than 64 bits: two's complement, the lowest byte first.
    BigInt(Cow<'a, [u8]>),
    Float(f64),
    /// Text, or a `str` of Python 2 that is ASCII: there the two are equal.
    Text(Cow<'a, str>),
    /// Bytes, or a `str` of Python 2 that is not ASCII.
    Bytes(Cow<'a, [u8]>),
    /// A text whose characters are bytes: it is turned into these where it is written.
    Latin1(Id),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    /// A `set` of the items of that tuple or list.
    Set(Id),
    /// A `frozenset`, likewise.
    FrozenSet(Id),
    Dict(Vec<(Id, Id)>),
    Complex(f64, f64),
    /// A class or a function by its name.
    Global(Global),
    /// What would be made by a call.
    Object(Box<Object>),
}

/// A module and a name in it: two texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Global {
    pub(crate) module: Id,
    pub(crate) name: Id,
}

/// What was said about an object: nobody has made it.
#[derive(Debug)]
pub(crate) struct Object {
    /// What would be called.
    pub(crate) class: Id,
    /// With what.
    pub(crate) args: Id,
    /// What it would be given then.
    pub(crate) state: Option<Id>,
    /// What would be appended.
    pub(crate) items: Vec<Id>,
    /// What would be set.
    pub(crate) pairs: Vec<(Id, Id)>,
}

/// All nodes of one pickle.
#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn add(&mut self, node: Node<'a>) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    /// Ids come from this graph alone: there is always a node.
    pub(crate) fn get(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::None)
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut Node<'a>> {
        self.nodes.get_mut(id.0 as usize)
    }

    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a tuple or a list.
    pub(crate) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The module and the name of a global.
    pub(crate) fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.get(id) {
            Node::Global(Global { module, name }) => self.text(*module).zip(self.text(*name)),
            _ => None,
        }
    }

    pub(crate) fn object(&self, id: Id) -> Option<&Object> {
        match self.get(id) {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What a dict holds under that name; of several the last.
    pub(crate) fn value_of(&self, dict: Id, name: &str) -> Option<Id> {
        let Node::Dict(pairs) = self.get(dict) else { return None };
        let (_, value) = pairs.iter().rev().find(|(key, _)| self.text(*key) == Some(name))?;
        Some(*value)
    }
}

/// What a `str` of Python 2 is here.
pub(crate) fn python2_str(bytes: Cow<'_, [u8]>) -> Node<'_> {
    match bytes {
        bytes if !bytes.is_ascii() => Node::Bytes(bytes),
        Cow::Borrowed(bytes) => Node::Text(String::from_utf8_lossy(bytes)),
        Cow::Owned(bytes) => Node::Text(String::from_utf8(bytes).unwrap_or_default().into()),
    }
}

/// An integer from its two's complement, lowest byte first.
pub(crate) fn integer(bytes: Cow<'_, [u8]>) -> Node<'_> {
    let is_negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let fill = if is_negative { 0xff } else { 0 };
    let used = bytes.iter().rposition(|byte| *byte != fill).map_or(0, |last| last + 1);
    let mut wide = [fill; 8];
    match wide.get_mut(..used).zip(bytes.get(..used)) {
        Some((place, low)) => place.copy_from_slice(low),
        None => return Node::BigInt(bytes),
    }
    let value = i64::from_le_bytes(wide);
    // The 64th bit may be another one's than the sign's.
    match (value < 0) == is_negative {
        true => Node::Int(value),
        false => Node::BigInt(bytes),
    }
}
