//! A heartbeat plug-in of one's own, chosen by its name: a client that misses three beats is out. Prints who
//! is there, and who is not any more.
//!
//!     cargo run --example own_heartbeat

use pseud::{
    Client, HeartbeatBackend, HeartbeatBackends, OnSilence, Options, PeerStatus, PresenceEvent,
    Role, Server, Sign, Ticking,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

const BEAT: Duration = Duration::from_millis(100);

/// Who is known to be there, and how many beats each has missed.
#[derive(Default)]
struct OwnHeartbeat {
    missed: Mutex<BTreeMap<String, u32>>,
    /// Whoever waits for the last line.
    stopped: Notify,
}

fn name_of(peer: &PeerStatus) -> String {
    peer.identity().escape_ascii().to_string()
}

impl HeartbeatBackend for OwnHeartbeat {
    fn interval(&self) -> Option<Duration> {
        Some(BEAT)
    }

    // PINGs are answered even by a program that hangs: only messages count.
    fn counts(&self) -> Sign {
        Sign::Message
    }

    // A beat and a half without a message: that beat is missed.
    fn timeout(&self) -> Option<Duration> {
        Some(BEAT * 3 / 2)
    }

    fn handle_heartbeat(&self, peer: &PeerStatus) {
        let known = self.missed.lock().unwrap().insert(name_of(peer), 0);
        if known.is_none() {
            println!("{} is there", name_of(peer));
        }
    }

    fn handle_timeout(&self, peer: &PeerStatus) -> OnSilence {
        let mut all = self.missed.lock().unwrap();
        let missed = all.entry(name_of(peer)).or_default();
        *missed += 1;
        match *missed {
            3 => {
                println!("{} has missed three beats: out", name_of(peer));
                all.remove(&name_of(peer));
                OnSilence::Ends
            }
            _ => OnSilence::Stays,
        }
    }

    fn stop(&self) {
        println!("stopped");
        self.stopped.notify_one();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut backends = HeartbeatBackends::default();
    let own = Arc::new(OwnHeartbeat::default());
    backends.register(Role::Server, "own_heartbeat", own.clone());
    backends.register(Role::Client, "quick", Arc::new(Ticking::new(BEAT / 2, None)));

    let options = Options::server("service");
    let options = backends.configure(Role::Server, "own_heartbeat", options)?;
    let server = Server::with_options(options)?;
    let mut presence = server.presence();
    let endpoint = server.bind("tcp://127.0.0.1:0").await?;

    let options = Options::client("service").identity("lively");
    let lively = Client::with_options(backends.configure(Role::Client, "quick", options)?)?;
    lively.connect(&endpoint)?;
    let mute = Client::with_options(Options::client("service").identity("mute"))?;
    mute.connect(&endpoint)?;

    while let Some(event) = presence.next().await {
        if let PresenceEvent::Left { info, reason: Some(reason), .. } = event {
            println!("{} left: {reason}", info.identity.escape_ascii());
            mute.shutdown();
            break;
        }
    }
    // It has beaten more often than three times by now.
    // The mute one may be back for a moment, and is shown out again.
    let is_lively = |peer: &pseud::PeerStatus| peer.identity() == "lively";
    println!("{} left", server.peers().filter(is_lively).count());
    server.shutdown();
    // The node's own task has the last word.
    own.stopped.notified().await;
    Ok(())
}
