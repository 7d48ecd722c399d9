//! ARCHITECTURE.md names files and folders that are there.

use crate::source::texts;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_page_names_what_is_there() {
    let page = include_str!("../../ARCHITECTURE.md");
    let mut rows = 0;
    let mut storeys_of = None;
    for line in page.lines() {
        if line.starts_with('#') {
            storeys_of = line.strip_prefix("### Storeys of ");
        }
        let Some((name, text)) = storeys_of.map(|name| (name, line)).or_else(|| row(line)) else {
            continue;
        };
        rows += 1;
        let there = there(name);
        let words = text.split('`').skip(1).step_by(2).filter(|word| is_place(word));
        let gone: Vec<_> =
            words.filter(|word| !parts(word).all(|part| there.contains(part))).collect();
        assert!(gone.is_empty(), "{name} has no such files: {gone:?}");
    }
    assert!(rows > 50, "the table of crates and two lists of storeys: {rows} lines");
}

/// A row of the table of crates: the package, and what is said of it.
fn row(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix("| `")?.split_once("` | ")?;
    name.starts_with("pseud").then_some((name, text))
}

/// Names of types, and what has dots or colons, are none.
fn is_place(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'/'))
}

fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split('/').filter(|part| !part.is_empty())
}

/// Files and folders of a package; of the first one its tests, which it is there for.
fn there(name: &str) -> BTreeSet<String> {
    if name == "pseud" {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let entries = fs::read_dir(tests).expect("a folder").map(|entry| entry.expect("an entry"));
        return entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    }
    let files = texts(name);
    let names = files.iter().flat_map(|(file, _)| parts(file.trim_end_matches(".rs")));
    names.map(str::to_owned).collect()
}
