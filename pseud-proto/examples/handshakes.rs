//! What a handshake costs each side, mechanism by mechanism, and what a sealed message costs.
//!
//! One thread does everything and nothing waits, so that time is processor time, as long as nobody
//! else gets the processor: a handshake is much shorter than such a turn, so the least and the
//! median of many stand. Run it optimised, with the cipher that is asked about:
//!
//! ```sh
//! cargo run --release -p pseud-proto --example handshakes
//! cargo run --release -p pseud-proto --example handshakes --no-default-features -F curve-rustcrypto
//! ```
#![allow(clippy::disallowed_methods, reason = "it measures time")]
#![allow(clippy::indexing_slicing, reason = "a program that is run by hand")]

use bytes::Bytes;
use pseud_proto::zmtp::*;
use std::fmt;
use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

const HANDSHAKES: u32 = 2_000;
const MESSAGES: u32 = 5_000;
const SIZES: [usize; 5] = [16, 64, 200, 1_024, 65_536];

/// One side, and how long it has worked.
struct Side {
    connection: Connection,
    worked: Duration,
}

impl Side {
    fn open(config: &Arc<ConnectionConfig>, side: pseud_proto::zmtp::Side, number: u32) -> Self {
        let started = Instant::now();
        let mut seed = [7; 32];
        seed.iter_mut().zip(number.to_be_bytes()).for_each(|(at, byte)| *at = byte);
        let connection = Connection::new(config.clone(), side, seed, started);
        Self { connection, worked: started.elapsed() }
    }

    /// Takes bytes, admits whoever is asked about, and returns what it has to say.
    fn turn(&mut self, bytes: &mut [u8]) -> Vec<u8> {
        let started = Instant::now();
        self.connection.handle_input(bytes, started).expect("both sides are honest");
        while let Some(event) = self.connection.poll_event() {
            if matches!(black_box(event), Event::Ask(_)) {
                let verdict = Verdict::Admit(pseud_proto::User::default());
                self.connection.answer(verdict, started).expect("it is admitted");
            }
        }
        let output = self.output();
        self.worked += started.elapsed();
        output
    }

    fn output(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.connection.backlog() > 0 {
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.connection.slices(&mut slices);
            slices.iter().take(count).for_each(|slice| bytes.extend_from_slice(slice));
            self.connection.advance(bytes.len());
        }
        bytes
    }
}

/// Client and server behind their handshake.
fn met(configs: &[Arc<ConnectionConfig>; 2], number: u32) -> [Side; 2] {
    let [client, server] = configs;
    let mut client = Side::open(client, pseud_proto::zmtp::Side::Connecting, 2 * number);
    let mut server = Side::open(server, pseud_proto::zmtp::Side::Accepting, 2 * number + 1);
    let (mut to_server, mut to_client) = (client.output(), server.output());
    while to_server.len() + to_client.len() > 0 {
        (to_client, to_server) = (server.turn(&mut to_server), client.turn(&mut to_client));
    }
    assert!(client.connection.is_ready() && server.connection.is_ready());
    [client, server]
}

fn handshakes(name: &str, configs: &[Arc<ConnectionConfig>; 2]) {
    let mut micros = [Vec::new(), Vec::new()];
    for number in 0..HANDSHAKES {
        for (all, side) in micros.iter_mut().zip(met(configs, number)) {
            all.push(side.worked.as_secs_f64() * 1e6);
        }
    }
    let [client, server] = micros.map(Spread::of);
    println!(
        "{name:5}: client {client}, server {server} of processor time; {:7.0} a second at a server, \
         {:7.0} with both on one core",
        1e6 / server.median,
        1e6 / (client.median + server.median),
    );
}

/// Of the microseconds of all handshakes: others that ran meanwhile spoil a few of them.
struct Spread {
    least: f64,
    median: f64,
}

impl Spread {
    fn of(mut micros: Vec<f64>) -> Self {
        micros.sort_by(f64::total_cmp);
        Self { least: micros[0], median: micros[micros.len() / 2] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:6.1} ({:6.1}) µs", self.least, self.median)
    }
}

fn messages(name: &str, configs: &[Arc<ConnectionConfig>; 2], size: usize) {
    let [mut from, mut to] = met(configs, 0);
    let body = Bytes::from(vec![7; size]);
    from.worked = Duration::ZERO;
    to.worked = Duration::ZERO;
    for _ in 0..MESSAGES {
        let started = Instant::now();
        let message = Outgoing { body: body.clone(), ..Default::default() };
        from.connection.send(message, Token(0));
        let mut bytes = from.output();
        from.worked += started.elapsed();
        to.turn(&mut bytes);
    }
    let [send, receive] =
        [from.worked, to.worked].map(|sum| sum.as_secs_f64() * 1e9 / f64::from(MESSAGES));
    println!("{name:5}: {size:6} B: send {send:8.0} ns, receive {receive:8.0} ns");
}

fn config(mechanism: MechanismConfig) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::default();
    config.mechanism = mechanism;
    config.into()
}

fn main() {
    let password = Secret::new("password");
    let plain = MechanismConfig::PlainClient { username: "name".into(), password };
    let [ours, theirs] = [1, 2].map(|byte| KeyPair::generate([byte; 32]));
    let curve =
        MechanismConfig::CurveClient { server_keys: vec![*theirs.public()], key_pair: ours };
    let rooms = [
        ("NULL", [config(MechanismConfig::Null), config(MechanismConfig::Null)]),
        ("PLAIN", [config(plain), config(MechanismConfig::PlainServer)]),
        (
            "CURVE",
            [config(curve), config(MechanismConfig::CurveServer { key_pairs: vec![theirs] })],
        ),
    ];
    let cipher = if cfg!(feature = "curve") { "dryoc" } else { "RustCrypto's crypto_box" };
    println!("CURVE by {cipher}. A handshake, least (median) of {HANDSHAKES}:");
    rooms.iter().for_each(|(name, configs)| handshakes(name, configs));
    println!("A message, once the handshake is over, mean of {MESSAGES}:");
    for size in SIZES {
        rooms.iter().for_each(|(name, configs)| messages(name, configs, size));
    }
}
