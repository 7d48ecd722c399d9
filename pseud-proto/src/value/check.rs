//! The check: bytes from a peer, walked once, before anything is made of them.
//!
//! It has no recursion and allocates nothing; a length or a count is compared with the bytes that
//! are there, never reserved for. Work is in proportion to the bytes.

mod bad_value;
pub(crate) mod exts;
pub(crate) mod limits;

use super::pickle;
pub use crate::value::check::bad_value::BadValue;
use crate::value::check::limits::{DEPTH_CEILING, Size, ValueLimits};
use crate::value::datetime::OutOfRange;
use crate::value::msgpack::head::{Head, NoHead, Reader};
use crate::value::pickle::Needs;

/// What a walk over one value may do, besides being a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// Anything.
    Any,
    /// An array.
    Arguments,
    /// A map whose keys are names.
    Keywords,
}

/// One pass over one body.
pub(super) struct Check<'a> {
    whole: usize,
    reader: Reader<'a>,
    nodes_max: u32,
    nodes_left: u32,
    depth_max: usize,
    ext_bytes_max: usize,
    open: Open,
    found: Found,
}

/// What somebody who forwards a body has to know about its exts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// A pickle that is no date of the module `datetime`: a Python peer would run it.
    pub(super) foreign_pickle: bool,
    /// A date in a zone by its key: a Python peer would look that up.
    pub(super) zone_key: bool,
    /// A date in protocol 5.
    pub(super) protocol_5: bool,
    /// How much there is of it.
    pub(super) size: Size,
}

/// The containers that are open around the next item.
struct Open {
    /// Items still to come, for each of them.
    left: [u32; DEPTH_CEILING],
    /// Which of them are maps, one bit each.
    maps: u64,
    depth: usize,
    /// The depth of the map whose key is being read; 0 outside of keys.
    key_of: usize,
}

impl<'a> Check<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], limits: &ValueLimits) -> Self {
        Self {
            whole: bytes.len(),
            reader: Reader { rest: bytes },
            nodes_max: limits.nodes_max,
            nodes_left: limits.nodes_max,
            depth_max: limits.depth(),
            ext_bytes_max: limits.ext_bytes_max,
            open: Open { left: [0; DEPTH_CEILING], maps: 0, depth: 0, key_of: 0 },
            found: Found::default(),
        }
    }

    /// Of what was encoded here, whose limits are judged where it is known for whom it is.
    pub(super) fn of_own(bytes: &'a [u8]) -> Self {
        let limits = ValueLimits {
            depth_max: DEPTH_CEILING as u32,
            nodes_max: u32::MAX,
            ext_bytes_max: usize::MAX,
        };
        Self::new(bytes, &limits)
    }

    /// How many bytes were walked over.
    pub(super) fn offset(&self) -> usize {
        self.whole - self.reader.rest.len()
    }

    pub(super) fn nodes_left(&self) -> u32 {
        self.nodes_left
    }

    /// What was found in the values that were walked over.
    pub(super) fn found(&self) -> Found {
        let mut found = self.found;
        found.size.nodes = self.nodes_max - self.nodes_left;
        found
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), BadValue> {
        match self.reader.rest {
            [] => Ok(()),
            _ => Err(BadValue::ExtraData(self.offset())),
        }
    }

    /// Walks over one value.
    pub(super) fn value(&mut self, root: Root) -> Result<(), BadValue> {
        loop {
            let at = self.offset();
            let head = self.reader.head_here().map_err(|cause| cause.at(at))?;
            root.judge(&head, &self.open, at)?;
            self.item(head, at)?;
            if !self.open.next() {
                return Ok(());
            }
        }
    }

    #[inline]
    fn item(&mut self, head: Head<'_>, at: usize) -> Result<(), BadValue> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or(BadValue::NodeLimit(at))?;
        match head {
            Head::Nil | Head::Bool(_) | Head::Int(_) | Head::F64(_) | Head::Bin(_) => Ok(()),
            Head::Str(text) => utf8(text, at),
            Head::Ext(code, payload) => self.ext(code, payload, at),
            Head::Array(count) => self.container(u64::from(count), false, at),
            Head::Map(_) if self.open.key_of != 0 => Err(BadValue::Key(at)),
            Head::Map(count) => self.container(2 * u64::from(count), true, at),
        }
    }

    /// A count is believed only as far as there are bytes for it.
    fn container(&mut self, items: u64, map: bool, at: usize) -> Result<(), BadValue> {
        if self.open.depth >= self.depth_max {
            return Err(BadValue::DepthLimit(at));
        }
        if items > self.reader.rest.len() as u64 {
            return Err(BadValue::Truncated(at));
        }
        match u32::try_from(items) {
            Ok(items) if items <= self.nodes_left => self.open.push(items, map),
            _ => return Err(BadValue::NodeLimit(at)),
        }
        self.found.size.depth = self.found.size.depth.max(self.open.depth as u32);
        Ok(())
    }

    /// Python peers refuse negative codes; 123 to 126 hold pickles, which they run: only dates are
    /// safe for them.
    fn ext(&mut self, code: i8, payload: &[u8], at: usize) -> Result<(), BadValue> {
        if code < 0 {
            return Err(BadValue::Ext(at));
        }
        if payload.len() > self.ext_bytes_max {
            return Err(BadValue::ExtLimit(at));
        }
        self.found.ext(code, payload).map_err(|_| BadValue::Ext(at))
    }
}

impl Found {
    /// Looks at one more ext; an error where it holds a date that does not exist.
    pub(super) fn ext(&mut self, code: i8, payload: &[u8]) -> Result<(), OutOfRange> {
        self.size.ext_bytes = self.size.ext_bytes.max(payload.len());
        match pickle::read(code, payload)? {
            Some(found) => match found.needs {
                Needs::Class => self.foreign_pickle = true,
                needs => {
                    self.protocol_5 |= pickle::is_protocol_5(payload);
                    self.zone_key |= needs == Needs::Zone;
                }
            },
            None => self.foreign_pickle |= pickle::is_run(code),
        }
        Ok(())
    }
}

impl Open {
    fn push(&mut self, items: u32, map: bool) {
        if let Some(left) = self.left.get_mut(self.depth) {
            *left = items;
            self.maps = self.maps & !(1 << self.depth) | u64::from(map) << self.depth;
            self.depth += 1;
        }
    }

    /// Closes what is full and steps to the next item; false where the value is over.
    #[inline]
    fn next(&mut self) -> bool {
        while let Some(top) = self.depth.checked_sub(1) {
            match self.left.get_mut(top) {
                Some(left) if *left > 0 => {
                    let key = *left % 2 == 0 && self.maps >> top & 1 == 1;
                    *left -= 1;
                    if self.key_of == 0 || self.depth <= self.key_of {
                        self.key_of = if key { self.depth } else { 0 };
                    }
                    return true;
                }
                _ => self.depth = top,
            }
        }
        false
    }
}

impl Root {
    #[inline]
    fn judge(self, head: &Head<'_>, open: &Open, at: usize) -> Result<(), BadValue> {
        match (self, open.depth, open.key_of) {
            (Self::Any, ..) => Ok(()),
            (Self::Arguments, 0, _) if !matches!(head, Head::Array(_)) => Err(BadValue::Shape(at)),
            (Self::Keywords, 0, _) if !matches!(head, Head::Map(_)) => Err(BadValue::Shape(at)),
            (Self::Keywords, 1, 1) => keyword(head, at),
            _ => Ok(()),
        }
    }
}

impl NoHead {
    pub(super) fn at(self, at: usize) -> BadValue {
        match self {
            Self::Truncated => BadValue::Truncated(at),
            Self::Reserved => BadValue::Reserved(at),
        }
    }
}

/// Python 2 peers write names as bin.
fn keyword(head: &Head<'_>, at: usize) -> Result<(), BadValue> {
    match head {
        Head::Str(name) | Head::Bin(name) => utf8(name, at),
        _ => Err(BadValue::Key(at)),
    }
}

fn utf8(text: &[u8], at: usize) -> Result<(), BadValue> {
    std::str::from_utf8(text).map(drop).map_err(|_| BadValue::Utf8(at))
}
