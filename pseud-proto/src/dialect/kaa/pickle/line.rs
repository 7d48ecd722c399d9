//! Arguments of protocol 0: lines of text.
//!
//! Numbers are read as picklers write them: decimal digits, behind a `-` or not. Python's reader takes
//! more (`+5`, `0x10`, `1_000`, spaces), which none writes.

use super::node::{PickleNode, integer, python2_str};
use std::borrow::Cow;

/// Digits of a number that is not over 64 bits. Turning more into bytes takes time in the square of
/// their number, and only protocol 0 writes them so.
const DIGITS_MAX: usize = 512;

/// INT: `00` and `01` are bools.
pub(crate) fn int(line: &[u8]) -> Option<PickleNode<'static>> {
    match line {
        b"00" => Some(PickleNode::Bool(false)),
        b"01" => Some(PickleNode::Bool(true)),
        _ => long(line),
    }
}

/// LONG: digits, and maybe an `L` behind them.
pub(crate) fn long(line: &[u8]) -> Option<PickleNode<'static>> {
    let digits = std::str::from_utf8(line.strip_suffix(b"L").unwrap_or(line)).ok()?;
    unsigned(digits.strip_prefix('-').unwrap_or(digits))?;
    match digits.parse() {
        Ok(value) => Some(PickleNode::Int(value)),
        Err(_) => big(digits).map(|bytes| integer(Cow::Owned(bytes))),
    }
}

/// An index of the memo.
pub(crate) fn index(line: &[u8]) -> Option<u32> {
    unsigned(std::str::from_utf8(line).ok()?)?.parse().ok()
}

/// Digits and nothing else.
fn unsigned(digits: &str) -> Option<&str> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then_some(digits)
}

/// Hexadecimal digits and nothing else.
fn hex(digits: &[u8]) -> Option<u32> {
    let are_digits = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| are_digits)?;
    u32::from_str_radix(digits, 16).ok()
}

/// Decimal digits to two's complement.
fn big(digits: &str) -> Option<Vec<u8>> {
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    bytes.push(0);
    if is_negative {
        let mut carry = true;
        for byte in &mut bytes {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    Some(bytes)
}

/// FLOAT: Python's `repr`, which Rust reads, too.
pub(crate) fn float(line: &[u8]) -> Option<PickleNode<'static>> {
    let text = std::str::from_utf8(line).ok().filter(|text| !text.starts_with('+'))?;
    Some(PickleNode::Float(text.parse().ok()?))
}

/// STRING: Python 2's `repr` of a `str`.
pub(crate) fn string(line: &[u8]) -> Option<PickleNode<'_>> {
    let quote = *line.first()?;
    let inner = line.get(1..)?.strip_suffix(&[quote])?;
    if quote != b'\'' && quote != b'"' {
        return None;
    }
    if !inner.contains(&b'\\') {
        return Some(python2_str(Cow::Borrowed(inner)));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match *rest.next()? {
            byte @ (b'\\' | b'\'' | b'"') => byte,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => u8::try_from(hex(&[*rest.next()?, *rest.next()?])?).ok()?,
            _ => return None,
        });
    }
    Some(python2_str(Cow::Owned(bytes)))
}

/// UNICODE: Latin-1, with `\uXXXX` and `\UXXXXXXXX` for the rest. A backslash is always written as the
/// former, so any other escape stays as it is.
pub(crate) fn unicode(line: &[u8]) -> Option<PickleNode<'_>> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return Some(PickleNode::Text(String::from_utf8_lossy(line)));
    }
    let mut units: Vec<u16> = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [byte, after @ ..] = rest {
        let (digits, skipped) = match (byte, after) {
            (b'\\', [b'u', after @ ..]) => (after.get(..4)?, 6),
            (b'\\', [b'U', after @ ..]) => (after.get(..8)?, 10),
            _ => {
                units.push(u16::from(*byte));
                rest = after;
                continue;
            }
        };
        let code = hex(digits)?;
        match u16::try_from(code) {
            // Narrow builds of Python 2 write surrogates apart.
            Ok(unit) => units.push(unit),
            Err(_) => units.extend_from_slice(char::from_u32(code)?.encode_utf16(&mut [0; 2])),
        }
        rest = rest.get(skipped..)?;
    }
    Some(PickleNode::Text(String::from_utf16(&units).ok()?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: Option<PickleNode<'_>>) -> String {
        node.map_or_else(|| "bad".to_owned(), |node| format!("{node:?}"))
    }

    #[test]
    fn numbers() {
        for (line, expected) in [
            ("00", "Bool(false)"),
            ("01", "Bool(true)"),
            ("0", "Int(0)"),
            ("3000000000", "Int(3000000000)"),
            ("-9223372036854775808L", "Int(-9223372036854775808)"),
            ("9223372036854775808L", "BigInt([0, 0, 0, 0, 0, 0, 0, 128, 0])"),
            ("-9223372036854775809L", "BigInt([255, 255, 255, 255, 255, 255, 255, 127, 255])"),
            ("1x", "bad"),
            ("-", "bad"),
            ("", "bad"),
            // Signs that Rust's or Python's reader would take, of small numbers and of big ones.
            ("+5", "bad"),
            ("+9223372036854775808L", "bad"),
            ("--5", "bad"),
            ("-+5", "bad"),
            ("1_000", "bad"),
            (" 5", "bad"),
            ("0x10", "bad"),
            ("\u{663}", "bad"),
        ] {
            assert_eq!(shown(int(line.as_bytes())), expected, "{line}");
        }
        assert_eq!(shown(long("9".repeat(513).as_bytes())), "bad");
        assert_eq!(shown(float(b"1.5")), "Float(1.5)");
        assert_eq!(shown(float(b"-inf")), "Float(-inf)");
        assert_eq!(shown(float(b"1e+16")), "Float(1e16)");
        assert_eq!(shown(float(b"+1.5")), "bad");
        assert_eq!(
            [&b"17"[..], b"+17", b"-1", b"", b"4294967296"].map(index),
            [Some(17), None, None, None, None]
        );
    }

    #[test]
    fn texts() {
        assert_eq!(shown(string(br"'it\'s\n\x41'")), r#"Text("it's\nA")"#);
        assert_eq!(shown(string(br"'\xff'")), "Bytes([255])");
        assert_eq!(shown(string(br#""'""#)), r#"Text("'")"#);
        for bad in [&b"'"[..], b"x", b"", b"'a", br"'\q'", br"'\x4'", br"'\x+4'"] {
            assert_eq!(shown(string(bad)), "bad");
        }
        assert_eq!(shown(unicode(b"\xe9 \\u20ac \\U0001f600 \\n")), r#"Text("é € 😀 \\n")"#);
        assert_eq!(shown(unicode(br"\ud83d\ude00")), "Text(\"😀\")");
        for bad in [&br"\u12"[..], br"\ud83d", br"\U00110000", br"\u+041", br"\U+0000041"] {
            assert_eq!(shown(unicode(bad)), "bad");
        }
    }
}
