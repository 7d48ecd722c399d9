//! Opcodes to a graph. Their numbers and meanings are CPython's (`Lib/pickletools.py`).

use super::line;
use super::node::{Global, Graph, NodeId, ObjectNode, PickleNode, integer, python2_str};
use super::reduce::reduced;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is wrong with a pickle. The number is the byte at which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPickle {
    #[error("a pickle that ends too early")]
    Truncated,
    #[error("a pickle with an opcode that is not read (0x{opcode:02x} at byte {at})")]
    Opcode { opcode: u8, at: usize },
    #[error("a pickle whose opcode at byte {0} finds something else than it needs")]
    Shape(usize),
    #[error("a pickle with a bad argument at byte {0}")]
    Argument(usize),
    #[error("a pickle with bytes behind its end")]
    ExtraData,
    #[error("a pickle of more than {0} values")]
    NodeLimit(usize),
    #[error("a pickle of more than {0} containers inside each other, or around themselves")]
    DepthLimit(usize),
    #[error("a pickle that unfolds to more than {0} bytes")]
    SizeLimit(usize),
    #[error("{0}")]
    NotACall(&'static str),
}

/// Reads one pickle, which says no more than `nodes_max` things.
pub(crate) fn read(bytes: &[u8], nodes_max: usize) -> Result<(Graph<'_>, NodeId), BadPickle> {
    let mut machine = Machine {
        whole: bytes,
        at: 0,
        opcode_at: 0,
        frame_end: None,
        nodes_max,
        graph: Graph::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
    };
    let root = loop {
        if let Some(root) = machine.step()? {
            break root;
        }
    };
    match machine.at == bytes.len() {
        true => Ok((machine.graph, root)),
        false => Err(BadPickle::ExtraData),
    }
}

struct Machine<'a> {
    whole: &'a [u8],
    at: usize,
    /// Where the opcode began that is being read.
    opcode_at: usize,
    /// Where the frame ends that was begun: no opcode may lie across that.
    frame_end: Option<usize>,
    nodes_max: usize,
    graph: Graph<'a>,
    stack: Vec<NodeId>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, NodeId>,
}

impl<'a> Machine<'a> {
    /// One opcode; the root, once that was STOP.
    fn step(&mut self) -> Result<Option<NodeId>, BadPickle> {
        self.opcode_at = self.at;
        let framed = self.frame_end.filter(|end| self.at < *end);
        let [opcode] = self.fixed()?;
        match opcode {
            b'.' => {
                let root = self.pop()?;
                return match self.stack.is_empty() && self.marks.is_empty() {
                    true => Ok(Some(root)),
                    false => Err(self.shape()),
                };
            }
            0x80 => self.protocol()?,
            0x95 => self.frame(framed)?,
            b'(' => self.mark()?,
            b'0' => self.pop_one()?,
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'p' | b'q' | b'r' | 0x94 => self.memoize(opcode)?,
            b'g' | b'h' | b'j' => self.recall(opcode)?,
            b'a' | b'e' | 0x90 | b's' | b'u' | b'b' => self.fill(opcode)?,
            b'c' | 0x93 | b'R' | b'i' | b'o' | 0x81 | 0x92 => self.make(opcode)?,
            b't' | b')' | 0x85..=0x87 | b'l' | b']' | b'd' | b'}' | 0x8f | 0x91 => {
                self.container(opcode)?;
            }
            _ => self.scalar(opcode)?,
        }
        match framed {
            Some(end) if opcode != 0x95 && self.at > end => Err(self.argument()),
            _ => Ok(None),
        }
    }

    fn protocol(&mut self) -> Result<(), BadPickle> {
        match self.fixed()? {
            [0..=5] => Ok(()),
            _ => Err(self.argument()),
        }
    }

    /// FRAME: one at a time, and no longer than what is there.
    fn frame(&mut self, open: Option<usize>) -> Result<(), BadPickle> {
        let len = usize::try_from(u64::from_le_bytes(self.fixed()?));
        let end = len.ok().and_then(|len| self.at.checked_add(len));
        match end.filter(|end| *end <= self.whole.len()) {
            Some(end) if open.is_none() => self.frame_end = Some(end),
            _ => return Err(self.argument()),
        }
        Ok(())
    }

    /// MARK. Each that makes something makes a value: there are no more of them than of those.
    fn mark(&mut self) -> Result<(), BadPickle> {
        if self.marks.len() >= self.nodes_max {
            return Err(BadPickle::NodeLimit(self.nodes_max));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_one(&mut self) -> Result<(), BadPickle> {
        // POP behind a MARK takes the mark away.
        match self.marks.last() {
            Some(mark) if *mark == self.stack.len() => drop(self.marks.pop()),
            _ => drop(self.pop()?),
        }
        Ok(())
    }

    /// PUT, BINPUT, LONG_BINPUT, MEMOIZE. An index over what a pickle of that length can need is no
    /// pickler's.
    fn memoize(&mut self, opcode: u8) -> Result<(), BadPickle> {
        let index = match opcode {
            0x94 => self.memo.len() as u32,
            b'p' => self.memo_line()?,
            b'q' => u32::from(u8::from_le_bytes(self.fixed()?)),
            _ => u32::from_le_bytes(self.fixed()?),
        };
        if index as usize >= self.whole.len() {
            return Err(self.argument());
        }
        let top = self.top()?;
        // A byte each: a pickler memorizes each thing once.
        if self.memo.len() >= self.nodes_max && !self.memo.contains_key(&index) {
            return Err(BadPickle::NodeLimit(self.nodes_max));
        }
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), BadPickle> {
        let index = match opcode {
            b'g' => self.memo_line()?,
            b'h' => u32::from(u8::from_le_bytes(self.fixed()?)),
            _ => u32::from_le_bytes(self.fixed()?),
        };
        let known = self.memo.get(&index).copied().ok_or(self.argument())?;
        self.stack.push(known);
        Ok(())
    }

    fn memo_line(&mut self) -> Result<u32, BadPickle> {
        line::index(self.line()?).ok_or(self.argument())
    }

    fn scalar(&mut self, opcode: u8) -> Result<(), BadPickle> {
        let node = match opcode {
            b'N' => PickleNode::None,
            0x88 => PickleNode::Bool(true),
            0x89 => PickleNode::Bool(false),
            b'K' => PickleNode::Int(i64::from(u8::from_le_bytes(self.fixed()?))),
            b'M' => PickleNode::Int(i64::from(u16::from_le_bytes(self.fixed()?))),
            b'J' => PickleNode::Int(i64::from(i32::from_le_bytes(self.fixed()?))),
            b'I' => line::int(self.line()?).ok_or(self.argument())?,
            b'L' => line::long(self.line()?).ok_or(self.argument())?,
            0x8a => integer(Cow::Borrowed(self.sized1()?)),
            0x8b => integer(Cow::Borrowed(self.sized4()?)),
            b'F' => line::float(self.line()?).ok_or(self.argument())?,
            b'G' => PickleNode::Float(f64::from_be_bytes(self.fixed()?)),
            b'S' => line::string(self.line()?).ok_or(self.argument())?,
            b'T' => python2_str(Cow::Borrowed(self.sized4()?)),
            b'U' => python2_str(Cow::Borrowed(self.sized1()?)),
            b'V' => line::unicode(self.line()?).ok_or(self.argument())?,
            b'X' => self.sized4().and_then(|text| self.text(text))?,
            0x8c => self.sized1().and_then(|text| self.text(text))?,
            0x8d => self.sized8().and_then(|text| self.text(text))?,
            b'B' => PickleNode::Bytes(Cow::Borrowed(self.sized4()?)),
            b'C' => PickleNode::Bytes(Cow::Borrowed(self.sized1()?)),
            0x8e | 0x96 => PickleNode::Bytes(Cow::Borrowed(self.sized8()?)),
            // Among them what asks for more than these bytes: PERSID, EXT, NEXT_BUFFER.
            opcode => return Err(BadPickle::Opcode { opcode, at: self.opcode_at }),
        };
        self.push(node)
    }

    fn container(&mut self, opcode: u8) -> Result<(), BadPickle> {
        let node = match opcode {
            b')' => PickleNode::Tuple(Vec::new()),
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let start = self.stack.len().checked_sub(count).filter(|at| *at >= self.floor());
                PickleNode::Tuple(self.stack.split_off(start.ok_or(self.shape())?))
            }
            b't' => PickleNode::Tuple(self.pop_to_mark()?),
            b']' => PickleNode::List(Vec::new()),
            b'l' => PickleNode::List(self.pop_to_mark()?),
            b'}' => PickleNode::Dict(Vec::new()),
            b'd' => {
                let items = self.pop_to_mark()?;
                PickleNode::Dict(self.pairs(&items)?)
            }
            0x8f => PickleNode::Set(self.add(PickleNode::List(Vec::new()))?),
            _ => {
                let items = self.pop_to_mark()?;
                PickleNode::FrozenSet(self.add(PickleNode::List(items))?)
            }
        };
        self.push(node)
    }

    /// APPEND, APPENDS, ADDITEMS, SETITEM, SETITEMS, BUILD: what is on top goes into what is below.
    fn fill(&mut self, opcode: u8) -> Result<(), BadPickle> {
        let mut values = match opcode {
            b'e' | b'u' | 0x90 => self.pop_to_mark()?,
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => vec![self.pop()?],
        };
        let pairs = match opcode {
            b's' | b'u' => self.pairs(&values)?,
            _ => Vec::new(),
        };
        let shape = self.shape();
        let mut into = self.top()?;
        if opcode == 0x90
            && let PickleNode::Set(items) = self.graph.get(into)
        {
            into = *items;
        }
        match (opcode, self.graph.get_mut(into)) {
            (b'a' | b'e' | 0x90, Some(PickleNode::List(items))) => items.append(&mut values),
            (b'a' | b'e', Some(PickleNode::Object(object))) => object.items.append(&mut values),
            (b's' | b'u', Some(PickleNode::Dict(known))) => known.extend(pairs),
            (b's' | b'u', Some(PickleNode::Object(object))) => object.pairs.extend(pairs),
            (b'b', Some(PickleNode::Object(object))) => object.state = values.pop(),
            _ => return Err(shape),
        }
        Ok(())
    }

    /// GLOBAL, STACK_GLOBAL; REDUCE, NEWOBJ, NEWOBJ_EX; INST and OBJ of Python 2.
    fn make(&mut self, opcode: u8) -> Result<(), BadPickle> {
        match opcode {
            b'c' => {
                let global = self.global()?;
                self.push(global)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                if self.graph.text(module).is_none() || self.graph.text(name).is_none() {
                    return Err(self.shape());
                }
                self.push(PickleNode::Global(Global { module, name }))
            }
            b'i' => {
                let class = self.global()?;
                let args = self.pop_to_mark()?;
                let class = self.add(class)?;
                self.call(class, args)
            }
            b'o' => {
                let mut args = self.pop_to_mark()?;
                if args.is_empty() {
                    return Err(self.shape());
                }
                let class = args.remove(0);
                self.call(class, args)
            }
            _ => {
                let keywords = if opcode == 0x92 { Some(self.pop()?) } else { None };
                let (args, class) = (self.pop()?, self.pop()?);
                let node = match reduced(&self.graph, class, args) {
                    Some(node) if keywords.is_none() => node,
                    _ => PickleNode::Object(Box::new(object(class, args, keywords))),
                };
                self.push(node)
            }
        }
    }

    fn call(&mut self, class: NodeId, args: Vec<NodeId>) -> Result<(), BadPickle> {
        let args = self.add(PickleNode::Tuple(args))?;
        self.push(PickleNode::Object(Box::new(object(class, args, None))))
    }

    fn global(&mut self) -> Result<PickleNode<'a>, BadPickle> {
        let (module, name) = (self.line()?, self.line()?);
        let (module, name) = (self.text(module)?, self.text(name)?);
        Ok(PickleNode::Global(Global { module: self.add(module)?, name: self.add(name)? }))
    }

    fn pairs(&self, items: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, BadPickle> {
        let (pairs, rest) = items.as_chunks::<2>();
        match rest {
            [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
            _ => Err(self.shape()),
        }
    }

    fn text(&self, bytes: &'a [u8]) -> Result<PickleNode<'a>, BadPickle> {
        let text = std::str::from_utf8(bytes).map_err(|_| self.argument())?;
        Ok(PickleNode::Text(text.into()))
    }

    fn add(&mut self, node: PickleNode<'a>) -> Result<NodeId, BadPickle> {
        match self.graph.len() < self.nodes_max {
            true => Ok(self.graph.add(node)),
            false => Err(BadPickle::NodeLimit(self.nodes_max)),
        }
    }

    fn push(&mut self, node: PickleNode<'a>) -> Result<(), BadPickle> {
        let id = self.add(node)?;
        self.stack.push(id);
        Ok(())
    }

    /// What lies below the last mark is not to be taken.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<NodeId, BadPickle> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.floor() => Ok(*top),
            _ => Err(self.shape()),
        }
    }

    fn pop(&mut self) -> Result<NodeId, BadPickle> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<NodeId>, BadPickle> {
        let mark = self.marks.pop().ok_or(self.shape())?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn shape(&self) -> BadPickle {
        BadPickle::Shape(self.opcode_at)
    }

    fn argument(&self) -> BadPickle {
        BadPickle::Argument(self.opcode_at)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], BadPickle> {
        let rest = self.whole.get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or(BadPickle::Truncated)?;
        self.at += len;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], BadPickle> {
        self.take(N)?.try_into().map_err(|_| BadPickle::Truncated)
    }

    fn line(&mut self) -> Result<&'a [u8], BadPickle> {
        let rest = self.whole.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or(BadPickle::Truncated)?;
        let line = self.take(len)?;
        self.at += 1;
        Ok(line)
    }

    fn sized1(&mut self) -> Result<&'a [u8], BadPickle> {
        let len = u8::from_le_bytes(self.fixed()?);
        self.take(usize::from(len))
    }

    fn sized4(&mut self) -> Result<&'a [u8], BadPickle> {
        let len = u32::from_le_bytes(self.fixed()?);
        self.take(len as usize)
    }

    fn sized8(&mut self) -> Result<&'a [u8], BadPickle> {
        let len = u64::from_le_bytes(self.fixed()?);
        self.take(usize::try_from(len).map_err(|_| BadPickle::Truncated)?)
    }
}

fn object(class: NodeId, args: NodeId, keywords: Option<NodeId>) -> ObjectNode {
    ObjectNode { class, args, state: keywords, items: Vec::new(), pairs: Vec::new() }
}
