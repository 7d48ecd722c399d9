//! The few opcodes of CPython's pickles of dates (`pickletools.py`), matched one behind the other.

use crate::value::datetime::TimeZone;
use crate::value::pickle::shape::RawZone;

/// Matches opcodes one behind the other.
#[derive(Clone, Copy)]
pub(super) struct OpcodeReader<'a> {
    pub(super) rest: &'a [u8],
    dialect: PickleDialect,
    /// How many values were memoized: protocol 2 numbers them.
    pub(super) memo: u8,
    /// Which of them is the text `datetime`, the name of the module: it comes from there again.
    module: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PickleDialect {
    /// Protocol 2: GLOBAL with text, BINPUT, bytes by way of `_codecs.encode(text, 'latin1')`.
    Two,
    /// Protocols 4 and 5: STACK_GLOBAL, MEMOIZE, SHORT_BINBYTES.
    Four,
}

impl<'a> OpcodeReader<'a> {
    /// Behind PROTO and FRAME; the frame has to hold exactly what follows.
    pub(super) fn open(pickle: &'a [u8]) -> Option<Self> {
        let (&[0x80, protocol], rest) = pickle.split_first_chunk()? else { return None };
        match protocol {
            2 => Some(Self { rest, dialect: PickleDialect::Two, memo: 0, module: None }),
            4 | 5 => {
                let (&[0x95, frame @ ..], rest) = rest.split_first_chunk::<9>()? else {
                    return None;
                };
                let whole = u64::from_le_bytes(frame) == rest.len() as u64;
                whole.then_some(Self { rest, dialect: PickleDialect::Four, memo: 0, module: None })
            }
            _ => None,
        }
    }

    /// Whether it is of protocol 4 or 5.
    pub(super) fn is_modern(&self) -> bool {
        self.dialect == PickleDialect::Four
    }

    pub(super) fn delta(&mut self) -> Option<[i64; 3]> {
        self.global("timedelta")?;
        let parts = [self.int()?, self.int()?, self.int()?];
        self.call(0x87)?;
        Some(parts)
    }

    pub(super) fn zone(&mut self) -> Option<RawZone<'a>> {
        self.global("timezone")?;
        let offset = self.delta()?;
        if self.call(0x85).is_some() {
            return Some(RawZone { offset, name: None });
        }
        let name = self.text()?;
        self.call(0x86)?;
        let short = name.len() <= TimeZone::NAME_BYTES_MAX;
        short.then_some(RawZone { offset, name: Some(name) })
    }

    /// A name in the module `datetime`, pushed and memoized.
    pub(super) fn global(&mut self, name: &str) -> Option<()> {
        match self.dialect {
            PickleDialect::Two => {
                self.take(b"cdatetime\n")?;
                self.take(name.as_bytes())?;
                self.take(b"\n")?;
            }
            PickleDialect::Four => {
                match self.module {
                    None => {
                        self.module = Some(self.memo);
                        self.expect("datetime")?;
                    }
                    Some(at) => self.take(&[0x68, at])?,
                }
                self.expect(name)?;
                self.take(&[0x93])?;
            }
        }
        self.memoize()
    }

    pub(super) fn expect(&mut self, text: &str) -> Option<()> {
        (self.text()? == text).then_some(())
    }

    /// TUPLE1, 2 or 3 and REDUCE, both memoized; nothing is taken where the tuple is another one.
    pub(super) fn call(&mut self, tuple: u8) -> Option<()> {
        self.take(&[tuple])?;
        self.memoize()?;
        self.take(&[0x52])?;
        self.memoize()
    }

    pub(super) fn memoize(&mut self) -> Option<()> {
        match self.dialect {
            PickleDialect::Two => self.take(&[0x71, self.memo])?,
            PickleDialect::Four => self.take(&[0x94])?,
        }
        self.memo = self.memo.checked_add(1)?;
        Some(())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = match self.dialect {
            PickleDialect::Two => {
                self.take(&[0x58])?;
                u32::from_le_bytes(self.fixed()?)
            }
            PickleDialect::Four => {
                self.take(&[0x8c])?;
                u32::from(u8::from_le_bytes(self.fixed()?))
            }
        };
        let (text, rest) = self.rest.split_at_checked(len as usize)?;
        self.rest = rest;
        self.memoize()?;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.dialect {
            PickleDialect::Two => self.latin1(),
            PickleDialect::Four => {
                self.take(&[0x43, u8::try_from(N).ok()?])?;
                let bytes = self.fixed()?;
                self.memoize()?;
                Some(bytes)
            }
        }
    }

    /// `_codecs.encode(text, 'latin1')`, which is how protocol 2 spells bytes.
    fn latin1<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(b"c_codecs\nencode\n")?;
        self.memoize()?;
        let mut chars = self.text()?.chars();
        self.expect("latin1")?;
        self.call(0x86)?;
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = u8::try_from(u32::from(chars.next()?)).ok()?;
        }
        chars.next().is_none().then_some(bytes)
    }

    /// BININT1, BININT2 or BININT.
    pub(super) fn int(&mut self) -> Option<i64> {
        let [opcode] = self.fixed()?;
        match opcode {
            0x4b => Some(i64::from(u8::from_le_bytes(self.fixed()?))),
            0x4d => Some(i64::from(u16::from_le_bytes(self.fixed()?))),
            0x4a => Some(i64::from(i32::from_le_bytes(self.fixed()?))),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }
}
