//! The body of a WORK of 16 bytes of argument: made, and read.

use pseud::proto::value::{Packed, Unchecked, ValueLimits};
use std::hint::black_box;

const ARGUMENT: &str = "0123456789abcdef";

/// Arguments become a body.
pub(crate) fn encode(times: usize) {
    for _ in 0..times {
        let packed = Packed::call(&(black_box(ARGUMENT),), &()).expect("a str");
        assert_eq!(black_box(packed).as_bytes().len(), 19);
    }
}

/// A body is checked, and its arguments read.
pub(crate) fn decode(times: usize) {
    let body = Packed::call(&(ARGUMENT,), &()).expect("a str").into_bytes();
    let limits = ValueLimits::default();
    for _ in 0..times {
        let arguments = Unchecked::new(black_box(body.clone())).check_call(&limits).expect("sound");
        let (argument,): (&str,) = arguments.args().expect("a str");
        assert_eq!(black_box(argument).len(), 16);
    }
}
