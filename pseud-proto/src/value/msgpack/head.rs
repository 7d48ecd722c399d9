//! msgpack's heads: read from a slice that is never trusted, written in their smallest form.

use crate::value::Integer;

/// One item: a scalar, a run of bytes, or the count of what follows.
#[derive(Clone, Copy)]
pub(crate) enum Head<'a> {
    Nil,
    Bool(bool),
    Int(Integer),
    F64(f64),
    Str(&'a [u8]),
    Bin(&'a [u8]),
    Array(u32),
    Map(u32),
    Ext(i8, &'a [u8]),
}

impl Head<'_> {
    /// What a person calls it; never its content.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::F64(_) => "float",
            Self::Str(_) => "str",
            Self::Bin(_) => "bytes",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Ext(..) => "ext",
        }
    }
}

/// Why no head could be read.
#[derive(Clone, Copy)]
pub(crate) enum NoHead {
    Truncated,
    Reserved,
}

/// A place in a slice.
#[derive(Clone, Copy)]
pub(crate) struct HeadReader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> HeadReader<'a> {
    /// The next item's head, and its bytes where it has some.
    pub(crate) fn head(&mut self) -> Result<Head<'a>, NoHead> {
        let [marker] = self.fixed()?;
        Ok(match marker {
            0x00..=0x7f => Head::Int(Integer::from(marker)),
            0x80..=0x8f => Head::Map(u32::from(marker & 0x0f)),
            0x90..=0x9f => Head::Array(u32::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Str(self.bytes(u32::from(marker & 0x1f))?),
            0xc0 => Head::Nil,
            0xc1 => return Err(NoHead::Reserved),
            0xc2 => Head::Bool(false),
            0xc3 => Head::Bool(true),
            0xc4 => Head::Bin(self.sized8()?),
            0xc5 => Head::Bin(self.sized16()?),
            0xc6 => Head::Bin(self.sized32()?),
            0xc7 => self.ext8()?,
            0xc8 => self.ext16()?,
            0xc9 => self.ext32()?,
            0xca => Head::F64(f64::from(f32::from_be_bytes(self.fixed()?))),
            0xcb => Head::F64(f64::from_be_bytes(self.fixed()?)),
            0xcc => Head::Int(Integer::from(u8::from_be_bytes(self.fixed()?))),
            0xcd => Head::Int(Integer::from(u16::from_be_bytes(self.fixed()?))),
            0xce => Head::Int(Integer::from(u32::from_be_bytes(self.fixed()?))),
            0xcf => Head::Int(Integer::from(u64::from_be_bytes(self.fixed()?))),
            0xd0 => Head::Int(Integer::from(i8::from_be_bytes(self.fixed()?))),
            0xd1 => Head::Int(Integer::from(i16::from_be_bytes(self.fixed()?))),
            0xd2 => Head::Int(Integer::from(i32::from_be_bytes(self.fixed()?))),
            0xd3 => Head::Int(Integer::from(i64::from_be_bytes(self.fixed()?))),
            0xd4..=0xd8 => self.ext(1 << (marker - 0xd4))?,
            0xd9 => Head::Str(self.sized8()?),
            0xda => Head::Str(self.sized16()?),
            0xdb => Head::Str(self.sized32()?),
            0xdc => Head::Array(u32::from(u16::from_be_bytes(self.fixed()?))),
            0xdd => Head::Array(u32::from_be_bytes(self.fixed()?)),
            0xde => Head::Map(u32::from(u16::from_be_bytes(self.fixed()?))),
            0xdf => Head::Map(u32::from_be_bytes(self.fixed()?)),
            0xe0..=0xff => Head::Int(Integer::from(i8::from_be_bytes([marker]))),
        })
    }

    /// The bytes of the next item, where that is a str of less than 32 bytes; else it is not taken.
    #[inline]
    pub(crate) fn short_str(&mut self) -> Option<&'a [u8]> {
        let (&marker @ 0xa0..=0xbf, rest) = self.rest.split_first()? else { return None };
        let (text, rest) = rest.split_at_checked(usize::from(marker & 0x1f))?;
        self.rest = rest;
        Some(text)
    }

    /// The count of the array that comes next, where that is less than 16; else it is not taken.
    #[inline]
    pub(crate) fn short_array(&mut self) -> Option<u32> {
        let (&marker @ 0x90..=0x9f, rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        Some(u32::from(marker & 0x0f))
    }

    /// The same of a map.
    #[inline]
    pub(crate) fn short_map(&mut self) -> Option<u32> {
        let (&marker @ 0x80..=0x8f, rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        Some(u32::from(marker & 0x0f))
    }

    /// Goes over the next item, where that is a scalar of one byte; else it is not taken.
    #[inline]
    pub(crate) fn skip_byte(&mut self) -> bool {
        match self.rest {
            [0..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff, rest @ ..] => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Goes over the next item, where that is a scalar of one byte or a short text in ASCII; else what is
    /// taken is no item.
    #[inline]
    pub(crate) fn flat_item(&mut self) -> bool {
        match self.short_str() {
            Some(text) => text.is_ascii(),
            None => self.skip_byte(),
        }
    }

    /// Goes over one whole value of checked bytes: a count of what is open needs no stack.
    pub(crate) fn skip(&mut self) -> Result<(), NoHead> {
        let mut left = 1u64;
        while left > 0 {
            left -= 1;
            left = match self.head()? {
                Head::Array(count) => left.saturating_add(u64::from(count)),
                Head::Map(count) => left.saturating_add(2 * u64::from(count)),
                _ => left,
            };
        }
        Ok(())
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], NoHead> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(NoHead::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self, len: u32) -> Result<&'a [u8], NoHead> {
        let (bytes, rest) = self.rest.split_at_checked(len as usize).ok_or(NoHead::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn sized8(&mut self) -> Result<&'a [u8], NoHead> {
        let len = u8::from_be_bytes(self.fixed()?);
        self.bytes(u32::from(len))
    }

    fn sized16(&mut self) -> Result<&'a [u8], NoHead> {
        let len = u16::from_be_bytes(self.fixed()?);
        self.bytes(u32::from(len))
    }

    fn sized32(&mut self) -> Result<&'a [u8], NoHead> {
        let len = u32::from_be_bytes(self.fixed()?);
        self.bytes(len)
    }

    fn ext8(&mut self) -> Result<Head<'a>, NoHead> {
        let len = u8::from_be_bytes(self.fixed()?);
        self.ext(u32::from(len))
    }

    fn ext16(&mut self) -> Result<Head<'a>, NoHead> {
        let len = u16::from_be_bytes(self.fixed()?);
        self.ext(u32::from(len))
    }

    fn ext32(&mut self) -> Result<Head<'a>, NoHead> {
        let len = u32::from_be_bytes(self.fixed()?);
        self.ext(len)
    }

    fn ext(&mut self, len: u32) -> Result<Head<'a>, NoHead> {
        let code = i8::from_be_bytes(self.fixed()?);
        Ok(Head::Ext(code, self.bytes(len)?))
    }
}
