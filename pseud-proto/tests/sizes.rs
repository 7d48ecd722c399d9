//! What an idle peer costs: a node has thousands of them.
#![cfg(target_pointer_width = "64")]

use pseud_proto::peer::PeerInfo;
use pseud_proto::session::Session;
use pseud_proto::zmtp::Connection;

/// In bytes. What is rare, of the handshake or of the end alone is boxed: so let it stay.
#[test]
fn what_each_peer_has_stays_small() {
    for (what, size, max) in [
        ("a connection", size_of::<Connection>(), 448),
        ("a session", size_of::<Session>(), 416),
        ("who a peer is", size_of::<PeerInfo>(), 136),
    ] {
        assert!(size <= max, "{what}: {size} bytes, and {max} at most");
    }
}
