//! The metadata block (RFC 37, "metadata"): name length (1) | name | value length (4, network order) | value,
//! repeated. It stands in NULL's READY, and in INITIATE and READY of PLAIN and CURVE.

use crate::auth::socket_type::SocketType;
use crate::error::{Incompatible, Malformed, PeerError};
use crate::wire::zmtp::config::ConnectionConfig;
use bytes::Bytes;

const SOCKET_TYPE: &[u8] = b"Socket-Type";
const IDENTITY: &[u8] = b"Identity";
/// What an application's property names begin with (RFC 37; libzmq's `ZMQ_METADATA` takes no others).
const APPLICATION: &[u8] = b"X-";
/// RFC 37: an identity has 0 to 255 bytes. libzmq takes longer ones; we do not.
const IDENTITY_BYTES_MAX: usize = 255;

/// What a peer's metadata says, checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) identity: Bytes,
    pub(crate) socket_type: SocketType,
    pub(crate) properties: Vec<(Bytes, Bytes)>,
}

/// Appends ours, in libzmq's order and with its spelling: RFC 37 has names without case, and libzmq compares
/// them with it (`mechanism.cpp`).
pub(crate) fn put(out: &mut Vec<u8>, config: &ConnectionConfig) {
    put_property(out, SOCKET_TYPE, config.socket_type.as_str().as_bytes());
    put_property(out, IDENTITY, &config.identity);
    for (name, value) in &config.properties {
        if is_application(name.as_bytes()) {
            put_property(out, name.as_bytes(), value);
        }
    }
}

fn put_property(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let (Ok(name_len), Ok(value_len)) = (u8::try_from(name.len()), u32::try_from(value.len()))
    else {
        return;
    };
    out.push(name_len);
    out.extend_from_slice(name);
    out.extend_from_slice(&value_len.to_be_bytes());
    out.extend_from_slice(value);
}

/// Reads a peer's whole block.
///
/// `User-Id`, `Peer-Address` and `Routing-Id` are local facts that a peer must not set: like all
/// names that mean nothing here they are dropped. libzmq puts a peer's properties into the dictionary that
/// `zmq_msg_gets` reads, so under NULL a peer there names its own user.
pub(crate) fn parse(mut block: &[u8], config: &ConnectionConfig) -> Result<Metadata, PeerError> {
    let mut identity = None;
    let mut socket_type = None;
    let mut properties = Vec::new();
    let mut count = 0;
    while !block.is_empty() {
        count += 1;
        check_count(count, config.limits.properties_max)?;
        let (name, value) = take_property(&mut block).ok_or(Malformed::BadMetadata)?;
        if name.eq_ignore_ascii_case(IDENTITY) {
            set_once(&mut identity, value)?;
        } else if name.eq_ignore_ascii_case(SOCKET_TYPE) {
            set_once(&mut socket_type, value)?;
        } else if is_application(name) {
            properties.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        }
    }
    Ok(Metadata {
        identity: check_identity(identity.unwrap_or_default())?,
        socket_type: check_socket_type(socket_type.unwrap_or_default(), config.socket_type)?,
        properties,
    })
}

/// Cuts the first property off; `None` if it is cut or has no name.
fn take_property<'a>(block: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (name_len, rest) = block.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*name_len))?;
    let (value_len, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_len).try_into().ok()?)?;
    *block = rest;
    (!name.is_empty()).then_some((name, value))
}

/// A property that comes twice could mean one thing to us and another to somebody on the path: libzmq takes
/// the last.
fn set_once<'a>(place: &mut Option<&'a [u8]>, value: &'a [u8]) -> Result<(), PeerError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed::DuplicateProperty.into()),
    }
}

fn is_application(name: &[u8]) -> bool {
    name.get(..APPLICATION.len()).is_some_and(|start| start.eq_ignore_ascii_case(APPLICATION))
}

fn check_count(count: usize, max: usize) -> Result<(), PeerError> {
    if count <= max {
        return Ok(());
    }
    Err(PeerError::TooLarge { what: "properties", size: count as u64, max: max as u64 })
}

fn check_identity(identity: &[u8]) -> Result<Bytes, PeerError> {
    if identity.len() > IDENTITY_BYTES_MAX {
        return Err(PeerError::TooLarge {
            what: "identity bytes",
            size: identity.len() as u64,
            max: IDENTITY_BYTES_MAX as u64,
        });
    }
    // A zero byte begins the ids that a ROUTER makes up for peers without an identity (`router.cpp`): an
    // announced one could be somebody else's.
    if identity.first() == Some(&0) {
        return Err(Incompatible::ReservedIdentity.into());
    }
    Ok(Bytes::copy_from_slice(identity))
}

/// A missing type is an empty one here: libzmq lets it pass, we do not.
fn check_socket_type(name: &[u8], ours: SocketType) -> Result<SocketType, PeerError> {
    SocketType::from_wire(name)
        .filter(|theirs| ours.is_compatible(*theirs))
        .ok_or(Incompatible::SocketType.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(properties: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        properties.iter().for_each(|(name, value)| put_property(&mut out, name, value));
        out
    }

    fn parsed(properties: &[(&[u8], &[u8])]) -> Result<Metadata, PeerError> {
        parse(&block(properties), &ConnectionConfig::default())
    }

    #[test]
    fn ours_reads_back() {
        let mut config = ConnectionConfig { identity: "me".into(), ..Default::default() };
        config.properties = vec![("X-A".into(), "1".into()), ("User-Id".into(), "root".into())];
        let mut out = Vec::new();
        put(&mut out, &config);
        let metadata = parse(&out, &config).unwrap();
        assert_eq!(metadata.identity, "me");
        assert_eq!(metadata.socket_type, SocketType::Router);
        assert_eq!(metadata.properties, [("X-A".into(), "1".into())]);
    }

    #[test]
    fn every_cut_and_every_leftover_is_refused() {
        let whole = block(&[(b"socket-TYPE", b"REQ"), (b"Identity", b"x"), (b"x-y", b"z")]);
        assert!(parse(&whole, &ConnectionConfig::default()).is_ok());
        let borders = [0, 19, 33];
        for cut in (0..whole.len()).filter(|cut| !borders.contains(cut)) {
            let refused = parse(&whole[..cut], &ConnectionConfig::default());
            assert_eq!(refused, Err(Malformed::BadMetadata.into()), "{cut}");
        }
    }

    #[test]
    fn local_facts_are_not_taken_from_a_peer() {
        let metadata = parsed(&[
            (b"Socket-Type", b"DEALER"),
            (b"User-Id", b"root"),
            (b"Peer-Address", b"127.0.0.1"),
            (b"Routing-Id", b"server"),
        ]);
        assert_eq!(metadata.unwrap().properties, []);
    }

    #[test]
    fn what_is_refused() {
        let router = (&b"Socket-Type"[..], &b"ROUTER"[..]);
        let duplicate = Err(Malformed::DuplicateProperty.into());
        assert_eq!(parsed(&[router, (b"Identity", b"a"), (b"IDENTITY", b"b")]), duplicate);
        assert_eq!(parsed(&[router, router]), duplicate);
        assert_eq!(
            parsed(&[router, (b"Identity", b"\0a")]),
            Err(Incompatible::ReservedIdentity.into())
        );
        assert_eq!(parsed(&[router, (b"", b"a")]), Err(Malformed::BadMetadata.into()));
        assert_eq!(parsed(&[]), Err(Incompatible::SocketType.into()));
        assert_eq!(parsed(&[(b"Socket-Type", b"PUB")]), Err(Incompatible::SocketType.into()));
        assert_eq!(parsed(&[(b"Socket-Type", b"REP")]), Err(Incompatible::SocketType.into()));
        assert!(parsed(&[router, (b"Identity", &[1; 255])]).is_ok());
        let long = PeerError::TooLarge { what: "identity bytes", size: 256, max: 255 };
        assert_eq!(parsed(&[router, (b"Identity", &[1; 256])]), Err(long));
        let many = PeerError::TooLarge { what: "properties", size: 33, max: 32 };
        assert_eq!(parsed(&[(&b"X-"[..], &b""[..]); 40]), Err(many));
    }
}
