//! A node with default limits among attackers: what they send, what it holds before, while and after
//! they are there, and how long an honest peer's calls take meanwhile.
//!
//! `adversary` runs each attack for its share of the time against one server in a process of its own,
//! and prints a table. `--check` fails where a bound is broken.

mod attacks;
mod honest;
mod link;
mod report;
mod victim;

use attacks::ATTACKS;
use clap::Parser;
use honest::Honest;
use report::{Row, Rows};
use std::process::ExitCode;
use std::time::Duration;
use victim::Victim;

#[derive(Debug, Parser)]
#[command(about, version)]
struct Args {
    /// How long all attacks together last, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only the attacks whose id contains this, such as `S-06`.
    #[arg(long)]
    only: Option<String>,
    /// Rounds; figures are medians over them.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Fail where the bytes at the end are over 5 % more than before, more was held than the node's
    /// bounds allow, or an honest peer's p99 after an attack is over 1.5 times of that before.
    #[arg(long)]
    check: bool,
    /// Be the node under attack.
    #[arg(long, hide = true)]
    victim: bool,
    #[arg(long, hide = true)]
    bounds_loopback: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.victim {
        victim::serve(args.bounds_loopback);
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<_> = ATTACKS
        .iter()
        .filter(|attack| args.only.as_ref().is_none_or(|only| attack.id.contains(only.as_str())))
        .collect();
    if chosen.is_empty() {
        eprintln!("there is no such attack; there are:");
        ATTACKS.iter().for_each(|attack| eprintln!("  {} {}", attack.id, attack.what));
        return ExitCode::FAILURE;
    }
    let share = Duration::from_secs(args.seconds) / (chosen.len() * args.rounds) as u32;
    let mut rows = Rows::default();
    for _ in 0..args.rounds {
        for attack in &chosen {
            // A process each: what one attack has left would hide what another takes.
            let victim = Victim::spawn(attack.from_everywhere);
            let honest = Honest::new(&victim.endpoint);
            honest.warm_up(&victim.endpoint);
            rows.push(run(attack, &victim, &honest, share));
        }
    }
    let rows = rows.medians();
    rows.iter().for_each(Row::print);
    let broken: Vec<_> = rows.iter().flat_map(Row::broken).collect();
    broken.iter().for_each(|broken| println!("! {broken}"));
    match args.check && !broken.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Bytes for sources that are remembered: their number is bounded (`StrangerLimits`).
const SOURCES_REMEMBERED: usize = 1 << 20;

/// A fifth of the time before the attack and another after it are the honest peer's alone.
fn run(attack: &attacks::Attack, victim: &Victim, honest: &Honest, share: Duration) -> Row {
    let quiet = (share / 5).max(Duration::from_secs(1));
    let under = share.saturating_sub(2 * quiet).max(Duration::from_secs(2));
    let before = honest.measure(quiet);
    let held_before = honest.settled(usize::MAX);
    let address = victim.address.clone();
    let run = attack.run;
    let attacking = std::thread::spawn(move || run(&address, under));
    let during = honest.measure(under);
    let sent = attacking.join().expect("an attack ends");
    let held_at_most = honest.held().peak;
    let held_after = honest.settled(held_before.threads);
    let after = honest.measure(quiet);
    Row {
        id: attack.id,
        what: attack.what,
        sent,
        held: [held_before.now, held_at_most, held_after.now],
        slack: if attack.from_everywhere { SOURCES_REMEMBERED } else { 0 },
        times: [before, during, after],
    }
}
