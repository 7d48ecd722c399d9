//! pseud without sockets: its engine with links into memory, on one thread and on two. Calls, names,
//! time-outs and bounds are there, and the lock that threads share; tasks and system calls are not.

mod lane;
mod links;

use crate::metric::{Metric, Spread};
use crate::table::Table;
use anyhow::Result;
use lane::{Callers, Servers, Whole};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Links of each thread, and calls on their way on each of them.
const LINKS: usize = 8;
const IN_FLIGHT: usize = 16;

/// One link with whatever is behind it.
trait Lane: Send {
    /// Makes [`IN_FLIGHT`] calls and sees them answered.
    fn turn(&mut self) -> Result<()>;
}

type Lanes = Vec<Box<dyn Lane>>;

/// What is measured: a maker of lanes that share one engine.
struct Work {
    name: &'static str,
    title: &'static str,
    lanes: fn(usize) -> Result<Lanes>,
}

const WORKS: [Work; 3] = [
    Work {
        name: "servers",
        title: "a server's half; requests made by bare ZMTP",
        lanes: |count| lane::boxed::<Servers>(count),
    },
    Work {
        name: "callers",
        title: "a client's half; answers made by bare ZMTP",
        lanes: |count| lane::boxed::<Callers>(count),
    },
    Work { name: "whole", title: "both ends", lanes: |count| lane::boxed::<Whole>(count) },
];

/// Calls a second by round, on one thread and on two.
pub(crate) struct Scaling {
    name: &'static str,
    title: &'static str,
    rates: Vec<[f64; 2]>,
}

pub(crate) fn measure(rounds: usize, seconds: f64) -> Result<Vec<Scaling>> {
    let mut results: Vec<_> = WORKS
        .iter()
        .map(|work| Scaling { name: work.name, title: work.title, rates: Vec::new() })
        .collect();
    for round in 0..rounds {
        for (work, scaling) in WORKS.iter().zip(&mut results) {
            // Now the one first, now the other.
            let mut rates = [0.0; 2];
            for at in [round % 2, 1 - round % 2] {
                rates[at] = rate(work, at + 1, seconds)?;
            }
            scaling.rates.push(rates);
        }
    }
    Ok(results)
}

fn rate(work: &Work, threads: usize, seconds: f64) -> Result<f64> {
    let mut lanes = (work.lanes)(threads * LINKS)?;
    let (stopped, together) = (AtomicBool::new(false), Barrier::new(threads + 1));
    let run = |lanes: &mut [Box<dyn Lane>]| -> Result<u64> {
        // Tables and buffers grow to their size.
        let warm = lanes.iter_mut().try_for_each(|lane| lane.turn());
        together.wait();
        warm?;
        let mut calls = 0;
        while !stopped.load(Ordering::Relaxed) {
            lanes.iter_mut().try_for_each(|lane| lane.turn())?;
            calls += (lanes.len() * IN_FLIGHT) as u64;
        }
        Ok(calls)
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> =
            lanes.chunks_mut(LINKS).map(|lanes| scope.spawn(move || run(lanes))).collect();
        together.wait();
        let started = Instant::now();
        thread::sleep(Duration::from_secs_f64(seconds));
        stopped.store(true, Ordering::Relaxed);
        let mut calls = 0;
        for thread in running {
            calls += thread.join().expect("it does not panic")?;
        }
        Ok(calls as f64 / started.elapsed().as_secs_f64())
    })
}

pub(crate) fn text(results: &[Scaling], markdown: bool) -> String {
    let head = ["without sockets", "one thread, calls/s", "two threads", "two to one"];
    let mut table = Table::new(head);
    for Scaling { title, rates, .. } in results {
        let cell = |at: usize| {
            let spread = Spread::of(rates.iter().map(|rates| rates[at]));
            spread.map_or_else(String::new, |at| Metric::CallsPerSecond.show(at.median))
        };
        let ratio = Spread::of(rates.iter().map(|[one, two]| two / one));
        let ratio = ratio.map_or_else(String::new, Spread::show);
        table.row([(*title).into(), cell(0), cell(1), ratio]);
    }
    let title = format!(
        "The engine without sockets, 16 B, {LINKS} links a thread, {IN_FLIGHT} calls in flight on each"
    );
    match markdown {
        true => format!("### {title} (`core`)\n\n{}\n", table.markdown()),
        false => format!("{title} (core)\n{}\n", table.text()),
    }
}

pub(crate) fn as_json(results: &[Scaling]) -> Value {
    let works = results.iter().map(|Scaling { name, title, rates }| {
        json!({ "name": name, "title": title, "calls_per_second_on_one_and_two_threads": rates })
    });
    works.collect()
}
