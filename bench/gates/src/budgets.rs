//! The committed numbers: read, compared, written anew.

use crate::measure::Measure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{env, fs, io};

/// Beside this package's manifest.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budgets.toml");

/// How much more than its budget a cost may be: a twentieth, or this much where the budget is
/// nearly nothing.
const SLACK: f64 = 0.05;
const LEAST_SLACK: f64 = 0.005;

const HEAD: &str = "\
# What a call may cost: see `gates --help`. Written by
#     cargo run --release --manifest-path bench/Cargo.toml -p gates -- renew
# A cost is over its budget at 5 % more. Instructions are a call's at both ends, of 16 bytes, unless
# the name says otherwise.

";

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Budgets {
    /// The compiler whose code was measured: another one's differs by some percent.
    compiler: String,
    budgets: BTreeMap<String, f64>,
}

impl Budgets {
    pub(crate) fn load() -> io::Result<Self> {
        let text = fs::read_to_string(FILE)?;
        toml::from_str(&text).map_err(|error| io::Error::other(format!("{FILE}: {error}")))
    }

    /// Prints each measure beside its budget. Fails where one is over it, or has none, or is
    /// measured no more.
    pub(crate) fn check(&self, measures: &[Measure]) -> ExitCode {
        if self.compiler != compiler() {
            println!("recorded with {}, measured with {}", self.compiler, compiler());
        }
        println!("{:36} {:>12} {:>12} {:>8}", "", "measured", "budget", "");
        let mut over: Vec<_> =
            measures.iter().filter(|measure| !self.keeps(measure)).map(|m| &*m.name).collect();
        let measured = |name: &String| measures.iter().any(|measure| measure.name == *name);
        over.extend(self.budgets.keys().filter(|name| !measured(name)).map(String::as_str));
        if over.is_empty() {
            println!("all gates hold");
            return ExitCode::SUCCESS;
        }
        println!("over budget, without one, or measured no more: {}", over.join(", "));
        println!("where the cost is worth it: gates renew, and say why in the commit");
        ExitCode::FAILURE
    }

    fn keeps(&self, measure: &Measure) -> bool {
        let name = &*measure.name;
        let Some(value) = measure.value else {
            println!("{name:36} NOT RUN: valgrind is not installed");
            return true;
        };
        let Some(&budget) = self.budgets.get(name) else {
            println!("{name:36} {value:12.3} {:>12}", "none");
            return false;
        };
        let holds = value <= budget + (budget * SLACK).max(LEAST_SLACK);
        let change = if budget > 0.0 { 100.0 * (value - budget) / budget } else { 0.0 };
        let verdict = if holds { "" } else { "OVER" };
        println!("{name:36} {value:12.3} {budget:12.3} {change:+7.1}% {verdict}");
        holds
    }

    pub(crate) fn renew(measures: &[Measure]) -> ExitCode {
        let mut budgets = BTreeMap::new();
        for Measure { name, value } in measures {
            let Some(value) = *value else {
                eprintln!("gates: {name} cannot be measured without valgrind: nothing is written");
                return ExitCode::FAILURE;
            };
            println!("{name:36} {value:12.3}");
            budgets.insert(name.clone(), (value * 1e4).round() / 1e4);
        }
        let text = toml::to_string(&Self { compiler: compiler(), budgets }).expect("plain numbers");
        match fs::write(FILE, format!("{HEAD}{text}")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("gates: {FILE}: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

fn compiler() -> String {
    env!("GATES_COMPILER").to_owned()
}
