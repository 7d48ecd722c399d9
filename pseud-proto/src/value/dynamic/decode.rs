//! Checked bytes to [`Value`]s. It recurses no deeper than the check allowed.

use super::keys;
use crate::value::check::BadValue;
use crate::value::check::limits::{DEPTH_CEILING, ValueLimits};
use crate::value::dynamic::value::Value;
use crate::value::ext::{Budget, ExtPayload, ExtTable};
use crate::value::msgpack::head::{Head, Reader};
use crate::value::pickle;
use bytes::Bytes;
use std::cell::Cell;

/// Bytes shorter than this are copied: what is around them in the message is longer.
const SLICE_MIN: usize = 512;

/// The value at `start`. Checked bytes always hold one.
pub(crate) fn value(bytes: &Bytes, start: usize) -> Value {
    Decoder::new(bytes, start, None).value().unwrap_or(Value::Nil)
}

/// The value at `start`, its exts by `table`, whose decoders may refuse them.
pub(crate) fn value_with(bytes: &Bytes, start: usize, table: &ExtTable) -> Result<Value, BadValue> {
    let nodes_left = Cell::new(ValueLimits::default().nodes_max);
    let budget = Budget { table, depth_left: DEPTH_CEILING as u32, nodes_left: &nodes_left };
    Decoder::new(bytes, start, Some(budget)).value()
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
pub(crate) struct Decoder<'a> {
    owner: &'a Bytes,
    reader: Reader<'a>,
    budget: Option<Budget<'a>>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(owner: &'a Bytes, start: usize, budget: Option<Budget<'a>>) -> Self {
        Self { owner, reader: Reader { rest: owner.get(start..).unwrap_or_default() }, budget }
    }

    pub(crate) fn value(&mut self) -> Result<Value, BadValue> {
        let at = self.owner.len() - self.reader.rest.len();
        Ok(match self.reader.head().map_err(|cause| cause.at(at))? {
            Head::Nil => Value::Nil,
            Head::Bool(value) => Value::Bool(value),
            Head::Int(value) => Value::Int(value),
            Head::F64(value) => Value::F64(value),
            Head::Str(text) => Value::Str(String::from_utf8_lossy(text).into_owned()),
            Head::Bin(bytes) => Value::Bin(self.bytes(bytes)),
            Head::Array(count) => self.inside(|inner| inner.array(count))?,
            Head::Map(count) => self.inside(|inner| inner.map(count))?,
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

    fn map(&mut self, count: u32) -> Result<Value, BadValue> {
        let mut pairs = Vec::with_capacity(self.at_most(count));
        for _ in 0..count {
            pairs.push((self.value()?, self.value()?));
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
        match pickle::read(code, bytes).ok()?.and_then(|found| found.value()) {
            Some(date) => Some(date),
            None => Some(Value::Ext(code, self.bytes(bytes))),
        }
    }

    /// A slice where that is most of the body, else a copy: whoever keeps a slice keeps the whole
    /// message alive.
    fn bytes(&self, part: &'a [u8]) -> Bytes {
        match part.len() >= SLICE_MIN && part.len() >= self.owner.len() / 2 {
            true => self.owner.slice_ref(part),
            false => Bytes::copy_from_slice(part),
        }
    }
}
