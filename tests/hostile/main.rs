//! Attackers over loopback sockets: what they see, what it costs, and that nobody else notices.
//!
//! Each case runs beside a healthy client that completes a call before, during and after it, and
//! ends with all tables back where they were and every counter where it belongs.

mod a_greeting;
mod b_commands;
mod b_framing;
mod bench;
mod bytes;
mod c_handshake;
mod f_envelope;
mod f_replies;
mod floods;
mod m_provenance;
mod memory;
mod p_adapters;
mod raids;
mod rogue;
mod wire;
