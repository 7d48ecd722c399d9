//! Arguments bound to one type by Python's rules: positions, keywords, defaults.

use pseud_proto::value::{Arguments, Date, Packed, Unchecked, Value, ValueLimits};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn call(args: impl Serialize, kwargs: impl Serialize) -> Arguments {
    let packed = Packed::call(&args, &kwargs).unwrap();
    Unchecked::new(packed.into_bytes()).check_call(&ValueLimits::default()).unwrap()
}

fn named<V>(pairs: impl IntoIterator<Item = (&'static str, V)>) -> BTreeMap<&'static str, V> {
    pairs.into_iter().collect()
}

const NO_KEYWORDS: () = ();

fn said<T: DeserializeOwned>(args: impl Serialize, kwargs: impl Serialize) -> String {
    match call(args, kwargs).bind::<T>() {
        Ok(_) => panic!("it fits"),
        Err(error) => error.to_string(),
    }
}

/// `def move(x, y, label=None, speed=7)`
#[derive(Deserialize, Debug, PartialEq)]
struct Move {
    x: i64,
    y: i64,
    label: Option<String>,
    #[serde(default = "seven")]
    speed: i64,
}

fn seven() -> i64 {
    7
}

fn moved(x: i64, y: i64, label: Option<&str>, speed: i64) -> Move {
    Move { x, y, label: label.map(str::to_owned), speed }
}

#[test]
fn a_struct_takes_positions_keywords_and_both() {
    let bound = |args: Value, kwargs: Value| call(args, kwargs).bind::<Move>().unwrap();
    let args = |values: &[i64]| values.iter().copied().collect::<Value>();
    let kwargs = |pairs: &[(&str, i64)]| pairs.iter().copied().collect::<Value>();
    let none = kwargs(&[]);
    assert_eq!(bound(args(&[1, 2]), none.clone()), moved(1, 2, None, 7));
    assert_eq!(bound(args(&[]), kwargs(&[("x", 1), ("y", 2)])), moved(1, 2, None, 7));
    assert_eq!(bound(args(&[]), kwargs(&[("y", 2), ("x", 1)])), moved(1, 2, None, 7));
    assert_eq!(bound(args(&[1]), kwargs(&[("y", 2), ("speed", 3)])), moved(1, 2, None, 3));
    let all = Value::Array(vec![1.into(), 2.into(), "a".into(), 9.into()]);
    assert_eq!(bound(all, none), moved(1, 2, Some("a"), 9));
    let label: Value = [("label", Value::from("a"))].into_iter().collect();
    assert_eq!(bound(args(&[1, 2]), label), moved(1, 2, Some("a"), 7));
}

#[test]
fn a_text_says_what_does_not_fit_a_struct() {
    assert_eq!(said::<Move>((1,), NO_KEYWORDS), "`y` is missing");
    assert_eq!(said::<Move>((), NO_KEYWORDS), "`x` is missing");
    assert_eq!(said::<Move>((1, 2), named([("x", 1)])), "`x` came twice");
    assert_eq!(said::<Move>((1, 2), named([("z", 1)])), "unexpected keyword argument `z`");
    assert_eq!(said::<Move>((1, "2"), NO_KEYWORDS), "argument 2: expected i64, found str");
    let typed = said::<Move>((1,), named([("y", "2")]));
    assert_eq!(typed, "keyword argument `y`: expected i64, found str");
    let many = said::<Move>((1, 2, "a", 4, 5), NO_KEYWORDS);
    assert_eq!(many, "at most 4 arguments expected, 5 given");
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Renamed {
    #[serde(rename = "from", alias = "source", alias = "origin")]
    first: i64,
    #[serde(skip)]
    unseen: i64,
    #[serde(alias = "target")]
    to: Vec<IgnoredAny>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Lax {
    #[serde(alias = "b", alias = "c")]
    a: i64,
}

#[test]
fn names_that_serde_is_told_are_the_names() {
    let expected = Renamed { first: 1, unseen: 0, to: vec![IgnoredAny, IgnoredAny] };
    let bound = |args: Value, kwargs: Value| call(args, kwargs).bind::<Renamed>().unwrap();
    let list = Value::Array(vec![Value::Nil, Value::Map(vec![])]);
    let both = Value::Array(vec![1.into(), list.clone()]);
    assert_eq!(bound(both, Value::Map(vec![])), expected);
    for name in ["to", "target"] {
        let kwargs: Value = [(name, list.clone())].into_iter().collect();
        assert_eq!(bound([1].into_iter().collect(), kwargs), expected);
    }
    let kwargs: Value = [("source", Value::from(1)), ("to", list.clone())].into_iter().collect();
    assert_eq!(bound(Value::Array(vec![]), kwargs), expected);
    assert_eq!(said::<Renamed>((1, [1], 2), NO_KEYWORDS), "at most 2 arguments expected, 3 given");
    assert_eq!(said::<Renamed>((), named([("first", 1)])), "unexpected keyword argument `first`");
    assert_eq!(said::<Lax>((1, 2), NO_KEYWORDS), "at most 1 argument expected, 2 given");
    assert_eq!(said::<Lax>((1,), named([("b", 2)])), "`a` came twice");
    assert_eq!(call((), named([("c", 2)])).bind::<Lax>().unwrap(), Lax { a: 2 });
}

#[derive(Deserialize, Debug, PartialEq)]
struct Flat {
    a: i64,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[test]
fn who_takes_any_keywords_takes_no_positions() {
    let keywords = named([("a", 1), ("b", 2)]);
    let flat: Flat = call((), &keywords).bind().unwrap();
    assert_eq!(flat, Flat { a: 1, rest: BTreeMap::from([("b".to_owned(), 2)]) });
    let map: BTreeMap<String, i64> = call((), &keywords).bind().unwrap();
    assert_eq!(map.len(), 2);
    for said in [said::<Flat>((1,), &keywords), said::<BTreeMap<String, i64>>((1,), &keywords)] {
        assert_eq!(said, "no arguments expected, 1 given");
    }
}

#[test]
fn a_tuple_refuses_keywords_by_their_name() {
    assert_eq!(call((1, "a"), NO_KEYWORDS).bind::<(i64, String)>().unwrap(), (1, "a".to_owned()));
    let said_of = said::<(i64,)>((1,), named([("a", 1)]));
    assert_eq!(said_of, "unexpected keyword argument `a`");
    assert_eq!(said::<()>((), named([("a", 1)])), "unexpected keyword argument `a`");
    assert_eq!(said::<Vec<i64>>((), named([("a", 1)])), "unexpected keyword argument `a`");
    assert_eq!(said::<(i64, i64)>((1,), NO_KEYWORDS), "2 arguments expected, 1 given");
    assert_eq!(said::<()>((1,), NO_KEYWORDS), "no arguments expected, 1 given");
    assert_eq!(call((1, 2, 3), NO_KEYWORDS).bind::<Vec<i64>>().unwrap(), [1, 2, 3]);
}

#[derive(Deserialize, Debug, PartialEq)]
struct Tail(i64, #[serde(default)] i64, #[serde(default = "seven")] i64);

#[derive(Deserialize, Debug, PartialEq)]
struct Options(i64, Option<i64>, Option<String>);

#[test]
fn a_tail_with_defaults_and_one_of_options_may_be_left_out() {
    let tail = |args: &[i64]| call(args, NO_KEYWORDS).bind::<Tail>().unwrap();
    assert_eq!(tail(&[1]), Tail(1, 0, 7));
    assert_eq!(tail(&[1, 2]), Tail(1, 2, 7));
    assert_eq!(tail(&[1, 2, 3]), Tail(1, 2, 3));
    let options = |args: &[i64]| call(args, NO_KEYWORDS).bind::<Options>().unwrap();
    assert_eq!(options(&[1]), Options(1, None, None));
    assert_eq!(options(&[1, 2]), Options(1, Some(2), None));
    type Pair = (i64, Option<i64>);
    assert_eq!(call((1,), NO_KEYWORDS).bind::<Pair>().unwrap(), (1, None));
    assert_eq!(call((1,), NO_KEYWORDS).args::<Pair>().unwrap(), (1, None));
    assert_eq!(call((1, None::<i64>), NO_KEYWORDS).bind::<Pair>().unwrap(), (1, None));
    assert_eq!(said::<Pair>((), NO_KEYWORDS), "2 arguments expected, 0 given");
    assert_eq!(said::<Pair>((1, 2, 3), NO_KEYWORDS), "2 arguments expected, 3 given");
    assert_eq!(said::<Tail>((), NO_KEYWORDS), "3 arguments expected, 0 given");
    assert_eq!(said::<(Option<i64>, i64)>((1,), NO_KEYWORDS), "2 arguments expected, 1 given");
}

#[derive(Deserialize, Debug, PartialEq)]
struct Name(String);

#[derive(Deserialize, Debug, PartialEq)]
enum Colour {
    Red,
    Rgb(u8, u8, u8),
}

#[test]
fn any_other_type_takes_the_one_argument() {
    assert_eq!(call(("a",), NO_KEYWORDS).bind::<String>().unwrap(), "a");
    assert_eq!(call(("a",), NO_KEYWORDS).bind::<Name>().unwrap(), Name("a".to_owned()));
    assert_eq!(call(("a",), NO_KEYWORDS).args::<Name>().unwrap(), Name("a".to_owned()));
    assert_eq!(call(("Red",), NO_KEYWORDS).bind::<Colour>().unwrap(), Colour::Red);
    let rgb = named([("Rgb", [1, 2, 3])]);
    assert_eq!(call((&rgb,), NO_KEYWORDS).bind::<Colour>().unwrap(), Colour::Rgb(1, 2, 3));
    let day = Date::new(2018, 4, 17).unwrap();
    assert_eq!(call((day,), NO_KEYWORDS).bind::<Date>().unwrap(), day);
    assert_eq!(call((), NO_KEYWORDS).bind::<Option<i64>>().unwrap(), None);
    assert_eq!(call((1,), NO_KEYWORDS).bind::<Option<i64>>().unwrap(), Some(1));
    assert_eq!(said::<String>((1,), NO_KEYWORDS), "argument 1: expected a string, found int");
    assert_eq!(said::<i64>((), NO_KEYWORDS), "1 argument expected, 0 given");
    assert_eq!(said::<i64>((1, 2), NO_KEYWORDS), "1 argument expected, 2 given");
    assert_eq!(said::<i64>((1,), named([("a", 1)])), "unexpected keyword argument `a`");
}
