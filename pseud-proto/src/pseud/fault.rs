//! ERROR bodies: `[class, message, traceback]`.

use super::classes::v1_class;
use crate::error::Fault;
use crate::profile::Profile;
use crate::value::heads;
use bytes::Bytes;

/// The longest class that is believed, in bytes.
const CLASS_BYTES_MAX: usize = 128;
/// The longest message and the longest traceback that are kept, in bytes.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// What an ERROR takes at most besides those two, in bytes.
const OTHER_BYTES_MAX: usize = 256;

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
    let traceback = match rest {
        [0xc0] => String::new(),
        _ => read_text(&mut rest, TEXT_BYTES_MAX)?,
    };
    Some(Fault::new(class, message).with_traceback(traceback))
}

/// One text, cut to `max` bytes. Only what is kept is copied and checked.
fn read_text(rest: &mut &[u8], max: usize) -> Option<String> {
    let text = heads::read_text(rest)?;
    Some(String::from_utf8_lossy(text.get(..max).unwrap_or(text)).into_owned())
}

/// The body that tells this fault to a peer of that profile.
pub(super) fn write(fault: &Fault, profile: Profile, expose_traceback: bool) -> Bytes {
    let (class, message) = v1_class(fault);
    let max = text_bytes_max(profile);
    let traceback = if expose_traceback { cut(&fault.traceback, max) } else { "" };
    let texts = [cut(class, CLASS_BYTES_MAX), cut(&message, max), traceback];
    let mut body = Vec::with_capacity(16 + texts.iter().map(|text| text.len()).sum::<usize>());
    put(&mut body, heads::array_head(3));
    for text in texts {
        put(&mut body, heads::str_head(text.len() as u32));
        body.extend_from_slice(text.as_bytes());
    }
    body.into()
}

/// How long a message and a traceback may be, so that the whole fits what that peer takes.
fn text_bytes_max(profile: Profile) -> usize {
    let max = profile.body_bytes_max().unwrap_or(usize::MAX);
    TEXT_BYTES_MAX.min(max.saturating_sub(OTHER_BYTES_MAX) / 2)
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
        let len = 8u32 << 20;
        let mut body = b"\x93\xa1E\xa1m\xdb".to_vec();
        body.extend_from_slice(&len.to_be_bytes());
        body.resize(body.len() + len as usize, b'x');
        let fault = read(&body);
        assert_eq!((fault.class.as_str(), fault.message.as_str()), ("E", "m"));
        assert_eq!(fault.traceback.len(), TEXT_BYTES_MAX);
        let ours = Fault::new("é".repeat(100), "é".repeat(8 << 10));
        let told = read(&write(&ours, Profile::V1, true));
        assert!(told.class.len() <= CLASS_BYTES_MAX && told.message.len() <= TEXT_BYTES_MAX);
    }
}
