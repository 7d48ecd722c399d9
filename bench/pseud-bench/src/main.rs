//! pseud beside its peers: see `pseud-bench --help`.

mod child;
mod cli;
mod contestants;
mod core;
mod crowd;
mod job;
mod load;
mod measure;
mod metric;
mod plan;
mod process;
mod progress;
mod report;
mod rounds;
mod scenario;
mod svg;
mod syscalls;
mod system;
mod table;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cli::{All, Cli, Command, Output, Run};
use job::{Job, Role};
use measure::Span;
use report::About;
use rounds::Plan;
use scenario::{Scenario, Shape};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    obey(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("pseud-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn obey(command: Command) -> Result<ExitCode> {
    match command {
        Command::All(all) => run_all(&all),
        Command::Run(run) => run_some(&run),
        Command::List => list(),
        Command::Core(core) => run_core(&core),
        Command::Child { job } => match be(&serde_json::from_str(&job)?) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => child::fail(&error),
        },
    }
}

fn be(job: &Job) -> Result<()> {
    child::end_in_time();
    if let Some(core) = job.core {
        system::pin(core)?;
    }
    system::raise_descriptor_limit()?;
    let contestant = contestants::find(&job.contestant)?;
    match job.role {
        Role::Server => (contestant.serve)(job)?,
        Role::Client => (contestant.drive)(job)?,
        Role::Caller => {
            let call_out = contestant.call_out.context("its server calls nobody")?;
            call_out(job)?;
        }
        Role::Crowd => crowd::run(job)?,
    }
    Ok(())
}

fn run_all(all: &All) -> Result<ExitCode> {
    let mut scenarios = plan::all();
    scenarios.iter_mut().for_each(|scenario| scenario.retain(&[]));
    let mut plan = all.rounds.plan();
    if all.quick {
        scenarios.iter_mut().for_each(Scenario::shrink);
        plan.rounds = 1;
        plan.span = Span { warm_up: 0.01, seconds: 0.02 };
    }
    let core = core::measure(plan.rounds, plan.span.seconds)?;
    run(scenarios, plan, Some(core), &all.output)
}

fn run_core(core: &cli::Core) -> Result<ExitCode> {
    let results = core::measure(core.rounds, core.seconds)?;
    if core.json {
        println!("{:#}", core::as_json(&results));
    } else {
        print!("{}", core::text(&results, core.markdown));
    }
    Ok(ExitCode::SUCCESS)
}

fn run_some(run_: &Run) -> Result<ExitCode> {
    for name in &run_.contestants {
        contestants::find(name)?;
    }
    let mut scenarios = plan::all();
    if run_.scenario.is_empty() {
        let shape = Shape {
            size: run_.size,
            in_flight: run_.in_flight,
            links: run_.links,
            handler_micros: run_.handler,
        };
        let known = contestants::all();
        let names: Vec<_> = known.iter().map(|contestant| contestant.name).collect();
        scenarios = vec![plan::custom(shape, run_.cores, &run_.runtime, &names)];
    } else {
        scenarios.retain(|known| run_.scenario.iter().any(|part| known.name.contains(part)));
        ensure!(!scenarios.is_empty(), "no scenario has that in its name: see `pseud-bench list`");
    }
    scenarios.iter_mut().for_each(|scenario| scenario.retain(&run_.contestants));
    run(scenarios, run_.rounds.plan(), None, &run_.output)
}

fn run(
    mut scenarios: Vec<Scenario>,
    plan: Plan,
    core: Option<Vec<core::Scaling>>,
    output: &Output,
) -> Result<ExitCode> {
    let (machine, started) = (system::machine(), Instant::now());
    let mut notes = plan::missing();
    system::raise_descriptor_limit()?;
    scenarios.retain(|scenario| {
        let (needed, limit) = (scenario.shape.links as u64 + 100, system::descriptor_limit());
        if needed > limit {
            let name = &scenario.name;
            notes.push(format!("NOT RUN: {name}, which needs {needed} descriptors of {limit}"));
        }
        needed <= limit
    });
    let mut results = rounds::run(scenarios, plan);
    let counting = syscalls::how();
    if counting.is_ok() {
        rounds::count_syscalls(&mut results, plan.span.seconds);
    }
    let about = About {
        machine,
        commit: git(&["describe", "--always", "--dirty"]),
        date: git(&["log", "-1", "--format=%cs"]),
        command: command_line(),
        plan,
        syscalls: counting.unwrap_or_else(|why| why).into(),
        minutes: started.elapsed().as_secs_f64() / 60.0,
        notes,
    };
    if output.json {
        println!("{:#}", report::as_json(&results, core.as_deref(), &about));
    } else {
        print!("{}", report::text(&results, core.as_deref(), &about, output.markdown));
    }
    if let Some(path) = &output.svg {
        std::fs::write(path, svg::picture(&results)).with_context(|| path.display().to_string())?;
    }
    Ok(if report::has_failures(&results) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn list() -> Result<ExitCode> {
    let mut table = table::Table::new(["scenario", "what"]);
    for scenario in plan::all() {
        table.row([scenario.name, scenario.title]);
    }
    println!("{}", table.text());
    let mut table = table::Table::new(["contestant", "what"]);
    for contestant in contestants::all() {
        table.row([contestant.name.into(), contestant.about.into()]);
    }
    print!("{}", table.text());
    Ok(ExitCode::SUCCESS)
}

/// As it was typed, without the path of this program.
fn command_line() -> String {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    format!("pseud-bench {}", arguments.join(" "))
}

/// What git says about the sources that this was built from.
fn git(arguments: &[&str]) -> String {
    let sources = env!("CARGO_MANIFEST_DIR");
    let output = std::process::Command::new("git").args(["-C", sources]).args(arguments).output();
    let said =
        output.context("git").map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    said.map_or_else(|_| "unknown".into(), |said| said.trim().to_owned())
}
