//! Attackers over loopback sockets: what they see, what it costs, and that nobody else notices.
//!
//! Each case runs beside a healthy client that completes a call before, during and after it, and
//! ends with all tables back where they were and every counter where it belongs.

mod a_greeting;
mod alone;
mod attacks;
mod b_framing;
mod bench;
mod c_handshake;
#[cfg(feature = "_curve")]
mod curve;
#[cfg(feature = "_curve")]
mod curve_between;
#[cfg(feature = "_curve")]
mod curve_flood;
#[cfg(feature = "_curve")]
mod curve_initiate;
#[cfg(feature = "_curve")]
mod curve_rogue;
#[cfg(feature = "_curve")]
mod curve_traffic;
#[cfg(feature = "_curve")]
mod curve_whole;
mod e_identities;
mod f_envelope;
mod f_replies;
mod floods;
mod g_logins;
mod g_rogue;
mod k_presence;
mod m_domains;
mod m_provenance;
mod memory;
mod multi_step_attacks;
mod open_requests;
mod p_adapters;
mod plain_rogue;
mod repeats;
mod revoked;
mod rogue;
mod s_bounds;
mod s_drained;
mod s_questions;
mod s_shares;
mod s_slow;
mod s_turns;
mod secured;
mod strangers;
