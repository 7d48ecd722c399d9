//! The check of bodies that are flat, as most are: a scalar of one byte or a short text in ASCII, or a few of
//! those as arguments without keywords. What is not flat, or is not sound, is left to the
//! [`Check`](super::Check) of anything, which says what is wrong.

use crate::value::check::limits::{Size, ValueLimits};
use crate::value::msgpack::head::HeadReader;

/// A body of one such value.
#[inline]
pub(in crate::value) fn value(bytes: &[u8], limits: &ValueLimits) -> Option<Size> {
    let mut reader = HeadReader { rest: bytes };
    let is_flat = reader.flat_item() && reader.rest.is_empty();
    (is_flat && limits.nodes_max >= 1).then(|| size(1, 0))
}

/// Arguments, and the empty map of their keywords: where that lies.
#[inline]
pub(in crate::value) fn call(bytes: &[u8], limits: &ValueLimits) -> Option<(usize, Size)> {
    let mut reader = HeadReader { rest: bytes };
    let items = reader.short_array()?;
    for _ in 0..items {
        if !reader.flat_item() {
            return None;
        }
    }
    let border = bytes.len() - reader.rest.len();
    let nodes = items + 2;
    let is_flat = reader.short_map()? == 0 && limits.depth_max >= 1 && limits.nodes_max >= nodes;
    is_flat.then(|| (border, size(nodes, 1)))
}

fn size(nodes: u32, depth: u32) -> Size {
    Size { nodes, depth, ext_bytes: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::check::{Check, Root};

    /// Every body of up to three of these pieces, under small limits: what is taken here is what the check
    /// of anything finds, and much is taken.
    #[test]
    fn what_is_taken_is_what_the_whole_check_finds() {
        let pieces: [&[u8]; 12] = [
            b"\x80",
            b"\x81",
            b"\x90",
            b"\x91",
            b"\x92",
            b"\x07",
            b"\xc0",
            b"\xc1",
            b"\xa2ab",
            b"\xa1\xff",
            b"\xa5ab",
            b"\xcc\xff",
        ];
        let mut bodies = vec![Vec::new()];
        for _ in 0..3 {
            let longer = |body: &Vec<u8>| pieces.map(|piece| [body.as_slice(), piece].concat());
            let more: Vec<Vec<u8>> = bodies.iter().flat_map(longer).collect();
            bodies.extend(more);
        }
        let mut taken = (0, 0);
        for (depth_max, nodes_max) in [(0, 9), (1, 0), (1, 1), (1, 2), (1, 3), (1, 9), (64, 9)] {
            let limits = ValueLimits { depth_max, nodes_max, ext_bytes_max: 0 };
            for body in &bodies {
                let mut check = Check::new(body, &limits);
                if let Some(size) = value(body, &limits) {
                    assert!(check.value(Root::Any).and_then(|()| check.end()).is_ok(), "{body:?}");
                    assert_eq!(check.found().size, size, "{body:?}");
                    taken.0 += 1;
                } else if let Some((border, size)) = call(body, &limits) {
                    assert!(check.value(Root::Arguments).is_ok(), "{body:?}");
                    assert_eq!(check.offset(), border, "{body:?}");
                    assert!(check.value(Root::Keywords).is_ok(), "{body:?}");
                    assert_eq!((check.offset(), check.found().size), (border + 1, size));
                    taken.1 += 1;
                }
            }
        }
        assert!(taken.0 > 50 && taken.1 > 60, "{taken:?}");
    }
}
