//! The picture: for some scenarios, how each contestant stands to this library.

use crate::report::OURS;
use crate::rounds::Results;
use std::fmt::Write;

/// Scenarios that are shown, where a run has them.
const SHOWN: [&str; 6] = [
    "seq-16B-one-core",
    "deep-16B-free",
    "wide-16B-free",
    "deep-1KiB-free",
    "some-64KiB-free",
    "quiet-many-small",
];

const WIDTH: f64 = 760.0;
/// Where bars may be, to the right of the names.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 690.0;
const BAR: f64 = 14.0;
const ROW: f64 = 20.0;
const TITLE: f64 = 34.0;
/// Ratios at the edges; what is beyond is cut there, and its number says so.
const LEAST: f64 = 1.0 / 32.0;
const MOST: f64 = 32.0;

/// Bars from 1 on a logarithmic scale, to the right where a contestant is better than this library.
pub(crate) fn picture(results: &[Results]) -> String {
    let mut body = String::new();
    let mut y = 30.0;
    let shown = SHOWN.iter().filter_map(|name| {
        results.iter().find(|results| results.scenario.name == *name && !results.rows.is_empty())
    });
    for results in shown {
        y = panel(&mut body, results, y);
    }
    let (middle, height) = (x(1.0), y + 10.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{middle}\" y=\"18\" text-anchor=\"middle\" fill=\"#555555\">\
         ← {OURS} is better · {OURS} = 1 · the other is better →</text>\n{body}</svg>\n"
    )
}

/// One scenario; returns where the next begins.
fn panel(body: &mut String, results: &Results, top: f64) -> f64 {
    let metric = results.scenario.main_metric();
    let title = escape(&format!("{} ({})", results.scenario.title, metric.title()));
    let _ = writeln!(
        body,
        "<text x=\"8\" y=\"{}\" font-weight=\"bold\" fill=\"#111111\">{title}</text>",
        top + 20.0
    );
    let mut y = top + TITLE;
    for row in &results.rows {
        let Some(spread) = results.row(OURS).and_then(|ours| row.ratio_to(ours, metric)) else {
            continue;
        };
        // Less time is better, so it is turned round.
        let better = if metric.is_rate() { spread.median } else { 1.0 / spread.median };
        let (from, to) = (x(1.0).min(x(better)), x(1.0).max(x(better)));
        let fill = if row.entry.contestant.starts_with(OURS) { "#1f77b4" } else { "#9aa5b1" };
        let (text, label) = (y + BAR - 3.0, escape(&row.entry.label()));
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\" fill=\"#111111\">{label}</text>\
             <rect x=\"{from:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>\
             <text x=\"{}\" y=\"{text}\" fill=\"#333333\">{}</text>",
            LEFT - 8.0,
            (to - from).max(1.0),
            RIGHT + 8.0,
            times(better),
        );
        y += ROW;
    }
    let (middle, from) = (x(1.0), top + TITLE - 4.0);
    let _ = writeln!(
        body,
        "<line x1=\"{middle}\" y1=\"{from}\" x2=\"{middle}\" y2=\"{y}\" stroke=\"#333333\"/>"
    );
    y
}

fn x(ratio: f64) -> f64 {
    let part = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + part * (RIGHT - LEFT)
}

fn times(ratio: f64) -> String {
    match ratio {
        10.0.. => format!("{ratio:.0}×"),
        0.1.. => format!("{ratio:.2}×"),
        _ => format!("{ratio:.3}×"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_logarithmic_and_ends() {
        let middle = f64::midpoint(LEFT, RIGHT);
        assert!((x(1.0) - middle).abs() < 1e-9);
        assert!((x(4.0) - middle - (middle - x(0.25))).abs() < 1e-9);
        assert!((x(1e9) - RIGHT).abs() < 1e-9 && (x(0.0) - LEFT).abs() < 1e-9);
    }
}
