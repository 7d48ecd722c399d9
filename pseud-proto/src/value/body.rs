//! Bodies: bytes that were not looked at yet, and bytes that were checked.

use super::de;
use super::ser;
use crate::base::slab::Key;
use crate::base::stored::Stored;
use crate::value::check::exts;
use crate::value::check::exts::Risk;
use crate::value::check::flat;
use crate::value::check::limits::{Size, ValueLimits};
use crate::value::check::{BadValue, Check, ExtSummary, Root};
use crate::value::de::{BadArguments, Mismatch};
use crate::value::dynamic::decode;
use crate::value::dynamic::decode::ExtTable;
use crate::value::dynamic::value::Value;
use crate::value::msgpack::edges;
use crate::value::ser::EncodeError;
use crate::value::shared::sharing;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A body as it came: nobody has looked at it yet.
///
/// A short one lies in its place; a longer one keeps alive what it came in.
#[derive(Clone)]
pub struct Unchecked {
    bytes: Stored,
    sender: Option<Key>,
}

impl Unchecked {
    /// All of `bytes`.
    #[inline]
    pub fn new(bytes: Bytes) -> Self {
        Self::stored(Stored::Shared(bytes))
    }

    #[inline]
    pub(crate) fn stored(bytes: Stored) -> Self {
        Self { bytes, sender: None }
    }

    /// Whose it is: a session's slot.
    pub(crate) fn with_sender(mut self, sender: Key) -> Self {
        self.sender = Some(sender);
        self
    }

    pub(crate) fn sender(&self) -> Option<Key> {
        self.sender
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Exactly one value: a result, or any other body.
    #[inline]
    pub fn check(self, limits: &ValueLimits) -> Result<Packed, BadValue> {
        match flat::value(self.as_bytes(), limits) {
            Some(size) => Ok(Packed::plain(self.bytes, size, BodyShape::Value)),
            None => self.check_any(limits),
        }
    }

    fn check_any(self, limits: &ValueLimits) -> Result<Packed, BadValue> {
        let mut check = Check::new(self.as_bytes(), limits);
        check.value(Root::Any)?;
        check.end()?;
        let found = check.found();
        Ok(Packed::new(self.bytes, found, BodyShape::Value))
    }

    /// Exactly an array of arguments and a map of keyword arguments behind it: what follows the
    /// name in a WORK body, `[name, args, kwargs]`. Keywords are str, or bin from Python 2 peers.
    ///
    /// Each of the two may be as deep as [`ValueLimits::depth_max`]; they share
    /// [`ValueLimits::nodes_max`].
    #[inline]
    pub fn check_call(self, limits: &ValueLimits) -> Result<Arguments, BadValue> {
        let Both { border, end, found } = self.check_both(limits)?;
        if end < self.as_bytes().len() {
            return Err(BadValue::ExtraData(end));
        }
        Ok(Arguments { packed: Packed::new(self.bytes, found, BodyShape::Call), border })
    }

    /// The same, and what lies behind them, which is not looked at.
    pub(crate) fn check_call_before(
        self,
        limits: &ValueLimits,
    ) -> Result<(Arguments, Bytes), BadValue> {
        let Both { border, end, found } = self.check_both(limits)?;
        let mut bytes = self.bytes.into_bytes();
        let rest = bytes.split_off(end.min(bytes.len()));
        let bytes = Stored::Shared(bytes);
        Ok((Arguments { packed: Packed::new(bytes, found, BodyShape::Call), border }, rest))
    }

    #[inline]
    fn check_both(&self, limits: &ValueLimits) -> Result<Both, BadValue> {
        match flat::call(self.as_bytes(), limits) {
            Some((border, size)) => {
                Ok(Both { border, end: border + 1, found: ExtSummary::none(size) })
            }
            None => self.check_any_both(limits),
        }
    }

    fn check_any_both(&self, limits: &ValueLimits) -> Result<Both, BadValue> {
        let mut check = Check::new(self.as_bytes(), limits);
        check.value(Root::Arguments)?;
        let border = check.offset();
        check.value(Root::Keywords)?;
        Ok(Both { border, end: check.offset(), found: check.found() })
    }

    /// The value that stands first, as u-msgpack reads it: exts of negative codes pass, and what lies
    /// behind the value is not looked at.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn check_first(self, limits: &ValueLimits) -> Result<Packed, BadValue> {
        let mut check = Check::new(self.as_bytes(), limits).with_negative_exts(true);
        check.value(Root::Any)?;
        let (end, found) = (check.offset(), check.found());
        let mut bytes = self.bytes.into_bytes();
        bytes.truncate(end);
        Ok(Packed::new(Stored::Shared(bytes), found, BodyShape::Value))
    }

    /// An array of arguments, with exts of negative codes, as [`Arguments`] without keywords.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn check_positional(self, limits: &ValueLimits) -> Result<Arguments, BadValue> {
        let mut check = Check::new(self.as_bytes(), limits).with_negative_exts(true);
        check.value(Root::Arguments)?;
        check.end()?;
        let (border, found) = (check.offset(), check.found());
        let bytes = Stored::Shared([self.as_bytes(), &[0x80]].concat().into());
        Ok(Arguments { packed: Packed::new(bytes, found, BodyShape::Call), border })
    }
}

impl fmt::Debug for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unchecked({} bytes)", self.as_bytes().len())
    }
}

/// Arguments and keyword arguments: where the latter begin, and where they end.
struct Both {
    border: usize,
    end: usize,
    found: ExtSummary,
}

/// Checked msgpack: a result, or arguments and keyword arguments one behind the other.
///
/// It comes from [`Unchecked::check`] or from encoding, so decoding it is never deeper than
/// [`ValueLimits::depth_max`]. Dates in it are pickles of protocol 4, whatever they came in: a
/// Python 3.6 peer that it may be forwarded to dies of 5.
#[derive(Clone)]
pub struct Packed {
    bytes: Stored,
    /// Of exts 123 to 126 it has dates alone, and maybe zones by their keys.
    closed: bool,
    /// A date in it has a zone by its key.
    zone_key: bool,
    shape: BodyShape,
    size: Size,
}

/// What the bytes are: the one must not be sent as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyShape {
    /// One value.
    Value,
    /// Arguments and keyword arguments.
    Call,
}

impl Packed {
    /// Without exts.
    #[inline]
    fn plain(bytes: Stored, size: Size, shape: BodyShape) -> Self {
        Self { bytes, closed: true, zone_key: false, shape, size }
    }

    /// Empty: neither a value nor arguments.
    pub(crate) fn nothing() -> Self {
        Self::plain(Stored::empty(), Size::default(), BodyShape::Value)
    }

    #[inline]
    fn new(bytes: Stored, found: ExtSummary, shape: BodyShape) -> Self {
        let bytes = match found.protocol_5 {
            true => Stored::Shared(exts::to_protocol_4(bytes.into_bytes())),
            false => bytes,
        };
        Self {
            bytes,
            closed: !found.foreign_pickle,
            zone_key: found.zone_key,
            shape,
            size: found.size,
        }
    }

    /// The body of a call behind its name: `args`, then `kwargs`.
    ///
    /// `args` is a tuple, an array, a `Vec` or a tuple struct; `()` is none. `kwargs` is a map with
    /// str keys, or a struct, whose field names they are; `()` is none. A struct inside is a map by
    /// field name, as Python has it; floats are 64 bits wide, as Python writes them.
    pub fn call<A, K>(args: &A, kwargs: &K) -> Result<Self, EncodeError>
    where
        A: Serialize + ?Sized,
        K: Serialize + ?Sized,
    {
        let (bytes, found) = ser::call(args, kwargs)?;
        without_negative_exts(found)?;
        Ok(Self::new(bytes, found, BodyShape::Call))
    }

    /// The body of a result.
    pub fn result<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let (bytes, found) = ser::value(value)?;
        without_negative_exts(found)?;
        Ok(Self::new(bytes, found, BodyShape::Value))
    }

    /// The arguments of a call on a wire that has no keywords, and exts of negative codes.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn positional<A: Serialize + ?Sized>(args: &A) -> Result<Self, EncodeError> {
        let (bytes, found) = ser::call(args, &())?;
        Ok(Self::new(bytes, found, BodyShape::Call))
    }

    /// A result on a wire that has exts of negative codes.
    #[cfg(feature = "rpcudp")]
    pub(crate) fn result_with_negative_exts<T: Serialize + ?Sized>(
        value: &T,
    ) -> Result<Self, EncodeError> {
        let (bytes, found) = ser::value(value)?;
        Ok(Self::new(bytes, found, BodyShape::Value))
    }

    /// A result, typed. `&str` and `&[u8]` borrow from this body; [`SharedBytes`](super::SharedBytes) share it.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Mismatch> {
        sharing(&self.bytes, || de::value(self.as_bytes()))
    }

    /// A result, whatever it is.
    pub fn value(&self) -> Value {
        decode::value(&self.bytes, 0)
    }

    /// The same, with exts of one's own.
    pub fn value_with(&self, table: &ExtTable) -> Result<Value, BadValue> {
        decode::value_with(&self.bytes, 0, table)
    }

    /// Declares that the v1 peers it goes to have `table` too: an ext 123 to 126 which that decodes
    /// is no pickle there, and safe to send.
    #[must_use]
    pub fn vouched(mut self, table: &ExtTable) -> Self {
        self.closed |= exts::vouched(self.as_bytes(), |code| table.decoder(code).is_some());
        self
    }

    /// Its bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Its bytes, owned. Those of a body that was encoded here and is shorter than 47 bytes are copied.
    pub fn into_bytes(self) -> Bytes {
        self.bytes.into_bytes()
    }

    /// Its bytes where they are kept.
    pub(crate) fn stored_mut(&mut self) -> &mut Stored {
        &mut self.bytes
    }

    /// Its bytes as they are kept.
    pub(crate) fn into_stored(self) -> Stored {
        self.bytes
    }

    /// Arguments and keyword arguments, each where it is. `None` of one value.
    ///
    /// ```
    /// use pseud_proto::value::Packed;
    ///
    /// let arguments = Packed::call(&(1, 2), &()).unwrap().into_arguments().unwrap();
    /// assert_eq!(arguments.args::<(i64, i64)>().unwrap(), (1, 2));
    /// assert!(Packed::result(&1).unwrap().into_arguments().is_none());
    /// ```
    pub fn into_arguments(self) -> Option<Arguments> {
        let mut rest = self.as_bytes();
        let border = edges::cut(&mut rest).filter(|_| self.is_call())?.len();
        Some(Arguments { packed: self, border })
    }

    /// Values in it, containers and keys included.
    pub fn nodes(&self) -> usize {
        self.size.nodes as usize
    }

    /// What of it is over one of those limits: how much there is, how much there may be, and of what.
    #[inline]
    pub(crate) fn over(&self, limits: &ValueLimits) -> Option<(usize, usize, &'static str)> {
        self.size.over(limits)
    }

    /// Whether these are arguments and keyword arguments, not one value.
    pub(crate) fn is_call(&self) -> bool {
        self.shape == BodyShape::Call
    }

    /// Whether any Python pseud 1.0 process reads it without harm: no ext 123 to 126 but the closed
    /// shapes of dates, which is all that such a process would run, and no zone by its key, which it may
    /// not have.
    #[inline]
    pub fn is_v1_safe(&self) -> bool {
        self.closed && !self.zone_key
    }

    /// What in it is not safe for any peer. Nothing is looked at where it is.
    pub(crate) fn risks(&self) -> impl Iterator<Item = Risk<'_>> {
        let bytes: &[u8] = if self.is_v1_safe() { &[] } else { self.as_bytes() };
        let closed = self.closed;
        exts::risks(bytes).filter(move |risk| !closed || risk.is_zone())
    }
}

/// pseud's wire has no exts of negative codes: Python refuses to pack and to unpack them.
#[inline]
fn without_negative_exts(found: ExtSummary) -> Result<(), EncodeError> {
    if found.negative_ext { Err(EncodeError::Ext) } else { Ok(()) }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.as_bytes().len())
    }
}

/// Checked arguments and keyword arguments: what a handler was called with.
#[derive(Clone)]
pub struct Arguments {
    packed: Packed,
    border: usize,
}

impl Arguments {
    /// The positional arguments, typed: a tuple, an array, a `Vec`, or a struct that takes its
    /// fields in order. `()` takes none, a type that is none of these takes one argument.
    ///
    /// What is an `Option`, or in a struct has `#[serde(default)]`, may be left out at the end.
    ///
    /// The error names the argument: "argument 2: expected u32, found str".
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        sharing(&self.packed.bytes, || de::args(self.args_bytes()))
    }

    /// The keyword arguments, typed: a struct, or a map with String keys. `()` takes none.
    ///
    /// As in Python, a keyword that the struct does not have is an error, and the error names it.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        sharing(&self.packed.bytes, || de::kwargs(self.kwargs_bytes()))
    }

    /// Both, typed and bound by Python's rules, for a handler whose arguments are all in that type.
    ///
    /// | type | takes |
    /// |---|---|
    /// | a struct | each field by position or by its name, as `def f(a, b)` does; an `Option` or one with `#[serde(default)]` may be left out |
    /// | a tuple, a tuple struct | each by position, as `def f(a, b, /)`; an `Option` at the end, or in a tuple struct one with `#[serde(default)]`, may be left out |
    /// | `Vec<T>` | as many as there are, as `def f(*args)` |
    /// | a map | keywords alone, as `def f(**kwargs)` |
    /// | `()` | none |
    /// | any other | the one argument |
    ///
    /// The error names the argument, as that of [`args`](Self::args) does, and a keyword that is not
    /// taken. A struct with `#[serde(flatten)]` takes keywords alone.
    pub fn bind<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BadArguments> {
        sharing(&self.packed.bytes, || de::bind(self.args_bytes(), self.kwargs_bytes()))
    }

    /// The positional arguments, whatever they are.
    pub fn args_values(&self) -> Vec<Value> {
        decode::args(decode::value(&self.packed.bytes, 0))
    }

    /// The same, with exts of one's own.
    pub fn args_values_with(&self, table: &ExtTable) -> Result<Vec<Value>, BadValue> {
        decode::value_with(&self.packed.bytes, 0, table).map(decode::args)
    }

    /// The keyword arguments, whatever they are. Of a keyword that came twice the last one counts.
    pub fn kwargs_values(&self) -> Vec<(String, Value)> {
        decode::kwargs(decode::value(&self.packed.bytes, self.border))
    }

    /// The same, with exts of one's own.
    pub fn kwargs_values_with(&self, table: &ExtTable) -> Result<Vec<(String, Value)>, BadValue> {
        decode::value_with(&self.packed.bytes, self.border, table).map(decode::kwargs)
    }

    /// Both, one behind the other, as they travel.
    pub fn packed(&self) -> &Packed {
        &self.packed
    }

    /// Both, one behind the other, as they travel.
    pub fn into_packed(self) -> Packed {
        self.packed
    }

    fn args_bytes(&self) -> &[u8] {
        self.packed.as_bytes().get(..self.border).unwrap_or_default()
    }

    fn kwargs_bytes(&self) -> &[u8] {
        self.packed.as_bytes().get(self.border..).unwrap_or_default()
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arguments({} bytes)", self.packed.as_bytes().len())
    }
}

impl Value {
    /// Appends it as msgpack. Where it fails, `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(Packed::result(self)?.as_bytes());
        Ok(())
    }

    /// The value of a checked body.
    pub fn decode(packed: &Packed) -> Self {
        packed.value()
    }
}
