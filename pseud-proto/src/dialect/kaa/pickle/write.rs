//! msgpack to pickles of protocol 2, which Python 2.7 and 3 both read.
//!
//! Nothing is memoized: that a memo exists is not told by what is read. Globals that are written: those
//! of plain data (`_codecs.encode`, `__builtin__.set`, `frozenset`, `complex`), of `datetime`, and of the
//! exceptions that both Pythons have.

use crate::dialect::kaa::exts;
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::{Date, DateTime, Integer, TimeDelta, TimeZone, Unchecked, Value, ValueLimits};
use bytes::Bytes;

/// Why something cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// It takes more bytes than these.
    TooLarge { max: usize },
    /// There is no pickle of it that the peer could read.
    Unknown(String),
}

/// Which Pythons may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Nobody knows yet, or 3.
    Any,
    /// 2.7, which has no `datetime.timezone`.
    Python2,
}

/// Containers inside each other, exts among them.
const DEPTH_MAX: usize = 128;

/// A pickle in the making, behind what `out` holds.
pub(crate) struct KaaPickleWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    max: usize,
    reads: Reads,
}

type Written = Result<(), Unwritable>;

impl<'o> KaaPickleWriter<'o> {
    /// Begins a pickle of at most `max` bytes.
    pub(crate) fn new(out: &'o mut Vec<u8>, max: usize, reads: Reads) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0x80, 2]);
        Self { out, start, max, reads }
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) -> Written {
        self.put(b".")
    }

    /// `(name, args, kwargs)` of a call's checked body.
    pub(crate) fn call(&mut self, name: &str, arguments: &[u8]) -> Written {
        let mut reader = HeadReader { rest: arguments };
        self.text(name)?;
        match head(&mut reader)? {
            Head::Array(count) => self.tuple(&mut reader, count, 1, false)?,
            _ => return Err(odd()),
        }
        self.value(&mut reader, 1, false)?;
        self.put(&[0x87])
    }

    /// One value of a checked body.
    pub(crate) fn result(&mut self, body: &[u8]) -> Written {
        self.value(&mut HeadReader { rest: body }, 0, false)
    }

    /// Inside a key a list would have no hash: there arrays are tuples.
    fn value(&mut self, reader: &mut HeadReader<'_>, depth: usize, is_key: bool) -> Written {
        if depth > DEPTH_MAX {
            return Err(Unwritable::Unknown("exts too deep inside each other".to_owned()));
        }
        match head(reader)? {
            Head::Nil => self.put(b"N"),
            Head::Bool(true) => self.put(&[0x88]),
            Head::Bool(false) => self.put(&[0x89]),
            Head::Int(value) => self.integer(value),
            Head::F64(value) => {
                self.put(b"G")?;
                self.put(&value.to_be_bytes())
            }
            Head::Str(text) => self.text_bytes(text),
            Head::Bin(bytes) => self.bytes(bytes),
            Head::Array(count) if is_key => self.tuple(reader, count, depth, true),
            Head::Array(count) => self.list(reader, count, depth),
            // A checked body has none for a key; what is in a set was not checked as one.
            Head::Map(_) if is_key => Err(no_hash("dict")),
            Head::Ext(exts::SET, _) if is_key => Err(no_hash("set")),
            Head::Map(count) => {
                self.put(b"}(")?;
                for _ in 0..count {
                    self.value(reader, depth + 1, true)?;
                    self.value(reader, depth + 1, false)?;
                }
                self.put(b"u")
            }
            Head::Ext(code, payload) => self.ext(code, payload, depth),
        }
    }

    fn list(&mut self, reader: &mut HeadReader<'_>, count: u32, depth: usize) -> Written {
        self.put(b"](")?;
        for _ in 0..count {
            self.value(reader, depth + 1, false)?;
        }
        self.put(b"e")
    }

    fn tuple(
        &mut self,
        reader: &mut HeadReader<'_>,
        count: u32,
        depth: usize,
        is_key: bool,
    ) -> Written {
        self.put(b"(")?;
        for _ in 0..count {
            self.value(reader, depth + 1, is_key)?;
        }
        self.put(b"t")
    }

    fn integer(&mut self, value: Integer) -> Written {
        match value.as_i64() {
            Some(value) => self.int(value),
            None => self.long(&[&value.as_i128().to_le_bytes()[..8], &[0]].concat()),
        }
    }

    /// The smallest form.
    fn int(&mut self, value: i64) -> Written {
        let [a, b, c, d, ..] = value.to_le_bytes();
        match value {
            0..=0xff => self.put(&[b'K', a]),
            0x100..=0xffff => self.put(&[b'M', a, b]),
            -0x8000_0000..=0x7fff_ffff => self.put(&[b'J', a, b, c, d]),
            _ => self.long(&value.to_le_bytes()),
        }
    }

    /// LONG1, or LONG4 for what is longer.
    fn long(&mut self, bytes: &[u8]) -> Written {
        match u8::try_from(bytes.len()) {
            Ok(len) => self.put(&[0x8a, len])?,
            Err(_) => {
                self.put(&[0x8b])?;
                self.put(&(bytes.len() as u32).to_le_bytes())?;
            }
        }
        self.put(bytes)
    }

    pub(crate) fn text(&mut self, text: &str) -> Written {
        self.text_bytes(text.as_bytes())
    }

    fn text_bytes(&mut self, text: &[u8]) -> Written {
        self.put(b"X")?;
        self.put(&(text.len() as u32).to_le_bytes())?;
        self.put(text)
    }

    /// As protocol 2 has bytes: `_codecs.encode(text, 'latin1')`. Python 2 makes a `str` of it.
    fn bytes(&mut self, bytes: &[u8]) -> Written {
        if bytes.len() > self.max {
            return Err(Unwritable::TooLarge { max: self.max });
        }
        self.put(b"c_codecs\nencode\n")?;
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        self.text(&text)?;
        self.text("latin1")?;
        self.put(b"\x86R")
    }

    fn ext(&mut self, code: i8, payload: &[u8], depth: usize) -> Written {
        match code {
            exts::BIG_INT if !payload.is_empty() => self.long(payload),
            exts::SET => self.set(b"c__builtin__\nset\n", payload, depth),
            exts::FROZEN_SET => self.set(b"c__builtin__\nfrozenset\n", payload, depth),
            exts::COMPLEX if payload.len() == 16 => {
                self.put(b"c__builtin__\ncomplex\n")?;
                for part in payload.as_chunks::<8>().0 {
                    self.put(b"G")?;
                    self.put(part)?;
                }
                self.put(b"\x86R")
            }
            exts::OBJECT => Err(Unwritable::Unknown("an object of a class is never sent".into())),
            code => match dated(code, payload) {
                Some(date) => self.date(&date),
                None => Err(Unwritable::Unknown(format!("an ext of code {code} has no pickle"))),
            },
        }
    }

    /// What is in it was not looked at when its ext was.
    fn set(&mut self, class: &[u8], payload: &[u8], depth: usize) -> Written {
        let checked = Unchecked::new(Bytes::copy_from_slice(payload)).check(&ANY);
        let bad = || Unwritable::Unknown("a set that does not hold an array".to_owned());
        let packed = checked.map_err(|_| bad())?;
        let mut reader = HeadReader { rest: packed.as_bytes() };
        let Head::Array(count) = head(&mut reader)? else { return Err(bad()) };
        self.put(class)?;
        self.put(b"](")?;
        for _ in 0..count {
            // What is in a set has a hash, as a key has.
            self.value(&mut reader, depth + 1, true)?;
        }
        self.put(b"e\x85R")
    }

    fn date(&mut self, value: &Value) -> Written {
        match value {
            Value::Date(date) => self.day(*date),
            Value::DateTime(moment) => self.moment(moment),
            Value::TimeDelta(delta) => self.delta(*delta),
            Value::TimeZone(zone) => self.zone(zone),
            _ => Err(odd()),
        }
    }

    fn day(&mut self, date: Date) -> Written {
        self.put(b"cdatetime\ndate\n")?;
        let [y, year] = date.year().to_be_bytes();
        self.bytes(&[y, year, date.month(), date.day()])?;
        self.put(b"\x85R")
    }

    fn moment(&mut self, moment: &DateTime) -> Written {
        self.put(b"cdatetime\ndatetime\n")?;
        let [y, year] = moment.date().year().to_be_bytes();
        let fold = u8::from(moment.fold() && self.reads == Reads::Any) << 7;
        let [_, a, b, c] = moment.microsecond().to_be_bytes();
        let month = moment.date().month() | fold;
        let clock = [moment.hour(), moment.minute(), moment.second(), a, b, c];
        self.bytes(&[&[y, year, month, moment.date().day()][..], &clock].concat())?;
        match moment.zone() {
            None => self.put(b"\x85R"),
            Some(zone) => {
                self.zone(zone)?;
                self.put(b"\x86R")
            }
        }
    }

    fn delta(&mut self, delta: TimeDelta) -> Written {
        self.put(b"cdatetime\ntimedelta\n")?;
        self.int(delta.days().into())?;
        self.int(delta.seconds().into())?;
        self.int(delta.microseconds().into())?;
        self.put(b"\x87R")
    }

    /// A zone with a key alone is looked up by its reader, which may not have it.
    fn zone(&mut self, zone: &TimeZone) -> Written {
        let unknown = |why: &str| Err(Unwritable::Unknown(why.to_owned()));
        if self.reads == Reads::Python2 {
            return unknown("the peer's Python 2 has no time zones");
        }
        let Some(offset) = zone.offset() else {
            return unknown("a time zone needs its offset to be sent");
        };
        self.put(b"cdatetime\ntimezone\n")?;
        self.delta(offset)?;
        match zone.name() {
            None => self.put(b"\x85R"),
            Some(name) => {
                self.text(name)?;
                self.put(b"\x86R")
            }
        }
    }

    /// Bytes that are opcodes already.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Written {
        if self.out.len() - self.start + bytes.len() > self.max {
            return Err(Unwritable::TooLarge { max: self.max });
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// What an ext holds is bounded where it is checked as part of its body.
const ANY: ValueLimits =
    ValueLimits { depth_max: 64, nodes_max: u32::MAX, ext_bytes_max: usize::MAX };

fn head<'a>(reader: &mut HeadReader<'a>) -> Result<Head<'a>, Unwritable> {
    reader.head().map_err(|_| odd())
}

/// Its reader would fail, and never see the answer.
fn no_hash(what: &str) -> Unwritable {
    Unwritable::Unknown(format!("a {what} is neither a key nor in a set"))
}

/// A checked body never is.
fn odd() -> Unwritable {
    Unwritable::Unknown("a body that is malformed".to_owned())
}

/// The date in an ext of 123 to 126.
fn dated(code: i8, payload: &[u8]) -> Option<Value> {
    let mut ext = crate::value::msgpack::out::Out::new();
    ext.ext(code, payload, u32::try_from(payload.len()).ok()?);
    let packed = Unchecked::new(Bytes::copy_from_slice(ext.as_slice())).check(&ANY).ok()?;
    match packed.value() {
        Value::Ext(..) => None,
        date => Some(date),
    }
}
