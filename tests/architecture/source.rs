//! A package's sources: its modules, what each imports, and what each re-exports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// A module's place: the names that lead to it from the crate's root.
pub(crate) type Place = Vec<String>;

/// A package, module by module.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) modules: BTreeMap<Place, Module>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct Module {
    /// Below `src`.
    pub(crate) file: String,
    /// What its code names, outside of tests, as paths from the crate's root.
    pub(crate) names: Vec<Place>,
    /// The types and traits that it defines, outside of tests.
    pub(crate) types: Vec<String>,
    /// Every path that it names, as it is written.
    written: Vec<String>,
    /// What it re-exports or imports: the name here, and the path from the crate's root.
    aliases: BTreeMap<String, Place>,
    /// Modules that it re-exports or imports whole (`*`).
    globs: Vec<Place>,
}

impl Package {
    /// The package in that folder of the workspace.
    pub(crate) fn read(name: &str) -> Self {
        let files = texts(name);
        let files: Vec<_> = files.iter().map(|(file, text)| (&**file, &**text)).collect();
        Self::of(&files)
    }

    /// Of those files: their paths below `src`, and their texts.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let places: Vec<_> = files.iter().map(|(file, _)| place(file)).collect();
        let mut modules = BTreeMap::new();
        for ((file, text), here) in files.iter().zip(&places) {
            if here.iter().any(|name| name == "tests" || name == "vectors") {
                continue;
            }
            let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            let (module, relative) = (Module::new(file), Vec::new());
            let mut reader = Reader { here, places: &places, module, relative };
            reader.visit_file(&parsed);
            reader.resolve_imported();
            modules.insert(here.clone(), reader.module);
        }
        Self { modules }
    }

    /// The file that defines what is meant by a path from the crate's root, re-exports followed.
    pub(crate) fn definer(&self, path: &[String]) -> Option<&Module> {
        let mut path = path.to_vec();
        for _ in 0..16 {
            let depth = (0..=path.len()).rev().find(|&n| self.modules.contains_key(&path[..n]))?;
            let module = &self.modules[&path[..depth]];
            let Some(name) = path.get(depth) else { return Some(module) };
            let Some(target) = module.alias(self, name) else { return Some(module) };
            path = target.into_iter().chain(path[depth + 1..].iter().cloned()).collect();
        }
        None
    }

    /// Where those words stand in a part of the tree: paths that hold one, segment by segment.
    pub(crate) fn named(&self, under: &str, words: &[&str]) -> Vec<String> {
        let inside = self.modules.values().filter(|module| module.file.starts_with(under));
        let holds = |path: &str, word: &str| format!("::{path}::").contains(&format!("::{word}::"));
        inside
            .flat_map(|module| {
                let bad = |path: &&String| words.iter().any(|word| holds(path, word));
                let full = module.names.iter().map(|name| name.join("::"));
                let all: Vec<_> = module.written.iter().cloned().chain(full).collect();
                let found: Vec<_> =
                    all.iter().filter(bad).map(|path| format!("{}: {path}", module.file)).collect();
                found
            })
            .collect()
    }

    /// What stands right below `src` and in no storey.
    pub(crate) fn folders_outside(&self, storeys: &[&[&str]]) -> Vec<&str> {
        let mut outside: Vec<_> = self
            .modules
            .keys()
            .filter_map(|place| Some(&**place.first()?))
            .filter(|first| !storeys.concat().contains(first))
            .collect();
        outside.dedup();
        outside
    }
}

impl Module {
    fn new(file: &str) -> Self {
        let (names, written, globs) = (Vec::new(), Vec::new(), Vec::new());
        let (types, aliases) = (Vec::new(), BTreeMap::new());
        Self { file: file.to_owned(), names, types, written, aliases, globs }
    }

    fn alias(&self, package: &Package, name: &str) -> Option<Place> {
        let through = |glob: &Place| {
            let module = package.modules.get(glob)?;
            let mut path = glob.clone();
            path.push(name.to_owned());
            module.aliases.contains_key(name).then_some(path)
        };
        self.aliases.get(name).cloned().or_else(|| self.globs.iter().find_map(through))
    }
}

/// The files of the package in that folder of the workspace: their paths below `src`, and their texts.
pub(crate) fn texts(name: &str) -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).join("src");
    let mut files = Vec::new();
    list(&src, &mut files);
    assert!(!files.is_empty(), "{} holds sources", src.display());
    let text = |path: &PathBuf| fs::read_to_string(path).expect("a source file");
    let below = |path: &Path| path.strip_prefix(&src).expect("below").display().to_string();
    files.iter().map(|path| (below(path), text(path))).collect()
}

pub(crate) fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        match path.extension() {
            _ if path.is_dir() => list(&path, files),
            Some(extension) if extension == "rs" => files.push(path),
            _ => {}
        }
    }
    files.sort();
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`.
pub(crate) fn place(file: &str) -> Place {
    let stem = file.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let names = stem.split('/').filter(|name| !matches!(*name, "lib" | "main" | "mod"));
    names.map(str::to_owned).collect()
}

/// Reads one file's names.
struct Reader<'a> {
    here: &'a Place,
    places: &'a [Place],
    module: Module,
    /// Paths that begin with a name: one that is imported, or one of another crate.
    relative: Vec<Place>,
}

impl Reader<'_> {
    /// Those that begin with an imported name, from the crate's root.
    fn resolve_imported(&mut self) {
        for path in &self.relative {
            if let Some(import) = path.first().and_then(|first| self.module.aliases.get(first)) {
                let full = import.iter().chain(&path[1..]).cloned().collect();
                self.module.names.push(full);
            }
        }
    }

    /// The same path from the crate's root; `None` if it leads out of the crate.
    fn absolute(&self, path: &[String]) -> Option<Place> {
        let mut base = self.here.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            // A child module, or a name that this file imported or defines.
            first => {
                let child: Place = self.here.iter().cloned().chain([first.to_owned()]).collect();
                if !self.places.contains(&child) {
                    return None;
                }
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn note(&mut self, path: &[String]) {
        self.module.written.push(path.join("::"));
        match self.absolute(path) {
            Some(absolute) => self.module.names.push(absolute),
            None => self.relative.push(path.to_vec()),
        }
    }

    fn read_use(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.read_use(&inner.tree, path);
                path.pop();
            }
            UseTree::Name(name) => self.import(path, &name.ident.to_string(), None),
            UseTree::Rename(name) => {
                self.import(path, &name.ident.to_string(), Some(name.rename.to_string()));
            }
            UseTree::Glob(_) => {
                self.note(path);
                self.module.globs.extend(self.absolute(path));
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.read_use(item, path)),
        }
    }

    fn import(&mut self, path: &[String], name: &str, rename: Option<String>) {
        let mut path = path.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        self.note(&path);
        let known_as = rename.or_else(|| path.last().cloned());
        if let Some((known_as, absolute)) = known_as.zip(self.absolute(&path)) {
            self.module.aliases.insert(known_as, absolute);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_test) {
            self.module.types.extend(defined(item));
            visit::visit_item(self, item);
        }
    }

    /// A `mod` line says where a module is, and uses nothing of it.
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        assert!(item.content.is_none(), "{}: one file, one module", self.module.file);
    }

    /// What a file re-exports it does not use.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let before = (self.module.names.len(), self.relative.len());
        self.read_use(&item.tree, &mut Vec::new());
        if !matches!(item.vis, syn::Visibility::Inherited) {
            self.module.names.truncate(before.0);
            self.relative.truncate(before.1);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.note(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name of the type or trait that this defines.
pub(crate) fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Enum(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// `#[cfg(test)]`, and `#[cfg(all(test, …))]`.
fn is_test(attribute: &Attribute) -> bool {
    let tokens = match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
        _ => return false,
    };
    tokens.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
}
