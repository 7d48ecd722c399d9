//! Whatever the payload of an ext 123 to 126, it stays bytes, is refused as no date, or is a date, which is
//! written again as one that reads back the same; and what everybody may be sent calls nothing but
//! `datetime`'s own classes, in protocol 4.
//!
//! The first byte chooses the ext's code, the rest is its payload.

use crate::memory::bounded;
use crate::values::{check, comes_back, encoded};
use pseud_proto::value::{BadValue, Date, DateTime, Packed, Value};

/// One ext and its payload.
pub fn pickles(data: &[u8]) {
    let Some((choice, payload)) = data.split_first() else { return };
    let payload = &payload[..payload.len().min(65_535)];
    let code = 123 + choice % 4;
    let len = (payload.len() as u16).to_be_bytes();
    let body = [&[0xc8, len[0], len[1], code], payload].concat();
    bounded(data.len(), || match check(&body) {
        Ok(packed) => payload_holds(&packed, code as i8, payload),
        Err(BadValue::Ext(0)) => {
            let pickle = Pickle::read(payload);
            assert!(
                !pickle.is_some_and(|pickle| pickle.is_naive_date()),
                "Python makes a date of it"
            );
        }
        Err(error) => panic!("{error}"),
    });
}

fn payload_holds(packed: &Packed, code: i8, payload: &[u8]) {
    comes_back(packed);
    let value = packed.value();
    if let Value::Ext(same, bytes) = &value {
        assert_eq!((*same, &bytes[..]), (code, payload));
        assert!(!packed.is_v1_safe(), "a pickle that we don't know is not for a Python peer");
        return;
    }
    let again = encoded(&value);
    let twice = check(&again).expect("what we write passes our own check");
    assert_eq!(twice.value(), value);
    let names = Pickle::read(payload).map(|pickle| pickle.globals);
    if !names.is_some_and(|names| names.iter().all(|name| is_harmless(name))) {
        assert!(!packed.is_v1_safe(), "not everybody has what a zone of a library needs");
        return;
    }
    assert!(packed.is_v1_safe());
    assert!(again.windows(2).any(|pair| pair == [0x80, 4]), "dates are written in protocol 4");
    if payload[1] == 5 {
        assert_eq!(packed.as_bytes()[4..6], [0x80, 4], "protocol 5 is passed on as protocol 4");
    }
}

fn is_harmless(name: &str) -> bool {
    ["date", "datetime", "timedelta", "timezone"]
        .map(|class| format!("datetime.{class}"))
        .contains(&name.to_owned())
        || name == "_codecs.encode"
}

/// What a pickle says that is made of the opcodes of dates alone and ends with STOP.
#[derive(Default)]
struct Pickle {
    globals: Vec<String>,
    bytes: Vec<Vec<u8>>,
}

impl Pickle {
    /// Whether it is a date or a time of day without zone, and in Python's range: the top bit of the
    /// month is the fold.
    fn is_naive_date(&self) -> bool {
        let day =
            |year: [u8; 2], month: u8, day| Date::new(u16::from_be_bytes(year), month & 0x7f, day);
        match (self.globals.as_slice(), self.bytes.as_slice()) {
            ([name], [bytes]) => match (name.as_str(), bytes.as_slice()) {
                ("datetime.date", &[y, year, month, date]) => {
                    month < 0x80 && day([y, year], month, date).is_ok()
                }
                ("datetime.datetime", &[y, year, month, date, h, m, s, a, b, c]) => {
                    let micros = u32::from_be_bytes([0, a, b, c]);
                    day([y, year], month, date)
                        .is_ok_and(|date| DateTime::new(date, h, m, s, micros).is_ok())
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn read(mut rest: &[u8]) -> Option<Self> {
        let (mut read, mut texts) = (Self::default(), Vec::new());
        loop {
            match take(&mut rest, 1)?[0] {
                // PROTO, FRAME
                0x80 => drop(take(&mut rest, 1)?),
                0x95 => drop(take(&mut rest, 8)?),
                // MEMOIZE, BINPUT, BINGET: `datetime` is the first that is remembered.
                0x94 => {}
                b'q' => drop(take(&mut rest, 1)?),
                b'h' => {
                    take(&mut rest, 1)?;
                    texts.push("datetime".to_owned());
                }
                // BININT, BININT1, BININT2
                b'J' => drop(take(&mut rest, 4)?),
                b'K' => drop(take(&mut rest, 1)?),
                b'M' => drop(take(&mut rest, 2)?),
                // SHORT_BINUNICODE, BINUNICODE, SHORT_BINBYTES
                0x8c => {
                    let len = usize::from(take(&mut rest, 1)?[0]);
                    texts.push(String::from_utf8(take(&mut rest, len)?).ok()?);
                }
                b'X' => {
                    let len = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
                    texts.push(String::from_utf8(take(&mut rest, len as usize)?).ok()?);
                }
                b'C' => {
                    let len = usize::from(take(&mut rest, 1)?[0]);
                    read.bytes.push(take(&mut rest, len)?);
                }
                // GLOBAL, STACK_GLOBAL
                b'c' => {
                    let (module, name) = (line(&mut rest)?, line(&mut rest)?);
                    read.globals.push(format!("{module}.{name}"));
                }
                0x93 => {
                    let (name, module) = (texts.pop()?, texts.pop()?);
                    read.globals.push(format!("{module}.{name}"));
                }
                // TUPLE1, TUPLE2, TUPLE3, REDUCE
                0x85 | 0x86 | 0x87 | b'R' => {}
                b'.' => return rest.is_empty().then_some(read),
                _ => return None,
            }
        }
    }
}

fn take(rest: &mut &[u8], len: usize) -> Option<Vec<u8>> {
    let (taken, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(taken.to_vec())
}

fn line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = take(rest, end + 1)?;
    String::from_utf8(line[..end].to_vec()).ok()
}
