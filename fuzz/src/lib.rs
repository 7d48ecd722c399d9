//! What holds of pseud's parsers and machines whatever the bytes.
//!
//! One function a target: it takes any input and panics where its sentence, at the head of its module,
//! is broken. libFuzzer runs them from `fuzz_targets/`, `cargo test` on the seeds. All but the program's
//! JSON are reached by public faces.
#![forbid(unsafe_code)]

mod addresses;
mod commands;
mod connection;
mod curve_insider;
mod datagrams;
mod directory;
mod endpoint;
mod envelope;
mod frames;
mod json;
mod kaa;
mod key_files;
mod limits;
mod logins;
mod memory;
mod metadata;
mod msgpack;
mod path;
mod pickles;
mod reference;
mod rules;
mod script;
mod session;
mod tracked;
mod twins;
mod typed;
mod values;
mod z85;

#[path = "../../pseud-cli/src/json/mod.rs"]
mod program_json;

pub use addresses::addresses;
pub use commands::commands;
pub use connection::{connection_curve, connection_null, connection_plain};
pub use curve_insider::curve_insider;
pub use datagrams::datagrams;
pub use directory::directory;
pub use endpoint::endpoint;
pub use envelope::envelope;
pub use frames::frames;
pub use json::json;
pub use kaa::{kaa_pickles, kaa_stream};
pub use key_files::key_files;
pub use logins::logins;
pub use metadata::metadata;
pub use pickles::pickles;
pub use session::session;
pub use values::values;
pub use z85::z85;

/// All targets, by the names that they have in `fuzz_targets/`, `seeds/` and on the command line, handed to another
/// macro: what is made of them is made of each.
#[macro_export]
macro_rules! all_targets {
    ($each:ident) => {
        $each! {
            addresses
            commands
            connection_curve
            connection_null
            connection_plain
            curve_insider
            datagrams
            directory
            endpoint
            envelope
            frames
            json
            kaa_pickles
            kaa_stream
            key_files
            logins
            metadata
            pickles
            session
            values
            z85
        }
    };
}
