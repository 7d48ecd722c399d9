//! Dialects: messages to meaning and back. Who keeps sessions sees what stands here, and names no
//! dialect.

#[cfg(feature = "kaa")]
pub(crate) mod kaa;
pub(crate) mod pseud;
#[cfg(feature = "rpcudp")]
pub(crate) mod rpcudp;

pub(crate) use pseud::envelope::{Envelope, Kind, Received, Work, read_work};
pub(crate) use pseud::fault;
pub(crate) use pseud::goaway;
pub(crate) use pseud::login::{Hello, shows_password};
pub(crate) use pseud::origin::{Claim, ORIGIN_BYTES_MAX};
pub(crate) use pseud::outbound::{
    Answer, Transmit, WorkMessage, check_result, check_values, work_size,
};
