//! Who serves a call: one table of scenarios, true of every pair of servers and clients.

use super::scenario::By::{Admin, Lambda, Left, Nobody, Right};
use super::scenario::Expected::{Missing, Raised, Told, User};
use super::scenario::Scenario;
use super::scenario::Scope::{Global, Own, Shared};
use super::scenario::Step::{Call, CallUnder, Offer, OfferWhoami, Withdraw};

/// Predicates: `default` is for all, `restricted` for users with the permission, `open` and `ajar` for
/// all, `closed` for none, `known` for users, `broken` raises, `unjudged` has none.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "own_before_global",
        steps: &[
            Offer(Global, "default", "older global"),
            Call(Nobody, Told("older global")),
            Offer(Own, "default", "own"),
            Call(Nobody, Told("own")),
            Offer(Global, "default", "global"),
            Call(Nobody, Told("own")),
            Call(Left, Told("global")),
        ],
    },
    Scenario {
        name: "newest_first_among_own",
        steps: &[
            Offer(Own, "open", "first"),
            Offer(Own, "ajar", "second"),
            Call(Nobody, Told("second")),
            Offer(Own, "known", "third"),
            Call(Admin, Told("third")),
            Call(Nobody, Told("second")),
        ],
    },
    Scenario {
        name: "newest_first_among_global",
        steps: &[
            Offer(Global, "ajar", "first"),
            Offer(Global, "open", "second"),
            Call(Nobody, Told("second")),
            Call(Right, Told("second")),
        ],
    },
    Scenario {
        name: "again_replaces",
        steps: &[
            Offer(Own, "default", "first"),
            Offer(Own, "default", "second"),
            Call(Nobody, Told("second")),
            Withdraw(Own, "default"),
            Call(Nobody, Missing),
        ],
    },
    Scenario {
        name: "again_moves_up",
        steps: &[
            Offer(Own, "open", "open"),
            Offer(Own, "ajar", "ajar"),
            Call(Nobody, Told("ajar")),
            Offer(Own, "open", "open again"),
            Call(Nobody, Told("open again")),
            Withdraw(Own, "open"),
            Call(Nobody, Told("ajar")),
        ],
    },
    Scenario {
        name: "other_domains_before_default",
        steps: &[
            Offer(Own, "open", "open"),
            Offer(Own, "default", "newer default"),
            Call(Nobody, Told("open")),
            Withdraw(Own, "open"),
            Call(Nobody, Told("newer default")),
        ],
    },
    Scenario {
        name: "global_restricted_before_own_default",
        steps: &[
            Offer(Global, "restricted", "great power"),
            Offer(Own, "default", "small power"),
            Call(Admin, Told("great power")),
            Call(Lambda, Told("small power")),
            Call(Nobody, Told("small power")),
        ],
    },
    Scenario {
        name: "all_rules_at_once",
        steps: &[
            // Each rule alone would put them in another order.
            Offer(Own, "open", "2"),
            Offer(Own, "restricted", "1"),
            Offer(Global, "open", "4"),
            Offer(Global, "restricted", "3"),
            Offer(Own, "default", "5"),
            Offer(Global, "default", "6"),
            Call(Admin, Told("1")),
            Call(Lambda, Told("2")),
            Withdraw(Own, "restricted"),
            Call(Admin, Told("2")),
            Withdraw(Own, "open"),
            Call(Admin, Told("3")),
            Call(Lambda, Told("4")),
            Withdraw(Global, "restricted"),
            Call(Admin, Told("4")),
            Withdraw(Global, "open"),
            Call(Admin, Told("5")),
            Withdraw(Own, "default"),
            Call(Admin, Told("6")),
            Withdraw(Global, "default"),
            Call(Admin, Missing),
        ],
    },
    Scenario {
        name: "rejected_then_the_next",
        steps: &[
            Offer(Global, "default", "last resort"),
            Offer(Own, "known", "for users"),
            Offer(Own, "restricted", "for admins"),
            Offer(Own, "closed", "for none"),
            Call(Admin, Told("for admins")),
            Call(Lambda, Told("for users")),
            Call(Nobody, Told("last resort")),
        ],
    },
    Scenario {
        name: "rejected_by_all",
        steps: &[
            Call(Lambda, Missing),
            Offer(Own, "closed", "own"),
            Offer(Own, "restricted", "own"),
            Offer(Global, "closed", "global"),
            Offer(Global, "restricted", "global"),
            Call(Lambda, Missing),
            Call(Nobody, Missing),
            Call(Left, Missing),
            Call(Admin, Told("own")),
        ],
    },
    Scenario {
        name: "without_a_predicate",
        steps: &[
            Offer(Own, "unjudged", "nobody hears this"),
            Call(Nobody, Raised("ComponentLookupError", None)),
            Call(Left, Missing),
            Offer(Global, "default", "behind it"),
            Call(Admin, Raised("ComponentLookupError", Some("behind it"))),
            Offer(Own, "known", "before it"),
            Call(Admin, Told("before it")),
        ],
    },
    Scenario {
        name: "a_predicate_that_raises",
        steps: &[
            Offer(Own, "broken", "nobody hears this"),
            Call(Admin, Raised("RuntimeError", None)),
            Offer(Own, "default", "behind it"),
            Call(Nobody, Raised("RuntimeError", Some("behind it"))),
        ],
    },
    Scenario {
        name: "two_servers_share_one",
        steps: &[
            Offer(Own, "default", "own"),
            Call(Left, Missing),
            Offer(Shared, "default", "shared"),
            Call(Left, Told("shared")),
            Call(Right, Told("shared")),
            Call(Nobody, Told("own")),
            Call(Admin, Told("own")),
            Offer(Global, "default", "global"),
            Call(Right, Told("shared")),
            Offer(Global, "open", "global and open"),
            Call(Left, Told("global and open")),
            Offer(Shared, "open", "shared and open"),
            Call(Right, Told("shared and open")),
            Call(Nobody, Told("global and open")),
            Offer(Shared, "restricted", "no user, no permission"),
            Call(Left, Told("shared and open")),
        ],
    },
    Scenario {
        name: "names.may.be.dotted",
        steps: &[
            Offer(Own, "default", "whole"),
            Call(Nobody, Told("whole")),
            Call(Admin, Told("whole")),
            CallUnder(".more", Nobody, Missing),
            CallUnder(".__class__", Nobody, Missing),
            CallUnder(":default", Nobody, Missing),
            CallUnder(".", Nobody, Missing),
        ],
    },
    Scenario {
        name: "who_calls",
        steps: &[
            OfferWhoami(Global, "default"),
            Call(Admin, User(b"admin")),
            Call(Lambda, User(b"lambda")),
            Call(Nobody, User(b"")),
            OfferWhoami(Own, "restricted"),
            Offer(Own, "known", "some user"),
            Withdraw(Own, "known"),
            Call(Admin, User(b"admin")),
            Call(Lambda, User(b"lambda")),
        ],
    },
    Scenario {
        name: "withdrawn_while_serving",
        steps: &[
            Offer(Own, "default", "own"),
            Offer(Global, "default", "global"),
            Call(Nobody, Told("own")),
            Withdraw(Own, "default"),
            Call(Nobody, Told("global")),
            Call(Admin, Told("global")),
            Withdraw(Global, "default"),
            Call(Nobody, Missing),
            Offer(Own, "default", "own again"),
            Call(Nobody, Told("own again")),
        ],
    },
];
