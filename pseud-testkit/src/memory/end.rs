//! What stands at an end of a wire.

use std::time::Instant;

/// One end of a wire: a link's driver, as a test plays it.
pub trait End {
    /// At most `max` bytes of what it has to write; they count as written.
    fn write(&mut self, max: usize) -> Vec<u8>;
    /// Whether it has anything to write.
    fn wants_to_write(&self) -> bool;
    /// Bytes came.
    fn read(&mut self, input: &mut [u8]);
    /// The stream ended.
    fn eof(&mut self);
    /// Its deadline came.
    fn timeout(&mut self);
    /// Its next deadline.
    fn poll_timeout(&self) -> Option<Instant>;
    /// It takes no more input, and closes once it has written what it has.
    fn is_over(&self) -> bool;
}
