use super::*;
use proptest::prelude::*;
use proptest::sample::select;

fn order<const N: usize>(registries: [&Handlers<u32>; N], name: &str) -> Vec<(String, u32)> {
    candidates(registries, name).map(|(domain, handler)| (domain.to_owned(), *handler)).collect()
}

fn handlers<const N: usize>(registries: [&Handlers<u32>; N]) -> Vec<u32> {
    candidates(registries, "f").map(|(_, handler)| *handler).collect()
}

fn registry(entries: &[(&str, u32)]) -> Handlers<u32> {
    let mut registry = Handlers::new();
    for (domain, handler) in entries {
        registry.register_in(domain, "f", *handler).unwrap();
    }
    registry
}

#[test]
fn names_match_exactly_and_replace() {
    let mut registry = Handlers::new();
    assert_eq!(registry.register("string.lower", 1), Ok(None));
    assert_eq!(registry.register("string.lower", 2), Ok(Some(1)));
    assert_eq!(registry.find("string.lower"), Some(&2));
    for other in ["string", "string..lower", "string.lower.", "string.lower.x", "lower", ""] {
        assert_eq!(registry.find(other), None);
        assert_eq!(order([&registry], other), []);
    }
    assert_eq!(registry.unregister("string.lower"), Some(2));
    assert_eq!(registry.unregister("string.lower"), None);
    assert!(registry.is_empty());
}

#[test]
fn m_01_reserved_names_are_refused() {
    let mut registry = Handlers::new();
    assert_eq!(registry.register("", ()), Err(NameRefused::Empty));
    for name in ["pseud", "pseud.", "pseud.caps", "pseud..x"] {
        let refused = registry.register_in("restricted", name, ());
        assert_eq!(refused, Err(NameRefused::Reserved(name.to_owned())));
    }
    assert_eq!(registry.register(&"x".repeat(256), ()), Err(NameRefused::TooLong(256)));
    assert!(registry.is_empty());
    for name in ["pseudonym", "Pseud.caps", "a.pseud.b", &"x".repeat(255)] {
        assert_eq!(registry.register(name, ()), Ok(None));
    }
}

#[test]
fn a_domain_is_part_of_the_key() {
    let mut registry = registry(&[("default", 1), ("restricted", 2)]);
    assert_eq!(registry.register_in("restricted", "f", 3), Ok(Some(2)));
    assert_eq!(registry.find("f"), Some(&1));
    assert_eq!(registry.unregister("f"), Some(1));
    assert_eq!(order([&registry], "f"), [("restricted".to_owned(), 3)]);
    assert_eq!(registry.unregister_in("other", "f"), None);
    assert_eq!(registry.unregister_in("restricted", "f"), Some(3));
    assert!(registry.is_empty());
}

#[test]
fn a_global_restricted_handler_comes_before_a_local_default_one() {
    let (local, global) = (registry(&[("default", 1)]), registry(&[("restricted", 2)]));
    assert_eq!(handlers([&local, &global]), [2, 1]);
}

#[test]
fn a_local_handler_comes_before_a_global_one_in_each_kind_of_domain() {
    let local = registry(&[("b", 1), ("default", 2)]);
    let global = registry(&[("default", 3), ("a", 4)]);
    assert_eq!(handlers([&local, &global]), [1, 4, 2, 3]);
    assert_eq!(handlers([&global, &local]), [4, 1, 3, 2]);
}

#[test]
fn the_newest_comes_first_and_registering_again_moves_up() {
    let mut local = registry(&[("a", 1), ("default", 2), ("b", 3), ("c", 4)]);
    assert_eq!(handlers([&local]), [4, 3, 1, 2]);
    local.register_in("a", "f", 5).unwrap();
    assert_eq!(handlers([&local]), [5, 4, 3, 2]);
    // The place does not outlive the entry.
    local.unregister_in("c", "f");
    local.register_in("c", "f", 6).unwrap();
    assert_eq!(handlers([&local]), [6, 5, 3, 2]);
}

#[test]
fn all_three_rules_in_conflict() {
    let mut local = registry(&[("b", 1), ("default", 2)]);
    let mut global = registry(&[("a", 3), ("b", 4), ("default", 5)]);
    assert_eq!(handlers([&local, &global]), [1, 4, 3, 2, 5]);
    // Newer than all, and yet behind the local ones of its kind.
    global.register_in("a", "f", 6).unwrap();
    global.register("f", 7).unwrap();
    assert_eq!(handlers([&local, &global]), [1, 6, 4, 2, 7]);
    local.register_in("c", "f", 8).unwrap();
    assert_eq!(handlers([&local, &global]), [8, 1, 6, 4, 2, 7]);
}

#[test]
fn clear_returns_what_was_there() {
    let mut local = registry(&[("a", 1), ("default", 2), ("b", 3)]);
    let mut cleared: Vec<_> = local.clear().collect();
    cleared.sort_unstable();
    assert_eq!(cleared, [1, 2, 3]);
    assert!(local.is_empty());
}

/// What one step does to one of two registries.
#[derive(Debug, Clone)]
struct Step {
    global: bool,
    domain: &'static str,
    name: &'static str,
    register: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let domains = select(vec!["default", "restricted", "a", "b"]);
    let names = select(vec!["f", "g", "f.g"]);
    (any::<bool>(), domains, names, prop::bool::weighted(0.75))
        .prop_map(|(global, domain, name, register)| Step { global, domain, name, register })
}

/// All entries ever, sorted by the three rules when somebody asks.
#[derive(Default)]
struct Model(Vec<(Step, u32)>);

impl Model {
    fn apply(&mut self, step: &Step, time: u32) {
        let key = |step: &Step| (step.global, step.domain, step.name);
        self.0.retain(|(known, _)| key(known) != key(step));
        if step.register {
            self.0.push((step.clone(), time));
        }
    }

    fn order(&self, name: &str) -> Vec<(String, u32)> {
        let mut found: Vec<_> = self.0.iter().filter(|(step, _)| step.name == name).collect();
        found.sort_by_key(|(step, time)| {
            (step.domain == "default", step.global, std::cmp::Reverse(*time))
        });
        found.into_iter().map(|(step, time)| (step.domain.to_owned(), *time)).collect()
    }
}

proptest! {
    #[test]
    fn the_order_is_that_of_a_sorted_list(steps in prop::collection::vec(step(), 0..40)) {
        let (mut local, mut global) = (Handlers::new(), Handlers::new());
        let mut model = Model::default();
        for (time, step) in (0..).zip(&steps) {
            let registry = if step.global { &mut global } else { &mut local };
            match step.register {
                true => drop(registry.register_in(step.domain, step.name, time)),
                false => drop(registry.unregister_in(step.domain, step.name)),
            }
            model.apply(step, time);
            for name in ["f", "g", "f.g", "h"] {
                prop_assert_eq!(order([&local, &global], name), model.order(name));
            }
        }
        prop_assert_eq!(local.is_empty() && global.is_empty(), model.0.is_empty());
    }
}
