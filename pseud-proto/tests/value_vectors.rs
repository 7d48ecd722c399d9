//! The bodies that Python's pseud 1.0.1 (on 3.11 and 3.6) and 0.0.5 (on 2.7) were recorded with:
//! each is decoded to what it meant there and encoded to the same bytes, or refused as it was there.

mod meaning;

use meaning::{dated, datetime, hex, means};
use pseud_proto::Fault;
use pseud_proto::value::{
    BadExt, BadValue, EncodeError, ExtPayload, ExtTable, Packed, Unchecked, Value, ValueLimits,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One recorded body; `meaning` is JSON with tags (`$bytes` in hex, `$tuple`, `$map`, …).
#[derive(Deserialize)]
struct Vector {
    name: String,
    version: String,
    /// A body on its own, an ext, the body of a message of that type, or something else's vector.
    r#as: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    hex: String,
    #[serde(default)]
    decodes_to: Json,
    #[serde(default)]
    value: Json,
    error: Option<String>,
}

/// How one vector was gone through. The names are printed where the counts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    /// Decoded to its meaning, encoded to the same bytes.
    BothWays,
    /// The same but for the number of a date's pickle protocol: 4, where Python 3.11 writes 5.
    Protocol4,
    /// A date in a zone of `zoneinfo`, by its key: for peers that have that zone.
    ByKey,
    /// Decoded to its meaning; made by hand in a form that Python's packer does not write.
    Decoded,
    /// Kept as an ext: Python would run its pickle, whose shape is none of the closed ones.
    Opaque,
    /// Refused, as the reference refuses it.
    Refused,
    /// Empty or plain text: no value, and the check says so.
    NoValue,
    /// Python objects that no Rust value is: nothing to encode.
    Inexpressible,
    /// A traceback, told in the same text.
    Traceback,
    /// Of the ZAP protocol or of ZMTP: not bodies.
    Elsewhere,
}

#[test]
fn every_vector() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors/bodies.json")).unwrap();
    let mut counts: BTreeMap<(&str, Done), Vec<&str>> = BTreeMap::new();
    for vector in &vectors {
        counts.entry((&vector.version, go(vector))).or_default().push(&vector.name);
    }
    let count = |version, done| counts.get(&(version, done)).map_or(0, Vec::len);
    let table = [
        ("1.0.1", Done::BothWays, 180),
        ("1.0.1", Done::Protocol4, 34),
        ("1.0.1", Done::ByKey, 2),
        ("1.0.1", Done::Decoded, 14),
        ("1.0.1", Done::Opaque, 20),
        ("1.0.1", Done::Refused, 10),
        ("1.0.1", Done::NoValue, 20),
        ("1.0.1", Done::Inexpressible, 4),
        ("1.0.1", Done::Traceback, 7),
        ("1.0.1", Done::Elsewhere, 78),
        ("0.0.5", Done::BothWays, 36),
        ("0.0.5", Done::NoValue, 10),
        ("0.0.5", Done::Elsewhere, 4),
    ];
    let found: Vec<_> =
        table.iter().map(|&(version, done, _)| (version, done, count(version, done))).collect();
    assert_eq!(found, table, "{counts:#?}");
    let expected: usize = table.iter().map(|(.., count)| count).sum();
    assert_eq!(vectors.len(), expected);
}

fn go(vector: &Vector) -> Done {
    match vector.r#as.as_str() {
        "body" if vector.name.starts_with("pseud/translation_table/") => with_a_table(vector),
        "body" | "ext" if vector.error.is_some() => refusal(vector),
        "body" => value(vector),
        "ext" => ext(vector),
        "ok" | "error" | "hello" => value(vector),
        "work" => work(vector),
        "probe" | "heartbeat" => no_value(vector, BadValue::Truncated(0)),
        "authenticated" | "unauthorized" => no_value(vector, BadValue::ExtraData(1)),
        "text" if vector.name.starts_with("pseud/format_remote_traceback/") => traceback(vector),
        "zap" | "tcp-chunk" | "text" => Done::Elsewhere,
        other => panic!("{}: what is {other}?", vector.name),
    }
}

fn bytes(vector: &Vector) -> Vec<u8> {
    hex(&vector.hex)
}

fn check(bytes: &[u8]) -> Result<Packed, BadValue> {
    Unchecked::new(bytes.to_vec().into()).check(&ValueLimits::default())
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out).unwrap();
    out
}

/// Both decoders, which have to agree.
fn decoded(packed: &Packed) -> Value {
    let value = packed.value();
    assert_eq!(encoded(&packed.decode::<Value>().unwrap()), encoded(&value));
    value
}

fn value(vector: &Vector) -> Done {
    let bytes = bytes(vector);
    let packed = check(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
    let value = decoded(&packed);
    if vector.name == "pseud/decode-edge/pickle_of_int_in_126"
        || vector.name == "pseud/decode-edge/pickle_of_builtin_len_in_126"
    {
        return opaque(vector, &packed, &value);
    }
    let meaning = &vector.decodes_to;
    match meaning.get("$datetime").filter(|_| vector.version == "0.0.5") {
        Some(parts) => assert_eq!(dated(parts), datetime(&value.from_legacy_datetime().unwrap())),
        None => assert!(means(&value, meaning), "{}: {value:?}", vector.name),
    }
    assert!(packed.is_v1_safe(), "{}", vector.name);
    both_ways(vector, &value, &bytes)
}

fn ext(vector: &Vector) -> Done {
    let bytes = bytes(vector);
    let packed = check(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
    let value = decoded(&packed);
    match value {
        Value::Ext(..) => opaque(vector, &packed, &value),
        _ if vector.name.contains("zoneinfo") => {
            let zone = match &value {
                Value::TimeZone(zone) => zone,
                Value::DateTime(moment) => moment.zone().unwrap(),
                other => panic!("{}: {other:?}", vector.name),
            };
            assert_eq!((zone.key(), zone.offset()), (Some("UTC"), None));
            assert!(!packed.is_v1_safe(), "{}: a v1 peer would look it up", vector.name);
            assert_eq!(both_ways(vector, &value, &bytes), Done::Protocol4);
            Done::ByKey
        }
        _ => {
            assert!(means(&value, &vector.value), "{}: {value:?}", vector.name);
            assert!(packed.is_v1_safe(), "{}", vector.name);
            both_ways(vector, &value, &bytes)
        }
    }
}

/// The very bytes; or those that differ in a pickle protocol's number; or another form.
fn both_ways(vector: &Vector, value: &Value, bytes: &[u8]) -> Done {
    let ours = encoded(value);
    assert_eq!(encoded(&decoded(&check(&ours).unwrap())), ours, "{}", vector.name);
    if ours == bytes {
        return Done::BothWays;
    }
    let differing = ours.iter().zip(bytes).filter(|(one, other)| one != other);
    if ours.len() == bytes.len() && differing.into_iter().all(|pair| pair == (&4, &5)) {
        assert_eq!(check(bytes).unwrap().as_bytes(), ours, "{}: to forward", vector.name);
        return Done::Protocol4;
    }
    assert!(vector.direction.starts_with("decode"), "{}", vector.name);
    Done::Decoded
}

fn opaque(vector: &Vector, packed: &Packed, value: &Value) -> Done {
    assert!(!packed.is_v1_safe(), "{}: a v1 peer would run it", vector.name);
    let Value::Ext(code, _) = value else { panic!("{}: {value:?}", vector.name) };
    assert!((123..=126).contains(code));
    assert_eq!(decoded(&check(&encoded(value)).unwrap()), *value, "{}", vector.name);
    Done::Opaque
}

fn work(vector: &Vector) -> Done {
    let bytes = bytes(vector);
    let whole = decoded(&check(&bytes).unwrap());
    assert!(means(&whole, &vector.decodes_to), "{}", vector.name);
    assert_eq!(encoded(&whole), bytes, "{}", vector.name);
    let [name, args, kwargs] = whole.as_array().unwrap() else { panic!("{}", vector.name) };
    let call = &bytes[1 + encoded(name).len()..];
    let arguments =
        Unchecked::new(call.to_vec().into()).check_call(&ValueLimits::default()).unwrap();
    assert_eq!(arguments.args_values(), args.as_array().unwrap());
    let keywords = arguments.kwargs_values();
    assert_eq!(keywords.len(), kwargs.as_map().unwrap().len());
    assert_eq!(arguments.packed().as_bytes(), call);
    if vector.version == "1.0.1" {
        let keywords: Value = keywords.into_iter().collect();
        let again = Packed::call(args.as_array().unwrap(), &keywords).unwrap();
        assert_eq!(again.as_bytes(), call, "{}", vector.name);
    }
    Done::BothWays
}

fn no_value(vector: &Vector, expected: BadValue) -> Done {
    let bytes = bytes(vector);
    std::str::from_utf8(&bytes).unwrap();
    assert_eq!(check(&bytes).unwrap_err(), expected, "{}", vector.name);
    Done::NoValue
}

fn refusal(vector: &Vector) -> Done {
    let refused = match vector.name.as_str() {
        "pseud/refuse-encode/int_2p64" => return too_wide(&(1u128 << 64)),
        "pseud/refuse-encode/int_-2p63-1" => return too_wide(&(-(1i128 << 63) - 1)),
        // No str here holds half of a pair; one on the wire is no UTF-8.
        "pseud/refuse-encode/surrogate" => {
            assert_eq!(check(b"\xa3\xed\xa0\x80").unwrap_err(), BadValue::Utf8(0));
            return Done::Refused;
        }
        name if name.starts_with("pseud/refuse-encode/") => return Done::Inexpressible,
        "pseud/decode-edge/bad_pickle" => {
            let packed = check(&bytes(vector)).unwrap();
            return opaque(vector, &packed, &packed.value());
        }
        "pseud/decode-edge/c1" => BadValue::Reserved(0),
        "pseud/decode-edge/empty" => BadValue::Truncated(0),
        "pseud/decode-edge/trailing" => BadValue::ExtraData(1),
        "pseud/decode-edge/bad_utf8" => BadValue::Utf8(0),
        "pseud/decode-edge/truncated" => BadValue::Truncated(0),
        "pseud/decode-edge/unhashable_key_map" => BadValue::Key(1),
        "pseud/decode-edge/ext_timestamp32" => BadValue::Ext(0),
        other => panic!("{other} is refused there"),
    };
    assert_eq!(check(&bytes(vector)).unwrap_err(), refused, "{}", vector.name);
    Done::Refused
}

fn too_wide(value: &impl serde::Serialize) -> Done {
    assert_eq!(Packed::result(value).unwrap_err(), EncodeError::Integer);
    Done::Refused
}

/// `translation_table={5: (A, …), 126: (date, isoformat, fromisoformat)}`.
fn with_a_table(vector: &Vector) -> Done {
    fn nested(payload: ExtPayload<'_>) -> Result<Value, BadExt> {
        let inner = payload.value()?;
        let bytes = inner.as_bytes().ok_or(BadExt)?;
        let text = std::str::from_utf8(bytes).map_err(|_| BadExt)?;
        Ok([("A", text)].into_iter().collect())
    }
    fn iso(payload: ExtPayload<'_>) -> Result<Value, BadExt> {
        std::str::from_utf8(payload.bytes()).map(Value::from).map_err(|_| BadExt)
    }
    let mut table = ExtTable::new();
    table.register(5, nested).unwrap().register(126, iso).unwrap();
    let bytes = bytes(vector);
    let packed = check(&bytes).unwrap();
    let value = packed.value_with(&table).unwrap();
    match vector.name.as_str() {
        "pseud/translation_table/code5" => {
            let inner: Value = [("A", "--")].into_iter().collect();
            assert_eq!(value, [("k", inner)].into_iter().collect());
        }
        "pseud/translation_table/override126" => {
            assert_eq!(value, "2018-04-17".into());
            assert!(!packed.is_v1_safe() && packed.clone().vouched(&table).is_v1_safe());
        }
        _ => assert_eq!(value.as_datetime().unwrap().date().day(), 17),
    }
    both_ways(vector, &packed.value(), &bytes)
}

fn traceback(vector: &Vector) -> Done {
    let mut fault = Fault::new("ValueError", "why");
    fault.traceback = vector.value.as_str().map(str::to_owned);
    let text = String::from_utf8(bytes(vector)).unwrap();
    assert_eq!(fault.python_text(), format!("{text}\nwhy"), "{}", vector.name);
    Done::Traceback
}
