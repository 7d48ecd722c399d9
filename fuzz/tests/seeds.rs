//! Each target's body on each of its seeds, without a fuzzer: on stable, in seconds.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> BTreeSet<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    files.map(|entry| entry.unwrap().path()).collect()
}

/// It holds on its seeds.
fn holds(name: &str, target: fn(&[u8])) {
    let seeds = files(&format!("seeds/{name}"));
    assert!(seeds.len() > 3, "{name} has no seeds");
    let mut failed = Vec::new();
    for seed in seeds {
        let data = std::fs::read(&seed).unwrap();
        failed.extend(catch_unwind(|| target(&data)).err().map(|_| seed));
    }
    target(b"");
    assert!(failed.is_empty(), "{failed:#?}");
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name), pseud_fuzz::$name);
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

pseud_fuzz::all_targets!(tests);

/// Each has its program, and its seeds: none is left out above.
#[test]
fn every_target_is_here() {
    let stems = |folder| -> BTreeSet<String> {
        files(folder)
            .iter()
            .map(|file| file.file_stem().unwrap().to_str().unwrap().into())
            .collect()
    };
    let names: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("seeds"), names);
}
