//! Bytes that share the buffer of the body that they came in.

use crate::base::stored::Stored;
use bytes::Bytes;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;

/// The smallest body that is shared: a part of a smaller one is copied, which costs less.
const SHARE_MIN: usize = 1024;

thread_local! {
    /// The body that is decoded now. serde has no way to hand it to a type that wants to share it.
    static BODY: RefCell<Bytes> = const { RefCell::new(Bytes::new()) };
}

/// An argument or a result of bytes that is not copied: it shares the buffer that its message was read
/// into, and keeps all of that alive as long as it lives.
///
/// For a handler's argument and a caller's result of type bytes, also within tuples, lists and structs. Of
/// a body of less than 1 KiB it is a copy. As an argument or a result that is sent it is bytes like any
/// other.
///
/// ```
/// use pseud_proto::value::SharedBytes;
/// use pseud_proto::value::{Packed, Unchecked, ValueLimits};
///
/// let sent = Packed::call(&("name", SharedBytes::from(vec![7; 100_000])), &())?;
/// let received = Unchecked::new(sent.into_bytes()).check_call(&ValueLimits::default())?;
/// let (name, data): (&str, SharedBytes) = received.args()?;
/// assert_eq!((name, data.len()), ("name", 100_000));
/// // It lies where the message lies.
/// let message = received.packed().as_bytes().as_ptr_range();
/// assert!(message.contains(&data.as_ptr()));
/// let kept: bytes::Bytes = data.into();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedBytes(Bytes);

/// Runs `decode`; bytes that it finds in that body may share it.
#[inline]
pub(super) fn sharing<T>(body: &Stored, decode: impl FnOnce() -> T) -> T {
    match body.owner() {
        Some(owner) if owner.len() >= SHARE_MIN => sharing_all(owner.clone(), decode),
        _ => decode(),
    }
}

fn sharing_all<T>(owner: Bytes, decode: impl FnOnce() -> T) -> T {
    /// What was decoded around this goes on, whatever a type's own `Deserialize` did.
    struct Around(Bytes);

    impl Drop for Around {
        fn drop(&mut self) {
            BODY.set(std::mem::take(&mut self.0));
        }
    }

    let _around = Around(BODY.replace(owner));
    decode()
}

/// Those bytes: shared, where they are a part of the body that is decoded, else copied.
pub(super) fn share(part: &[u8]) -> Bytes {
    let shared = BODY.with_borrow(|body| {
        let start = part.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= body.len()).then(|| body.slice(start..end))
    });
    shared.unwrap_or_else(|| Bytes::copy_from_slice(part))
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for SharedBytes {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<SharedBytes> for Bytes {
    fn from(bytes: SharedBytes) -> Self {
        bytes.0
    }
}

/// How many there are; they may be secret.
impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedBytes({} bytes)", self.0.len())
    }
}

impl Serialize for SharedBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for SharedBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(SharedVisitor)
    }
}

struct SharedVisitor;

impl<'de> Visitor<'de> for SharedVisitor {
    type Value = SharedBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<SharedBytes, E> {
        Ok(SharedBytes(share(bytes)))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<SharedBytes, E> {
        Ok(SharedBytes(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<SharedBytes, E> {
        Ok(SharedBytes(bytes.into()))
    }

    /// A list of numbers, as formats without bytes have it.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<SharedBytes, A::Error> {
        let mut bytes = Vec::with_capacity(items.size_hint().unwrap_or_default().min(1024));
        while let Some(byte) = items.next_element::<u8>().map_err(de::Error::custom)? {
            bytes.push(byte);
        }
        Ok(SharedBytes(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Packed, Unchecked, Value, ValueLimits};
    use serde::Deserialize;
    use std::collections::BTreeMap;

    fn large(byte: u8) -> SharedBytes {
        vec![byte; 5_000].into()
    }

    fn received(body: &Packed) -> Unchecked {
        Unchecked::new(Bytes::copy_from_slice(body.as_bytes()))
    }

    fn lies_in(part: &[u8], whole: &[u8]) -> bool {
        let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
        whole.start <= part.start && part.end <= whole.end
    }

    #[derive(Deserialize)]
    struct Upload {
        data: SharedBytes,
        parts: Vec<SharedBytes>,
    }

    /// By position, by keyword, in a list, as a result, and as a dynamic value: all lie in the buffer.
    #[test]
    fn what_is_decoded_lies_in_the_buffer_that_was_received() {
        let limits = ValueLimits::default();
        let keywords: BTreeMap<_, _> = [("parts", vec![large(2), large(3)])].into();
        let call = received(&Packed::call(&(large(1),), &keywords).unwrap());
        let call = call.check_call(&limits).unwrap();
        let whole = call.packed().as_bytes();
        let upload: Upload = call.bind().unwrap();
        assert!(upload.parts == [large(2), large(3)] && upload.data == large(1));
        assert!(upload.parts.iter().all(|part| lies_in(part, whole)));
        assert!(lies_in(&upload.data, whole));
        let (first,): (SharedBytes,) = call.args().unwrap();
        assert!(lies_in(&first, whole));
        let (Value::Bin(first),): (Value,) = call.args().unwrap() else { panic!("bytes") };
        assert!(lies_in(&first, whole));
        let result = received(&Packed::result(&large(4)).unwrap()).check(&limits).unwrap();
        let shared: SharedBytes = result.decode().unwrap();
        assert!(lies_in(&shared, result.as_bytes()) && shared == large(4));
        // It outlives what it came in.
        drop(result);
        assert_eq!(shared, large(4));
    }

    #[test]
    fn small_bodies_and_other_formats_are_copied_and_text_is_refused() {
        let small = received(&Packed::result(&SharedBytes::from(vec![1; 100])).unwrap());
        let small = small.check(&ValueLimits::default()).unwrap();
        let copy: SharedBytes = small.decode().unwrap();
        assert!(copy.len() == 100 && !lies_in(&copy, small.as_bytes()));
        let list: SharedBytes = serde_json::from_str("[1, 2, 3]").unwrap();
        assert_eq!(&*list, [1, 2, 3]);
        assert!(Packed::result("text").unwrap().decode::<SharedBytes>().is_err());
    }

    /// A type that decodes another body while it is decoded finds its own again.
    #[test]
    fn a_body_within_a_body_is_its_own() {
        struct Inner(SharedBytes);

        impl<'de> Deserialize<'de> for Inner {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let inner = Packed::result(&large(9)).unwrap();
                let other: SharedBytes = inner.decode().unwrap();
                assert!(lies_in(&other, inner.as_bytes()));
                SharedBytes::deserialize(deserializer).map(Inner)
            }
        }

        let body = received(&Packed::result(&(large(1), large(2))).unwrap());
        let body = body.check(&ValueLimits::default()).unwrap();
        let (one, two): (Inner, SharedBytes) = body.decode().unwrap();
        assert!(lies_in(&one.0, body.as_bytes()) && lies_in(&two, body.as_bytes()));
        assert!(BODY.with_borrow(Bytes::is_empty));
    }
}
