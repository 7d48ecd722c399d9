//! kaa.rpc's dialect: packets' payloads to calls, results and exceptions, and back.
//!
//! | packet | payload |
//! |---|---|
//! | CALL | pickle of `(command, args, kwargs)` |
//! | RETN | pickle of the result |
//! | EXCP | pickle of `(exception, stack)` |
//!
//! `src/rpc.py` writes them in `Channel.rpc`, `_send_answer` and `_send_exception`, and reads them in
//! `_handle_packet_after_auth`.
//!
//! Bodies are msgpack within: see [`pickle`].

mod dates;
pub mod exts;
pub(crate) mod fault;
pub(crate) mod message;
pub(crate) mod pickle;
pub(crate) mod types;

use self::pickle::body::{Body, PickleBounds};
use self::pickle::node::{Graph, NodeId, PickleNode};
use self::pickle::read::{BadPickle, read};
use self::pickle::write::{KaaPickleWriter, Reads, Unwritable};
use crate::error::Fault;
use crate::message::packet::{HEADER_BYTES, PacketKind, put_header};
use crate::value::msgpack::out::Out;
use bytes::Bytes;

/// A CALL that was read.
pub(crate) struct CallPacket {
    /// The command, where it is a text.
    pub(crate) name: Option<String>,
    /// The arguments, and the keyword arguments behind them.
    pub(crate) arguments: Bytes,
}

/// Reads a CALL. The reference takes a list for the arguments as well.
pub(crate) fn read_call(payload: &[u8], bounds: PickleBounds) -> Result<CallPacket, BadPickle> {
    let (graph, root) = read(payload, bounds.nodes_max)?;
    let [name, args, kwargs] = graph.items(root).unwrap_or_default() else {
        return Err(BadPickle::NotACall("a call is its command, its arguments and its keywords"));
    };
    let name = graph.text(*name).map(str::to_owned);
    let is_args = graph.items(*args).is_some();
    if !is_args || !matches!(graph.get(*kwargs), PickleNode::Dict(_)) {
        return Err(BadPickle::NotACall("arguments are a tuple, and keywords a dict"));
    }
    let arguments = written(&graph, bounds, &[*args, *kwargs])?;
    Ok(CallPacket { name, arguments })
}

/// Reads a RETN.
pub(crate) fn read_result(payload: &[u8], bounds: PickleBounds) -> Result<Bytes, BadPickle> {
    let (graph, root) = read(payload, bounds.nodes_max)?;
    written(&graph, bounds, &[root])
}

/// Reads an EXCP; `None` where it tells of no exception.
pub(crate) fn read_fault(payload: &[u8], bounds: PickleBounds) -> Option<Fault> {
    let (graph, root) = read(payload, bounds.nodes_max).ok()?;
    fault::read(&graph, root)
}

fn written(graph: &Graph<'_>, bounds: PickleBounds, values: &[NodeId]) -> Result<Bytes, BadPickle> {
    let (mut out, mut body) = (Out::new(), Body::new(graph, bounds));
    values.iter().try_for_each(|value| body.value(&mut out, *value))?;
    Ok(Bytes::copy_from_slice(out.as_slice()))
}

/// A whole CALL.
pub(crate) fn write_call(
    seq: u32,
    name: &str,
    arguments: &[u8],
    max: usize,
    reads: Reads,
) -> Result<Vec<u8>, Unwritable> {
    packet(seq, PacketKind::Call, max, reads, |writer| writer.call(name, arguments))
}

/// A whole RETN.
pub(crate) fn write_result(
    seq: u32,
    body: &[u8],
    max: usize,
    reads: Reads,
) -> Result<Vec<u8>, Unwritable> {
    packet(seq, PacketKind::Retn, max, reads, |writer| writer.result(body))
}

/// A whole EXCP.
pub(crate) fn write_fault(seq: u32, fault: &Fault, max: usize) -> Result<Vec<u8>, Unwritable> {
    packet(seq, PacketKind::Excp, max, Reads::Any, |writer| fault::write(writer, fault))
}

/// Of at most `max` bytes with its header: what the reference counts against its limit.
fn packet(
    seq: u32,
    kind: PacketKind,
    max: usize,
    reads: Reads,
    write: impl FnOnce(&mut KaaPickleWriter<'_>) -> Result<(), Unwritable>,
) -> Result<Vec<u8>, Unwritable> {
    let mut packet = Vec::new();
    put_header(&mut packet, seq, kind, 0);
    let mut writer = KaaPickleWriter::new(&mut packet, max.saturating_sub(HEADER_BYTES), reads);
    write(&mut writer).and_then(|()| writer.stop()).map_err(|why| match why {
        Unwritable::TooLarge { .. } => Unwritable::TooLarge { max },
        why => why,
    })?;
    let len = u32::try_from(packet.len() - HEADER_BYTES);
    let len = len.map_err(|_| Unwritable::TooLarge { max })?.to_le_bytes();
    if let Some(place) = packet.get_mut(HEADER_BYTES - len.len()..HEADER_BYTES) {
        place.copy_from_slice(&len);
    }
    Ok(packet)
}

/// Whether only a Python 2 writes so: its first value is a `str` of its own.
pub(crate) fn is_python2(payload: &[u8]) -> bool {
    let behind = payload.strip_prefix(&[0x80, 2]).unwrap_or(payload);
    let behind = behind.strip_prefix(b"(").unwrap_or(behind);
    matches!(behind, [b'U' | b'T' | b'S', ..])
}
