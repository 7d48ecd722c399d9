//! What a package shows: each public item, and the paths that lead to it.

use crate::source;
use std::collections::{BTreeMap, BTreeSet};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, File, Item, ItemEnum, Lit, Meta, Token, UseTree, Visibility};

/// The names that lead to something, the crate's first.
type Path = Vec<String>;

/// Several packages' sources, so that a re-export is followed from one into the other.
pub(crate) struct Crates {
    modules: BTreeMap<Path, Module>,
}

/// One file: what it defines, what it imports, and which of these it shows.
#[derive(Default)]
struct Module {
    defined: BTreeMap<String, Definition>,
    uses: Vec<Use>,
    /// Its modules, and whether they are shown.
    children: BTreeMap<String, bool>,
    /// Its own documentation holds an example.
    has_example: bool,
}

struct Definition {
    item: Item,
    is_public: bool,
}

struct Use {
    /// What it is called here; `None` is `*`.
    name: Option<String>,
    target: Path,
    is_public: bool,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Module(Path),
    /// A definition, or what is in a crate whose sources are not read.
    Item(Path),
}

impl Crates {
    /// The packages in those folders of the workspace, by the names of their crates.
    pub(crate) fn read(folders: &[&str]) -> Self {
        let names: Vec<_> = folders.iter().map(|folder| crate_name(folder)).collect();
        let mut modules = BTreeMap::new();
        for (folder, name) in folders.iter().zip(&names) {
            for (file, text) in source::texts(folder) {
                let mut here = vec![name.clone()];
                here.extend(source::place(&file));
                let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
                modules.insert(here.clone(), Module::of(parsed, &here));
            }
        }
        Self { modules }
    }

    /// Of each item that the package shows, its definition's path and every path that leads there. Another
    /// of the crates that is shown whole counts as one item.
    pub(crate) fn shown(&self, folder: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        let root = vec![crate_name(folder)];
        self.walk(&root, &root, &mut found, 0);
        found
    }

    /// The enums among those.
    pub(crate) fn enums(&self, folder: &str) -> Vec<(String, &ItemEnum)> {
        let definition = |path: String| {
            let names: Path = path.split("::").map(str::to_owned).collect();
            let (name, module) = names.split_last()?;
            match &self.modules.get(module)?.defined.get(name)?.item {
                Item::Enum(item) => Some((path, item)),
                _ => None,
            }
        };
        self.shown(folder).into_keys().filter_map(definition).collect()
    }

    /// Whether a reader of that path's page is shown how it is used: there, on its module's page, or, where it
    /// is an alias, on that of what it stands for.
    pub(crate) fn has_example(&self, path: &str) -> bool {
        let names: Path = path.split("::").map(str::to_owned).collect();
        let (Place::Item(found), Some((_, shown_in))) = (self.find(&names, 0), names.split_last())
        else {
            panic!("{path} is a type or a trait");
        };
        let Some((name, module)) = found.split_last() else { return false };
        let definition = self.modules.get(module).and_then(|module| module.defined.get(name));
        let definition = definition.unwrap_or_else(|| panic!("{path} is a type or a trait"));
        let shows = visibility(&definition.item).is_some_and(|(_, words)| has_example(words));
        shows || self.modules.get(shown_in).is_some_and(|module| module.has_example)
    }

    fn walk(
        &self,
        module: &[String],
        shown_as: &[String],
        found: &mut BTreeMap<String, BTreeSet<String>>,
        depth: usize,
    ) {
        assert!(depth < 8, "{} shows itself", shown_as.join("::"));
        let mut shown = Vec::new();
        let here = &self.modules[module];
        for (name, _) in here.children.iter().filter(|(_, is_public)| **is_public) {
            shown.push((Place::Module(below(module, name)), below(shown_as, name)));
        }
        for (name, _) in here.defined.iter().filter(|(_, definition)| definition.is_public) {
            shown.push((Place::Item(below(module, name)), below(shown_as, name)));
        }
        for import in here.uses.iter().filter(|import| import.is_public) {
            match (&import.name, self.find(&import.target, 0)) {
                (Some(name), place) => shown.push((place, below(shown_as, name))),
                (None, Place::Module(all)) => self.walk(&all, shown_as, found, depth + 1),
                (None, Place::Item(path)) => panic!("what is in {}?", path.join("::")),
            }
        }
        for (place, shown_as) in shown {
            match place {
                Place::Module(module) if module.len() > 1 => {
                    self.walk(&module, &shown_as, found, depth + 1);
                }
                Place::Module(path) | Place::Item(path) => {
                    found.entry(path.join("::")).or_default().insert(shown_as.join("::"));
                }
            }
        }
    }

    /// What a path means, re-exports followed.
    fn find(&self, path: &[String], depth: usize) -> Place {
        assert!(depth < 32, "{} leads to itself", path.join("::"));
        let (mut here, mut rest) = (path[..1].to_vec(), &path[1..]);
        while let Some((name, behind)) = rest.split_first() {
            let Some(module) = self.modules.get(&here) else { return Place::Item(path.to_vec()) };
            let child = below(&here, name);
            if !module.children.contains_key(name) {
                if module.defined.contains_key(name) {
                    return Place::Item(child);
                }
                let Some(target) = self.imported(module, name, depth) else {
                    return Place::Item(path.to_vec());
                };
                return self.find(&[&*target, behind].concat(), depth + 1);
            }
            (here, rest) = (child, behind);
        }
        if self.modules.contains_key(&here) { Place::Module(here) } else { Place::Item(here) }
    }

    fn imported(&self, module: &Module, name: &str, depth: usize) -> Option<Path> {
        let named = module.uses.iter().find(|import| import.name.as_deref() == Some(name));
        if let Some(import) = named {
            return Some(import.target.clone());
        }
        module.uses.iter().filter(|import| import.name.is_none()).find_map(|import| {
            let Place::Module(all) = self.find(&import.target, depth + 1) else { return None };
            let inside = self.modules.get(&all)?;
            let has = inside.defined.contains_key(name)
                || inside.uses.iter().any(|other| other.name.as_deref() == Some(name));
            has.then(|| below(&all, name))
        })
    }
}

impl Module {
    fn of(file: File, here: &[String]) -> Self {
        let has_example = has_example(&file.attrs);
        let mut module = Self { has_example, ..Self::default() };
        let items = file.items;
        let children: BTreeSet<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::Mod(item) => Some(item.ident.to_string()),
                _ => None,
            })
            .collect();
        for item in items {
            let Some((visibility, attributes)) = visibility(&item) else { continue };
            let is_public = matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes);
            match &item {
                Item::Use(item) => {
                    let starts = |path: &[String]| absolute(path, here, &children);
                    flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
                        let target = starts(path);
                        module.uses.push(Use { name, target, is_public });
                    });
                }
                Item::Mod(item) => {
                    module.children.insert(item.ident.to_string(), is_public);
                }
                _ => {
                    if let Some(name) = source::defined(&item) {
                        module.defined.insert(name, Definition { item, is_public });
                    }
                }
            }
        }
        module
    }
}

fn below(path: &[String], name: &str) -> Path {
    [path, &[name.to_owned()]].concat()
}

fn crate_name(folder: &str) -> String {
    if folder.is_empty() { "pseud".to_owned() } else { folder.replace('-', "_") }
}

fn absolute(path: &[String], here: &[String], children: &BTreeSet<String>) -> Path {
    let mut base = here.to_vec();
    let mut rest = path;
    match path[0].as_str() {
        "crate" => {
            base.truncate(1);
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        first if children.contains(first) => {}
        _ => return path.to_vec(),
    }
    base.extend(rest.iter().cloned());
    base
}

fn flatten(tree: &UseTree, path: &mut Path, tell: &mut impl FnMut(Option<String>, &[String])) {
    match tree {
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            flatten(&inner.tree, path, tell);
            path.pop();
        }
        UseTree::Name(name) if name.ident == "self" => tell(path.last().cloned(), path),
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            path.push(name.clone());
            tell(Some(name), path);
            path.pop();
        }
        UseTree::Rename(name) => {
            if name.ident != "self" {
                path.push(name.ident.to_string());
            }
            tell(Some(name.rename.to_string()), path);
            if name.ident != "self" {
                path.pop();
            }
        }
        UseTree::Glob(_) => tell(None, path),
        UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, path, tell)),
    }
}

fn visibility(item: &Item) -> Option<(&Visibility, &[Attribute])> {
    Some(match item {
        Item::Enum(item) => (&item.vis, &item.attrs),
        Item::Mod(item) => (&item.vis, &item.attrs),
        Item::Struct(item) => (&item.vis, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.attrs),
        Item::Type(item) => (&item.vis, &item.attrs),
        Item::Use(item) => (&item.vis, &item.attrs),
        _ => return None,
    })
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let hides = |attribute: &Attribute| {
        let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        attribute.path().is_ident("doc")
            && words.is_ok_and(|words| words.iter().any(|word| word.path().is_ident("hidden")))
    };
    attributes.iter().any(hides)
}

/// Its documentation, line by line.
pub(crate) fn docs(attributes: &[Attribute]) -> Vec<String> {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect()
}

fn has_example(attributes: &[Attribute]) -> bool {
    let mut is_inside = false;
    docs(attributes).iter().filter(|line| line.starts_with("```")).any(|line| {
        is_inside = !is_inside;
        is_inside && matches!(&**line, "```" | "```no_run")
    })
}
