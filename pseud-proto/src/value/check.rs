//! The check: bytes from a peer, walked once, before anything is made of them.
//!
//! It has no recursion and allocates nothing; a length or a count is compared with the bytes that
//! are there, never reserved for. Work is in proportion to the bytes.

mod bad_value;
pub(crate) mod exts;
pub(super) mod flat;
pub(crate) mod limits;

use super::pickle;
use crate::base::text::utf8;
pub use crate::value::check::bad_value::BadValue;
use crate::value::check::limits::{DEPTH_CEILING, Size, ValueLimits};
use crate::value::datetime::{OutOfRange, timestamp};
use crate::value::msgpack::head::{Head, HeadReader, NoHead};
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
    reader: HeadReader<'a>,
    nodes_max: u32,
    nodes_left: u32,
    depth_max: usize,
    ext_bytes_max: usize,
    negative_exts: bool,
    open: OpenContainers,
    found: ExtSummary,
}

/// What somebody who forwards a body has to know about its exts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ExtSummary {
    /// A pickle that is no date of the module `datetime`: a Python peer would run it.
    pub(super) foreign_pickle: bool,
    /// A date in a zone by its key: a Python peer would look that up.
    pub(super) zone_key: bool,
    /// A date in protocol 5.
    pub(super) protocol_5: bool,
    /// An ext of a negative code.
    pub(super) negative_ext: bool,
    /// How much there is of it.
    pub(super) size: Size,
}

/// The containers that are open around the next item.
struct OpenContainers {
    /// Items still to come, for the innermost of them.
    left: u32,
    /// Whether that is a map.
    is_map: bool,
    /// How many there are.
    depth: usize,
    /// The depth of the map whose key is being read; 0 outside of keys.
    key_of: usize,
    /// What `left` was of those around the innermost one.
    around: [u32; DEPTH_CEILING],
    /// Which of those are maps, one bit each.
    maps: u64,
}

impl<'a> Check<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], limits: &ValueLimits) -> Self {
        Self {
            whole: bytes.len(),
            reader: HeadReader { rest: bytes },
            nodes_max: limits.nodes_max,
            nodes_left: limits.nodes_max,
            depth_max: limits.depth(),
            ext_bytes_max: limits.ext_bytes_max,
            negative_exts: false,
            open: OpenContainers::default(),
            found: ExtSummary::default(),
        }
    }

    /// Of what was encoded here, whose limits are checked where it is known for whom it is.
    pub(super) fn of_own(bytes: &'a [u8]) -> Self {
        let limits = ValueLimits {
            depth_max: DEPTH_CEILING as u32,
            nodes_max: u32::MAX,
            ext_bytes_max: usize::MAX,
        };
        Self::new(bytes, &limits)
    }

    /// Lets exts of negative codes pass, as u-msgpack does.
    pub(super) fn with_negative_exts(mut self, pass: bool) -> Self {
        self.negative_exts = pass;
        self
    }

    /// How many bytes were walked over.
    pub(super) fn offset(&self) -> usize {
        self.whole - self.reader.rest.len()
    }

    pub(super) fn nodes_left(&self) -> u32 {
        self.nodes_left
    }

    /// What was found in the values that were walked over.
    pub(super) fn found(&self) -> ExtSummary {
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

    /// Walks over one value. In its caller, which knows the root, little is left of it.
    #[inline(always)]
    pub(super) fn value(&mut self, root: Root) -> Result<(), BadValue> {
        let at = self.offset();
        let short = match root {
            Root::Any => None,
            Root::Arguments => self.reader.short_array().map(u64::from),
            Root::Keywords => self.reader.short_map().map(|pairs| 2 * u64::from(pairs)),
        };
        match short {
            Some(items) => {
                self.count(at)?;
                self.container(items, root == Root::Keywords, at)?;
            }
            None => self.root(root, at)?,
        }
        if self.open.depth == 0 { Ok(()) } else { self.items(root == Root::Keywords) }
    }

    fn root(&mut self, root: Root, at: usize) -> Result<(), BadValue> {
        let head = self.reader.head().map_err(|cause| cause.at(at))?;
        match (root, head) {
            (Root::Any, _) | (Root::Arguments, Head::Array(_)) | (Root::Keywords, Head::Map(_)) => {
                self.item(head, at)
            }
            _ => Err(BadValue::Shape(at)),
        }
    }

    /// Walks over what the container at the root holds. Most items have a head of one byte.
    fn items(&mut self, named: bool) -> Result<(), BadValue> {
        while self.open.next() {
            let at = self.offset();
            if let Some(bytes) = self.reader.short_str() {
                self.count(at)?;
                text(bytes, at)?;
            } else if named && self.open.key_of == 1 {
                self.name(at)?;
            } else if self.reader.skip_byte() {
                self.count(at)?;
            } else {
                let head = self.reader.head().map_err(|cause| cause.at(at))?;
                self.item(head, at)?;
            }
        }
        Ok(())
    }

    /// A keyword with a longer head. Python 2 peers write names as bin.
    fn name(&mut self, at: usize) -> Result<(), BadValue> {
        match self.reader.head().map_err(|cause| cause.at(at))? {
            Head::Str(name) | Head::Bin(name) => {
                self.count(at)?;
                text(name, at)
            }
            _ => Err(BadValue::Key(at)),
        }
    }

    /// One value more.
    #[inline]
    fn count(&mut self, at: usize) -> Result<(), BadValue> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or(BadValue::NodeLimit(at))?;
        Ok(())
    }

    fn item(&mut self, head: Head<'_>, at: usize) -> Result<(), BadValue> {
        self.count(at)?;
        match head {
            Head::Nil | Head::Bool(_) | Head::Int(_) | Head::F64(_) | Head::Bin(_) => Ok(()),
            Head::Str(bytes) => text(bytes, at),
            Head::Ext(code, payload) => self.ext(code, payload, at),
            Head::Array(count) => self.container(u64::from(count), false, at),
            Head::Map(_) if self.open.key_of != 0 => Err(BadValue::Key(at)),
            Head::Map(count) => self.container(2 * u64::from(count), true, at),
        }
    }

    /// A count is believed only as far as there are bytes for it.
    #[inline]
    fn container(&mut self, items: u64, is_map: bool, at: usize) -> Result<(), BadValue> {
        let depth = self.open.depth + 1;
        if depth > self.depth_max {
            return Err(BadValue::DepthLimit(at));
        }
        if items > self.reader.rest.len() as u64 {
            return Err(BadValue::Truncated(at));
        }
        if items > u64::from(self.nodes_left) {
            return Err(BadValue::NodeLimit(at));
        }
        self.found.size.depth = self.found.size.depth.max(depth as u32);
        if items > 0 {
            self.open.push(items as u32, is_map);
        }
        Ok(())
    }

    /// Python peers refuse negative codes; 123 to 126 hold pickles, which they run: only dates are
    /// safe for them.
    fn ext(&mut self, code: i8, payload: &[u8], at: usize) -> Result<(), BadValue> {
        if code < 0 && !self.negative_exts {
            return Err(BadValue::Ext(at));
        }
        if payload.len() > self.ext_bytes_max {
            return Err(BadValue::ExtLimit(at));
        }
        self.found.ext(code, payload).map_err(|_| BadValue::Ext(at))
    }
}

impl ExtSummary {
    /// Of what has none.
    #[inline]
    pub(super) fn none(size: Size) -> Self {
        Self { size, ..Self::default() }
    }

    /// Looks at one more ext; an error where it holds a date that does not exist.
    pub(super) fn ext(&mut self, code: i8, payload: &[u8]) -> Result<(), OutOfRange> {
        self.size.ext_bytes = self.size.ext_bytes.max(payload.len());
        if code < 0 {
            // To Python pseud's reader a negative code (msgpack's own timestamp is one) is an error that it dies of:
            // such a body must not go to a pseud peer.
            (self.negative_ext, self.foreign_pickle) = (true, true);
            return timestamp::read(code, payload).map(drop);
        }
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

impl Default for OpenContainers {
    #[inline]
    fn default() -> Self {
        let around = [0; DEPTH_CEILING];
        Self { left: 0, is_map: false, depth: 0, key_of: 0, around, maps: 0 }
    }
}

impl OpenContainers {
    /// Opens one; the caller has checked the depth.
    #[inline]
    fn push(&mut self, items: u32, is_map: bool) {
        if let Some(around) = self.around.get_mut(self.depth) {
            *around = self.left;
            self.maps = self.maps & !(1 << self.depth) | u64::from(self.is_map) << self.depth;
            self.depth += 1;
            (self.left, self.is_map) = (items, is_map);
        }
    }

    /// Goes back to the one around.
    #[inline]
    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.left = self.around.get(self.depth).copied().unwrap_or_default();
        self.is_map = self.maps >> (self.depth & 63) & 1 == 1;
    }

    /// Closes what is full and steps to the next item; false where the value is over.
    #[inline]
    fn next(&mut self) -> bool {
        while self.left == 0 {
            if self.depth == 0 {
                return false;
            }
            self.pop();
        }
        if self.key_of == 0 || self.depth <= self.key_of {
            let is_key = self.is_map && self.left.is_multiple_of(2);
            self.key_of = if is_key { self.depth } else { 0 };
        }
        self.left -= 1;
        true
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

#[inline]
fn text(text: &[u8], at: usize) -> Result<(), BadValue> {
    if text.is_ascii() || utf8(text).is_some() { Ok(()) } else { Err(BadValue::Utf8(at)) }
}
