//! Whatever the payload of an ext 123 to 126, it stays bytes, is refused as no date, or is a date that
//! CPython would make of it by calling nothing but `datetime`'s own classes; such a date is written again
//! as a pickle of protocol 4 that reads back as the same date.
//!
//! The first byte chooses the ext's code, the rest is its payload.

use crate::memory::bounded;
use crate::values::{check, comes_back, encoded};
use pseud_proto::value::{BadValue, Packed, Value};

/// One ext and its payload.
pub fn pickles(data: &[u8]) {
    let Some((choice, payload)) = data.split_first() else { return };
    let payload = &payload[..payload.len().min(65_535)];
    let code = 123 + choice % 4;
    let len = (payload.len() as u16).to_be_bytes();
    let body = [&[0xc8, len[0], len[1], code], payload].concat();
    bounded(data.len(), || match check(&body) {
        Ok(packed) => judge(&packed, code as i8, payload),
        Err(BadValue::Ext(0)) => {
            assert!(globals(payload).is_some(), "only a date can be a wrong one")
        }
        Err(error) => panic!("{error}"),
    });
}

fn judge(packed: &Packed, code: i8, payload: &[u8]) {
    comes_back(packed);
    let value = packed.value();
    if let Value::Ext(same, bytes) = &value {
        assert_eq!((*same, &bytes[..]), (code, payload));
        assert!(!packed.is_v1_safe(), "a pickle that we don't know is not for a Python peer");
        return;
    }
    let globals = globals(payload).expect("a date's pickle has a date's opcodes");
    assert!(globals.iter().all(|name| is_harmless(name)), "{globals:?}");
    assert!(packed.is_v1_safe());
    let again = encoded(&value);
    let twice = check(&again).expect("what we write passes our own check");
    assert_eq!(twice.value(), value);
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

/// The globals that a pickle names, if it is made of the opcodes of dates alone and ends with STOP.
fn globals(pickle: &[u8]) -> Option<Vec<String>> {
    let (mut rest, mut texts, mut globals) = (pickle, Vec::new(), Vec::new());
    let take = |rest: &mut &[u8], len: usize| {
        let (taken, behind) = rest.split_at_checked(len)?;
        *rest = behind;
        Some(taken.to_vec())
    };
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
                let len = take(&mut rest, 1)?[0];
                texts.push(String::from_utf8(take(&mut rest, usize::from(len))?).ok()?);
            }
            b'X' => {
                let len = take(&mut rest, 4)?;
                let len = u32::from_le_bytes(len.try_into().ok()?);
                texts.push(String::from_utf8(take(&mut rest, len as usize)?).ok()?);
            }
            b'C' => {
                let len = take(&mut rest, 1)?[0];
                take(&mut rest, usize::from(len))?;
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let mut line = || {
                    let end = rest.iter().position(|byte| *byte == b'\n')?;
                    let line = take(&mut rest, end + 1)?;
                    String::from_utf8(line[..end].to_vec()).ok()
                };
                globals.push(format!("{}.{}", line()?, line()?));
            }
            0x93 => {
                let (name, module) = (texts.pop()?, texts.pop()?);
                globals.push(format!("{module}.{name}"));
            }
            // TUPLE1, TUPLE2, TUPLE3, REDUCE
            0x85 | 0x86 | 0x87 | b'R' => {}
            b'.' => return rest.is_empty().then_some(globals),
            _ => return None,
        }
    }
}
