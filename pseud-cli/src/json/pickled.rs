//! What kaa.rpc's bodies hold besides: integers of any size, sets, complex numbers, and objects that are
//! not data.

use pseud::proto::kaa::{BigInt, Complex, FrozenSet, PickledObject, Set, exts};
use pseud::proto::value::Packed;
use pseud::proto::value::Value;
use serde::de::DeserializeOwned;

/// Whether that is the code of one of them.
pub(super) fn is_one(code: i8) -> bool {
    (exts::BIG_INT..=exts::OBJECT).contains(&code)
}

/// The key of its form, and what stands behind that.
///
/// # Errors
/// Its bytes are no such thing.
pub(super) fn form(value: &Value) -> Result<(&'static str, Value), String> {
    Ok(match value {
        Value::Ext(exts::BIG_INT, _) => ("$int", digits(&decoded(value)?).into()),
        Value::Ext(exts::SET, _) => ("$set", Value::Array(decoded::<Set<Value>>(value)?.0)),
        Value::Ext(exts::FROZEN_SET, _) => {
            ("$frozenset", Value::Array(decoded::<FrozenSet<Value>>(value)?.0))
        }
        Value::Ext(exts::COMPLEX, _) => {
            let Complex { real, imaginary } = decoded(value)?;
            ("$complex", Value::Array([real, imaginary].map(Value::F64).to_vec()))
        }
        _ => ("$object", object(decoded(value)?)),
    })
}

fn decoded<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    let packed = Packed::result(value).map_err(|error| error.to_string())?;
    packed.decode().map_err(|error| error.to_string())
}

/// Its class, and of the rest what there is.
fn object(object: PickledObject) -> Value {
    let PickledObject { class, args, state, items, pairs, .. } = object;
    let pairs = pairs.into_iter().map(|(key, value)| Value::Array(vec![key, value]));
    let lists = [("items", items), ("pairs", pairs.collect())];
    let lists = lists.into_iter().filter(|(_, items)| !items.is_empty());
    let values =
        [("args", args), ("state", state)].into_iter().filter(|(_, value)| *value != Value::Nil);
    let named = std::iter::once(("class", class.into()));
    named.chain(values).chain(lists.map(|(name, items)| (name, Value::Array(items)))).collect()
}

/// In decimal digits; what has more than 128 bits in hexadecimal ones of its two's complement.
fn digits(value: &BigInt) -> String {
    value.to_i128().map_or_else(
        || {
            let bytes = value.as_le_bytes().iter().rev().copied().collect::<Vec<_>>();
            format!("0x{}", super::to_hex(&bytes))
        },
        |value| value.to_string(),
    )
}

/// What has such a [`form`], but for an object, which is none that could be sent.
pub(super) fn read(key: &str, inside: Value) -> Option<Value> {
    let packed = match (key, inside) {
        ("$int", Value::Str(digits)) => Packed::result(&integer(&digits)?),
        ("$set", Value::Array(items)) => Packed::result(&Set(items)),
        ("$frozenset", Value::Array(items)) => Packed::result(&FrozenSet(items)),
        ("$complex", Value::Array(parts)) => match parts.as_slice() {
            [real, imaginary] => {
                let (real, imaginary) = (real.as_f64()?, imaginary.as_f64()?);
                Packed::result(&Complex { real, imaginary })
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(packed.ok()?.value())
}

fn integer(digits: &str) -> Option<BigInt> {
    match digits.strip_prefix("0x") {
        Some(hex) => {
            let mut bytes = super::from_hex(hex)?;
            bytes.reverse();
            Some(BigInt::from_le_bytes(bytes))
        }
        None if digits.starts_with('+') => None,
        None => digits.parse::<i128>().ok().map(BigInt::from),
    }
}
