//! Page faults of large bodies: memory that is given back to the system and taken anew each time.

use crate::measure::Measure;
use crate::whole::{Pair, curve, echo, runtime};
use pseud::tokio::Options;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

const WARM_UP: usize = 200;
const CALLS: usize = 500;

/// How often it is tried: where the heap's end lies differs from process to process.
const PROCESSES: usize = 8;

/// Of a call of 64 KiB and of one of 1 MiB, in clear and encrypted: of the client's process and of the server's,
/// which have a heap each. The median of several processes: one that the system is short of memory beside
/// is none to check by.
pub(crate) fn page_faults() -> Vec<Measure> {
    [("call", SERVER), ("curve", CURVE_SERVER)]
        .into_iter()
        .flat_map(|kind| [(kind, "64_kib", 64 << 10), (kind, "1_mib", 1 << 20)])
        .flat_map(|((name, server), size, bytes)| {
            let all: Vec<_> = (0..PROCESSES).map(|_| once(server, bytes)).collect();
            ["client", "server"].into_iter().enumerate().map(move |(index, end)| {
                let mut faults: Vec<_> = all.iter().map(|each| each[index]).collect();
                faults.sort_by(f64::total_cmp);
                Measure::new(format!("page_faults.{name}_{size}.{end}"), faults[PROCESSES / 2])
            })
        })
        .collect()
}

fn once(name: &str, bytes: usize) -> [f64; 2] {
    let mut server = Command::new(env::current_exe().expect("this very program"))
        .args(["run", name, "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it just ran");
    let [client, _] = options(name);
    let pair = Pair::with_server_at(client, &endpoint_of(&mut server));
    let body = "x".repeat(bytes);
    pair.calls(body.clone(), WARM_UP);
    let processes = ["self".to_owned(), server.id().to_string()];
    let before = processes.each_ref().map(|process| minor_faults(process));
    pair.calls(body, CALLS);
    let after = processes.each_ref().map(|process| minor_faults(process));
    drop(server.stdin.take());
    assert!(server.wait().expect("a child of ours").success());
    [0, 1].map(|index| (after[index] - before[index]) as f64 / CALLS as f64)
}

/// The subjects that [`serve`] is: in clear, and with CURVE.
const SERVER: &str = "server";
const CURVE_SERVER: &str = "curve_server";

pub(crate) fn is_server(subject: &str) -> bool {
    [SERVER, CURVE_SERVER].contains(&subject)
}

/// A client's and a server's.
fn options(name: &str) -> [Options; 2] {
    match name {
        CURVE_SERVER => curve(),
        _ => [Options::client("server"), Options::server("server")],
    }
}

/// Serves in a process of its own until its stdin ends. Prints where.
pub(crate) fn serve(name: &str) {
    let runtime = runtime();
    let server: pseud::Server = {
        let _inside = runtime.enter();
        let [_, server] = options(name);
        echo(server)
    };
    println!("{}", runtime.block_on(server.bind("tcp://127.0.0.1:0")).expect("a free port"));
    let waits = runtime.spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    runtime.block_on(waits).expect("a thread").expect("a pipe");
}

fn endpoint_of(server: &mut Child) -> String {
    let mut line = String::new();
    let output = server.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("the server says where it is");
    line.trim().to_owned()
}

/// `minflt`, the tenth field of /proc/PID/stat (proc(5)). The second may hold blanks; it ends with
/// the last parenthesis.
fn minor_faults(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    let (_, fields) = stat.rsplit_once(") ").expect("a command in parentheses");
    fields.split(' ').nth(7).and_then(|field| field.parse().ok()).expect("a number")
}
