//! Types that meet every part of the deserializer.

use pseud_proto::value::{Arguments, Date, DateTime, Ext, Packed, TimeDelta, TimeZone, Value};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "it is only decoded into")]
enum Anything<'a> {
    Text(&'a str),
    Bytes(#[serde(with = "serde_bytes")] &'a [u8]),
    Pair(i8, Option<f32>),
    Fields { a: Vec<u64>, b: Option<BTreeMap<String, i128>> },
    Nothing,
    Date(Box<(DateTime, Date, TimeDelta, TimeZone)>),
    Ext(Ext<5>),
    Owned(String, #[serde(with = "serde_bytes")] Vec<u8>, char, u16),
}

/// A body as each of many types.
pub(crate) fn decode(packed: &Packed) {
    let _ = packed.decode::<Anything<'_>>();
    let _ = packed.decode::<Vec<Anything<'_>>>();
    let _ = packed.decode::<(u8, String, IgnoredAny)>();
    let _ = packed.decode::<BTreeMap<String, Anything<'_>>>();
    let _ = packed.decode::<BTreeMap<i64, Option<bool>>>();
    let _ = packed.decode::<DateTime>();
    let _ = packed.decode::<f64>();
    let _ = packed.decode::<Ext<5>>();
    packed.decode::<IgnoredAny>().expect("anything can be passed over");
    let _ = packed.decode::<()>();
}

/// Arguments as each of several signatures. An error says in one short text which argument it is about.
pub(crate) fn arguments(arguments: &Arguments) {
    for told in [
        arguments.args::<(Anything<'_>, Option<u8>)>().err(),
        arguments.args::<(i64, i64)>().err(),
        arguments.args::<()>().err(),
        arguments.kwargs::<()>().err(),
        arguments.kwargs::<BTreeMap<String, Anything<'_>>>().err(),
    ] {
        let short = told.is_none_or(|told| told.to_string().len() < 1_000);
        assert!(short, "an error does not repeat what a peer sent");
    }
    arguments.args::<Vec<Value>>().expect("arguments are values");
    arguments.kwargs::<BTreeMap<String, Value>>().expect("keyword arguments are values by name");
}
