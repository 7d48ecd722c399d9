//! The core alone: two channels and a buffer between them, driven with as little as can be around
//! them. Bodies are made, checked and read.

use allocation_counter::measure;
use pseud::Config;
use pseud::proto::pseud::Channel;
use pseud::proto::value::Packed;
use pseud::proto::value::ValueLimits;
use pseud::proto::zmtp::{ConnectionConfig, Side};
use pseud::proto::{Action, CallOptions, Outcome};
use std::io::IoSlice;
use std::sync::Arc;
use std::time::Instant;

/// 16 bytes of arguments: an array of a str of 14, with their heads.
const TEXT: &str = "fourteen bytes";

/// One side.
struct Party {
    channel: Channel,
    /// Allocations that were made on its behalf.
    allocated: u64,
    finished: usize,
    served: usize,
}

/// Calls one after the other.
pub(crate) struct Exchange {
    client: Party,
    server: Party,
    buffer: Vec<u8>,
    now: Instant,
}

/// Allocations of each side.
pub(crate) struct Allocated {
    pub(crate) client: u64,
    pub(crate) server: u64,
}

impl Exchange {
    /// A pair behind its handshake.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let mut config = Config::default();
        config.server = Some("server".into());
        let client = Party::new(config, "", Side::Connecting, now);
        let server = Party::new(Config::default(), "server", Side::Accepting, now);
        let buffer = Vec::new();
        let mut this = Self { client, server, buffer, now };
        while this.up() | this.down() {}
        this
    }

    /// So many calls.
    pub(crate) fn calls(&mut self, count: usize) {
        for _ in 0..count {
            self.client.call(self.now);
            while self.up() | self.down() {}
        }
        assert_eq!(self.client.finished, self.server.served, "every call is answered");
    }

    pub(crate) fn allocated(&self) -> Allocated {
        Allocated { client: self.client.allocated, server: self.server.allocated }
    }

    fn up(&mut self) -> bool {
        carry(&mut self.client, &mut self.server, &mut self.buffer, self.now)
    }

    fn down(&mut self) -> bool {
        carry(&mut self.server, &mut self.client, &mut self.buffer, self.now)
    }
}

/// One call after the other.
pub(crate) fn one_by_one(times: usize) {
    Exchange::new().calls(times);
}

/// 256 at a time.
pub(crate) fn in_flight(times: usize) {
    let mut exchange = Exchange::new();
    for _ in 0..times / 256 {
        for _ in 0..256 {
            exchange.client.call(exchange.now);
        }
        while exchange.up() | exchange.down() {}
    }
    assert_eq!(exchange.client.finished, times / 256 * 256);
}

impl Party {
    fn new(config: Config, identity: &'static str, side: Side, now: Instant) -> Self {
        let mut link = ConnectionConfig::default();
        link.identity = identity.into();
        let channel = Channel::new(Arc::new(config), Arc::new(link), side, [1; 32], now);
        Self { channel, allocated: 0, finished: 0, served: 0 }
    }

    fn call(&mut self, now: Instant) {
        self.counted(|this| {
            let arguments = Packed::call(&(TEXT,), &()).expect("encodable");
            this.channel.call("echo", arguments, CallOptions::default(), now).expect("room");
        });
    }

    /// One gathering write of all that there is.
    fn write(&mut self, buffer: &mut Vec<u8>, now: Instant) {
        self.counted(|this| {
            let mut slices = [IoSlice::new(&[]); 32];
            let count = this.channel.slices(&mut slices);
            slices[..count].iter().for_each(|slice| buffer.extend_from_slice(slice));
            this.channel.advance(buffer.len(), now);
        });
    }

    fn read(&mut self, bytes: &mut [u8], now: Instant) {
        self.counted(|this| {
            this.channel.handle_input(bytes, now).expect("a peer that keeps to the wire");
            while let Some(action) = this.channel.poll_action() {
                this.act(action, now);
            }
        });
    }

    /// Books what is allocated meanwhile.
    fn counted(&mut self, act: impl FnOnce(&mut Self)) {
        self.allocated += measure(|| act(self)).count_total;
    }

    fn act(&mut self, action: Action, now: Instant) {
        match action {
            Action::Serve(request) => {
                let opened = request.open(&ValueLimits::default()).expect("sound arguments");
                let (text,): (&str,) = opened.arguments.args().expect("one text");
                let result = Packed::result(text).expect("encodable");
                self.channel.reply(opened.ticket, Ok(result), now);
                self.served += 1;
            }
            Action::Finish { outcome: Outcome::Value(body), .. } => {
                let packed = body.check(&ValueLimits::default()).expect("a sound result");
                assert_eq!(packed.decode::<&str>(), Ok(TEXT));
                self.finished += 1;
            }
            Action::Finish { outcome, .. } => panic!("{outcome:?}"),
            _ => {}
        }
    }
}

fn carry(from: &mut Party, to: &mut Party, buffer: &mut Vec<u8>, now: Instant) -> bool {
    from.write(buffer, now);
    let moved = !buffer.is_empty();
    if moved {
        to.read(buffer, now);
        buffer.clear();
    }
    moved
}
