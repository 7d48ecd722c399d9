//! The fourth item of a WORK or an ERROR: a small map whose unknown keys are passed over.

use crate::value::msgpack::edges as heads;

/// The most bytes that such an item may have.
pub(crate) const DETAILS_BYTES_MAX: usize = 1 << 10;

/// Hands each entry to `take`: its key, and the bytes of its value, one sound msgpack value each. Keys
/// that are no text are passed over. `None`: it is no map, unsound, too long, or `take` refused.
pub(crate) fn entries<'a>(
    item: &'a [u8],
    mut take: impl FnMut(&'a [u8], &'a [u8]) -> Option<()>,
) -> Option<()> {
    if item.len() > DETAILS_BYTES_MAX || !heads::is_sound(item) {
        return None;
    }
    let mut rest = item;
    for _ in 0..heads::read_map(&mut rest)? {
        let mut key = heads::cut(&mut rest)?;
        let value = heads::cut(&mut rest)?;
        if let Some(key) = heads::read_text(&mut key) {
            take(key, value)?;
        }
    }
    Some(())
}

/// A text, and nothing behind it.
pub(crate) fn text(mut value: &[u8]) -> Option<&[u8]> {
    heads::read_text(&mut value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(item: &[u8]) -> Option<Vec<&[u8]>> {
        let mut keys = Vec::new();
        entries(item, |key, _| {
            keys.push(key);
            Some(())
        })?;
        Some(keys)
    }

    #[test]
    fn unknown_keys_are_passed_over_however_deep_their_values_are() {
        let mut item = b"\x83\xa1a\x01\x07\xa1x\xc4\x01b".to_vec();
        item.extend([0x91; 60]);
        item.push(0xc0);
        assert_eq!(keys(&item), Some(vec![&b"a"[..], b"b"]));
        assert_eq!(keys(b"\x80"), Some(vec![]));
    }

    #[test]
    fn what_is_no_small_map_is_refused() {
        let large = [&b"\x81\xa1a\xda\x03\xfc"[..], &[b'x'; 0x3fc]].concat();
        assert!(keys(&large[..]).is_none() && large.len() > DETAILS_BYTES_MAX);
        let deep = [&b"\x81\xa1a"[..], &[0x91; 200], b"\xc0"].concat();
        let bad: [&[u8]; 8] = [
            b"",
            b"\xc0",
            b"\x90",
            b"\x81\xa1a",
            b"\x81\xa1a\xc1",
            b"\x80\x80",
            b"\xdf\xff\xff\xff\xff",
            &deep,
        ];
        for item in bad {
            assert_eq!(keys(item), None, "{item:x?}");
        }
    }
}
