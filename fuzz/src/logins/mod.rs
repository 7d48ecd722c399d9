//! Whatever becomes of logins between two clients and a server (HELLOs, answers that are late, wrong or no
//! answers, first calls at once, some given up or decided of, links that are lost, forged messages to either
//! side), in whatever order and under whatever limits: each call ends once, and as not executed only if it is
//! never run; nobody is served before it has logged in; one question at a time is asked about a session, and its
//! answer makes that user or nobody; a password is shown only where it may be, and as often; guesses, challenges
//! and strangers stay within their limits; where everybody is honest no call is left; and of links that are gone
//! nothing is.
//!
//! Twenty-six bytes of settings, then three for each step.

mod client;
mod judge;
mod server;
mod settings;
mod world;

use crate::script::Script;
use world::World;

const STEPS_MAX: usize = 200;

/// Clients, their server, and what lies between them.
pub fn logins(data: &[u8]) {
    let mut script = Script::new(data);
    let mut world = World::new(&mut script);
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        world.step([script.byte(), script.byte(), script.byte()]);
        world.check();
    }
    world.finish();
}
