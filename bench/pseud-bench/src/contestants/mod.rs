//! Who is compared: each a server that echoes and a client that calls it.

mod adapters;
#[cfg(feature = "capnp")]
mod capnp_rpc;
#[cfg(feature = "jsonrpsee")]
mod jsonrpsee_ws;
#[cfg(feature = "libzmq")]
mod libzmq;
mod ours;
#[cfg(feature = "python")]
mod python;
mod raw_std;
mod raw_tokio;
#[cfg(feature = "tarpc")]
mod tarpc_bincode;
#[cfg(feature = "tonic")]
mod tonic_grpc;
#[cfg(feature = "zeromq")]
mod zeromq_rs;

pub(crate) use ours::{client_options, mechanism_of};

use crate::job::Job;
use crate::scenario::Shape;
use anyhow::{Context, Result};

/// One of those that are compared.
#[derive(Clone, Copy)]
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    /// One line about it for people.
    pub(crate) about: &'static str,
    /// Whether it can do that at all.
    pub(crate) fits: fn(&Shape) -> bool,
    pub(crate) serve: fn(&Job) -> Result<()>,
    pub(crate) drive: fn(&Job) -> Result<()>,
    /// A server that calls its clients, where it has such a thing.
    pub(crate) call_out: Option<fn(&Job) -> Result<()>>,
}

/// Room for whole calls of that size: about 64 KiB, and no more than can be on their way. With one
/// more than that a read is never full, after which tokio would read again, for nothing.
fn raw_buffer(size: usize, in_flight: usize) -> usize {
    (64 * 1024 / size).clamp(1, in_flight + 1) * size
}

/// A call of pseud on the wire, for those who echo it without knowing what it means.
#[cfg(any(feature = "libzmq", feature = "zeromq"))]
mod pseud_frames {
    /// What comes before the body: nothing, the version, an id, and the kind of a request.
    pub(super) const HEAD: [&[u8]; 4] = [b"", b"v1", b"sixteen bytes id", b"\x03"];
    pub(super) const COUNT: usize = HEAD.len() + 1;
}

/// All that this build can run, floors first.
pub(crate) fn all() -> Vec<Contestant> {
    let mut all = vec![raw_std::CONTESTANT, raw_tokio::CONTESTANT];
    all.extend(ours::CONTESTANTS);
    all.extend(adapters::CONTESTANTS);
    #[cfg(feature = "libzmq")]
    all.push(adapters::OVER_LIBZMQ);
    #[cfg(feature = "zeromq")]
    all.push(zeromq_rs::CONTESTANT);
    #[cfg(feature = "tarpc")]
    all.push(tarpc_bincode::CONTESTANT);
    #[cfg(feature = "libzmq")]
    all.extend(libzmq::CONTESTANTS);
    #[cfg(feature = "capnp")]
    all.push(capnp_rpc::CONTESTANT);
    #[cfg(feature = "tonic")]
    all.push(tonic_grpc::CONTESTANT);
    #[cfg(feature = "jsonrpsee")]
    all.push(jsonrpsee_ws::CONTESTANT);
    #[cfg(feature = "python")]
    all.extend_from_slice(python::CONTESTANTS);
    all
}

pub(crate) fn find(name: &str) -> Result<Contestant> {
    let found = all().into_iter().find(|contestant| contestant.name == name);
    found.with_context(|| {
        let names: Vec<_> = all().iter().map(|contestant| contestant.name).collect();
        format!("{name} is not in this build; it has {}", names.join(", "))
    })
}

/// The identity of one client of a crowd.
pub(crate) fn member_name(number: usize) -> String {
    format!("member-{number}")
}
