//! Whatever an argument on the program's command line, it is a value, which can be sent and whose JSON
//! stands for it, or refused with a reason; and whatever value a peer sends, its JSON is one line that
//! steers no terminal and stands for that value.
//!
//! An input is taken for text, and for msgpack as well.

use crate::memory::bounded;
use crate::program_json::{Exts, argument, write, write_of};
use crate::values::{check, encoded};
use pseud_proto::value::Value;

/// One argument, and one result.
pub fn json(data: &[u8]) {
    // JSON is read from its text, once for each level of it.
    bounded(data.len() * 16, || {
        if let Ok(text) = std::str::from_utf8(data)
            && let Ok(value) = argument(text)
        {
            comes_back(&value);
        }
        if let Ok(packed) = check(data) {
            comes_back(&packed.value());
        }
    });
}

fn comes_back(value: &Value) {
    let text = write(value).expect("every value has its JSON");
    assert!(!text.contains(char::is_control), "{text:?}");
    let again = argument(&text).expect("what was written can be read");
    assert_eq!(write(&again).expect("every value has its JSON"), text);
    // Compared as bytes: no NaN is equal to itself. JSON has one NaN, a float has many.
    let has_nan = text.contains(r#""$float":"nan""#);
    assert!(has_nan || encoded(&again) == encoded(value), "{text}");
    // As kaa.rpc means its exts: those that are malformed have no JSON, and an object is not read back.
    if let Ok(text) = write_of(value, Exts::KAA) {
        assert!(!text.contains(char::is_control), "{text:?}");
        if let Ok(again) = argument(&text) {
            let again = write_of(&again, Exts::KAA).expect("what was read can be written");
            assert_eq!(again, text);
        }
    }
}
