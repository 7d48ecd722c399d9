//! Conversations with the reference implementation, Python pseud 1.0.1, over loopback.
//!
//! They need a Python: see TESTING.md. `PSEUD_INTEROP=skip` leaves them out and says so.

#[path = "../spy/mod.rs"]
mod spy;

#[cfg(feature = "_curve")]
mod auth;
#[cfg(unix)]
mod blocking;
mod called_back;
mod cuts;
mod environment;
mod environment27;
mod gone;
mod harness;
mod heartbeats;
mod kaa;
#[cfg(feature = "_curve")]
mod libzmq41;
mod links_live;
mod live;
#[cfg(feature = "_curve")]
mod mechanisms;
#[cfg(feature = "_curve")]
mod mechanisms_refused;
mod nested;
mod own_types;
mod python;
mod python27;
mod python27_logins;
mod python_calls_rust;
mod random;
mod reference;
mod reference_faults;
mod registry;
mod revoked;
mod room;
#[cfg(feature = "rpcudp")]
mod rpcudp;
mod rust_calls_python;
#[cfg(feature = "_curve")]
mod secured;
#[cfg(feature = "_curve")]
mod security_live;
mod silence;
mod sizes;
mod tagged;
mod talk;
mod timeouts;
mod typed_live;
mod users;
mod value_limits;
mod values_live;
#[cfg(feature = "_curve")]
mod whole_link;
mod zones_live;
