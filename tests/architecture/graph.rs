//! Who imports whom, file by file.

use crate::source::Package;
use std::collections::{BTreeMap, BTreeSet};

/// Files, and the files whose definitions each names.
#[derive(Debug)]
pub(crate) struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(crate) fn of(package: &Package) -> Self {
        let mut edges = BTreeMap::<String, BTreeSet<String>>::new();
        for module in package.modules.values() {
            let targets = edges.entry(module.file.clone()).or_default();
            // A file that only gathers re-exports imports nothing for itself.
            if is_face(&module.file) {
                continue;
            }
            let definers = module.names.iter().filter_map(|name| package.definer(name));
            targets.extend(definers.map(|definer| definer.file.clone()));
            targets.remove(&module.file);
        }
        Self { edges }
    }

    /// The groups of files of which each reaches each other.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<_, _> =
            self.edges.keys().map(|file| (file, self.reachable(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reach {
            if reached.contains(*file) {
                let back = reached.iter().filter(|other| reach[other].contains(*file));
                circles.insert(back.cloned().collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }

    fn reachable(&self, from: &str) -> BTreeSet<String> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = next.pop() {
            for target in &self.edges[&file] {
                if seen.insert(target.clone()) {
                    next.push(target.clone());
                }
            }
        }
        seen
    }

    /// Imports from one storey into a higher one, or into a neighbour's room.
    pub(crate) fn upward(&self, storeys: &[&[&str]]) -> Vec<String> {
        let home = |file: &str| {
            let room =
                file.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
            let level = storeys.iter().position(|rooms| rooms.contains(&&*room));
            level.map(|level| (level, room))
        };
        let mut upward = Vec::new();
        for (file, targets) in &self.edges {
            let Some((level, room)) = home(file) else { continue };
            for target in targets {
                let Some((other_level, other)) = home(target) else { continue };
                if other_level > level || other_level == level && other != room {
                    upward.push(format!("{file} -> {target}"));
                }
            }
        }
        upward
    }
}

/// The crate's root re-exports from everywhere.
fn is_face(file: &str) -> bool {
    matches!(file, "lib.rs" | "main.rs")
}
