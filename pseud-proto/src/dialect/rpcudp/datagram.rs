//! The 21 bytes in front of each body.

/// Bytes of a message's id: `sha1(os.urandom(32)).digest()` in `rpcudp/protocol.py`.
pub(crate) const ID_BYTES: usize = 20;
/// Bytes in front of the body.
pub(crate) const HEAD_BYTES: usize = 1 + ID_BYTES;
/// A request's body, `[name, arguments]`: what `rpcudp/protocol.py` raises `MalformedMessage` over.
pub const REQUEST_BODY_BYTES_MAX: usize = 8_192;
/// A datagram's payload over IPv4: 65 535 bytes less the headers of IP (20) and UDP (8), RFC 768.
pub const DATAGRAM_BYTES_MAX: usize = 65_507;

/// A message's id. A response repeats that of its request.
pub(crate) type MessageId = [u8; ID_BYTES];

/// What a datagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatagramKind {
    Request,
    Response,
}

/// Why a datagram is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOurs {
    /// Fewer than 22 bytes: `rpcudp` logs that and ignores it.
    TooShort,
    /// A first byte that is neither 0 nor 1.
    UnknownKind,
}

/// Splits a datagram into what it is, its id and its body.
pub(crate) fn split(datagram: &[u8]) -> Result<(DatagramKind, MessageId, &[u8]), NotOurs> {
    let Some((&[kind], rest)) = datagram.split_first_chunk() else {
        return Err(NotOurs::TooShort);
    };
    let (id, body) = match rest.split_first_chunk() {
        Some((id, body)) if !body.is_empty() => (*id, body),
        _ => return Err(NotOurs::TooShort),
    };
    match kind {
        0 => Ok((DatagramKind::Request, id, body)),
        1 => Ok((DatagramKind::Response, id, body)),
        _ => Err(NotOurs::UnknownKind),
    }
}

/// A datagram up to its body.
pub(crate) fn head(kind: DatagramKind, id: &MessageId) -> Vec<u8> {
    let kind = match kind {
        DatagramKind::Request => 0,
        DatagramKind::Response => 1,
    };
    let mut datagram = Vec::with_capacity(64);
    datagram.push(kind);
    datagram.extend_from_slice(id);
    datagram
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o_02_the_border_is_at_22_bytes() {
        let datagram: Vec<u8> = (0..23).collect();
        for short in 0..22 {
            assert_eq!(split(&datagram[..short]), Err(NotOurs::TooShort), "{short}");
        }
        let id: MessageId = datagram[1..21].try_into().unwrap();
        assert_eq!(split(&datagram[..22]), Ok((DatagramKind::Request, id, &datagram[21..22])));
        let mut other = datagram;
        other[0] = 1;
        assert_eq!(split(&other), Ok((DatagramKind::Response, id, &other[21..])));
        for kind in 2..=255 {
            other[0] = kind;
            assert_eq!(split(&other), Err(NotOurs::UnknownKind), "{kind}");
        }
    }
}
