//! Signs of life for peers that count messages: to Python every message is one (`handle_heartbeat` in
//! `pseud/common.py`'s `on_socket_ready`), and HEARTBEAT is the one that does nothing else.

use crate::call::late_guard::Guard;
use crate::dialect::Answer;
use crate::rpc::session::Session;
use crate::rpc::session::entry::Of;
use crate::rpc::session::sink::Sink;

impl Session {
    /// Queues a HEARTBEAT, where that says something and does no harm: nothing else waits to be sent, and
    /// neither side has still to log in, since a challenge would be its answer. A REQ would take it for the
    /// answer that it waits for (RFC 28 §REQ).
    pub fn send_heartbeat(&mut self, sink: &mut impl Sink) {
        let may = !self.is_stranger && !self.must_show() && self.info.takes_calls();
        if !may || self.ended.is_some() || self.output.bytes() > 0 {
            return;
        }
        self.output.push(Of::Reply(Guard::Never), |out| Answer::heartbeat().put(out, b""));
        self.queued(sink);
    }
}
