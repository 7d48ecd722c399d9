//! What leaves: bodies that u-msgpack 2.8 reads. Its reader raises on what it does not know, and then
//! nothing is answered and nobody is told: so that is refused here.

use crate::dialect::rpcudp::datagram::{
    DATAGRAM_BYTES_MAX, DatagramKind, HEAD_BYTES, MessageId, REQUEST_BODY_BYTES_MAX, head,
};
use crate::dialect::rpcudp::message::check_keys;
use crate::error::CallRefused;
use crate::value::msgpack::edges;
use crate::value::msgpack::head::{Head, HeadReader};
use crate::value::{Packed, moment, timestamp};
use bytes::Bytes;

/// A value that u-msgpack cannot have, for people.
pub(crate) type Unpackable = &'static str;

/// A request's datagram.
pub(crate) fn request(
    id: &MessageId,
    name: &str,
    arguments: &Packed,
) -> Result<Bytes, CallRefused> {
    let args = positional(arguments).map_err(|why| CallRefused::Arguments(why.into()))?;
    let mut datagram = head(DatagramKind::Request, id);
    let name_bytes = u32::try_from(name.len()).unwrap_or(u32::MAX);
    for (bytes, used) in [edges::array_head(2), edges::str_head(name_bytes)] {
        datagram.extend_from_slice(bytes.get(..used).unwrap_or_default());
    }
    datagram.extend_from_slice(name.as_bytes());
    write(args, &mut datagram).map_err(|why| CallRefused::Arguments(why.into()))?;
    match datagram.len() - HEAD_BYTES {
        size if size > REQUEST_BODY_BYTES_MAX => {
            Err(CallRefused::BodyTooLarge { size, max: REQUEST_BODY_BYTES_MAX })
        }
        _ => Ok(datagram.into()),
    }
}

/// Why a result is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoResponse {
    /// u-msgpack has no such value.
    Unpackable,
    /// No datagram is as large: `sendto` fails with EMSGSIZE in Python.
    TooLarge,
}

/// A response's datagram.
pub(crate) fn response(id: &MessageId, result: &Packed) -> Result<Bytes, NoResponse> {
    if result.is_call() {
        return Err(NoResponse::Unpackable);
    }
    let mut datagram = head(DatagramKind::Response, id);
    write(result.as_bytes(), &mut datagram).map_err(|_| NoResponse::Unpackable)?;
    match datagram.len() > DATAGRAM_BYTES_MAX {
        true => Err(NoResponse::TooLarge),
        false => Ok(datagram.into()),
    }
}

/// The positional arguments of a call; the wire has no others.
fn positional(arguments: &Packed) -> Result<&[u8], Unpackable> {
    let mut rest = arguments.as_bytes();
    let args = edges::cut(&mut rest).filter(|_| arguments.is_call());
    match (args, edges::read_map(&mut rest)) {
        (Some(args), Some(0)) => Ok(args),
        (Some(_), Some(_)) => Err("rpcudp has no keyword arguments"),
        _ => Err("these are no arguments"),
    }
}

/// Appends a value, its moments as timestamps.
fn write(value: &[u8], out: &mut Vec<u8>) -> Result<(), Unpackable> {
    let (start, mut reader, mut copied) = (out.len(), HeadReader { rest: value }, 0);
    loop {
        let at = value.len() - reader.rest.len();
        let Ok(head) = reader.head() else { break };
        if let Head::Ext(code, payload) = head
            && let Some(date) = moment::of_ext(code, payload)?
        {
            out.extend_from_slice(value.get(copied..at).unwrap_or_default());
            timestamp::write(&date, out)
                .map_err(|_| "a datetime in a zone whose offset is not known is no timestamp")?;
            copied = value.len() - reader.rest.len();
        }
    }
    out.extend_from_slice(value.get(copied..).unwrap_or_default());
    check_keys(out.get(start..).unwrap_or_default()).map_err(|_| "a map has a key twice")
}
