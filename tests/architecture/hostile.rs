//! No case of hostile input is lost: each id that tests carried in their names is in the name of one still.

use crate::source::list;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const IDS: &str = include_str!("hostile_ids.txt");

/// Where tests stand, and attacks that are data. One that nothing calls is dead code, which lints refuse.
const TREES: &[&str] =
    &["tests", "pseud-proto", "pseud-async", "pseud-tokio", "pseud-blocking", "pseud-testkit"];

#[test]
fn no_hostile_case_is_lost() {
    let names = names();
    let carried: BTreeSet<String> = names.iter().flat_map(|name| ids(name)).collect();
    let (moved, listed): (Vec<_>, Vec<_>) = lines().partition(|line| line.contains(':'));
    let listed: BTreeSet<_> =
        listed.iter().flat_map(|line| line.split_whitespace()).map(str::to_owned).collect();
    let lost: Vec<_> = listed.difference(&carried).collect();
    assert!(lost.is_empty(), "no test carries these any more: {lost:?}");
    let new: Vec<_> = carried.difference(&listed).collect();
    assert!(new.is_empty(), "not in tests/architecture/hostile_ids.txt: {new:?}");
    for line in moved {
        let (before, now) = line.split_once(':').expect("partitioned by it");
        let of: BTreeSet<_> = now.split_whitespace().flat_map(ids).collect();
        assert!(ids(before).iter().all(|id| of.contains(id)), "of another id: {line}");
        let gone = now.split_whitespace().find(|name| !names.contains(*name));
        assert_eq!(gone, None, "what {before} shows");
    }
}

fn lines() -> impl Iterator<Item = &'static str> {
    IDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The names of functions that begin with an id.
fn names() -> BTreeSet<String> {
    let mut files = Vec::new();
    for tree in TREES {
        list(&Path::new(env!("CARGO_MANIFEST_DIR")).join(tree), &mut files);
    }
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("a source file"));
    let name = |line: &str| {
        let name = line.split_once("fn ")?.1.split(['(', '<']).next()?;
        (!ids(name).is_empty()).then(|| name.to_owned())
    };
    texts.flat_map(|text| text.lines().filter_map(name).collect::<Vec<_>>()).collect()
}

/// `a_04_a_05_older_peers`.
fn ids(name: &str) -> Vec<String> {
    let words: Vec<_> = name.split('_').collect();
    let id = |pair: &[&str]| {
        let letter = pair[0].len() == 1 && pair[0].as_bytes()[0].is_ascii_lowercase();
        let number = pair[1].len() == 2 && pair[1].bytes().all(|byte| byte.is_ascii_digit());
        (letter && number).then(|| format!("{}-{}", pair[0].to_uppercase(), pair[1]))
    };
    words.chunks(2).map_while(|pair| (pair.len() == 2).then(|| id(pair)).flatten()).collect()
}
