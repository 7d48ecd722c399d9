//! Code that stands in two packages.

use std::collections::BTreeMap;

/// How many equal lines are a twin.
const LINES: usize = 6;

/// A package's name, and its files: paths below `src`, and texts.
type Sources<'a> = (&'a str, Vec<(String, String)>);

/// A file, which of its lines of code it is, and that line's number.
type Place = (usize, usize, usize);

/// Where as many lines in a row are equal in two packages; spaces, brackets alone, comments, attributes and
/// imports aside. Each twin is named once, where it begins.
pub(crate) fn among(packages: &[Sources<'_>]) -> Vec<String> {
    let mut places = BTreeMap::<Vec<&str>, Vec<Place>>::new();
    let files: Vec<_> = packages
        .iter()
        .enumerate()
        .flat_map(|(package, (name, files))| files.iter().map(move |file| (package, *name, file)))
        .collect();
    for (file, (_, _, (_, text))) in files.iter().enumerate() {
        let lines = lines(text);
        for (at, window) in lines.windows(LINES).enumerate() {
            let equal = window.iter().map(|(_, line)| *line).collect();
            places.entry(equal).or_default().push((file, at, window[0].0));
        }
    }
    let mut pairs: Vec<(Place, Place)> = Vec::new();
    for found in places.values() {
        for (index, one) in found.iter().enumerate() {
            let others = &found[index + 1..];
            pairs.extend(
                others
                    .iter()
                    .filter(|two| files[one.0].0 != files[two.0].0)
                    .map(|two| (*one, *two)),
            );
        }
    }
    let begins = |((file, at, _), (other, there, _)): &(Place, Place)| {
        let before = at.checked_sub(1).zip(there.checked_sub(1));
        !before.is_some_and(|(at, there)| {
            pairs
                .iter()
                .any(|(one, two)| (one.0, one.1, two.0, two.1) == (*file, at, *other, there))
        })
    };
    let name = |(file, _, line): Place| {
        let (_, package, (path, _)) = files[file];
        format!("{package}/src/{path}:{line}")
    };
    let twins = pairs.iter().filter(|pair| begins(pair));
    twins.map(|&(one, two)| format!("{} and {}", name(one), name(two))).collect()
}

/// What says where things are, and does nothing.
const DECLARATIONS: &[&str] = &["//", "#[", "mod ", "pub mod ", "use ", "pub use "];

/// Lines of code, with their numbers.
fn lines(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let says = |line: &str| line.contains(char::is_alphanumeric);
    let declares = |line: &str| DECLARATIONS.iter().any(|word| line.starts_with(word));
    lines.filter(|(_, line)| says(line) && !declares(line)).collect()
}
