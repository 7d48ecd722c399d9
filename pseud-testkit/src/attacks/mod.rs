//! What hostile peers do, as data: who is attacked, how far the attacker has come, what it sends then, and
//! the one thing that must come of it. Ids are those of the tests' names: `b_01` is B-01.
//!
//! Two harnesses run each case: `pseud-proto/tests/attacks` beside the core, cut at every byte, and
//! `tests/hostile/attacks.rs` over sockets, with a bystander who must be served meanwhile. A macro makes
//! a test of each case there: `pseud_testkit::attack_tests!(run);`.
//!
//! What needs more than one answer to what was sent (timing, memory, resets, floods, many at once) is no
//! data: it stands where it is run.

mod case;
pub mod commands;
pub mod curve;
pub mod curve_client;
pub mod curve_traffic;
pub mod downgrade;
pub mod framing;
pub mod greeting;
pub mod handshake;
mod known;
pub mod plain;
mod steps;

pub use case::{Attack, Group, Mechanism, Step, Then, Victim, ends};
pub use known::{Known, USERS};
pub use steps::Exchange;

/// An id that is as long as ours.
pub const ID: &[u8] = b"sixteen bytes...";

/// Makes the cases of a file callable by name, and a macro that makes tests of them: what it is given is
/// called with the groups of each.
macro_rules! cases {
    ($d:tt $tests:ident, $module:ident: $($name:ident),+ $(,)?) => {
        /// The groups of that case.
        pub fn case(name: &str) -> Vec<$crate::attacks::Group> {
            match name {
                $(stringify!($name) => $name(),)+
                _ => panic!("no case {name}"),
            }
        }

        /// A test for each case of this file.
        #[macro_export]
        macro_rules! $tests {
            ($d run:path) => {
                $(
                    #[test]
                    fn $name() {
                        $d run($crate::attacks::$module::case(stringify!($name)));
                    }
                )+
            };
        }
    };
}
pub(crate) use cases;

/// A test for each case of each file; one that needs CURVE where the feature `_curve` is. The function is of
/// the module where this stands.
#[macro_export]
macro_rules! attack_tests {
    ($run:ident) => {
        mod null {
            $crate::greeting_attacks!(super::$run);
            $crate::framing_attacks!(super::$run);
            $crate::command_attacks!(super::$run);
            $crate::handshake_attacks!(super::$run);
        }
        mod plain {
            $crate::plain_attacks!(super::$run);
        }
        mod downgrade {
            $crate::downgrade_attacks!(super::$run);
        }
        #[cfg(feature = "_curve")]
        mod curve {
            $crate::curve_attacks!(super::$run);
            $crate::curve_traffic_attacks!(super::$run);
            $crate::curve_client_attacks!(super::$run);
        }
    };
}
