//! Somebody dishonest who sends each request twice, with the same id.

use super::book::{Book, NOBODY};
use pseud_testkit::ledger::{CallEnd, Member, Number};
use pseud_testkit::luck::Luck;
use pseud_testkit::raw;
use pseud_testkit::sim::adapter::{Reader, Runtime, SocketAddress, Stream, Writer};
use pseud_testkit::sim::{self, WriteHalf};
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

/// Until when a server has run what it was sent, or never runs it.
const LATE: Duration = Duration::from_secs(60);

/// Opens a link and sends a few requests on it, each of them twice, at once or later.
pub(super) async fn repeat(endpoint: String, book: Book, meant: Vec<Member>, mut luck: Luck) {
    sim::sleep(luck.millis(0, 1_000)).await;
    let address = endpoint.trim_start_matches("tcp://").parse().expect("it has a port");
    let (runtime, to) = (sim::world(), SocketAddress::Tcp(address));
    let connected = sim::timeout(Duration::from_secs(3), runtime.connect(&to)).await;
    let Some(Ok(stream)) = connected else { return };
    let Ok((mut reader, writer)) = stream.split() else { return };
    let reading = sim::spawn(async move {
        let mut buffer = [0; 1_000];
        while let Ok(1..) = poll_fn(|cx| reader.poll_read(cx, &mut buffer)).await {}
    });
    if send(&writer, &raw::handshake()).await.is_err() {
        return;
    }
    for id in 0..4_u8 {
        let number = book.made(NOBODY, meant.clone(), LATE);
        let request = raw::envelope(&[id + 1; 16], raw::WORK, &body(number));
        for _ in 0..2 {
            if send(&writer, &request).await.is_err() {
                break;
            }
            sim::sleep(luck.millis(0, 60)).await;
        }
        book.ended(number, CallEnd::Unknown("it does not listen".into()));
    }
    drop(writer);
    reading.abort();
}

/// A call of `later` with that number.
fn body(number: Number) -> Vec<u8> {
    [b"\x93\xa5later\x92\xcf", &number.to_be_bytes()[..], b"\xa0\x80"].concat()
}

async fn send(writer: &WriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match writer.try_write(&[IoSlice::new(bytes)]) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll_fn(|cx| writer.poll_write_ready(cx)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
