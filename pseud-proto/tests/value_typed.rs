//! Typed arguments and results, and the words for what does not fit.

use pseud_proto::value::{Arguments, EncodeError, Packed, Unchecked, Value, ValueLimits};
use pseud_proto::{CallRefused, Fault};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};
use std::collections::BTreeMap;

fn call<A: Serialize + ?Sized, K: Serialize + ?Sized>(args: &A, kwargs: &K) -> Arguments {
    let packed = Packed::call(args, kwargs).unwrap();
    assert!(packed.is_v1_safe());
    Unchecked::new(packed.into_bytes()).check_call(&ValueLimits::default()).unwrap()
}

fn result<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    Packed::result(value).unwrap().as_bytes().to_vec()
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Options {
    b: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Point(i32, i32);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum Shape {
    Empty,
    Dot(i32),
    Line(i32, i32),
    Box { w: i32 },
}

#[test]
fn a_call_as_python_writes_it() {
    let arguments = call(&(1,), &Options { b: 2, label: None });
    assert_eq!(arguments.packed().as_bytes(), b"\x91\x01\x81\xa1b\x02");
    assert_eq!(arguments.args::<(u8,)>().unwrap(), (1,));
    assert_eq!(arguments.kwargs::<Options>().unwrap(), Options { b: 2, label: None });
}

#[test]
fn none_at_all() {
    let arguments = call(&(), &());
    assert_eq!(arguments.packed().as_bytes(), b"\x90\x80");
    arguments.args::<()>().unwrap();
    arguments.kwargs::<()>().unwrap();
    assert!(arguments.args_values().is_empty() && arguments.kwargs_values().is_empty());
}

#[test]
fn what_arguments_can_be() {
    for args in [call(&[1, 2], &()), call(&vec![1, 2], &()), call(&Point(1, 2), &())] {
        assert_eq!(args.packed().as_bytes(), b"\x92\x01\x02\x80");
        assert_eq!(args.args::<(i8, i8)>().unwrap(), (1, 2));
        assert_eq!(args.args::<Vec<u16>>().unwrap(), [1, 2]);
        assert_eq!(args.args::<Point>().unwrap(), Point(1, 2));
        assert_eq!(args.args_values(), [Value::from(1), Value::from(2)]);
    }
    for refused in [
        Packed::call(&1, &()),
        Packed::call("text", &()),
        Packed::call(Bytes::new(b"bin"), &()),
        Packed::call(&Options { b: 1, label: None }, &()),
        Packed::call(&None::<u8>, &()),
        Packed::call(&Value::Nil, &()),
        Packed::call(&Shape::Line(1, 2), &()),
    ] {
        assert_eq!(refused.unwrap_err(), EncodeError::NotArguments);
    }
    let refused = CallRefused::from(Packed::call(&1, &()).unwrap_err());
    assert_eq!(refused.to_string(), "arguments must be a tuple, an array or a Vec: `(x,)` for one");
}

#[test]
fn what_keyword_arguments_can_be() {
    let map = BTreeMap::from([("b", 2)]);
    assert_eq!(call(&(), &map).packed().as_bytes(), b"\x90\x81\xa1b\x02");
    let pairs: Value = [("b", 2)].into_iter().collect();
    assert_eq!(call(&(), &pairs).kwargs::<Options>().unwrap().b, 2);
    assert_eq!(call(&(), &pairs).kwargs_values(), [("b".to_owned(), Value::from(2))]);
    for refused in [Packed::call(&(), &[1]), Packed::call(&(), "b"), Packed::call(&(), &None::<u8>)]
    {
        assert_eq!(refused.unwrap_err(), EncodeError::NotKeywords);
    }
    let numbers = BTreeMap::from([(1, 2)]);
    assert_eq!(Packed::call(&(), &numbers).unwrap_err(), EncodeError::Keyword);
    let nested = BTreeMap::from([("inner", numbers)]);
    assert_eq!(call(&(), &nested).packed().as_bytes(), b"\x90\x81\xa5inner\x81\x01\x02");
}

#[test]
fn a_text_names_the_argument() {
    fn said<T: for<'a> Deserialize<'a>>(arguments: &Arguments) -> String {
        let Err(error) = arguments.args::<T>() else { panic!("it fits") };
        let fault = Fault::from(error);
        assert_eq!(fault.class, "TypeError");
        fault.message
    }
    let two = call(&(1, "secret"), &());
    assert_eq!(said::<(u32, u32)>(&two), "argument 2: expected u32, found str");
    assert_eq!(said::<(u32,)>(&two), "1 argument expected, 2 given");
    assert_eq!(said::<(u32, String, u32)>(&two), "3 arguments expected, 2 given");
    assert_eq!(said::<()>(&two), "no arguments expected, 2 given");
    assert_eq!(said::<Vec<u8>>(&two), "argument 2: expected u8, found str");
    assert_eq!(said::<(u8, ByteBuf)>(&two), "argument 2: expected byte array, found str");
    let wide = call(&(300, Bytes::new(b"x")), &());
    assert_eq!(
        said::<(u8, ByteBuf)>(&wide),
        "argument 1: expected u8, found int that is out of range"
    );
    assert_eq!(said::<(u16, String)>(&wide), "argument 2: expected a string, found bytes");
    let inner = call(&([(1, 2)],), &());
    assert_eq!(said::<(Vec<(u8, String)>,)>(&inner), "argument 1: expected a string, found int");
}

#[test]
fn a_text_names_the_keyword() {
    fn said<T: for<'a> Deserialize<'a>>(pairs: Value) -> String {
        let Err(error) = call(&(), &pairs).kwargs::<T>() else { panic!("it fits") };
        error.to_string()
    }
    let pairs = |pairs: &[(&str, i64)]| pairs.iter().copied().collect::<Value>();
    assert_eq!(said::<Options>(pairs(&[])), "`b` is missing");
    assert_eq!(
        said::<Options>(pairs(&[("b", -1)])),
        "keyword argument `b`: expected u32, found int that is out of range"
    );
    assert_eq!(
        said::<Options>(pairs(&[("b", 1), ("label", 1)])),
        "keyword argument `label`: expected a string, found int"
    );
    assert_eq!(
        said::<Options>(pairs(&[("b", 1), ("c\n", 1)])),
        "unexpected keyword argument `c\\n`"
    );
    assert_eq!(said::<()>(pairs(&[("b", 1)])), "unexpected keyword argument `b`");
}

#[test]
fn a_struct_takes_arguments_in_order() {
    let options = call(&(7,), &()).args::<Options>().unwrap();
    assert_eq!(options, Options { b: 7, label: None });
    let options = call(&(7, "x"), &()).args::<Options>().unwrap();
    assert_eq!(options.label.as_deref(), Some("x"));
    let error = call(&(7, "x", 1), &()).args::<Options>().unwrap_err();
    assert_eq!(error.to_string(), "at most 2 arguments expected, 3 given");
}

#[test]
fn text_and_bytes_are_borrowed() {
    let arguments = call(&("text", Bytes::new(b"bytes")), &());
    let (text, bytes) = arguments.args::<(&str, &[u8])>().unwrap();
    assert_eq!((text, bytes), ("text", &b"bytes"[..]));
    let body = arguments.packed().as_bytes().as_ptr_range();
    assert!(body.contains(&text.as_ptr()) && body.contains(&bytes.as_ptr()));
}

#[test]
fn results_as_python_writes_them() {
    assert_eq!(result(&()), b"\xc0");
    assert_eq!(result(&1.5f32), b"\xcb\x3f\xf8\0\0\0\0\0\0");
    assert_eq!(result(&Some("a")), b"\xa1a");
    assert_eq!(result(&'\u{e9}'), b"\xa2\xc3\xa9");
    assert_eq!(result(&Options { b: 1, label: None }), b"\x81\xa1b\x01");
    assert_eq!(result(&i128::from(u64::MAX)), b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_eq!(result(&Shape::Empty), b"\xa5Empty");
    assert_eq!(result(&Shape::Dot(1)), b"\x81\xa3Dot\x01");
    assert_eq!(result(&Shape::Line(1, 2)), b"\x81\xa4Line\x92\x01\x02");
    assert_eq!(result(&Shape::Box { w: 1 }), b"\x81\xa3Box\x81\xa1w\x01");
    for refused in [Packed::result(&(1u128 << 64)), Packed::result(&(-(1i128 << 63) - 1))] {
        assert_eq!(refused.unwrap_err(), EncodeError::Integer);
    }
    assert_eq!(Fault::from(EncodeError::Integer).class, "TypeError");
}

#[test]
fn variants_come_back() {
    for shape in [Shape::Empty, Shape::Dot(1), Shape::Line(1, 2), Shape::Box { w: 1 }] {
        let packed = Packed::result(&vec![shape]).unwrap();
        let [back] = packed.decode::<[Shape; 1]>().unwrap();
        assert_eq!(Packed::result(&[back]).unwrap().as_bytes(), packed.as_bytes());
    }
}

/// Announces another length than it has, or none.
struct Liar(Option<usize>, usize);

impl Serialize for Liar {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut items = serializer.serialize_seq(self.0)?;
        for _ in 0..self.1 {
            items.serialize_element(&())?;
        }
        items.end()
    }
}

#[test]
fn a_length_is_what_was_written() {
    for announced in [None, Some(0), Some(3), Some(70_000)] {
        for written in [0, 1, 15, 16, 200, 70_000] {
            let packed = Packed::call(&(1, Liar(announced, written), 2), &()).unwrap();
            let honest = Packed::call(&(1, vec![(); written], 2), &()).unwrap();
            assert_eq!(packed.as_bytes(), honest.as_bytes());
        }
    }
}

#[test]
fn depth_is_bounded_when_writing() {
    let nest = |levels: usize| {
        (1..levels).fold(Value::Array(vec![]), |inner, _| Value::Array(vec![inner]))
    };
    let deepest = Packed::result(&nest(64)).unwrap();
    Unchecked::new(deepest.into_bytes()).check(&ValueLimits::default()).unwrap();
    assert_eq!(Packed::result(&nest(65)).unwrap_err(), EncodeError::Depth);
    let mut out = b"kept".to_vec();
    assert_eq!(nest(65).encode(&mut out).unwrap_err(), EncodeError::Depth);
    assert_eq!(out, b"kept");
}

#[test]
fn a_map_is_no_key() {
    let key = Value::Map(vec![(Value::Array(vec![Value::Map(vec![])]), Value::Nil)]);
    assert_eq!(Packed::result(&key).unwrap_err(), EncodeError::Key);
}

#[test]
fn exts_travel_as_pairs() {
    let value = Value::Ext(5, b"\x01\x02\x03".to_vec().into());
    let packed = Packed::result(&value).unwrap();
    assert_eq!(packed.as_bytes(), b"\xc7\x03\x05\x01\x02\x03");
    assert_eq!(packed.value(), value);
    assert_eq!(packed.decode::<Value>().unwrap(), value);
    assert_eq!(Packed::result(&Value::Ext(-1, vec![0].into())).unwrap_err(), EncodeError::Ext);
}

#[test]
fn a_keyword_may_be_bin() {
    let body = b"\x91\xc4\x01x\x81\xc4\x01b\x02";
    let arguments =
        Unchecked::new(body.to_vec().into()).check_call(&ValueLimits::default()).unwrap();
    assert_eq!(arguments.kwargs::<Options>().unwrap().b, 2);
    assert_eq!(arguments.kwargs::<BTreeMap<String, u8>>().unwrap()["b"], 2);
    assert_eq!(arguments.kwargs_values(), [("b".to_owned(), Value::from(2))]);
    assert_eq!(arguments.args::<(&[u8],)>().unwrap(), (&b"x"[..],));
}

#[test]
fn the_last_of_equal_keywords_counts() {
    let body = b"\x90\x83\xa1b\x01\xa1c\x02\xc4\x01b\x03";
    let arguments =
        Unchecked::new(body.to_vec().into()).check_call(&ValueLimits::default()).unwrap();
    let expected = [("b".to_owned(), Value::from(3)), ("c".to_owned(), Value::from(2))];
    assert_eq!(arguments.kwargs_values(), expected);
    assert_eq!(arguments.kwargs::<BTreeMap<&str, u8>>().unwrap()["b"], 3);
}

#[test]
fn debug_shows_lengths_of_bodies() {
    let arguments = call(&("secret",), &());
    assert_eq!(format!("{arguments:?}"), "Arguments(9 bytes)");
    assert_eq!(format!("{:?}", arguments.packed()), "Packed(9 bytes)");
    let unchecked = Unchecked::new(arguments.into_packed().into_bytes());
    assert_eq!(format!("{unchecked:?}"), "Unchecked(9 bytes)");
}

#[test]
fn bytes_and_arrays_are_both_numbers() {
    let body = call(&(Bytes::new(b"ab"), [97, 98]), &());
    assert_eq!(body.args::<(Vec<u8>, Vec<u8>)>().unwrap(), (b"ab".to_vec(), b"ab".to_vec()));
    assert_eq!(body.args::<([u8; 2], Box<[u8]>)>().unwrap(), (*b"ab", b"ab"[..].into()));
    let said = |error: pseud_proto::value::BadArguments| error.to_string();
    let error = body.args::<(Vec<String>, Vec<u8>)>().unwrap_err();
    assert_eq!(said(error), "argument 1: expected a sequence, found bytes");
    let error = body.args::<([u8; 3], Vec<u8>)>().unwrap_err();
    assert_eq!(said(error), "argument 1: expected an array of length 3, found bytes");
    let error = body.args::<([u8; 1], Vec<u8>)>().unwrap_err();
    assert!(said(error).starts_with("argument 1: "));
    let error = body.args::<(String, Vec<u8>)>().unwrap_err();
    assert_eq!(said(error), "argument 1: expected a string, found bytes");
}

#[test]
fn a_vec_of_bytes_is_bytes_as_a_value() {
    let bytes = Value::Bin(b"ab".to_vec().into());
    assert_eq!(Value::from(b"ab".to_vec()), bytes);
    assert_eq!((Value::from(b"ab"), Value::from(&b"ab"[..])), (bytes.clone(), bytes));
    assert_eq!(Value::from(vec![1, 2]), [1, 2].into_iter().collect::<Value>());
    assert_eq!(Value::from(vec![Value::Nil]), Value::Array(vec![Value::Nil]));
}
