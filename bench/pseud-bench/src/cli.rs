//! The command line.

use crate::job::Runtime;
use crate::measure::Span;
use crate::rounds::Plan;
use crate::scenario::Cores;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Compares pseud with its peers, side by side on this machine.
///
/// It runs itself as servers and clients, in processes of their own, over TCP on loopback. In every
/// round each contestant is measured once, neighbours in time and in an order that is drawn anew;
/// what is compared is measured in the same round, and the median of those ratios is shown with the
/// least and the greatest. Trust ratios of processor time and of times on one core more than ratios
/// of rates, and none of them over a table from another machine.
#[derive(Debug, Parser)]
#[command(name = "pseud-bench", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything that this build has, for at most a quarter of an hour.
    All(All),
    /// Some scenarios, or one of your own: `run --size 200 --in-flight 32 pseud tarpc`.
    Run(Run),
    /// The scenarios and contestants that this build has.
    List,
    /// The machines of pseud without sockets, on one thread and on two.
    Core(Core),
    #[command(hide = true)]
    Child { job: String },
}

#[derive(Debug, Args)]
pub(crate) struct All {
    /// A look at whether everything works, in seconds: one short round, with crowds of 50. Its
    /// numbers mean nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Only these contestants: see `list`. All of a scenario's if none is named.
    pub(crate) contestants: Vec<String>,
    /// Scenarios whose name has that in it: see `list`. May be given several times.
    #[arg(long, short, conflicts_with_all = ["size", "in_flight", "links"])]
    pub(crate) scenario: Vec<String>,
    /// Bytes of argument and result.
    #[arg(long, default_value_t = 16)]
    pub(crate) size: usize,
    /// Calls that wait for their answers at the same time, on each link: 1 to 1 024.
    #[arg(long, default_value_t = 1)]
    pub(crate) in_flight: usize,
    /// Connections from the one client to the one server.
    #[arg(long, default_value_t = 1)]
    pub(crate) links: usize,
    /// Microseconds for which a handler keeps its core busy.
    #[arg(long, default_value_t = 0)]
    pub(crate) handler: u64,
    /// Where the two processes run.
    #[arg(long, value_enum, default_value_t = Cores::Free)]
    pub(crate) cores: Cores,
    /// tokio's current_thread, or its multi_thread with two workers; may be given twice. Those that
    /// have no choice take no notice.
    #[arg(long, value_enum, default_values_t = [Runtime::Ct])]
    pub(crate) runtime: Vec<Runtime>,
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Core {
    /// How often each is measured.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: usize,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 0.2)]
    pub(crate) seconds: f64,
    /// The table as Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// All measurements as JSON, instead of the table.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rounds {
    /// How often each is measured.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of one measurement; half of that is spent before it, to warm up.
    #[arg(long, default_value_t = 0.25)]
    seconds: f64,
    /// Of the order of everything; drawn, and shown, if it is not given.
    #[arg(long)]
    seed: Option<u64>,
}

impl Rounds {
    pub(crate) fn plan(&self) -> Plan {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
        let span = Span { warm_up: self.seconds / 2.0, seconds: self.seconds };
        Plan { rounds: self.rounds, span, seed }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Tables as Markdown, a section headed by commit and machine: what is added to BENCHMARKS.md.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// All measurements of all rounds as JSON, instead of tables.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Writes a picture of the main ratios there.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}
