//! Rounds: everything once, in an order that is drawn anew, again and again.

use crate::measure::{self, Span};
use crate::metric::{Metric, Sample, Spread};
use crate::progress::Progress;
use crate::scenario::{Entry, Scenario};
use crate::syscalls;
use std::collections::BTreeMap;

/// What all rounds gave for one scenario.
pub(crate) struct Results {
    pub(crate) scenario: Scenario,
    /// In the order of the scenario's entries.
    pub(crate) rows: Vec<Row>,
}

/// What all rounds gave for one contestant in it.
pub(crate) struct Row {
    pub(crate) entry: Entry,
    /// By round; `None` where it failed.
    pub(crate) samples: Vec<Option<Sample>>,
    /// Counted apart from the rounds: they are not touched by it.
    pub(crate) counted: Sample,
    pub(crate) failures: Vec<String>,
    /// Of its server, and of its client where that says another thing.
    pub(crate) settings: Vec<String>,
}

impl Row {
    fn new(entry: Entry) -> Self {
        let (samples, counted) = (Vec::new(), Sample::new());
        Self { entry, samples, counted, failures: Vec::new(), settings: Vec::new() }
    }

    pub(crate) fn median(&self, metric: Metric) -> Option<f64> {
        let measured = self.samples.iter().flatten().filter_map(|sample| sample.get(&metric));
        let counted = self.counted.get(&metric).copied();
        Spread::of(measured.copied()).map(|spread| spread.median).or(counted)
    }

    /// How it stands to another in the same rounds.
    pub(crate) fn ratio_to(&self, other: &Self, metric: Metric) -> Option<Spread> {
        let pairs = self.samples.iter().zip(&other.samples);
        Spread::of(pairs.filter_map(|(mine, theirs)| {
            let (mine, theirs) = (mine.as_ref()?.get(&metric)?, theirs.as_ref()?.get(&metric)?);
            (*theirs > 0.0).then(|| mine / theirs)
        }))
    }

    pub(crate) fn note_settings(&mut self, settings: String) {
        if !settings.is_empty() && !self.settings.contains(&settings) {
            self.settings.push(settings);
        }
    }
}

impl Results {
    pub(crate) fn row(&self, label: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.entry.label() == label)
    }
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) seed: u64,
}

/// Contestants of one scenario follow each other, so that what disturbs the machine for a while
/// disturbs neighbours; scenarios, and contestants in them, come in another order each round.
pub(crate) fn run(scenarios: Vec<Scenario>, plan: Plan) -> Vec<Results> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut results: Vec<_> = scenarios
        .into_iter()
        .map(|scenario| {
            let rows = scenario.entries.iter().cloned().map(Row::new).collect();
            Results { scenario, rows }
        })
        .collect();
    let slots: usize = results.iter().map(|results| results.rows.len()).sum();
    let mut progress = Progress::new(slots * plan.rounds);
    for round in 1..=plan.rounds {
        let mut order: Vec<usize> = (0..results.len()).collect();
        random.shuffle(&mut order);
        for index in order {
            let Results { scenario, rows } = &mut results[index];
            let mut order: Vec<&mut Row> = rows.iter_mut().collect();
            random.shuffle(&mut order);
            for row in order {
                progress.step(&format!(
                    "round {round} of {}: {}, {}",
                    plan.rounds,
                    scenario.name,
                    row.entry.label()
                ));
                measure_into(row, scenario, plan.span);
            }
        }
    }
    progress.end();
    results
}

fn measure_into(row: &mut Row, scenario: &Scenario, span: Span) {
    match measure::measure(scenario, &row.entry, span) {
        Ok(measured) => {
            row.samples.push(Some(measured.sample));
            row.note_settings(measured.server);
            row.note_settings(measured.client);
        }
        Err(error) => {
            row.samples.push(None);
            row.failures.push(format!("{error:#}"));
        }
    }
}

/// Once for each contestant, where that is counted at all.
pub(crate) fn count_syscalls(results: &mut [Results], seconds: f64) {
    let counted = |results: &&mut Results| syscalls::are_counted(&results.scenario);
    let slots = results.iter_mut().filter(counted).map(|results| results.rows.len()).sum();
    let mut progress = Progress::new(slots);
    for Results { scenario, rows } in results.iter_mut().filter(counted) {
        for row in rows {
            progress.step(&format!("system calls: {}, {}", scenario.name, row.entry.label()));
            match syscalls::count(scenario, &row.entry, seconds) {
                Ok(counted) => row.counted = counted,
                Err(error) => row.failures.push(format!("counting system calls: {error:#}")),
            }
        }
    }
    progress.end();
}

/// The settings of all contestants, once each.
pub(crate) fn settings(results: &[Results]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in results.iter().flat_map(|results| &results.rows) {
        let known = all.entry(row.entry.contestant.clone()).or_default();
        known.extend(
            row.settings.iter().filter(|new| !known.contains(new)).cloned().collect::<Vec<_>>(),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Runtime;

    fn row(rates: &[Option<f64>]) -> Row {
        let mut row = Row::new(Entry { contestant: "one".into(), runtime: Runtime::Ct });
        let sample = |rate: &f64| Sample::from([(Metric::CallsPerSecond, *rate)]);
        row.samples = rates.iter().map(|rate| rate.as_ref().map(sample)).collect();
        row
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // Twice as fast in each, while the machine is three times as fast in the last.
        let (one, other) =
            (row(&[Some(2.0), Some(4.0), Some(6.0)]), row(&[Some(1.0), None, Some(3.0)]));
        let ratio = one.ratio_to(&other, Metric::CallsPerSecond);
        assert_eq!(ratio, Some(Spread { median: 2.0, least: 2.0, most: 2.0 }));
        assert_eq!(one.ratio_to(&other, Metric::P50Micros), None);
        assert_eq!(one.median(Metric::CallsPerSecond), Some(4.0));
    }
}
