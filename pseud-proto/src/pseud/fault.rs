//! ERROR bodies: `[class, message, traceback]`.

use super::profile::v1_class;
use crate::error::Fault;
use crate::peer::Profile;
use crate::value::heads;
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
    if heads::read_array(&mut rest)? != 3 {
        return None;
    }
    let class = read_text(&mut rest, CLASS_BYTES_MAX)?;
    let message = read_text(&mut rest, TEXT_BYTES_MAX)?;
    let mut fault = Fault::new(class, message);
    fault.traceback = match rest {
        [0xc0] => None,
        _ => Some(read_text(&mut rest, TEXT_BYTES_MAX)?),
    };
    Some(fault)
}

/// One text, cut to `max` bytes. Only what is kept is copied and checked.
fn read_text(rest: &mut &[u8], max: usize) -> Option<String> {
    let text = heads::read_text(rest)?;
    Some(String::from_utf8_lossy(text.get(..max).unwrap_or(text)).into_owned())
}

/// The body that tells this fault to a peer of that profile.
pub(super) fn write(fault: &Fault, profile: Profile, expose_traceback: bool) -> Bytes {
    let (class, message) = match profile {
        Profile::V1 => v1_class(fault),
    };
    let traceback = fault.traceback.as_deref().filter(|_| expose_traceback).unwrap_or_default();
    let (class, message) = (cut(class, CLASS_BYTES_MAX), cut(&message, TEXT_BYTES_MAX));
    let texts = [class, message, cut(traceback, TEXT_BYTES_MAX)];
    let mut body = Vec::with_capacity(16 + texts.iter().map(|text| text.len()).sum::<usize>());
    put(&mut body, heads::array_head(3));
    for text in texts {
        put(&mut body, heads::str_head(text.len() as u32));
        body.extend_from_slice(text.as_bytes());
    }
    body.into()
}

fn put(body: &mut Vec<u8>, (head, used): ([u8; 5], usize)) {
    body.extend_from_slice(head.get(..used).unwrap_or_default());
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exception;

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let fault = Fault::new("KeyError", "'x'").with_traceback("File \"a\"");
        assert_eq!(read(&write(&fault, Profile::V1, true)), fault);
        assert_eq!(read(&write(&fault, Profile::V1, false)).traceback.as_deref(), Some(""));
    }

    #[test]
    fn no_traceback_is_another_thing_than_an_empty_one_until_it_is_passed_on() {
        let fault = read(b"\x93\xa1E\xa1m\xc0");
        assert_eq!((fault.message.as_str(), fault.traceback.as_deref()), ("m", None));
        assert_eq!(read(&write(&fault, Profile::V1, true)), Fault::new("E", "m"));
    }

    #[test]
    fn each_exception_of_python_leaves_as_what_it_is() {
        for &exception in Exception::ALL {
            let told = read(&write(&Fault::new(exception, "why"), Profile::V1, false));
            assert_eq!((told.exception(), told.message.as_str()), (Some(exception), "why"));
        }
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
        let len = 8u32 << 20;
        let mut body = b"\x93\xa1E\xa1m\xdb".to_vec();
        body.extend_from_slice(&len.to_be_bytes());
        body.resize(body.len() + len as usize, b'x');
        let fault = read(&body);
        assert_eq!((fault.class.as_str(), fault.message.as_str()), ("E", "m"));
        assert_eq!(fault.traceback.map(|text| text.len()), Some(TEXT_BYTES_MAX));
        let ours = Fault::new("é".repeat(100), "é".repeat(8 << 10));
        let told = read(&write(&ours, Profile::V1, true));
        assert!(told.class.len() <= CLASS_BYTES_MAX && told.message.len() <= TEXT_BYTES_MAX);
    }
}
