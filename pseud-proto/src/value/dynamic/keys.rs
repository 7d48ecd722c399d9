//! Equal keys, as a Python dict sees them: the first one's place, the last one's value.
//!
//! Sorting, not hashing: nothing collides, and no entropy is needed.

use crate::value::datetime::TimeZone;
use crate::value::dynamic::value::Value;
use std::cmp::Ordering;

/// The pairs of a dict: of equal keys the first stays, with the last one's value. O(n log n).
pub(crate) fn unique<K>(
    mut pairs: Vec<(K, Value)>,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<(K, Value)> {
    if pairs.len() < 2 {
        return pairs;
    }
    let mut gone = repeated(&mut pairs, compare);
    gone.sort_unstable();
    let mut gone = gone.into_iter().peekable();
    let mut at = 0u32;
    pairs.retain(|_| {
        let stays = gone.next_if_eq(&at).is_none();
        at = at.wrapping_add(1);
        stays
    });
    pairs
}

/// Hands each repeated key's value to the first of its kind; where those that repeat it are.
fn repeated<K>(pairs: &mut [(K, Value)], compare: impl Fn(&K, &K) -> Ordering) -> Vec<u32> {
    let mut order: Vec<u32> = (0u32..).take(pairs.len()).collect();
    let by_key = |&one: &u32, &other: &u32| match (key(pairs, one), key(pairs, other)) {
        (Some(first), Some(second)) => compare(first, second).then(one.cmp(&other)),
        _ => one.cmp(&other),
    };
    order.sort_unstable_by(by_key);
    let mut first = None;
    order.retain(|&at| {
        let same = match (first.and_then(|first| key(pairs, first)), key(pairs, at)) {
            (Some(one), Some(other)) => compare(one, other).is_eq(),
            _ => false,
        };
        match first {
            Some(first) if same => hand_over(pairs, first, at),
            _ => first = Some(at),
        }
        same
    });
    order
}

/// Whether a key stands there twice, arrays aside. A NaN is no key's equal.
pub(crate) fn repeat(pairs: &[(Value, Value)]) -> bool {
    let is_nan = |key: &Value| key.as_f64().is_some_and(f64::is_nan);
    let keys = pairs.iter().map(|(key, _)| key);
    let mut keys: Vec<&Value> =
        keys.filter(|key| key.as_array().is_none() && !is_nan(key)).collect();
    keys.sort_unstable_by(|one, other| python_order(one, other));
    let mut pairs = keys.iter().zip(keys.iter().skip(1));
    pairs.any(|(one, other)| python_order(one, other).is_eq())
}

fn key<K>(pairs: &[(K, Value)], at: u32) -> Option<&K> {
    pairs.get(at as usize).map(|(key, _)| key)
}

/// `from` lies behind `to`.
fn hand_over<K>(pairs: &mut [(K, Value)], to: u32, from: u32) {
    let Some((before, behind)) = pairs.split_at_mut_checked(from as usize) else { return };
    if let (Some((_, old)), Some((_, new))) = (before.get_mut(to as usize), behind.first_mut()) {
        std::mem::swap(old, new);
    }
}

/// An order in which those keys are equal that Python holds for equal: `1`, `1.0` and `True` are
/// one key. NaNs of the same bits are one here and several there.
pub(crate) fn python_order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Str(one), Value::Str(other)) => one.cmp(other),
        (Value::Bin(one), Value::Bin(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => sequence_order(one, other),
        (Value::Ext(code, one), Value::Ext(other_code, other)) => {
            code.cmp(other_code).then_with(|| one.cmp(other))
        }
        (Value::DateTime(one), Value::DateTime(other)) => one.key().cmp(&other.key()),
        (Value::Date(one), Value::Date(other)) => one.cmp(other),
        (Value::TimeDelta(one), Value::TimeDelta(other)) => one.cmp(other),
        (Value::TimeZone(one), Value::TimeZone(other)) => {
            let place = |zone: &TimeZone| (zone.offset(), zone.key().map(str::to_owned));
            match (one.offset(), other.offset()) {
                (Some(one), Some(other)) => one.cmp(&other),
                _ => place(one).cmp(&place(other)),
            }
        }
        _ => match (number(one), number(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => rank(one).cmp(&rank(other)),
        },
    }
}

fn sequence_order(one: &[Value], other: &[Value]) -> Ordering {
    let pairs = one.iter().zip(other);
    let differing = pairs.map(|(one, other)| python_order(one, other)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Nil => 0,
        Value::Bool(_) | Value::Int(_) | Value::F64(_) => 1,
        Value::Str(_) => 2,
        Value::Bin(_) => 3,
        Value::Array(_) => 4,
        Value::Map(_) => 5,
        Value::Ext(..) => 6,
        Value::DateTime(_) => 7,
        Value::Date(_) => 8,
        Value::TimeDelta(_) => 9,
        Value::TimeZone(_) => 10,
    }
}

/// A number in the one form that all equal numbers share.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Whole(i128),
    Other(u64),
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(value) => Some(Number::Whole(i128::from(*value))),
        Value::Int(value) => Some(Number::Whole(value.as_i128())),
        Value::F64(value) => Some(whole(*value)),
        _ => None,
    }
}

/// Integers reach from -2^63 to 2^64: a float outside equals none of them.
fn whole(value: f64) -> Number {
    match value.fract() == 0.0 && value.abs() <= 18_446_744_073_709_551_616.0 {
        true => Number::Whole(value as i128),
        false => Number::Other(value.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unique_of(pairs: Vec<(Value, i64)>) -> Vec<(Value, Value)> {
        unique(pairs.into_iter().map(|(key, value)| (key, value.into())).collect(), python_order)
    }

    #[test]
    fn the_first_place_and_the_last_value() {
        let pairs = unique_of(vec![("a".into(), 1), ("b".into(), 2), ("a".into(), 3)]);
        assert_eq!(pairs, [("a".into(), 3.into()), ("b".into(), 2.into())]);
    }

    #[test]
    fn numbers_are_equal_across_types() {
        let pairs = unique_of(vec![
            (Value::from(1), 1),
            (Value::from(1.0), 2),
            (Value::from(true), 3),
            (Value::from(-0.0), 4),
            (Value::from(false), 5),
            (Value::from(1.5), 6),
        ]);
        assert_eq!(
            pairs,
            [(1.into(), 3.into()), (Value::from(-0.0), 5.into()), (1.5.into(), 6.into())]
        );
    }

    #[test]
    fn no_keys_are_worse_than_n_log_n() {
        let most = 16_384;
        for make in [|_: i64| 0i64, |at| at, |at: i64| -at, |at| at ^ 0x1555, |at| at % 2] {
            let comparisons = std::cell::Cell::new(0u64);
            let counted = |one: &Value, other: &Value| {
                comparisons.set(comparisons.get() + 1);
                python_order(one, other)
            };
            unique((0..most).map(|at| (make(at).into(), Value::Nil)).collect(), counted);
            assert!(comparisons.get() < 3 * 16_384 * 14, "{}", comparisons.get());
        }
    }

    #[test]
    fn str_bin_and_nil_differ() {
        let keys = [Value::from("a"), Value::Bin("a".into()), Value::Nil, Value::Array(vec![])];
        let pairs = unique_of(keys.iter().cloned().zip(0..).collect());
        assert_eq!(pairs.len(), keys.len());
    }
}
