//! Whatever the text of a key file, it is refused, or it holds one pair whose halves belong together and
//! whose own text holds the same pair; an error never repeats what the file says.

use crate::memory::bounded;
use pseud_proto::zmtp::{KeyError, KeyPair};

/// A key file's text.
pub fn key_files(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    bounded(data.len(), || match KeyPair::from_text(text) {
        Ok(pair) => {
            assert_eq!(pair.secret().public_key(), *pair.public());
            assert!(text.contains(&format!("\"{}\"", *pair.secret().to_z85())));
            assert_eq!(KeyPair::from_text(&pair.to_text()).as_ref(), Ok(&pair));
            assert!(!format!("{pair:?}").contains(&**pair.secret().to_z85()), "it is shown");
        }
        Err(error) => {
            let known =
                [KeyError::Length, KeyError::Alphabet, KeyError::Overflow, KeyError::Mismatch];
            let line = matches!(error, KeyError::Line("secret" | "public"));
            assert!(line || known.contains(&error), "{error}");
        }
    });
}
