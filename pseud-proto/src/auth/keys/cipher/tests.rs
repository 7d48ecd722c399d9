//! Both crates' boxes are each other's, and the short way's are the long way's.

use super::*;
use proptest::prelude::*;

const KEYS: [KeyBytes; 2] = [[1; 32], [2; 32]];

fn agreed<C: Cipher>() -> C {
    C::agree(&C::public_key(&KEYS[0]), &KEYS[1]).unwrap()
}

/// What a stream seals opens by the plain way and the other way round; a changed byte does not, and
/// stays as it is.
fn both_ways<C: Cipher, D: Cipher>(number: u64, data: &[u8], flip: usize) {
    let (cipher, prefix) = (agreed::<C>(), *b"CurveZMQMESSAGEC");
    let (stream, nonce) = (agreed::<D>().stream(prefix), short_nonce(&prefix, number));
    let mut scratch = Default::default();
    let (mut plain, mut streamed) = (data.to_vec(), data.to_vec());
    let tag = cipher.seal(&nonce, &mut plain);
    assert_eq!((stream.seal(&mut scratch, number, &mut streamed), &streamed), (tag, &plain));

    let sealed = plain.clone();
    refuses(&sealed, tag, flip, |tag, data| stream.open(&mut scratch, number, tag, data));
    refuses(&sealed, tag, flip, |tag, data| cipher.open(&nonce, tag, data));
    assert_eq!(stream.open(&mut scratch, number.wrapping_add(1), &tag, &mut streamed), Err(Forged));
    assert_eq!(streamed, sealed);
    assert_eq!(stream.open(&mut scratch, number, &tag, &mut streamed), Ok(()));
    assert_eq!(cipher.open(&nonce, &tag, &mut plain), Ok(()));
    assert_eq!((&streamed[..], &plain[..]), (data, data));
}

fn refuses(
    sealed: &[u8],
    tag: Tag,
    flip: usize,
    mut open: impl FnMut(&Tag, &mut [u8]) -> Result<(), Forged>,
) {
    let (mut whole, len) = ([&tag, sealed].concat(), TAG_LEN + sealed.len());
    whole[flip % len] ^= 1 << (flip % 8);
    let (tag, data) = whole.split_at_mut(TAG_LEN);
    let before = data.to_vec();
    assert_eq!(open(&(&*tag).try_into().unwrap(), data), Err(Forged));
    assert_eq!(data, before, "a box that did not open was changed");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn streams_make_plain_boxes(
        number: u64,
        data in prop::collection::vec(any::<u8>(), 0..400),
        flip: usize,
    ) {
        both_ways::<Boxes, Boxes>(number, &data, flip);
    }

    #[test]
    #[cfg(all(feature = "curve", feature = "curve-rustcrypto"))]
    fn both_crates_make_the_same_boxes(
        number: u64,
        data in prop::collection::vec(any::<u8>(), 0..2_000),
        flip: usize,
    ) {
        both_ways::<dryoc::Dryoc, rustcrypto::RustCrypto>(number, &data, flip);
        both_ways::<rustcrypto::RustCrypto, dryoc::Dryoc>(number, &data, flip);
    }

    #[test]
    #[cfg(all(feature = "curve", feature = "curve-rustcrypto"))]
    fn both_crates_make_the_same_public_keys(secret: [u8; 32]) {
        prop_assert_eq!(dryoc::Dryoc::public_key(&secret), rustcrypto::RustCrypto::public_key(&secret));
    }
}

/// Each length around the places where another way takes over.
#[test]
fn every_short_length() {
    for len in 0..=260 {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        both_ways::<Boxes, Boxes>(len as u64, &data, len * 7);
    }
}
