//! Urgent data: it means nothing to us, and hides nothing that comes behind it.

use crate::raw::{self, Raw};
use crate::{server, soon};
use socket2::SockRef;
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

const TRIES: u32 = 300;

/// Far below the PINGs, whose bytes would bring the rest along.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Each call has an id of its own.
fn call(id: u32) -> Vec<u8> {
    let id = [&[0; 12][..], &id.to_be_bytes()].concat();
    raw::message(&[b"", b"v1", &id, b"\x03", b"\x93\xa5hello\x91\xa6Charly\x80"])
}

/// An urgent byte, and a call behind it.
fn call_behind_an_urgent_byte(raw: &mut Raw, id: u32) {
    SockRef::from(&raw.stream).send_out_of_band(b"!").unwrap();
    raw.stream.write_all(&call(id)).unwrap();
}

fn hear(raw: &mut Raw) {
    let began = Instant::now();
    let answer = raw.message();
    assert_eq!(answer[3..], [b"\x01".to_vec(), b"\xacHello Charly".to_vec()]);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_urgent_byte_behind_the_handshake_delays_no_message() {
    let (server, endpoint) = server("tcp://127.0.0.1:0").await;
    let calling = spawn_blocking(move || {
        for _ in 0..TRIES {
            let mut raw = Raw::dial(&endpoint);
            raw.stream.write_all(&raw::greeting("NULL", 1)).unwrap();
            raw.stream.write_all(&raw::ready()).unwrap();
            call_behind_an_urgent_byte(&mut raw, 7);
            raw.hear_ready();
            hear(&mut raw);
        }
    });
    tokio::time::timeout(Duration::from_secs(60), calling).await.unwrap().unwrap();
    assert_eq!(server.stats().requests_served, u64::from(TRIES));
}

#[tokio::test]
async fn urgent_bytes_between_messages_delay_none() {
    let (_server, endpoint) = server("tcp://127.0.0.1:0").await;
    let calling = spawn_blocking(move || {
        let mut raw = Raw::connect(&endpoint, 1);
        for round in 0..TRIES {
            if round % 3 > 0 {
                raw.stream.write_all(&call(2 * round)).unwrap();
            }
            call_behind_an_urgent_byte(&mut raw, 2 * round + 1);
            if round % 3 > 0 {
                hear(&mut raw);
            }
            hear(&mut raw);
        }
    });
    soon(calling).await.unwrap();
}
