//! What may be set.

use crate::base::budget::FloodLimit;
use crate::value::ValueLimits;
use std::time::Duration;

/// How an [`Endpoint`](super::Endpoint) behaves. [`Default`] is safe on an open network;
/// [`like_the_reference`](Self::like_the_reference) is what Python's `rpcudp` does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// How long a call waits for its answer; 5 s, as `RPCProtocol(wait_timeout=5)`.
    pub wait_timeout: Duration,
    /// Calls that wait for their answers; 65 536. Over it a call is refused.
    pub calls_pending_max: usize,
    /// Requests that were not answered yet; 1 024, of up to 8 KiB each. Over it requests are dropped. A
    /// quarter of the places is for addresses that have [proved](Self::proven_for) to be their senders'
    /// own, and of the places that it may have one host takes three quarters at most (an IPv6 host has a
    /// /64).
    pub requests_open_max: usize,
    /// How long a request may wait for its answer; 60 s. Then its handler is to be
    /// [given up](super::Action::Overdue): whoever asked has long ended its call (after 5 s, the reference's
    /// default), and nobody can say that it did. `None` is the reference's way: for ever.
    pub request_timeout: Option<Duration>,
    /// Bytes of datagrams that wait to be sent; 4 MiB. Over it calls are refused and answers dropped.
    pub queue_bytes_max: usize,
    /// Believe an answer wherever it comes from, if its id is that of a call: the reference's way, and
    /// what some old NATs need. Off: only the address that was called answers.
    pub any_source: bool,
    /// How long a request is remembered, so that one which comes again is not run again; 60 s. It gets the
    /// first one's answer again where that is still kept. Zero is the reference's way: it runs each time.
    pub duplicate_window: Duration,
    /// Requests that are remembered; 8 192. Over it the oldest are forgotten before their time.
    pub duplicates_max: usize,
    /// Bytes of answers that are kept for requests that come again; 256 KiB.
    pub answers_kept_bytes_max: usize,
    /// How many times larger than its request an answer may be that goes to an address which has not
    /// [proved](Self::proven_for) to be its sender's own; 3, as QUIC has it (RFC 9000 §8.1). Whoever forges
    /// a sender's address gets no more sent there. `None` is the reference's way: no limit.
    pub amplification_max: Option<u32>,
    /// How long an address that has answered a call of ours counts as proven; 10 minutes.
    pub proven_for: Duration,
    /// Addresses that are remembered as proven; 8 192, the latest ones.
    pub proven_max: usize,
    /// Answers to one host (an IPv4 address, an IPv6 /64) whose addresses are unproven: 10 000 at once, and
    /// 1 000 every second on top. What is over is dropped.
    pub unproven_answers: FloodLimit,
    /// Handlers have the reference's names: a request for `sayhi` is handed out as one for `rpc_sayhi`.
    pub rpc_prefix: bool,
    /// What a body may hold.
    pub values: ValueLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            wait_timeout: Duration::from_secs(5),
            calls_pending_max: 65_536,
            requests_open_max: 1_024,
            request_timeout: Some(Duration::from_secs(60)),
            queue_bytes_max: 4 << 20,
            any_source: false,
            duplicate_window: Duration::from_secs(60),
            duplicates_max: 8_192,
            answers_kept_bytes_max: 256 << 10,
            amplification_max: Some(3),
            proven_for: Duration::from_secs(600),
            proven_max: 8_192,
            unproven_answers: FloodLimit { burst: 10_000, per_second: 1_000 },
            rpc_prefix: false,
            values: ValueLimits::default(),
        }
    }
}

impl Config {
    /// As Python's `rpcudp` behaves: answers are believed wherever they come from, requests that come
    /// twice run twice, handlers wait for as long as they like, answers are as large as they are, and
    /// handlers are named `rpc_…`. Only for networks whose senders are all known.
    pub fn like_the_reference() -> Self {
        Self {
            any_source: true,
            request_timeout: None,
            duplicate_window: Duration::ZERO,
            amplification_max: None,
            unproven_answers: FloodLimit { burst: u32::MAX, per_second: u32::MAX },
            rpc_prefix: true,
            ..Self::default()
        }
    }
}

/// What one call may ask for besides its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long to wait for the answer; `None` is [`Config::wait_timeout`].
    pub timeout: Option<Duration>,
    /// Send the same datagram again, with the same id, whenever that long no answer has come. Only for
    /// methods that may run twice: the reference runs each; an endpoint of this library runs the first and
    /// repeats its answer. `None`, the reference's way: once.
    pub resend_every: Option<Duration>,
}

impl CallOptions {
    /// Wait that long at most.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Send it again whenever that long no answer has come; at least 1 ms.
    #[must_use]
    pub fn resend_every(mut self, interval: Duration) -> Self {
        self.resend_every = Some(interval);
        self
    }
}
