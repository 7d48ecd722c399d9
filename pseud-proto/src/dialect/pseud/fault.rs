//! ERROR bodies: `[class, message, traceback]`, and to peers that read it a fourth item that says that
//! nothing was executed.

use super::extension_map;
use crate::base::text::cut;
use crate::call::Outcome;
use crate::call::profile::{Capabilities, Profile};
use crate::dialect::pseud::classes::v1_class;
use crate::error::{Fault, Reason};
use crate::value::msgpack::edges as heads;
use bytes::Bytes;

/// The longest class that is believed, in bytes.
const CLASS_BYTES_MAX: usize = 128;
/// The longest message and the longest traceback that are kept, in bytes.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// What an ERROR takes at most besides those two, in bytes.
const OTHER_BYTES_MAX: usize = 256;

/// The outcome that an ERROR body tells a side which has declared that. A body of another shape is a
/// fault all the same, of class `?`: the far handler did raise, and the call must end.
pub(crate) fn read(body: &[u8], ours: Capabilities) -> Outcome {
    let unknown = || Outcome::Fault(Fault::new("?", "the ERROR's body has another shape"));
    read_items(body, ours).unwrap_or_else(unknown)
}

fn read_items(body: &[u8], ours: Capabilities) -> Option<Outcome> {
    let mut rest = body;
    let items = heads::read_array(&mut rest)?;
    if items != 3 && !(items == 4 && ours.contains(Capabilities::OUTCOMES)) {
        return None;
    }
    let class = read_text(&mut rest, CLASS_BYTES_MAX)?;
    let message = read_text(&mut rest, TEXT_BYTES_MAX)?;
    let traceback = match rest.split_first() {
        Some((0xc0, behind)) => {
            rest = behind;
            None
        }
        _ => Some(read_text(&mut rest, TEXT_BYTES_MAX)?),
    };
    if let (4, Some(reason)) = (items, refused(rest)) {
        return Some(Outcome::NotExecuted(reason));
    }
    let mut fault = Fault::new(class, message);
    fault.traceback = traceback;
    Some(Outcome::Fault(fault))
}

/// One text, cut to `max` bytes. Only what is kept is copied and checked.
fn read_text(rest: &mut &[u8], max: usize) -> Option<String> {
    let text = heads::read_text(rest)?;
    let text = String::from_utf8_lossy(text.get(..max).unwrap_or(text));
    // What is put in place of a byte that is no UTF-8 has three.
    Some(cut(&text, max).to_owned())
}

/// Why nothing was executed, if the fourth item says that it was not.
fn refused(item: &[u8]) -> Option<Reason> {
    let (mut outcome, mut code) = (None, None);
    extension_map::entries(item, |key, value| {
        match key {
            b"outcome" => outcome = extension_map::text(value),
            b"code" => code = extension_map::text(value),
            _ => {}
        }
        Some(())
    })?;
    (outcome? == NOT_EXECUTED.as_bytes()).then(|| Reason::of_code(code.unwrap_or_default()))
}

const NOT_EXECUTED: &str = "not_executed";

/// The body that tells this fault to a peer of that profile; and, if there is a code and it reads
/// that, that nothing was executed.
pub(crate) fn write(
    fault: &Fault,
    code: Option<&'static str>,
    profile: Profile,
    expose_traceback: bool,
) -> Bytes {
    let (class, message) = v1_class(fault);
    let max = text_bytes_max(profile);
    let traceback = fault.traceback.as_deref().filter(|_| expose_traceback).unwrap_or_default();
    let texts = [cut(class, CLASS_BYTES_MAX), cut(&message, max), cut(traceback, max)];
    let code = code.filter(|_| profile.reads_outcomes());
    let len = texts.iter().map(|text| text.len()).sum::<usize>() + OTHER_BYTES_MAX;
    let mut body = Vec::with_capacity(len);
    put(&mut body, heads::array_head(if code.is_some() { 4 } else { 3 }));
    texts.iter().for_each(|text| put_text(&mut body, text));
    if let Some(code) = code {
        put(&mut body, heads::map_head(2));
        for text in ["outcome", NOT_EXECUTED, "code", code] {
            put_text(&mut body, text);
        }
    }
    body.into()
}

/// How long a message and a traceback may be, so that the whole fits what that peer takes.
fn text_bytes_max(profile: Profile) -> usize {
    let max = profile.body_bytes_max().unwrap_or(usize::MAX);
    TEXT_BYTES_MAX.min(max.saturating_sub(OTHER_BYTES_MAX) / 2)
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    put(body, heads::str_head(text.len() as u32));
    body.extend_from_slice(text.as_bytes());
}

fn put(body: &mut Vec<u8>, (head, used): ([u8; 5], usize)) {
    body.extend_from_slice(head.get(..used).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exception, Refusal};

    const ALL: Capabilities = Capabilities::ALL;

    fn fault(body: &[u8], ours: Capabilities) -> Fault {
        match read(body, ours) {
            Outcome::Fault(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        let raised = Fault::new("KeyError", "'x'").with_traceback("File \"a\"");
        for profile in [Profile::V1, Profile::declared(ALL, 1 << 20)] {
            let written = |expose| write(&raised, None, profile, expose);
            assert_eq!(written(true)[0], 0x93);
            assert_eq!(fault(&written(true), ALL), raised);
            assert_eq!(fault(&written(false), ALL).traceback.as_deref(), Some(""));
        }
    }

    #[test]
    fn no_traceback_is_another_thing_than_an_empty_one_until_it_is_passed_on() {
        let read = fault(b"\x93\xa1E\xa1m\xc0", ALL);
        assert_eq!((read.message.as_str(), read.traceback.as_deref()), ("m", None));
        let again = write(&read, None, Profile::V1, true);
        assert_eq!(fault(&again, ALL), Fault::new("E", "m"));
    }

    #[test]
    fn each_exception_of_python_leaves_as_what_it_is() {
        for &exception in Exception::ALL {
            let told = write(&Fault::new(exception, "why"), None, Profile::V1, false);
            let told = fault(&told, ALL);
            assert_eq!((told.exception(), told.message.as_str()), (Some(exception), "why"));
        }
    }

    #[test]
    fn a_refusal_says_that_nothing_was_executed_to_those_who_read_it() {
        let refusal = Refusal::NoSuchService("no.such".into());
        let written = |profile| write(&refusal.to_fault(), Some(refusal.code()), profile, false);
        let v1 = written(Profile::V1);
        assert_eq!(v1, &b"\x93\xb4ServiceNotFoundError\xa7no.such\xa0"[..]);
        assert_eq!(fault(&v1, ALL), Fault::new("ServiceNotFoundError", "no.such"));
        let told = written(Profile::declared(Capabilities::OUTCOMES, 1 << 20));
        let map = b"\x82\xa7outcome\xacnot_executed\xa4code\xafno_such_service";
        assert_eq!(told, [b"\x94", &v1[1..], map].concat());
        let outcome = read(&told, ALL);
        assert!(matches!(outcome, Outcome::NotExecuted(Reason::NoSuchService)), "{outcome:?}");
        assert_eq!(fault(&told, Capabilities::NONE).class, "?", "we did not declare it");
    }

    #[test]
    fn f_11_other_shapes_are_a_fault_of_class_unknown() {
        for body in [&b""[..], b"\xc0", b"\x92\xa1a\xa1b", b"\x93\x01\xa1b\xa1c", b"\x93\xa1a"] {
            assert_eq!(fault(body, ALL).class, "?");
        }
        assert_eq!(fault(b"\x94\xa1a\xa1b\xa1c\xa1d", Capabilities::NONE).class, "?");
        assert_eq!(fault(b"\x95\xa1a\xa1b\xa1c\x80\x80", ALL).class, "?");
    }

    #[test]
    fn f_11_an_odd_fourth_item_says_nothing() {
        let outcome = b"\xa7outcome\xacnot_executed";
        let items: [&[u8]; 9] = [
            b"",
            b"\xc0",
            b"\xa1d",
            b"\x80",
            b"\x81\xa7outcome\xa8executed",
            b"\x81\xa7outcome\x01",
            b"\x81\xa4code\xa8draining",
            &[b"\x81", &outcome[..], b"\xc0"].concat(),
            &[b"\x82", &outcome[..], b"\xa1x\xc1"].concat(),
        ];
        for item in items {
            for traceback in [&b"\xc0"[..], b"\xa1c"] {
                let body = [b"\x94\xa1a\xa1b", traceback, item].concat();
                assert_eq!(fault(&body, ALL).class, "a", "{item:x?}");
            }
        }
        let codeless = [b"\x94\xa1a\xa1b\xc0\x82\xa1x\x90", &outcome[..]].concat();
        let read = read(&codeless, ALL);
        assert!(matches!(read, Outcome::NotExecuted(Reason::Refused)), "{read:?}");
    }

    #[test]
    fn f_11_long_texts_are_cut() {
        let len = 8u32 << 20;
        let mut body = b"\x93\xa1E\xa1m\xdb".to_vec();
        body.extend_from_slice(&len.to_be_bytes());
        body.resize(body.len() + len as usize, b'x');
        let read = fault(&body, ALL);
        assert_eq!((read.class.as_str(), read.message.as_str()), ("E", "m"));
        assert_eq!(read.traceback.map(|text| text.len()), Some(TEXT_BYTES_MAX));
        let garbage = [&b"\x93\xc4\xff"[..], &[0xff; 255], b"\xc5\xff\xff", &[0xff; 0xffff]];
        let read = fault(&[&garbage.concat()[..], b"\xc0"].concat(), ALL);
        assert!(!read.class.is_empty() && read.class.len() <= CLASS_BYTES_MAX);
        assert!(!read.message.is_empty() && read.message.len() <= TEXT_BYTES_MAX);
        let long = "é".repeat(8 << 10);
        let ours = Fault::new("É".repeat(100), &*long).with_traceback(&*long);
        let told = fault(&write(&ours, None, Profile::V1, true), ALL);
        assert!(told.class.len() <= CLASS_BYTES_MAX && told.message.len() <= TEXT_BYTES_MAX);
        let least = Profile::declared(ALL, 0);
        let body = write(&ours, Some("no_such_service"), least, true);
        assert!((900..=least.body_bytes_max().unwrap()).contains(&body.len()), "{}", body.len());
    }
}
