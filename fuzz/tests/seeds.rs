//! Each target's body on each of its seeds, without a fuzzer: on stable, in seconds.

use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn every_target_holds_on_its_seeds() {
    let mut failed = Vec::new();
    for (name, target) in pseud_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
        let seeds: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(seeds.len() > 3, "{name} has no seeds");
        for seed in seeds {
            let data = std::fs::read(&seed).unwrap();
            failed.extend(catch_unwind(|| target(&data)).err().map(|_| seed));
        }
        target(b"");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
