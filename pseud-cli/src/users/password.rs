//! Passwords as they are kept: argon2id (RFC 9106), as a PHC string.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params};
use std::fmt;
use std::io;

/// The memory in KiB that one check may take: a slip in the file must not take the machine's.
const MEMORY_KIB_MAX: u32 = 1 << 20;

/// The passes over its memory, and the KiB that all of them together touch (4 GiB), for the same reason: one check
/// takes a few seconds at most. Whoever guesses at unknown names has as costly a check made.
const PASSES_MAX: u32 = 64;
const TOUCHED_KIB_MAX: u64 = 4 << 20;

/// The hash of one password. It is never shown: whoever has it may guess in peace.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(phc::PasswordHash);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl PasswordHash {
    /// Hashes a password, with the crate's parameters (OWASP's first choice for argon2id: 19 MiB, two
    /// passes) and a salt of its own.
    ///
    /// # Errors
    /// The operating system gives no entropy.
    pub(crate) fn of(password: &[u8]) -> io::Result<Self> {
        Self::with(password, Argon2::default())
    }

    fn with(password: &[u8], argon2: Argon2<'_>) -> io::Result<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(io::Error::other)?;
        let hash = argon2.hash_password_with_salt(password, &salt);
        hash.map(Self).map_err(|error| io::Error::other(error.to_string()))
    }

    /// Reads a PHC string. What it says is never part of the error.
    ///
    /// # Errors
    /// It is none of argon2, or checking it would take more than 1 GiB, 64 passes, or 4 GiB in all passes.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let hash = phc::PasswordHash::new(text).map_err(|_| "it is no hash (a PHC string)")?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str());
        algorithm.map_err(|_| "its hash is not one of argon2")?;
        let params = Params::try_from(&hash).map_err(|_| "its hash has bad parameters")?;
        if params.m_cost() > MEMORY_KIB_MAX {
            return Err("checking its hash would take more than 1 GiB");
        }
        if params.t_cost() > PASSES_MAX || cost(&params) > TOUCHED_KIB_MAX {
            return Err(
                "checking its hash would take too long (more than 64 passes, or 4 GiB in all)",
            );
        }
        match (hash.salt, hash.hash) {
            (Some(_), Some(_)) => Ok(Self(hash)),
            _ => Err("its hash is cut short"),
        }
    }

    /// The PHC string.
    pub(crate) fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// Whether that is the password. Takes as long as the hash's parameters say, and about as long
    /// whether it is or not.
    pub(crate) fn matches(&self, password: &[u8]) -> bool {
        Argon2::default().verify_password(password, &self.0).is_ok()
    }

    /// A hash that costs as much to check and that no known password has: for names that nobody has.
    ///
    /// # Errors
    /// The operating system gives no entropy.
    pub(crate) fn decoy(&self) -> io::Result<Self> {
        let bad = |_| io::Error::other("a hash has bad parameters");
        let params = Params::try_from(&self.0).map_err(bad)?;
        let algorithm = Algorithm::try_from(self.0.algorithm.as_str()).map_err(bad)?;
        let mut password = [0; 32];
        getrandom::fill(&mut password).map_err(io::Error::other)?;
        Self::with(&password, Argon2::new(algorithm, argon2::Version::default(), params))
    }

    /// What checking it costs: to tell hashes apart that take different times.
    pub(crate) fn cost(&self) -> u64 {
        cost(&Params::try_from(&self.0).unwrap_or_default())
    }
}

/// The KiB that all passes touch.
fn cost(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference implementation's test vector (`phc-winner-argon2/src/test.c`): argon2id, version
    /// 19, 2 passes, 65 536 KiB, one lane, "password", "somesalt".
    const VECTOR: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ\
                          $CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn the_references_hash_is_read_and_checked() {
        let hash = PasswordHash::parse(VECTOR).unwrap();
        assert!(hash.matches(b"password"));
        for other in [&b""[..], b"passwor", b"password\0", b"Password"] {
            assert!(!hash.matches(other));
        }
        assert_eq!(hash.to_text(), VECTOR);
        assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
    }

    #[test]
    fn a_hash_is_of_its_password_alone() {
        let (one, other) =
            (PasswordHash::of(b"marker").unwrap(), PasswordHash::of(b"marker").unwrap());
        assert_ne!(one, other, "each has a salt of its own");
        assert!(one.matches(b"marker") && other.matches(b"marker"));
        assert!(!one.matches(b"marke"));
        assert_eq!(PasswordHash::parse(&one.to_text()), Ok(one.clone()));
        assert!(PasswordHash::of(b"").unwrap().matches(b""), "the empty one is a password");
    }

    #[test]
    fn a_decoy_costs_the_same_and_matches_nothing() {
        let hash = PasswordHash::parse(VECTOR).unwrap();
        let decoy = hash.decoy().unwrap();
        assert_eq!(decoy.cost(), hash.cost());
        assert!(!decoy.matches(b"password") && !decoy.matches(b""));
    }

    #[test]
    fn what_is_no_hash_is_not_repeated_in_its_error() {
        let without = VECTOR.rsplit_once('$').unwrap().0;
        for text in [
            "",
            "open sesame",
            "$2b$10$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=1,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=2000000,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=64,t=65,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=1048576,t=5,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            without,
        ] {
            let error = PasswordHash::parse(text).unwrap_err();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
