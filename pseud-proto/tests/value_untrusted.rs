//! `Serialize` and `Deserialize` of users' own that break serde's rules: what leaves is sound all the
//! same, and what is read is what was written.

use pseud_proto::value::{EncodeError, Mismatch, Packed, Unchecked, ValueLimits};
use pseud_proto::{CallRefused, Fault};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};
use serde_bytes::Bytes;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A type that serializes as that function says.
struct By<F>(F);

macro_rules! by {
    ($serializer:ident => $body:expr) => {{
        struct Own;
        impl Serialize for Own {
            fn serialize<S: Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                $body
            }
        }
        By(Own)
    }};
}

impl<F: Serialize> Serialize for By<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// An integer that no peer can hold, inside as many arrays as there are: `[[`, and then an error.
const LOST: (u128,) = (u128::MAX,);

/// Whatever is packed passes the check, as a result and as an argument.
fn packed<T: Serialize>(value: T) -> Result<Vec<u8>, EncodeError> {
    let limits = ValueLimits::default();
    let call = Packed::call(&(&value, 1), &[("k", &value)].into_iter().collect::<Map<_>>());
    let result = Packed::result(&value);
    assert_eq!(call.is_ok(), result.is_ok(), "{call:?} {result:?}");
    if let Ok(call) = call {
        Unchecked::new(call.into_bytes()).check_call(&limits).expect("a call");
    }
    let bytes = result?.into_bytes();
    Unchecked::new(bytes.clone()).check(&limits).expect("a value");
    Ok(bytes.to_vec())
}

type Map<V> = std::collections::BTreeMap<&'static str, V>;

#[test]
fn an_element_whose_error_is_swallowed_refuses_the_whole() {
    let sequence = by!(serializer => {
        let mut items = serializer.serialize_seq(Some(1))?;
        let _ = items.serialize_element(&LOST);
        items.end()
    });
    assert_eq!(packed(sequence), Err(EncodeError::Integer));
    let later = by!(serializer => {
        let mut items = serializer.serialize_seq(None)?;
        let _ = items.serialize_element(&vec![LOST]);
        items.serialize_element(&1)?;
        let _ = items.serialize_element(&1);
        items.end()
    });
    assert_eq!(packed((1, later, 2)), Err(EncodeError::Integer));
    let tuple = by!(serializer => {
        let mut items = serializer.serialize_tuple(2)?;
        items.serialize_element(&1)?;
        let _ = items.serialize_element(&LOST);
        items.end()
    });
    assert_eq!(packed(tuple), Err(EncodeError::Integer));
    let value = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_key("a")?;
        let _ = pairs.serialize_value(&LOST);
        pairs.end()
    });
    assert_eq!(packed(value), Err(EncodeError::Integer));
    let key = by!(serializer => {
        let mut pairs = serializer.serialize_map(None)?;
        let _ = pairs.serialize_key(&(1, u128::MAX));
        pairs.serialize_key("a")?;
        pairs.serialize_value(&1)?;
        pairs.end()
    });
    assert_eq!(packed(key), Err(EncodeError::Integer));
    let field = by!(serializer => {
        let mut fields = serializer.serialize_struct("S", 2)?;
        let _ = fields.serialize_field("a", &LOST);
        fields.serialize_field("b", &1)?;
        fields.end()
    });
    assert_eq!(packed(field), Err(EncodeError::Integer));
}

/// Writes `[[`, and panics.
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(2))?;
        items.serialize_element(&std::iter::once(1).collect::<Vec<_>>())?;
        std::panic::resume_unwind(Box::new("no message"))
    }
}

#[test]
fn an_element_whose_panic_is_caught_refuses_the_whole() {
    fn caught(write: impl FnOnce()) {
        assert!(catch_unwind(AssertUnwindSafe(write)).is_err());
    }
    let unfinished = Err(EncodeError::Unfinished);
    let item = by!(serializer => {
        let mut items = serializer.serialize_seq(Some(1))?;
        caught(|| drop(items.serialize_element(&Panics)));
        items.end()
    });
    assert_eq!(packed(item), unfinished);
    let value = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_key("a")?;
        caught(|| drop(pairs.serialize_value(&Some(Panics))));
        pairs.end()
    });
    assert_eq!(packed((1, value, 2)), unfinished);
    let key = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(2))?;
        caught(|| drop(pairs.serialize_key(&Panics)));
        pairs.serialize_value("a")?;
        pairs.end()
    });
    assert_eq!(packed(key), unfinished);
    #[derive(serde::Serialize)]
    enum Variants {
        New(Panics),
        Tuple(u8, Panics),
        Struct { field: Panics },
    }
    let variants = by!(serializer => {
        let all =
            [Variants::New(Panics), Variants::Tuple(1, Panics), Variants::Struct { field: Panics }];
        let mut items = serializer.serialize_seq(None)?;
        all.iter().for_each(|one| caught(|| drop(items.serialize_element(one))));
        items.end()
    });
    assert_eq!(packed(variants), unfinished);
}

/// What is counted as it is written is what the check of peers' bodies counts.
#[test]
fn what_is_written_is_counted_as_it_is_read() {
    #[derive(serde::Serialize)]
    enum Variants {
        Unit,
        New(Option<u8>),
        Tuple(u8, Vec<u8>),
        Struct { a: Vec<()>, b: Map<u8> },
    }
    let all = [
        Variants::Unit,
        Variants::New(Some(1)),
        Variants::Tuple(1, Vec::new()),
        Variants::Struct { a: vec![(); 3], b: [("x", 1)].into_iter().collect() },
    ];
    for value in [&all[..], &all[..1], &all[1..2], &all[2..3], &all[3..]] {
        let own = Packed::result(value).unwrap();
        let read = Unchecked::new(own.clone().into_bytes()).check(&ValueLimits::default()).unwrap();
        assert_eq!(own.nodes(), read.nodes());
    }
    assert_eq!(Packed::result(&all).unwrap().nodes(), 1 + 1 + 3 + 5 + 12);
    assert_eq!(Packed::call(&(all,), &()).unwrap().nodes(), 1 + 22 + 1);
}

#[test]
fn an_error_of_ones_own_is_kept_too() {
    let inner = by!(serializer => {
        let mut items = serializer.serialize_seq(Some(2))?;
        items.serialize_element(&1)?;
        Err(S::Error::custom("not today"))
    });
    struct Outer<T>(T);
    impl<T: Serialize> Serialize for Outer<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut items = serializer.serialize_seq(Some(1))?;
            let _ = items.serialize_element(&Some(&self.0));
            items.end()
        }
    }
    assert_eq!(packed(Outer(inner)), Err(EncodeError::Custom("not today".to_owned())));
}

#[test]
fn keys_and_values_take_turns() {
    let lonely = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_key("a")?;
        pairs.end()
    });
    assert_eq!(packed(lonely), Err(EncodeError::Pairs));
    let two_keys = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_key("a")?;
        let _ = pairs.serialize_key("b");
        pairs.serialize_value(&1)?;
        pairs.end()
    });
    assert_eq!(packed(two_keys), Err(EncodeError::Pairs));
    let two_values = by!(serializer => {
        let mut pairs = serializer.serialize_map(Some(1))?;
        pairs.serialize_entry("a", &1)?;
        let _ = pairs.serialize_value(&2);
        pairs.end()
    });
    assert_eq!(packed(two_values), Err(EncodeError::Pairs));
}

#[test]
fn a_length_that_is_no_length_is_written_right() {
    let longer = by!(serializer => {
        let mut fields = serializer.serialize_struct("S", 7)?;
        fields.serialize_field("a", &1)?;
        fields.skip_field("b")?;
        fields.end()
    });
    assert_eq!(packed(longer).unwrap(), b"\x81\xa1a\x01");
    let shorter = by!(serializer => {
        let mut items = serializer.serialize_tuple(0)?;
        items.serialize_element(&1)?;
        items.serialize_element(&[2])?;
        items.end()
    });
    assert_eq!(packed(shorter).unwrap(), b"\x92\x01\x91\x02");
}

#[test]
fn the_pair_of_an_ext_is_a_pair() {
    const EXT: &str = "_ExtStruct";
    let good = by!(s => s.serialize_newtype_struct(EXT, &(5i8, Bytes::new(b"a"))));
    assert_eq!(packed(good).unwrap(), b"\xd4\x05a");
    let nothing = by!(s => s.serialize_newtype_struct(EXT, "text"));
    assert_eq!(packed(nothing), Err(EncodeError::Ext));
    let three = by!(s => s.serialize_newtype_struct(EXT, &(5i8, Bytes::new(b"a"), "more")));
    assert_eq!(packed(three), Err(EncodeError::Ext));
    let codes = by!(s => s.serialize_newtype_struct(EXT, &(5i8, 6i8)));
    assert_eq!(packed(codes), Err(EncodeError::Ext));
    let before = by!(s => s.serialize_newtype_struct(EXT, &("text", 5i8, Bytes::new(b"a"))));
    assert_eq!(packed(before), Err(EncodeError::Ext));
    let nested = by!(s => s.serialize_newtype_struct(EXT, &((5i8, Bytes::new(b"a")),)));
    assert_eq!(packed(nested), Err(EncodeError::Ext));
    let long = by!(s => s.serialize_newtype_struct(EXT, &(5i8, vec![1u8])));
    assert_eq!(packed(long), Err(EncodeError::Ext));
    let swallowed = by!(serializer => {
        struct Half;
        impl Serialize for Half {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut pair = serializer.serialize_tuple(2)?;
                let _ = pair.serialize_element("text");
                pair.serialize_element(&5i8)?;
                pair.serialize_element(Bytes::new(b"a"))?;
                pair.end()
            }
        }
        serializer.serialize_newtype_struct(EXT, &Half)
    });
    assert_eq!(packed(swallowed), Err(EncodeError::Ext));
}

#[test]
fn who_asks_is_told() {
    let refused = CallRefused::from(EncodeError::Pairs);
    assert_eq!(refused.to_string(), "a map is pairs of a key and a value");
    assert_eq!(Fault::from(EncodeError::Pairs).class, "TypeError");
}

// ---- reading --------------------------------------------------------------------------------------

fn read<T: for<'de> Deserialize<'de>>(value: impl Serialize) -> Result<T, Mismatch> {
    Packed::result(&value).unwrap().decode()
}

/// Takes what fits and leaves out what does not.
#[derive(Debug, PartialEq)]
struct Lenient(Vec<(u8, u8)>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Lenient;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient, A::Error> {
                let mut taken = Vec::new();
                loop {
                    match items.next_element() {
                        Ok(Some(item)) => taken.push(item),
                        Ok(None) => return Ok(Lenient(taken)),
                        Err(_) => {}
                    }
                }
            }
        }
        deserializer.deserialize_seq(Items)
    }
}

#[test]
fn an_item_that_does_not_fit_is_over_for_whoever_goes_on() {
    let mixed = ((1, 2), ("x", (9, 9)), [[7, 7]], (300, 1), (3, 4), [1, 2, 3]);
    assert_eq!(read::<(Lenient, u8)>((mixed, 5)), Ok((Lenient(vec![(1, 2), (3, 4)]), 5)));
}

/// Never asks what is there.
#[derive(Debug, PartialEq)]
struct Blind;

impl<'de> Deserialize<'de> for Blind {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[test]
fn an_item_that_nobody_reads_is_not_the_next_one() {
    assert_eq!(read::<(Blind, u8, Blind)>(([[1]], 2, 3)), Ok((Blind, 2, Blind)));
    let arguments = Packed::call(&((1, 2), 3), &()).unwrap().into_bytes();
    let arguments = Unchecked::new(arguments).check_call(&ValueLimits::default()).unwrap();
    assert_eq!(arguments.args::<(Blind, u8)>(), Ok((Blind, 3)));
}

/// Reads keys, and no values.
#[derive(Debug)]
struct Keys;

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Keys, A::Error> {
                while pairs.next_key::<String>()?.is_some() {}
                Ok(Keys)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[test]
fn a_value_is_not_taken_for_a_key() {
    let map = Map::from([("a", "not a key"), ("b", "neither")]);
    let said = "a map is read a key and a value at a time";
    assert_eq!(read::<Keys>(&map).unwrap_err().to_string(), said);
    let arguments = Packed::call(&(), &map).unwrap().into_bytes();
    let arguments = Unchecked::new(arguments).check_call(&ValueLimits::default()).unwrap();
    assert_eq!(arguments.kwargs::<Keys>().unwrap_err().to_string(), said);
}
