//! Checked bytes to [`Value`]s. It recurses no deeper than the check allowed.

use super::keys;
use super::value::Value;
use super::wire::{Head, NoHead, Reader};
use bytes::Bytes;

/// Bytes shorter than this are copied: a slice would keep the whole message alive for them.
const SLICE_MIN: usize = 512;

/// One value.
pub(super) fn value(bytes: &Bytes) -> Value {
    Decoder::at(bytes, 0).value().unwrap_or(Value::Nil)
}

/// An array's items.
pub(super) fn args(bytes: &Bytes) -> Vec<Value> {
    match Decoder::at(bytes, 0).value() {
        Ok(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// The map that begins at `border`, with names for keys.
pub(super) fn kwargs(bytes: &Bytes, border: usize) -> Vec<(String, Value)> {
    let Ok(Value::Map(pairs)) = Decoder::at(bytes, border).value() else { return Vec::new() };
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

struct Decoder<'a> {
    owner: &'a Bytes,
    reader: Reader<'a>,
}

impl<'a> Decoder<'a> {
    fn at(owner: &'a Bytes, start: usize) -> Self {
        Self { owner, reader: Reader { rest: owner.get(start..).unwrap_or_default() } }
    }

    fn value(&mut self) -> Result<Value, NoHead> {
        Ok(match self.reader.head()? {
            Head::Nil => Value::Nil,
            Head::Bool(value) => Value::Bool(value),
            Head::Int(value) => Value::Int(value),
            Head::F64(value) => Value::F64(value),
            Head::Str(text) => Value::Str(String::from_utf8_lossy(text).into_owned()),
            Head::Bin(bytes) => Value::Bin(self.bytes(bytes)),
            Head::Array(count) => self.array(count)?,
            Head::Map(count) => self.map(count)?,
            Head::Ext(code, bytes) => Value::Ext(code, self.bytes(bytes)),
        })
    }

    fn array(&mut self, count: u32) -> Result<Value, NoHead> {
        let mut items = Vec::with_capacity(self.at_most(count));
        for _ in 0..count {
            items.push(self.value()?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u32) -> Result<Value, NoHead> {
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

    fn bytes(&self, part: &'a [u8]) -> Bytes {
        match part.len() < SLICE_MIN {
            true => Bytes::copy_from_slice(part),
            false => self.owner.slice_ref(part),
        }
    }
}
