//! What a run found, for people and for programs.

use crate::core::{self, Scaling};
use crate::metric::{Metric, Spread};
use crate::rounds::{Plan, Results, Row, settings};
use crate::scenario::Kind;
use crate::system::Machine;
use crate::table::Table;
use serde_json::{Value, json};

/// All ratios are to it.
pub(crate) const FLOOR: &str = "raw-tokio";
/// And to this.
pub(crate) const OURS: &str = "pseud";

/// What is told with every table.
pub(crate) struct About {
    pub(crate) machine: Machine,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) command: String,
    pub(crate) plan: Plan,
    /// How system calls were counted.
    pub(crate) syscalls: String,
    pub(crate) minutes: f64,
    /// What was not run, and why.
    pub(crate) notes: Vec<String>,
}

impl About {
    fn text(&self) -> String {
        let Machine { processor, cores, kernel, load_average } = &self.machine;
        let Plan { rounds, span, seed } = self.plan;
        format!(
            "{processor}, {cores} cores, Linux {kernel}; load average before: {load_average}. \
             `{}`: {rounds} rounds of {} s, seed {seed}, {:.1} minutes. System calls: {}.",
            self.command, span.seconds, self.minutes, self.syscalls
        )
    }
}

pub(crate) fn text(
    results: &[Results],
    core: Option<&[Scaling]>,
    about: &About,
    markdown: bool,
) -> String {
    let mut out = String::new();
    if markdown {
        out += &format!("## {} ({})\n\n{}\n\n", about.commit, about.date, about.text());
    } else {
        out += &format!("{}\n\n", about.text());
    }
    for note in &about.notes {
        out += &format!("{note}.\n\n");
    }
    for results in results.iter().filter(|results| !results.rows.is_empty()) {
        let (name, title) = (&results.scenario.name, &results.scenario.title);
        let table = table(results);
        out += &match markdown {
            true => format!("### {title} (`{name}`)\n\n{}\n", table.markdown()),
            false => format!("{title} ({name})\n{}\n", table.text()),
        };
        out += &failures(results);
    }
    if let Some(core) = core {
        out += &core::text(core, markdown);
    }
    let mut table = Table::new(["contestant", "settings of server and client"]);
    for (name, settings) in settings(results) {
        table.row([name, settings.join(" / ")]);
    }
    out + &match markdown {
        true => format!("### Settings\n\n{}", table.markdown().replace("--:", "---")),
        false => table.text(),
    }
}

fn table(results: &Results) -> Table {
    let main = results.scenario.main_metric();
    let (to_floor, to_ours) = (format!("to {FLOOR}"), format!("to {OURS}"));
    let mut head = vec!["contestant", main.title(), &to_floor, &to_ours];
    head.extend(results.scenario.other_metrics().iter().map(|metric| metric.title()));
    let mut table = Table::new(head);
    for row in &results.rows {
        let ratio = |to: &str| {
            let other = results.row(to).filter(|other| other.entry != row.entry)?;
            row.ratio_to(other, main).map(Spread::show)
        };
        let mut cells = vec![row.entry.label(), cell(row, main)];
        cells.extend([ratio(FLOOR).unwrap_or_default(), ratio(OURS).unwrap_or_default()]);
        cells.extend(results.scenario.other_metrics().iter().map(|metric| cell(row, *metric)));
        table.row(cells);
    }
    table.dense()
}

fn cell(row: &Row, metric: Metric) -> String {
    match row.median(metric) {
        Some(value) => metric.show(value),
        None if metric.is_counted() => String::new(),
        None if row.samples.iter().all(Option::is_none) => "failed".into(),
        None => String::new(),
    }
}

/// What went wrong, in full: a table that hides it would lie.
fn failures(results: &Results) -> String {
    let mut out = String::new();
    for row in &results.rows {
        for failure in &row.failures {
            let (name, scenario) = (row.entry.label(), &results.scenario.name);
            out += &format!("FAILED: {name} in {scenario}: {failure}\n\n");
        }
    }
    out
}

/// Whether anything failed.
pub(crate) fn has_failures(results: &[Results]) -> bool {
    results.iter().flat_map(|results| &results.rows).any(|row| !row.failures.is_empty())
}

pub(crate) fn as_json(results: &[Results], core: Option<&[Scaling]>, about: &About) -> Value {
    let scenarios: Vec<_> = results.iter().map(scenario_json).collect();
    json!({
        "machine": about.machine,
        "commit": about.commit,
        "date": about.date,
        "command": about.command,
        "seed": about.plan.seed,
        "rounds": about.plan.rounds,
        "seconds": about.plan.span.seconds,
        "syscalls": about.syscalls,
        "minutes": about.minutes,
        "settings": settings(results),
        "notes": about.notes,
        "scenarios": scenarios,
        "core": core.map(core::as_json),
    })
}

fn scenario_json(results: &Results) -> Value {
    let main = results.scenario.main_metric();
    let rows: Vec<_> = results
        .rows
        .iter()
        .map(|row| {
            let to = |name| results.row(name).and_then(|other| row.ratio_to(other, main));
            json!({
                "contestant": row.entry.contestant,
                "runtime": row.entry.runtime,
                "rounds": row.samples,
                "counted": row.counted,
                "failures": row.failures,
                "to_floor": to(FLOOR),
                "to_pseud": to(OURS),
            })
        })
        .collect();
    let greedy = match results.scenario.kind {
        Kind::Quiet { greedy } => Some(greedy),
        _ => None,
    };
    json!({
        "name": results.scenario.name,
        "title": results.scenario.title,
        "cores": results.scenario.cores,
        "shape": results.scenario.shape,
        "greedy": greedy,
        "main_metric": main,
        "contestants": rows,
    })
}
