//! A packet of kaa.rpc: number (4) | type (4, ASCII) | length of the payload (4), then the payload. The reference
//! packs them in its machine's own byte order; all its peers are little-endian, and so is this.

/// Bytes of a header.
pub(crate) const HEADER_BYTES: usize = 12;

/// The packets that have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PacketKind {
    /// A challenge.
    Auth,
    /// The response to one, maybe with a challenge of its own.
    Resp,
    /// A call: pickle of `(command, args, kwargs)`.
    Call,
    /// A result: pickle of it.
    Retn,
    /// An exception: pickle of `(exception, stack)`.
    Excp,
}

impl PacketKind {
    fn of(name: [u8; 4]) -> Option<Self> {
        [Self::Auth, Self::Resp, Self::Call, Self::Retn, Self::Excp]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    fn name(self) -> [u8; 4] {
        *match self {
            Self::Auth => b"AUTH",
            Self::Resp => b"RESP",
            Self::Call => b"CALL",
            Self::Retn => b"RETN",
            Self::Excp => b"EXCP",
        }
    }
}

/// A header that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PacketHeader {
    pub(crate) seq: u32,
    /// `None` for a type that nobody here knows.
    pub(crate) kind: Option<PacketKind>,
    pub(crate) len: u32,
}

impl PacketHeader {
    /// The header at the front, once all of it is there.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (seq, rest) = bytes.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let (len, _) = rest.split_first_chunk::<4>()?;
        let (seq, len) = (u32::from_le_bytes(*seq), u32::from_le_bytes(*len));
        Some(Self { seq, kind: PacketKind::of(*name), len })
    }
}

/// Writes the header of a packet whose payload has that length.
pub(crate) fn put_header(out: &mut Vec<u8>, seq: u32, kind: PacketKind, len: u32) {
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&kind.name());
    out.extend_from_slice(&len.to_le_bytes());
}
