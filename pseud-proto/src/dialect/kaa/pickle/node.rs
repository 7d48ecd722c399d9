//! What a pickle says, as a graph.

use std::borrow::Cow;

/// Pairs of a dict among which a name is looked for: frames and exceptions have fewer.
const PAIRS_LOOKED_AT: usize = 64;

/// A place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// One thing that a pickle says. None holds a copy of another: what a node takes is bounded by the bytes
/// of its own opcode, whatever a memo makes of it.
#[derive(Debug)]
pub(crate) enum PickleNode<'a> {
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
    Latin1(NodeId),
    Tuple(Vec<NodeId>),
    List(Vec<NodeId>),
    /// A `set` of the items of that tuple or list.
    Set(NodeId),
    /// A `frozenset`, likewise.
    FrozenSet(NodeId),
    Dict(Vec<(NodeId, NodeId)>),
    Complex(f64, f64),
    /// A class or a function by its name.
    Global(Global),
    /// What would be made by a call.
    Object(Box<ObjectNode>),
}

/// A module and a name in it: two texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Global {
    pub(crate) module: NodeId,
    pub(crate) name: NodeId,
}

/// What was said about an object: nobody has made it.
#[derive(Debug)]
pub(crate) struct ObjectNode {
    /// What would be called.
    pub(crate) class: NodeId,
    /// With what.
    pub(crate) args: NodeId,
    /// What it would be given then.
    pub(crate) state: Option<NodeId>,
    /// What would be appended.
    pub(crate) items: Vec<NodeId>,
    /// What would be set.
    pub(crate) pairs: Vec<(NodeId, NodeId)>,
}

/// All nodes of one pickle.
#[derive(Debug, Default)]
pub(crate) struct Graph<'a> {
    nodes: Vec<PickleNode<'a>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn add(&mut self, node: PickleNode<'a>) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    /// Ids come from this graph alone: there is always a node.
    pub(crate) fn get(&self, id: NodeId) -> &PickleNode<'a> {
        self.nodes.get(id.0 as usize).unwrap_or(&PickleNode::None)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut PickleNode<'a>> {
        self.nodes.get_mut(id.0 as usize)
    }

    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match self.get(id) {
            PickleNode::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a tuple or a list.
    pub(crate) fn items(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.get(id) {
            PickleNode::Tuple(items) | PickleNode::List(items) => Some(items),
            _ => None,
        }
    }

    /// The module and the name of a global.
    pub(crate) fn global(&self, id: NodeId) -> Option<(&str, &str)> {
        match self.get(id) {
            PickleNode::Global(Global { module, name }) => self.text(*module).zip(self.text(*name)),
            _ => None,
        }
    }

    pub(crate) fn object(&self, id: NodeId) -> Option<&ObjectNode> {
        match self.get(id) {
            PickleNode::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What a dict holds under that name; of several the last. Only its last [`PAIRS_LOOKED_AT`] pairs
    /// are looked at: a dict may be shared by as many as ask.
    pub(crate) fn value_of(&self, dict: NodeId, name: &str) -> Option<NodeId> {
        let PickleNode::Dict(pairs) = self.get(dict) else { return None };
        let (_, value) = pairs
            .iter()
            .rev()
            .take(PAIRS_LOOKED_AT)
            .find(|(key, _)| self.text(*key) == Some(name))?;
        Some(*value)
    }
}

/// What a `str` of Python 2 is here.
pub(crate) fn python2_str(bytes: Cow<'_, [u8]>) -> PickleNode<'_> {
    match bytes {
        bytes if !bytes.is_ascii() => PickleNode::Bytes(bytes),
        Cow::Borrowed(bytes) => PickleNode::Text(String::from_utf8_lossy(bytes)),
        Cow::Owned(bytes) => PickleNode::Text(String::from_utf8(bytes).unwrap_or_default().into()),
    }
}

/// An integer from its two's complement, lowest byte first.
pub(crate) fn integer(bytes: Cow<'_, [u8]>) -> PickleNode<'_> {
    let is_negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
    let fill = if is_negative { 0xff } else { 0 };
    let used = bytes.iter().rposition(|byte| *byte != fill).map_or(0, |last| last + 1);
    let mut wide = [fill; 8];
    match wide.get_mut(..used).zip(bytes.get(..used)) {
        Some((place, low)) => place.copy_from_slice(low),
        None => return PickleNode::BigInt(bytes),
    }
    let value = i64::from_le_bytes(wide);
    // The 64th bit may be another one's than the sign's.
    match (value < 0) == is_negative {
        true => PickleNode::Int(value),
        false => PickleNode::BigInt(bytes),
    }
}
