//! Conversations with the reference implementation, Python pseud 1.0.1, over loopback.
//!
//! They need a Python: see TESTING.md. `PSEUD_INTEROP=skip` leaves them out and says so.

mod environment;
mod harness;
mod live;
mod mechanisms;
mod mechanisms_refused;
mod python;
mod python_calls_rust;
mod reference;
mod reference_faults;
mod rust_calls_python;
mod secured;
mod talk;
