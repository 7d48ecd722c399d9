//! Urgent data: it means nothing to us, and hides nothing that comes behind it.

use crate::{Tokio, server, soon};
use pseud_testkit::raw::{self, RawPeer};
use socket2::SockRef;
use std::time::{Duration, Instant};

const TRIES: u32 = 300;

/// Far below the PINGs, whose bytes would bring the rest along.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Each call has an id of its own.
fn call(id: u32) -> Vec<u8> {
    let id = [&[0; 12][..], &id.to_be_bytes()].concat();
    raw::message(&[b"", b"v1", &id, b"\x03", b"\x93\xa5hello\x91\xa6Charly\x80"])
}

/// An urgent byte, and a call behind it.
async fn call_behind_an_urgent_byte(raw: &mut RawPeer, id: u32) {
    SockRef::from(&raw.stream).send_out_of_band(b"!").unwrap();
    raw.send(&call(id)).await;
}

async fn hear(raw: &mut RawPeer) {
    let began = Instant::now();
    let answer = raw.message().await;
    assert_eq!(answer[3..], [b"\x01".to_vec(), b"\xacHello Charly".to_vec()]);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_urgent_byte_behind_the_handshake_delays_no_message() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let calling = async {
        for _ in 0..TRIES {
            let mut raw = RawPeer::dial(&endpoint).await;
            raw.send(&raw::handshake()).await;
            call_behind_an_urgent_byte(&mut raw, 7).await;
            raw.hear_ready().await;
            hear(&mut raw).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), calling).await.unwrap();
    assert_eq!(server.stats().requests_served, u64::from(TRIES));
}

#[tokio::test]
async fn urgent_bytes_between_messages_delay_none() {
    let (_server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let calling = async {
        let mut raw = RawPeer::open(&endpoint, 1).await;
        for round in 0..TRIES {
            if round % 3 > 0 {
                raw.send(&call(2 * round)).await;
            }
            call_behind_an_urgent_byte(&mut raw, 2 * round + 1).await;
            if round % 3 > 0 {
                hear(&mut raw).await;
            }
            hear(&mut raw).await;
        }
    };
    soon(calling).await;
}
