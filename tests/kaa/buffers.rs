//! `buffer_size`: what a socket of ours takes for a peer that does not read. Of a Unix socket it is its
//! sender's buffer that bounds that.

use crate::{SECRET, soon};
use pseud::Fault;
use pseud::proto::kaa::{Channel, Config};
use pseud::proto::value::Packed;
use pseud::proto::zmtp::Side;
use pseud::proto::{Action, CallOptions};
use pseud::tokio::kaa::{Options, Server};
use socket2::SockRef;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ANSWER: usize = 900 << 10;

/// A peer that has asked for a large answer, and reads none of it.
fn asked(path: &str) -> UnixStream {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let now = Instant::now();
    let config = Arc::new(Config::new(SECRET));
    let mut channel = Channel::new(config, Side::Connecting, [7; 32], now);
    let mut called = false;
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let count = channel.slices(&mut slices);
        if count > 0 {
            let written = stream.write_vectored(&slices[..count]).unwrap();
            channel.advance(written, now);
            continue;
        }
        if called {
            return stream;
        }
        let mut buffer = [0; 1_024];
        let count = stream.read(&mut buffer).unwrap();
        channel.handle_input(&mut buffer[..count], now).unwrap();
        while let Some(action) = channel.poll_action() {
            if let Action::Joined(..) = action {
                let arguments = Packed::call(&(), &()).unwrap();
                channel.call("large", arguments, CallOptions::default(), now).unwrap();
                called = true;
            }
        }
    }
}

/// Bytes that wait to be read.
fn waiting(stream: &UnixStream) -> usize {
    let mut buffer = vec![MaybeUninit::uninit(); ANSWER];
    match SockRef::from(stream).peek(&mut buffer) {
        Ok(count) => count,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_takes_as_much_as_its_buffer() {
    // The kernel doubles what is asked for, and gives no more than `wmem_max`: 208 KiB by default.
    for (bytes, at_least, at_most) in [(8 << 10, 1, 64 << 10), (200 << 10, 128 << 10, ANSWER)] {
        let server = Server::with_options(Options::new(SECRET).buffer_size(bytes)).unwrap();
        server.register("large", |_| async { Ok::<_, Fault>("x".repeat(ANSWER)) }).unwrap();
        let name = format!("pseud-kaa-buffers-{}-{bytes}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let bound = server.bind(path.to_str().unwrap()).await.unwrap().to_string();
        let stream = tokio::task::spawn_blocking(move || asked(&bound)).await.unwrap();
        stream.set_nonblocking(true).unwrap();
        soon(async {
            while waiting(&stream) < at_least {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        for _ in 0..50 {
            assert!(waiting(&stream) <= at_most, "{bytes}: {}", waiting(&stream));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
