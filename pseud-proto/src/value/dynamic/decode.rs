//! Checked bytes to [`Value`]s, exts of one's own among them: Python's `translation_table`. It recurses
//! no deeper than the check allowed.

use super::keys;
use crate::base::stored::Stored;
use crate::value::check::limits::{DEPTH_CEILING, ValueLimits};
use crate::value::check::{BadValue, Check, Root};
use crate::value::datetime::{OutOfRange, timestamp};
use crate::value::dynamic::value::Value;
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::pickle;
use bytes::Bytes;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

/// Bytes shorter than this are copied: what is around them in the message is longer.
const SLICE_MIN: usize = 512;

/// The value at `start`. Checked bytes always hold one.
pub(crate) fn value(bytes: &Stored, start: usize) -> Value {
    ValueDecoder::new(bytes, start, None).value().unwrap_or(Value::Nil)
}

/// The value at `start`, its exts by `table`, whose decoders may refuse them.
pub(crate) fn value_with(
    bytes: &Stored,
    start: usize,
    table: &ExtTable,
) -> Result<Value, BadValue> {
    let nodes_left = Cell::new(ValueLimits::default().nodes_max);
    let budget = ExtBudget { table, depth_left: DEPTH_CEILING as u32, nodes_left: &nodes_left };
    ValueDecoder::new(bytes, start, Some(budget)).value()
}

/// An error where a map of it has a key twice. u-msgpack looks at all keys but arrays.
#[cfg(feature = "rpcudp")]
pub(crate) fn unique_keys(bytes: &[u8]) -> Result<(), BadValue> {
    let stored = Stored::copy_of(bytes);
    let mut decoder = ValueDecoder::new(&stored, 0, None);
    decoder.unique_keys = true;
    decoder.value().map(drop)
}

/// The items of an array.
pub(crate) fn args(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The pairs of a map whose keys are names.
pub(crate) fn kwargs(value: Value) -> Vec<(String, Value)> {
    let Value::Map(pairs) = value else { return Vec::new() };
    let named = pairs.into_iter().filter_map(|(key, value)| Some((name(key)?, value)));
    keys::unique(named.collect(), String::cmp)
}

/// A keyword; Python 2 peers write it as bin.
fn name(key: Value) -> Option<String> {
    match key {
        Value::Str(name) => Some(name),
        Value::Bin(name) => String::from_utf8(name.into()).ok(),
        _ => None,
    }
}

/// Reads values one behind the other.
struct ValueDecoder<'a> {
    whole: &'a [u8],
    /// The buffer that those bytes are, where it can be shared.
    owner: Option<&'a Bytes>,
    reader: HeadReader<'a>,
    budget: Option<ExtBudget<'a>>,
    /// A key that repeats another is an error.
    unique_keys: bool,
}

impl<'a> ValueDecoder<'a> {
    fn new(stored: &'a Stored, start: usize, budget: Option<ExtBudget<'a>>) -> Self {
        let (whole, owner) = (stored.as_slice(), stored.owner());
        Self {
            whole,
            owner,
            reader: HeadReader { rest: whole.get(start..).unwrap_or_default() },
            budget,
            unique_keys: false,
        }
    }

    fn value(&mut self) -> Result<Value, BadValue> {
        let at = self.whole.len() - self.reader.rest.len();
        Ok(match self.reader.head().map_err(|cause| cause.at(at))? {
            Head::Nil => Value::Nil,
            Head::Bool(value) => Value::Bool(value),
            Head::Int(value) => Value::Int(value),
            Head::F64(value) => Value::F64(value),
            Head::Str(text) => Value::Str(String::from_utf8_lossy(text).into_owned()),
            Head::Bin(bytes) => Value::Bin(self.bytes(bytes)),
            Head::Array(count) => self.inside(|inner| inner.array(count))?,
            Head::Map(count) => self.inside(|inner| inner.map(count, at))?,
            Head::Ext(code, bytes) => self.ext(code, bytes).ok_or(BadValue::Ext(at))?,
        })
    }

    fn array(&mut self, count: u32) -> Result<Value, BadValue> {
        let mut items = Vec::with_capacity(self.at_most(count));
        for _ in 0..count {
            items.push(self.value()?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u32, at: usize) -> Result<Value, BadValue> {
        let mut pairs = Vec::with_capacity(self.at_most(count));
        for _ in 0..count {
            pairs.push((self.value()?, self.value()?));
        }
        if self.unique_keys && keys::repeat(&pairs) {
            return Err(BadValue::Key(at));
        }
        Ok(Value::Map(keys::unique(pairs, keys::python_order)))
    }

    /// The check has compared every count with the bytes behind it; so does this.
    fn at_most(&self, count: u32) -> usize {
        (count as usize).min(self.reader.rest.len())
    }

    /// Inside a container there is one level less for what exts hold.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let around = self.budget;
        if let Some(budget) = &mut self.budget {
            budget.depth_left = budget.depth_left.saturating_sub(1);
        }
        let read = read(self);
        self.budget = around;
        read
    }

    /// By the table, else as a date, else as it is.
    fn ext(&self, code: i8, bytes: &'a [u8]) -> Option<Value> {
        if let Some(budget) = self.budget
            && let Some(decode) = budget.table.decoder(code)
        {
            return decode(ExtPayload { bytes, budget }).ok();
        }
        if let Some(moment) = timestamp::read(code, bytes).ok()? {
            return Some(moment.into());
        }
        match pickle::read(code, bytes).ok()?.and_then(|found| found.value()) {
            Some(date) => Some(date),
            None => Some(Value::Ext(code, self.bytes(bytes))),
        }
    }

    /// A slice where that is most of the body, else a copy: whoever keeps a slice keeps the whole
    /// message alive.
    fn bytes(&self, part: &'a [u8]) -> Bytes {
        match self.owner {
            Some(owner) if part.len() >= SLICE_MIN && part.len() >= owner.len() / 2 => {
                owner.slice_ref(part)
            }
            _ => Bytes::copy_from_slice(part),
        }
    }
}

/// How one ext becomes a value.
pub type DecodeExt = fn(ExtPayload<'_>) -> Result<Value, BadExt>;

/// An ext whose decoder refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bad ext")]
pub struct BadExt;

/// Decoders by ext code, merged over the defaults (dates at 123 to 126): what
/// `translation_table={code: (class, pack, unpack)}` is in Python. Both peers need the same one.
///
/// It serves dynamic values. A type of one's own is an [`Ext`](crate::value::Ext) inside, for serde.
#[derive(Debug, Clone, Default)]
pub struct ExtTable {
    decoders: BTreeMap<i8, DecodeExt>,
}

impl ExtTable {
    /// The defaults alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes exts of that code, 0 to 127, by that function; one that was there is replaced.
    pub fn register(&mut self, code: i8, decode: DecodeExt) -> Result<&mut Self, OutOfRange> {
        if code < 0 {
            return Err(OutOfRange("ext code"));
        }
        self.decoders.insert(code, decode);
        Ok(self)
    }

    pub(crate) fn decoder(&self, code: i8) -> Option<DecodeExt> {
        self.decoders.get(&code).copied()
    }
}

/// What an ext holds, for its decoder.
#[derive(Clone, Copy)]
pub struct ExtPayload<'a> {
    bytes: &'a [u8],
    budget: ExtBudget<'a>,
}

/// What is left for values inside exts: they may not be deeper, or more, than without the exts.
#[derive(Clone, Copy)]
struct ExtBudget<'a> {
    table: &'a ExtTable,
    depth_left: u32,
    nodes_left: &'a Cell<u32>,
}

impl<'a> ExtPayload<'a> {
    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The one value that it holds as msgpack. Its depth counts on top of the containers and exts
    /// around it, so exts inside exts end where containers would.
    pub fn value(&self) -> Result<Value, BadExt> {
        let ExtBudget { table, depth_left, nodes_left } = self.budget;
        let depth_left = depth_left.checked_sub(1).ok_or(BadExt)?;
        let limits = ValueLimits {
            depth_max: depth_left,
            nodes_max: nodes_left.get(),
            ext_bytes_max: self.bytes.len(),
        };
        let mut check = Check::new(self.bytes, &limits);
        check.value(Root::Any).and_then(|()| check.end()).map_err(|_: BadValue| BadExt)?;
        nodes_left.set(check.nodes_left());
        let owner = Stored::copy_of(self.bytes);
        let budget = ExtBudget { table, depth_left, nodes_left };
        ValueDecoder::new(&owner, 0, Some(budget)).value().map_err(|_| BadExt)
    }
}

impl fmt::Debug for ExtPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtPayload({} bytes)", self.bytes.len())
    }
}
