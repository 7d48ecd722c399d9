//! Whatever datagrams come from wherever, each is served, ends a call, is answered as it was before, or is
//! dropped for a reason that is counted, exactly one of these; a request is handed out once and only what
//! `rmpv` reads as a name and arguments; a call ends once, with a value only from the address that it
//! asked; and what is sent is a datagram of this wire, to who has proved nothing no more than three times
//! what came from there.
//!
//! The first byte chooses limits; then steps: a datagram, an answer to a call of ours, a repetition, a call,
//! answers to what waits, time.

use crate::memory::bounded;
use crate::script::Script;
use pseud_proto::CallId;
use pseud_proto::rpcudp::{
    Action, CallOptions, Config, DATAGRAM_BYTES_MAX, Dropped, Endpoint, Outcome,
    REQUEST_BODY_BYTES_MAX, Request, Silence, arguments, result,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const STEPS_MAX: usize = 64;

/// An endpoint that calls and serves, and a network that brings anything.
pub fn datagrams(data: &[u8]) {
    bounded(data.len() + (64 << 10), || {
        let mut script = Script::new(data);
        let mut net = Net::new(script.byte());
        for _ in 0..STEPS_MAX {
            if script.is_over() {
                break;
            }
            net.step(&mut script);
        }
        net.finish();
    });
}

struct Net {
    now: Instant,
    endpoint: Endpoint,
    waiting: Vec<Request>,
    /// Calls that are not over: where they went, and the id on the wire.
    calls: BTreeMap<CallId, (SocketAddr, Vec<u8>)>,
    /// Who asked what, in the window.
    asked: BTreeSet<(SocketAddr, Vec<u8>)>,
    /// Bytes that came from an address, and that went there as answers.
    came: BTreeMap<SocketAddr, (usize, usize)>,
    last: Option<(SocketAddr, Vec<u8>)>,
}

fn address(choice: u8) -> SocketAddr {
    const PORTS: [u16; 4] = [4_000, 4_001, 7, 0];
    const HOSTS: [[u8; 4]; 4] = [[192, 0, 2, 1], [192, 0, 2, 2], [127, 0, 0, 1], [224, 0, 0, 1]];
    let [host, port] = [choice & 3, choice >> 2 & 3].map(usize::from);
    (HOSTS[host], PORTS[port]).into()
}

impl Net {
    fn new(choice: u8) -> Self {
        let mut config = Config::default();
        if choice & 1 != 0 {
            config.requests_open_max = 2;
            config.calls_pending_max = 2;
            config.answers_kept_bytes_max = 64;
        }
        config.rpc_prefix = choice & 2 != 0;
        let mut endpoint = Endpoint::new(config, [0x4e; 32]);
        endpoint.set_local(address(4));
        Self {
            now: Instant::now(),
            endpoint,
            waiting: Vec::new(),
            calls: BTreeMap::new(),
            asked: BTreeSet::new(),
            came: BTreeMap::new(),
            last: None,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 6 {
            0 => {
                let (from, head) = (address(script.byte()), script.byte());
                let mut datagram = vec![head & 1 | u8::from(head == 255) << 1];
                datagram.extend_from_slice(&[head >> 1; 20]);
                datagram.extend_from_slice(script.bytes());
                datagram.truncate(if head == 128 { 21 } else { usize::MAX });
                self.datagram(from, datagram);
            }
            1 => {
                let (from, which) = (script.byte(), usize::from(script.byte()));
                let body = script.bytes();
                let call = self.calls.values().nth(which % 4);
                if let Some((to, id)) = call {
                    let from = if from == 255 { *to } else { address(from) };
                    let datagram = [&[1], &id[..], body].concat();
                    self.datagram(from, datagram);
                }
            }
            2 => {
                if let Some((from, datagram)) = self.last.clone() {
                    self.datagram(from, datagram);
                }
            }
            3 => self.call(script),
            4 => {
                let bytes = vec![0; usize::from(script.byte())];
                if let Some(request) = self.waiting.pop() {
                    match result(&request.arguments().args_values()) {
                        Ok(echo) if bytes.is_empty() => {
                            let _ = self.endpoint.reply(request.into_ticket(), &echo, self.now);
                        }
                        _ => {
                            let blob = result(&bytes::Bytes::from(bytes)).expect("a bin");
                            let _ = self.endpoint.reply(request.into_ticket(), &blob, self.now);
                        }
                    }
                }
                self.settle(None);
            }
            _ => {
                self.now += Duration::from_millis(100 * u64::from(script.byte()));
                self.asked.clear();
                self.endpoint.handle_timeout(self.now);
                self.settle(None);
            }
        }
    }

    fn datagram(&mut self, from: SocketAddr, datagram: Vec<u8>) {
        let before = self.endpoint.stats();
        let handled = self.endpoint.handle_datagram(from, &datagram, self.now);
        let after = self.endpoint.stats();
        let dropped = |stats: &pseud_proto::rpcudp::Stats| -> u64 {
            Dropped::ALL.iter().map(|&why| stats.counts.dropped(why)).sum()
        };
        match handled {
            Err(why) => {
                assert_eq!(after.counts.dropped(why), before.counts.dropped(why) + 1);
                assert!(self.endpoint.poll_action().is_none(), "{why}: and yet something follows");
                assert_eq!(after.queued_bytes, before.queued_bytes);
            }
            Ok(()) => {
                assert_eq!(dropped(&after), dropped(&before));
                let served = after.requests_open - before.requests_open;
                let ended = before.calls_pending - after.calls_pending;
                let repeated = usize::from(after.queued_bytes > before.queued_bytes);
                assert_eq!(served + ended + repeated, 1, "{from} {datagram:02x?}");
                if datagram[0] == 0 {
                    self.came.entry(from).or_default().0 += datagram.len();
                }
            }
        }
        self.settle(Some((from, &datagram)));
        self.last = Some((from, datagram));
    }

    fn call(&mut self, script: &mut Script<'_>) {
        let to = address(script.byte());
        let mut options = CallOptions::default();
        if script.byte() & 1 == 1 {
            options = options.resend_every(Duration::from_secs(1));
        }
        let args = arguments(&(bytes::Bytes::copy_from_slice(script.bytes()),)).expect("a bin");
        let Ok(call) = self.endpoint.call(to, "x", &args, &options, self.now) else { return };
        let transmit = self.endpoint.poll_transmit().expect("a call is sent");
        assert_eq!((transmit.to, transmit.payload[0]), (to, 0));
        assert!(transmit.payload.len() <= 21 + REQUEST_BODY_BYTES_MAX);
        self.calls.insert(call, (to, transmit.payload[1..21].to_vec()));
    }

    /// What follows from a step, of which one datagram came at most.
    fn settle(&mut self, cause: Option<(SocketAddr, &[u8])>) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Serve(request) => {
                    let (from, datagram) = cause.expect("a request comes in a datagram");
                    assert_eq!(request.from(), from);
                    assert!(self.asked.insert((from, datagram[1..21].to_vec())), "served twice");
                    is_call(&datagram[21..]);
                    self.waiting.push(request);
                }
                Action::Finish { call, outcome } => {
                    let (to, id) = self.calls.remove(&call).expect("a call ends once");
                    if let Outcome::Value(_) = outcome {
                        let (from, datagram) = cause.expect("an answer comes in a datagram");
                        assert_eq!((from, &datagram[1..21]), (to, &id[..]));
                        // It has shown that its address is its own.
                        self.came.insert(from, (usize::MAX / 8, 0));
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            assert!(transmit.payload.len() <= DATAGRAM_BYTES_MAX);
            if transmit.payload[0] == 1 {
                let mut body = &transmit.payload[21..];
                rmpv::decode::read_value(&mut body).expect("an answer is a value");
                assert!(body.is_empty());
                let (came, went) = self.came.entry(transmit.to).or_default();
                *went += transmit.payload.len();
                assert!(*went <= 3 * *came, "{went} bytes went for {came}");
            }
        }
    }

    fn finish(mut self) {
        for request in std::mem::take(&mut self.waiting) {
            self.endpoint.abandon(request.into_ticket(), Silence::Abandoned);
        }
        self.endpoint.close();
        self.settle(None);
        let stats = self.endpoint.stats();
        assert!(self.calls.is_empty() && stats.requests_open == 0 && stats.calls_pending == 0);
    }
}

/// A name, and what Python could iterate over.
fn is_call(mut body: &[u8]) {
    let value = rmpv::decode::read_value(&mut body).expect("what is served is a value");
    let items = value.as_array().expect("a call is an array");
    assert_eq!(items.len(), 2);
    assert!(items[0].is_str() || items[0].is_i64() || items[0].is_u64());
    let args = &items[1];
    assert!(args.is_array() || args.is_map() || args.is_str() || args.is_bin());
}
