//! Instructions and system calls of a subject, by valgrind: the same whatever else the machine does.

use crate::measure::{Measure, Subject};
use std::env;
use std::process::{Command, Output};

/// The instructions of one time, and its system calls where they are asked for.
pub(crate) fn measure(subject: &Subject) -> Vec<Measure> {
    let mut measures = each(subject, ["instructions"], instructions);
    if subject.system_calls {
        measures.extend(each(subject, KINDS.map(|(kind, _)| kind), system_calls));
    }
    measures
}

/// What one time takes of each kind.
fn each<const N: usize>(
    subject: &Subject,
    kinds: [&str; N],
    count: fn(&Subject, usize) -> Option<[u64; N]>,
) -> Vec<Measure> {
    let [few, many] = subject.times;
    let counts = count(subject, few).zip(count(subject, many));
    let per_time = |kind: usize| {
        let (of_few, of_many) = counts?;
        Some((of_many[kind] as f64 - of_few[kind] as f64) / (many - few) as f64)
    };
    let measure = |(index, kind)| Measure {
        name: format!("{kind}.{}", subject.name),
        value: per_time(index),
    };
    kinds.into_iter().enumerate().map(measure).collect()
}

fn instructions(subject: &Subject, times: usize) -> Option<[u64; 1]> {
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let output = valgrind(&options, subject, times)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : "));
    let number = collected.and_then(|(_, number)| number.trim().parse().ok());
    Some([number.unwrap_or_else(|| panic!("callgrind said: {text}"))])
}

/// Those that move bytes or wait for them, by valgrind's names. Others, of threads and memory, depend
/// on luck.
const KINDS: [(&str, [&str; 4]); 3] = [
    ("reads", ["sys_read ", "sys_readv ", "sys_recvfrom ", "sys_recvmsg "]),
    ("writes", ["sys_write ", "sys_writev ", "sys_sendto ", "sys_sendmsg "]),
    ("waits", ["sys_epoll_wait ", "sys_epoll_pwait ", "sys_poll ", "sys_ppoll "]),
];

/// How often system calls are counted: how many calls one of them serves depends on who is let run when,
/// and beside a busy machine more are made, never fewer.
const TRIES: usize = 5;

fn system_calls(subject: &Subject, times: usize) -> Option<[u64; 3]> {
    let tries: Option<Vec<_>> = (0..TRIES).map(|_| traced(subject, times)).collect();
    tries?.into_iter().reduce(|least, next| [0, 1, 2].map(|kind| least[kind].min(next[kind])))
}

fn traced(subject: &Subject, times: usize) -> Option<[u64; 3]> {
    let output = valgrind(&["--tool=none", "--trace-syscalls=yes"], subject, times)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = |names: [&str; 4]| {
        text.lines().filter(|line| names.iter().any(|name| line.contains(name))).count() as u64
    };
    Some(KINDS.map(|(_, names)| count(names)))
}

fn valgrind(options: &[&str], subject: &Subject, times: usize) -> Option<Output> {
    let program = env::current_exe().expect("this very program");
    let output = Command::new("valgrind")
        .args(options)
        .arg(program)
        .args(["run", subject.name, &times.to_string()])
        .output()
        .ok()?;
    let text = || String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{} under valgrind: {}", subject.name, text());
    Some(output)
}
