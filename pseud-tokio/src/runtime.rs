//! The runtime that a node lives on, and whether it can.

use std::io;
use std::panic::catch_unwind;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;

/// The runtime that this is called in.
///
/// # Errors
/// There is none, or its time or I/O driver is off: nothing of a node could run, and later there would
/// be nobody to tell. Tokio is asked by using them, as it has no other way: where one is off, its panic
/// is caught here, and the process's panic hook hears of it.
pub(crate) fn current() -> io::Result<Handle> {
    let handle = Handle::try_current().map_err(io::Error::other)?;
    if catch_unwind(|| drop(sleep(Duration::ZERO))).is_err() {
        return Err(off("time", "enable_time"));
    }
    if catch_unwind(use_io).is_err() {
        return Err(off("I/O", "enable_io"));
    }
    Ok(handle)
}

fn off(driver: &str, on: &str) -> io::Error {
    let text = format!(
        "the {driver} driver of this tokio runtime is off: build it with `{on}` or `enable_all`"
    );
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// Registers a socket that nobody else sees. Where the system gives none, there still is a driver.
#[cfg(unix)]
fn use_io() {
    drop(tokio::net::UnixStream::pair());
}

#[cfg(not(unix))]
fn use_io() {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    });
    drop(socket);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Options, Server};
    use tokio::runtime::Builder;

    #[test]
    fn s_16_a_runtime_without_a_driver_is_an_error_of_new() {
        for build in [Builder::new_current_thread, Builder::new_multi_thread] {
            let (nothing, time) =
                (build().build().unwrap(), build().enable_time().build().unwrap());
            let io = build().enable_io().build().unwrap();
            for (runtime, word) in
                [(&nothing, "enable_time"), (&time, "enable_io"), (&io, "enable_time")]
            {
                let _inside = runtime.enter();
                let errors = [
                    Server::new("service").unwrap_err(),
                    Client::new("service").unwrap_err(),
                    Server::with(Options::server("service")).unwrap_err(),
                ];
                for error in errors {
                    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
                    assert!(error.to_string().contains(word), "{error}");
                }
            }
            let whole = build().enable_all().build().unwrap();
            let _inside = whole.enter();
            Server::new("service").unwrap();
        }
        assert!(Server::new("service").is_err(), "there is no runtime");
    }
}
