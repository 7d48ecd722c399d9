//! Two channels and a buffer between them, driven with as little as can be around them.

use allocation_counter::measure;
use bytes::Bytes;
use pseud::Config;
use pseud::proto::pseud::Channel;
use pseud::proto::value::ValueLimits;
use pseud::proto::zmtp::{ConnectionConfig, Side};
use pseud::proto::{Action, CallOptions, Outcome, Packed};
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
    pub(crate) served: usize,
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
        config.server = Some(Bytes::from_static(b"server"));
        let client = Party::new(config, "", Side::Connecting, now);
        let server = Party::new(Config::default(), "server", Side::Accepting, now);
        let buffer = Vec::new();
        let mut this = Self { client, server, buffer, now, served: 0 };
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
        self.served = self.server.served;
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

/// Calls with so many of them in flight.
pub(crate) struct Pipeline {
    exchange: Exchange,
    in_flight: usize,
    pub(crate) count: Count,
}

/// Writes that moved something. Each is one read on the other side.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) client_writes: usize,
    pub(crate) server_writes: usize,
}

impl Pipeline {
    pub(crate) fn new(in_flight: usize) -> Self {
        Self { exchange: Exchange::new(), in_flight, count: Count::default() }
    }

    /// So many calls, or a few more.
    pub(crate) fn calls(&mut self, count: usize) {
        let end = self.exchange.client.finished + count;
        while self.exchange.client.finished < end {
            for _ in 0..self.in_flight {
                self.exchange.client.call(self.exchange.now);
            }
            self.count.client_writes += usize::from(self.exchange.up());
            self.count.server_writes += usize::from(self.exchange.down());
        }
        assert_eq!(self.exchange.client.finished, self.exchange.server.served);
    }
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
