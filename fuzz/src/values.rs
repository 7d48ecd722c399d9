//! Whatever the bytes of a body, they are refused with a reason or they are the value that another
//! decoder reads as well; what was checked is decoded, typed or not, without a panic; a value written and
//! read again is the same value in the same bytes.

use crate::memory::bounded;
use crate::msgpack;
use crate::typed;
use pseud_proto::value::{
    BadExt, BadValue, ExtPayload, ExtTable, Packed, Unchecked, Value, ValueLimits,
};

/// A body on its own, and one of arguments.
pub fn values(data: &[u8]) {
    bounded(data.len(), || {
        look_at_value(data);
        look_at_call(data);
    });
}

pub(crate) fn check(bytes: &[u8]) -> Result<Packed, BadValue> {
    Unchecked::new(bytes.to_vec().into()).check(&ValueLimits::default())
}

pub(crate) fn encoded(value: &Value) -> Vec<u8> {
    Packed::result(value).expect("what was read can be written").as_bytes().to_vec()
}

fn look_at_value(data: &[u8]) {
    match check(data) {
        Ok(packed) => {
            comes_back(&packed);
            typed::decode(&packed);
            let _ = packed.value_with(&table());
        }
        Err(BadValue::Truncated(_) | BadValue::ExtraData(_)) => {
            assert_eq!(msgpack::read(data), None, "another decoder reads it whole");
        }
        // What msgpack allows and pseud does not.
        Err(_) => {}
    }
}

/// Whether another decoder agrees, and the value survives being written.
pub(crate) fn comes_back(packed: &Packed) {
    let value = packed.value();
    let second = msgpack::read(packed.as_bytes()).expect("another decoder reads it as well");
    assert!(is_same(&value, &second), "{value:?} is read as {second}");
    let again = encoded(&value);
    let twice = check(&again).expect("what we write passes our own check");
    assert_eq!(encoded(&twice.value()), again);
    assert!(twice.is_v1_safe() || !packed.is_v1_safe(), "decoding adds no foreign pickle");
    assert_eq!(encoded(&packed.decode::<Value>().expect("any value is a value")), again);
    let _ = value.from_legacy_datetime();
}

fn look_at_call(data: &[u8]) {
    let Ok(arguments) = Unchecked::new(data.to_vec().into()).check_call(&ValueLimits::default())
    else {
        return;
    };
    typed::arguments(&arguments);
    let (args, kwargs) = (arguments.args_values(), arguments.kwargs_values());
    let _ = (arguments.args_values_with(&table()), arguments.kwargs_values_with(&table()));
    let kwargs: Value = kwargs.into_iter().collect();
    let call = Packed::call(&args, &kwargs).expect("what was read can be written");
    let again = Unchecked::new(call.as_bytes().to_vec().into()).check_call(&ValueLimits::default());
    let again = again.expect("what we write passes our own check");
    let again_kwargs: Value = again.kwargs_values().into_iter().collect();
    let both = Packed::call(&again.args_values(), &again_kwargs).expect("it could be written");
    assert_eq!(both.as_bytes(), call.as_bytes());
}

/// A table whose decoders look into their payloads.
fn table() -> ExtTable {
    fn nested(payload: ExtPayload<'_>) -> Result<Value, BadExt> {
        payload.value()
    }
    fn refused(_: ExtPayload<'_>) -> Result<Value, BadExt> {
        Err(BadExt)
    }
    let mut table = ExtTable::new();
    for code in [1, 3, 125] {
        table.register(code, nested).expect("a code from 0 to 127");
    }
    table.register(2, refused).expect("a code from 0 to 127");
    table
}

/// Whether both are the same value. Of keys that Python takes for equal we keep one.
fn is_same(ours: &Value, theirs: &rmpv::Value) -> bool {
    match (ours, theirs) {
        (Value::Nil, theirs) => theirs.is_nil(),
        (Value::Bool(ours), theirs) => theirs.as_bool() == Some(*ours),
        (Value::Int(ours), rmpv::Value::Integer(theirs)) => {
            let theirs = theirs.as_i64().map(i128::from).or(theirs.as_u64().map(i128::from));
            theirs == Some(ours.as_i128())
        }
        (Value::F64(ours), rmpv::Value::F64(theirs)) => ours.to_bits() == theirs.to_bits(),
        (Value::F64(ours), rmpv::Value::F32(theirs)) => {
            let theirs = f64::from(*theirs);
            ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan())
        }
        (Value::Str(ours), rmpv::Value::String(theirs)) => theirs.as_str() == Some(ours),
        (Value::Bin(ours), rmpv::Value::Binary(theirs)) => ours == theirs,
        (Value::Array(ours), rmpv::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(ours), rmpv::Value::Map(theirs)) => is_same_map(ours, theirs),
        (Value::Ext(code, ours), rmpv::Value::Ext(other, theirs)) => {
            code == other && ours == theirs
        }
        (Value::DateTime(_), rmpv::Value::Ext(125, _)) => true,
        (Value::Date(_), rmpv::Value::Ext(126, _)) => true,
        (Value::TimeDelta(_), rmpv::Value::Ext(124, _)) => true,
        (Value::TimeZone(_), rmpv::Value::Ext(123, _)) => true,
        _ => false,
    }
}

fn is_same_map(ours: &[(Value, Value)], theirs: &[(rmpv::Value, rmpv::Value)]) -> bool {
    if ours.len() == theirs.len() {
        let mut pairs = ours.iter().zip(theirs);
        return pairs
            .all(|(ours, theirs)| is_same(&ours.0, &theirs.0) && is_same(&ours.1, &theirs.1));
    }
    // Looking for each in all of them takes too long for large maps.
    let few = &ours[..ours.len().min(16)];
    let has = |value: &Value, among: fn(&(rmpv::Value, rmpv::Value)) -> &rmpv::Value| {
        theirs.iter().any(|pair| is_same(value, among(pair)))
    };
    ours.len() < theirs.len()
        && few.iter().all(|(key, value)| has(key, |pair| &pair.0) && has(value, |pair| &pair.1))
}
