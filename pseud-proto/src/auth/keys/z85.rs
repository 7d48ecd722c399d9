//! Z85 (ZeroMQ RFC 32) of keys: 32 bytes are 40 characters, 4 bytes a group of 5.

use crate::auth::keys::key_error::KeyError;

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
/// Characters of a key.
const TEXT_LEN: usize = 40;

/// The characters of a key.
pub(crate) fn encode(key: &[u8; 32]) -> String {
    let mut text = String::with_capacity(TEXT_LEN);
    for group in key.as_chunks::<4>().0 {
        let value = u32::from_be_bytes(*group);
        for place in [85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1] {
            let digit = value / place % 85;
            text.push(char::from(ALPHABET.get(digit as usize).copied().unwrap_or_default()));
        }
    }
    text
}

/// The key of those characters, put to `key`.
pub(crate) fn decode(text: &str, key: &mut [u8; 32]) -> Result<(), KeyError> {
    if text.len() != TEXT_LEN {
        return Err(KeyError::Length);
    }
    let groups = text.as_bytes().as_chunks::<5>().0;
    for (bytes, group) in key.as_chunks_mut::<4>().0.iter_mut().zip(groups) {
        let value = group.iter().try_fold(0_u64, |value, character| {
            Ok(value.saturating_mul(85).saturating_add(digit(*character)?))
        })?;
        *bytes = u32::try_from(value).map_err(|_| KeyError::Overflow)?.to_be_bytes();
    }
    Ok(())
}

fn digit(character: u8) -> Result<u64, KeyError> {
    let digit = ALPHABET.iter().position(|known| *known == character);
    digit.map(|digit| digit as u64).ok_or(KeyError::Alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> Result<[u8; 32], KeyError> {
        let mut key = [0; 32];
        decode(text, &mut key).map(|()| key)
    }

    #[test]
    fn libzmqs_manual_has_this_key() {
        let key = decoded("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID").unwrap();
        assert_eq!(key[..4], [0xbb, 0x88, 0x47, 0x1d]);
        assert_eq!(key[28..], [0xb4, 0x3f, 0xc5, 0x18]);
    }

    #[test]
    fn what_is_refused() {
        let good = encode(&[0xff; 32]);
        assert_eq!(decoded(&good), Ok([0xff; 32]));
        for text in ["", &good[1..], &format!("{good}0")] {
            assert_eq!(decoded(text), Err(KeyError::Length));
        }
        for character in [" ", "\"", "~", "\0", ",", ";", "_", "`", "|", "\\", "'"] {
            let text = format!("{}{character}", &good[1..]);
            assert_eq!(decoded(&text), Err(KeyError::Alphabet), "{character:?}");
        }
        assert_eq!(decoded(&"é".repeat(20)), Err(KeyError::Alphabet));
        // One more than the largest group, and the largest digits.
        for group in ["%nSc1", "#####"] {
            assert_eq!(decoded(&format!("{}{group}", &good[5..])), Err(KeyError::Overflow));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn decoding_inverts_encoding(key: [u8; 32]) {
            prop_assert_eq!(decoded(&encode(&key)), Ok(key));
        }

        #[test]
        fn any_text_gives_a_key_or_an_error(text in "\\PC{0,50}") {
            if let Ok(key) = decoded(&text) {
                prop_assert_eq!(encode(&key), text);
            }
        }
    }
}
