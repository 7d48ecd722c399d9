//! A link's way out: messages to send, bytes to write.

use super::{Connection, Phase};
use crate::error::Insecure;
use crate::message::framed::Framed;
use crate::message::outgoing::{Outgoing, Token};
use crate::wire::zmtp::output::LinkOutput;
use std::io::IoSlice;

impl Connection {
    /// The next [`Event::Written`](crate::zmtp::Event::Written), ahead of all other events.
    #[inline]
    pub fn poll_written(&mut self) -> Option<Token> {
        self.output.poll_written()
    }

    /// Queues a message, once [`Event::Ready`] came. [`Event::Written`] tells when it has left.
    ///
    /// There is no limit here: whoever sends keeps an eye on [`backlog`](Self::backlog). Before
    /// `Ready` and after an error the message is dropped and counted in [`ConnectionStats::unsent`]. So it is
    /// when CURVE has no nonces left for it, after 2^64 frames: that ends the link.
    ///
    /// [`Event::Ready`]: crate::zmtp::Event::Ready
    /// [`Event::Written`]: crate::zmtp::Event::Written
    /// [`ConnectionStats::unsent`]: crate::zmtp::ConnectionStats::unsent
    pub fn send(&mut self, message: Outgoing<'_>, token: Token) {
        self.send_by(|output| output.put_message(message, token));
    }

    /// The same of finished messages, such as an [`Endpoint`](crate::pseud::Endpoint) or a
    /// [`Session`](crate::session::Session) has them: the last of them ends at that token. They are
    /// taken as they are where nothing is encrypted.
    pub fn send_framed(&mut self, messages: Framed<'_>, token: Token) {
        self.send_by(|output| output.put_framed(messages, token));
    }

    fn send_by(&mut self, put: impl FnOnce(&mut LinkOutput) -> bool) {
        let is_early = !matches!(self.phase, Phase::Traffic) && self.failed.is_none();
        debug_assert!(!is_early, "a message was sent before Event::Ready");
        if !self.is_ready() {
            self.stats.unsent = self.stats.unsent.saturating_add(1);
        } else if !put(&mut self.output) {
            self.stats.unsent = self.stats.unsent.saturating_add(1);
            self.failed = Some(Box::new(Insecure::Exhausted.into()));
        }
    }

    /// Fills `out` with the next bytes to write, in order, and says how many slices that made.
    #[inline]
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        self.output.slices(out)
    }

    /// That many bytes of [`slices`](Self::slices) were written.
    #[inline]
    pub fn advance(&mut self, written: usize) {
        self.output.advance(written);
    }

    /// Bytes that it takes to keep what has come of a partial message.
    pub fn partial_bytes(&self) -> usize {
        self.decoder.held()
    }

    /// Bytes queued and not written: messages, and what answers the peer's PINGs.
    #[inline]
    pub fn backlog(&self) -> usize {
        self.output.backlog()
    }
}
