//! The core inside a loop of your own: two peers, two byte pipes, a clock that is moved by hand, and
//! no I/O at all. Prints who is admitted, a call, a callback, and a time-out that nobody waits for.
//!
//!     cargo run --example embedded
//!
//! A [`Channel`] is one link with everything behind it: ZMTP, the session, calls both ways. It never
//! reads, writes, waits or looks at a clock. It is told what happened and says what to do.

use pseud::Config;
use pseud::proto::pseud::Channel;
use pseud::proto::value::Packed;
use pseud::proto::value::ValueLimits;
use pseud::proto::zmtp::{ConnectionConfig, MechanismConfig, Question, Secret, Side, Verdict};
use pseud::proto::{Action, CallOptions, Outcome, PeerError, Request, Ticket};
use std::error::Error;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    // A moment to count from. From here on time passes when this program says so.
    let mut now = Instant::now();
    let (mut client, mut server) = (Peer::client(now), Peer::server(now));

    // A call may be made at once: it leaves when the handshake is over.
    println!("client: call greet_me()");
    client.channel.call("greet_me", arguments(&())?, CallOptions::default(), now)?;
    exchange(&mut client, &mut server, now)?;

    // Nobody serves `ponder`, so its time is up after two seconds. They cost nothing.
    println!("client: call ponder(), for two seconds at most");
    let patience = CallOptions::default().timeout(Duration::from_secs(2));
    client.channel.call("ponder", arguments(&())?, patience, now)?;
    exchange(&mut client, &mut server, now)?;
    while let Some(next) = client.channel.poll_timeout() {
        now = next;
        client.channel.handle_timeout(now)?;
        client.act(now)?;
    }

    client.channel.shutdown(now);
    client.act(now)
}

/// Carries bytes to and fro until nobody has any. With sockets this is "write what it has, wait
/// until something comes", and [`Channel::poll_timeout`] says until when.
fn exchange(client: &mut Peer, server: &mut Peer, now: Instant) -> Result<(), Box<dyn Error>> {
    loop {
        let (up, down) = (client.written(now), server.written(now));
        if up.is_empty() && down.is_empty() {
            return Ok(());
        }
        server.read(up, now)?;
        client.read(down, now)?;
    }
}

/// One side: its channel, and the request that waits for a callback's answer.
struct Peer {
    name: &'static str,
    channel: Channel,
    waiting: Option<Ticket>,
}

impl Peer {
    /// It connects, and names the server that it expects. It announces an identity of its own, by
    /// which the server finds it; one that announces none is given one.
    fn client(now: Instant) -> Self {
        let (mut config, mut link) = (Config::default(), quiet());
        config.server = Some("service".into());
        link.identity = "charlys-desk".into();
        link.mechanism = MechanismConfig::PlainClient {
            username: "charly".into(),
            password: Secret::new("open sesame"),
        };
        Self::new("client", config, link, Side::Connecting, now)
    }

    fn server(now: Instant) -> Self {
        let mut link = quiet();
        link.identity = "service".into();
        link.mechanism = MechanismConfig::PlainServer;
        Self::new("server", Config::default(), link, Side::Accepting, now)
    }

    fn new(
        name: &'static str,
        config: Config,
        link: ConnectionConfig,
        side: Side,
        now: Instant,
    ) -> Self {
        // All randomness comes from here: draw it from the operating system, for each channel anew.
        let seed = [side as u8; 32];
        let channel = Channel::new(Arc::new(config), Arc::new(link), side, seed, now);
        Self { name, channel, waiting: None }
    }

    /// What it wants written, and all of it counts as written: a socket may take less.
    fn written(&mut self, now: Instant) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 8];
        let count = self.channel.slices(&mut slices);
        let bytes: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        self.channel.advance(bytes.len(), now);
        bytes
    }

    /// Bytes came, in pieces of any size.
    fn read(&mut self, mut bytes: Vec<u8>, now: Instant) -> Result<(), Box<dyn Error>> {
        let told: Result<(), PeerError> = self.channel.handle_input(&mut bytes, now);
        self.act(now)?;
        Ok(told?)
    }

    /// After anything that the channel was told: does what it asks for, until it asks for nothing.
    fn act(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        while let Some(action) = self.channel.poll_action() {
            match action {
                Action::Serve(request) => self.serve(request, now)?,
                Action::Finish { outcome, .. } => self.finish(outcome, now)?,
                Action::Joined(_, info) => {
                    println!("{}: {} is there", self.name, info.identity.escape_ascii());
                }
                Action::Left(_, reason) => println!("{}: it left: {reason}", self.name),
                // Here the link would be closed.
                Action::Close(..) => {}
                other => println!("{}: {other:?}", self.name),
            }
        }
        match self.channel.poll_question() {
            Some(question) => self.check(question, now),
            None => Ok(()),
        }
    }

    /// May that peer come in? It could also be answered later: the handshake waits for ten seconds.
    fn check(&mut self, question: Question, now: Instant) -> Result<(), Box<dyn Error>> {
        let verdict = match question {
            Question::Plain { username, password } if password.matches(b"open sesame") => {
                println!("{}: {} may come in", self.name, username.escape_ascii());
                Verdict::Admit(username.into())
            }
            _ => Verdict::Deny,
        };
        Ok(self.channel.answer(verdict, now)?)
    }

    /// A request came. It is answered by its ticket, now or later, once.
    fn serve(&mut self, request: Request, now: Instant) -> Result<(), Box<dyn Error>> {
        let name = request.name().to_owned();
        println!("{}: serve {name}()", self.name);
        // One that takes arguments opens it by `Request::open`, which checks them.
        let ticket = request.into_ticket();
        match name.as_str() {
            "greet_me" => {
                println!("{}: call name(), before it answers", self.name);
                let options = CallOptions::default();
                self.channel.call("name", arguments(&())?, options, now)?;
                self.waiting = Some(ticket);
            }
            "name" => self.channel.reply(ticket, Ok(Packed::result("Charly")?), now),
            // Never answered. An adapter that knows its handlers refuses it as `NoSuchService`.
            _ => drop(ticket),
        }
        Ok(())
    }

    /// A call of ours is over.
    fn finish(&mut self, outcome: Outcome, now: Instant) -> Result<(), Box<dyn Error>> {
        let Outcome::Value(body) = outcome else {
            println!("{}: it ended as {outcome:?}", self.name);
            return Ok(());
        };
        let text: String = body.check(&ValueLimits::default())?.decode()?;
        println!("{}: the answer is {text:?}", self.name);
        if let Some(ticket) = self.waiting.take() {
            let greeting = Packed::result(&format!("Hello {text}"))?;
            self.channel.reply(ticket, Ok(greeting), now);
        }
        Ok(())
    }
}

/// Without PINGs: this program would have to answer them for as long as it lives.
fn quiet() -> ConnectionConfig {
    let mut link = ConnectionConfig::default();
    link.heartbeat.interval = None;
    link
}

/// Positional arguments; there are no keyword arguments here.
fn arguments(args: &()) -> Result<Packed, Box<dyn Error>> {
    Ok(Packed::call(args, &())?)
}
