//! ERROR bodies: `[class, message, traceback]`.

use super::profile::{Profile, v1_class};
use super::wire::read_text_len;
use crate::error::Fault;
use bytes::Bytes;

/// The longest class that is believed, in bytes.
const CLASS_BYTES_MAX: usize = 128;
/// The longest message and the longest traceback that are kept, in bytes.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// The fault that an ERROR body tells. A body of another shape is a fault all the same, of class
/// `?`: the far handler did raise, and the call must end.
pub(super) fn read(body: &[u8]) -> Fault {
    read_items(body).unwrap_or_else(|| Fault::new("?", "the ERROR's body has another shape"))
}

fn read_items(body: &[u8]) -> Option<Fault> {
    let mut rest = body;
    let items = rmp::decode::read_array_len(&mut rest).ok()?;
    if items != 3 {
        return None;
    }
    let class = read_text(&mut rest, CLASS_BYTES_MAX)?;
    let message = read_text(&mut rest, TEXT_BYTES_MAX)?;
    let traceback = match rest {
        [0xc0] => String::new(),
        _ => read_text(&mut rest, TEXT_BYTES_MAX)?,
    };
    Some(Fault::new(class, message).with_traceback(traceback))
}

/// One text, cut to `max` bytes. Only what is kept is copied and checked.
fn read_text(rest: &mut &[u8], max: usize) -> Option<String> {
    let len = read_text_len(rest)?;
    let (text, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(String::from_utf8_lossy(text.get(..max).unwrap_or(text)).into_owned())
}

/// The body that tells this fault to a peer of that profile.
pub(super) fn write(fault: &Fault, profile: Profile, expose_traceback: bool) -> Bytes {
    let (class, message) = match profile {
        Profile::V1 => v1_class(fault),
    };
    let traceback = if expose_traceback { fault.traceback.as_str() } else { "" };
    let texts = [cut(class, CLASS_BYTES_MAX), cut(&message, TEXT_BYTES_MAX), traceback];
    let mut body = Vec::with_capacity(16 + texts.iter().map(|text| text.len()).sum::<usize>());
    let written = rmp::encode::write_array_len(&mut body, 3)
        .and_then(|_| texts.iter().try_for_each(|text| rmp::encode::write_str(&mut body, text)));
    debug_assert!(written.is_ok(), "a Vec takes all bytes");
    body.into()
}

fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let fault = Fault::new("KeyError", "'x'").with_traceback("File \"a\"");
        assert_eq!(read(&write(&fault, Profile::V1, true)), fault);
        assert_eq!(read(&write(&fault, Profile::V1, false)).traceback, "");
    }

    #[test]
    fn f_11_other_shapes_are_a_fault_of_class_unknown() {
        for body in [&b""[..], b"\xc0", b"\x92\xa1a\xa1b", b"\x93\x01\xa1b\xa1c", b"\x93\xa1a"] {
            assert_eq!(read(body).class, "?");
        }
        assert_eq!(read(b"\x94\xa1a\xa1b\xa1c\xa1d").class, "?");
    }

    #[test]
    fn f_11_long_texts_are_cut() {
        let long = "é".repeat(8 << 20);
        let fault = read(&write(&Fault::new("E", "m").with_traceback(long), Profile::V1, true));
        assert_eq!((fault.class.as_str(), fault.message.as_str()), ("E", "m"));
        assert!(fault.traceback.len() <= TEXT_BYTES_MAX + 2);
    }
}
