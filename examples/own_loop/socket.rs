//! One socket and its link: what can be read goes in, what comes out is written.

use mio::net::TcpStream;
use pseud::Reason;
use pseud::proto::pseud::{Endpoint, Link};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::time::{Duration, Instant};

/// How long a link that is over may take to write what is left.
const FAREWELL: Duration = Duration::from_secs(1);

pub(crate) struct Socket {
    stream: TcpStream,
    pub(crate) link: Link,
    /// Set once the link is over: the socket is closed when all is written, at the latest then.
    ending: Option<Instant>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, link: Link) -> Self {
        Self { stream, link, ending: None }
    }

    /// Reads once. Returns whether there may be more; why the link is over, if it is.
    pub(crate) fn read(&mut self, endpoint: &mut Endpoint, now: Instant) -> Result<bool, Reason> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => {
                self.link.handle_eof(endpoint, now).map_err(Reason::from)?;
                Err(Reason::PeerGone)
            }
            Ok(count) => {
                let input = &mut buffer[..count];
                self.link.handle_input(endpoint, input, now).map_err(Reason::from)?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(_) => Err(Reason::PeerGone),
        }
    }

    /// Writes until nothing is left or the socket is full: then "writable" will be said again.
    pub(crate) fn write(&mut self, endpoint: &mut Endpoint, now: Instant) {
        if self.write_all(endpoint, now).is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
            self.end(endpoint, Reason::PeerGone, now);
            self.ending = Some(now);
        }
    }

    fn write_all(&mut self, endpoint: &mut Endpoint, now: Instant) -> io::Result<()> {
        loop {
            self.link.pull(endpoint, now);
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.link.slices(&mut slices);
            if count == 0 {
                return Ok(());
            }
            match self.stream.write_vectored(&slices[..count]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.link.advance(endpoint, written, now),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The link is over, and its session with it. Only this peer's calls end; the others go on.
    pub(crate) fn end(&mut self, endpoint: &mut Endpoint, reason: Reason, now: Instant) {
        match reason {
            Reason::PeerGone | Reason::Shutdown => {}
            Reason::PeerFault(error) => println!("a link is closed: {error}"),
            reason => println!("a link is closed: {reason}"),
        }
        self.link.end(endpoint, reason, now);
        self.ending = self.ending.or(Some(now + FAREWELL));
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether the socket is to be closed.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let has_nothing = self.link.slices(&mut [IoSlice::new(&[])]) == 0;
        self.ending.is_some_and(|at| at <= now || has_nothing)
    }

    /// When to look again, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ending.or(self.link.poll_timeout())
    }
}
