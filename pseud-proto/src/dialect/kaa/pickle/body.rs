//! A graph to msgpack, the one kind of body that handlers and callers know.

use super::node::{Graph, NodeId, ObjectNode, PickleNode};
use super::read::BadPickle;
use crate::dialect::kaa::dates;
use crate::dialect::kaa::exts;
use crate::value::msgpack::out::{ARRAY, MAP, Out};
use crate::value::{Packed, ValueLimits};

/// What one pickle may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PickleBounds {
    /// Values, each counted as often as it is written.
    pub(crate) nodes_max: usize,
    /// Containers inside each other.
    pub(crate) depth_max: usize,
    /// Bytes, those that are written twice counted twice.
    pub(crate) bytes_max: usize,
}

impl PickleBounds {
    pub(crate) fn new(limits: &ValueLimits, bytes_max: usize) -> Self {
        let (nodes_max, depth_max) = (limits.nodes_max as usize, limits.depth_max.min(64) as usize);
        Self { nodes_max, depth_max, bytes_max }
    }
}

/// Writes parts of a graph.
pub(crate) struct Body<'g, 'a> {
    graph: &'g Graph<'a>,
    bounds: PickleBounds,
    nodes_left: usize,
    bytes_left: usize,
    /// Whether this is a key, or in one: there a dict would have no hash, and the check lets none be. What
    /// an object holds is in none: its class says what its hash is, and it travels as an ext.
    in_key: bool,
}

impl<'g, 'a> Body<'g, 'a> {
    pub(crate) fn new(graph: &'g Graph<'a>, bounds: PickleBounds) -> Self {
        let PickleBounds { nodes_max, bytes_max, .. } = bounds;
        Self { graph, bounds, nodes_left: nodes_max, bytes_left: bytes_max, in_key: false }
    }

    /// One value behind what is there.
    pub(crate) fn value(&mut self, out: &mut Out, id: NodeId) -> Result<(), BadPickle> {
        self.at(out, id, 0)
    }

    fn at(&mut self, out: &mut Out, id: NodeId, depth: usize) -> Result<(), BadPickle> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or(self.too_many())?;
        let graph = self.graph;
        match graph.get(id) {
            PickleNode::None => self.put(out, 1, |out| out.put(&[0xc0])),
            PickleNode::Bool(value) => self.put(out, 1, |out| out.put(&[0xc2 | u8::from(*value)])),
            PickleNode::Int(value) => self.put(out, 9, |out| out.int((*value).into())),
            PickleNode::BigInt(bytes) => match unsigned(bytes) {
                Some(value) => self.put(out, 9, |out| out.unsigned(value)),
                None => self.ext(out, exts::BIG_INT, bytes),
            },
            PickleNode::Float(value) => self.put(out, 9, |out| out.f64(*value)),
            PickleNode::Text(text) => {
                let len = self.len(text.len())?;
                self.put(out, text.len() + 5, |out| out.str(text, len))
            }
            PickleNode::Bytes(bytes) => self.bytes(out, bytes),
            PickleNode::Latin1(text) => self.latin_1(out, *text),
            PickleNode::Tuple(items) | PickleNode::List(items) => self.array(out, items, depth),
            PickleNode::Dict(pairs) => self.map(out, pairs, depth),
            PickleNode::Set(items) => self.set(out, exts::SET, *items, depth),
            PickleNode::FrozenSet(items) => self.set(out, exts::FROZEN_SET, *items, depth),
            PickleNode::Complex(real, imaginary) => {
                let parts = [real.to_be_bytes(), imaginary.to_be_bytes()].concat();
                self.ext(out, exts::COMPLEX, &parts)
            }
            PickleNode::Global(_) => {
                let name = self.class_name(id)?;
                self.nested(out, exts::OBJECT, |this, inner| {
                    this.put(inner, 5, |out| out.head(ARRAY, 1))?;
                    this.text(inner, &name)
                })
            }
            PickleNode::Object(object) => self.object(out, object, depth),
        }
    }

    fn array(&mut self, out: &mut Out, items: &[NodeId], depth: usize) -> Result<(), BadPickle> {
        self.enter(depth)?;
        let count = self.len(items.len())?;
        self.put(out, 5, |out| out.head(ARRAY, count))?;
        items.iter().try_for_each(|item| self.at(out, *item, depth + 1))
    }

    fn map(
        &mut self,
        out: &mut Out,
        pairs: &[(NodeId, NodeId)],
        depth: usize,
    ) -> Result<(), BadPickle> {
        self.enter(depth)?;
        if self.in_key {
            return Err(BadPickle::NotACall("a pickle with a dict for a key"));
        }
        let count = self.len(pairs.len())?;
        self.put(out, 5, |out| out.head(MAP, count))?;
        pairs.iter().try_for_each(|(key, value)| {
            self.in_key = true;
            self.at(out, *key, depth + 1)?;
            self.in_key = false;
            self.at(out, *value, depth + 1)
        })
    }

    fn set(
        &mut self,
        out: &mut Out,
        code: i8,
        items: NodeId,
        depth: usize,
    ) -> Result<(), BadPickle> {
        let graph = self.graph;
        let items = graph.items(items).unwrap_or_default();
        self.nested(out, code, |this, inner| this.array(inner, items, depth + 1))
    }

    /// A date is one; anything else is its class, its arguments, its state, its items and its pairs.
    fn object(
        &mut self,
        out: &mut Out,
        object: &ObjectNode,
        depth: usize,
    ) -> Result<(), BadPickle> {
        if let Some(date) = dates::read(self.graph, object)
            && let Ok(packed) = Packed::result(&date)
        {
            let bytes = packed.as_bytes();
            return self.put(out, bytes.len(), |out| out.put(bytes));
        }
        self.enter(depth)?;
        let name = self.class_name(object.class)?;
        let around = std::mem::take(&mut self.in_key);
        self.nested(out, exts::OBJECT, |this, inner| {
            this.put(inner, 5, |out| out.head(ARRAY, 5))?;
            this.text(inner, &name)?;
            this.at(inner, object.args, depth + 1)?;
            match object.state {
                Some(state) => this.at(inner, state, depth + 1)?,
                None => this.put(inner, 1, |out| out.put(&[0xc0]))?,
            }
            this.array(inner, &object.items, depth + 1)?;
            this.map(inner, &object.pairs, depth + 1)
        })?;
        self.in_key = around;
        Ok(())
    }

    /// One container more inside so many others. A list may be in itself: this is what ends it.
    fn enter(&self, depth: usize) -> Result<(), BadPickle> {
        match depth < self.bounds.depth_max {
            true => Ok(()),
            false => Err(BadPickle::DepthLimit(self.bounds.depth_max)),
        }
    }

    /// `module.name`; empty for what has none, as the result of another call.
    fn class_name(&mut self, class: NodeId) -> Result<String, BadPickle> {
        let Some((module, name)) = self.graph.global(class) else { return Ok(String::new()) };
        self.spend(module.len() + name.len())?;
        Ok(format!("{module}.{name}"))
    }

    fn text(&mut self, out: &mut Out, text: &str) -> Result<(), BadPickle> {
        let len = self.len(text.len())?;
        self.put(out, text.len() + 5, |out| out.str(text, len))
    }

    fn bytes(&mut self, out: &mut Out, bytes: &[u8]) -> Result<(), BadPickle> {
        let len = self.len(bytes.len())?;
        self.put(out, bytes.len() + 5, |out| out.bin(bytes, len))
    }

    fn latin_1(&mut self, out: &mut Out, text: NodeId) -> Result<(), BadPickle> {
        let text = self.graph.text(text).unwrap_or_default();
        self.spend(text.len())?;
        let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        let bytes = bytes.map_err(|_| BadPickle::NotACall("bytes of characters that are none"))?;
        self.bytes(out, &bytes)
    }

    fn ext(&mut self, out: &mut Out, code: i8, bytes: &[u8]) -> Result<(), BadPickle> {
        let len = self.len(bytes.len())?;
        self.put(out, bytes.len() + 6, |out| out.ext(code, bytes, len))
    }

    /// An ext whose content is msgpack.
    fn nested(
        &mut self,
        out: &mut Out,
        code: i8,
        write: impl FnOnce(&mut Self, &mut Out) -> Result<(), BadPickle>,
    ) -> Result<(), BadPickle> {
        let mut inner = Out::new();
        write(self, &mut inner)?;
        self.ext(out, code, inner.as_slice())
    }

    fn put(
        &mut self,
        out: &mut Out,
        bytes: usize,
        write: impl FnOnce(&mut Out),
    ) -> Result<(), BadPickle> {
        self.spend(bytes)?;
        write(out);
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), BadPickle> {
        let max = self.bounds.bytes_max;
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(BadPickle::SizeLimit(max))?;
        Ok(())
    }

    fn len(&self, len: usize) -> Result<u32, BadPickle> {
        u32::try_from(len).map_err(|_| BadPickle::SizeLimit(self.bounds.bytes_max))
    }

    fn too_many(&self) -> BadPickle {
        BadPickle::NodeLimit(self.bounds.nodes_max)
    }
}

/// msgpack's integers reach to 2^64 - 1.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let (low, high) = bytes.split_first_chunk::<8>()?;
    let is_positive = !high.is_empty() && high.iter().all(|byte| *byte == 0);
    is_positive.then(|| u64::from_le_bytes(*low))
}
