//! What a scenario of the table is made of.

/// What happens to one name, from nobody's on. Names of others never matter to it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// One thing after the other: each is done before the next begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Registers in that domain a handler that says so.
    Offer(Scope, &'static str, &'static str),
    /// Registers in that domain one that tells the id of the user who calls (`with_identity`).
    OfferWhoami(Scope, &'static str),
    /// Takes away what stands there.
    Withdraw(Scope, &'static str),
    /// Calls the name.
    Call(By, Expected),
    /// Calls the name with more behind it.
    CallUnder(&'static str, By, Expected),
}

/// Which registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The own one of the server of users, and as well that of the server of nobody.
    Own,
    /// That of the process.
    Global,
    /// The free-standing one, which two more servers have instead of their own.
    Shared,
}

/// Who calls, and thereby which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// At the server of users (PLAIN), with the permission that `restricted` wants.
    Admin,
    /// At the server of users, with some other permission.
    Lambda,
    /// At the server of nobody: NULL, no user.
    Nobody,
    /// At the first server of the free-standing registry; NULL.
    Left,
    /// At the second.
    Right,
}

/// How a call ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// The handler that says so has served.
    Told(&'static str),
    /// The handler has said that this user calls.
    User(&'static [u8]),
    /// Nothing of that name, for this caller: the answer does not say which.
    Missing,
    /// The predicate of the first candidate raises, or there is none. The reference stops there and
    /// tells the caller of what it raised, this class; ours tells our log and tries the next, which
    /// says so, or there is none.
    Raised(&'static str, Option<&'static str>),
}

impl By {
    pub(crate) const ALL: [Self; 5] =
        [Self::Admin, Self::Lambda, Self::Nobody, Self::Left, Self::Right];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Lambda => "lambda",
            Self::Nobody => "nobody",
            Self::Left => "left",
            Self::Right => "right",
        }
    }

    /// Those who log in have one.
    pub(crate) fn password(self) -> Option<&'static str> {
        match self {
            Self::Admin => Some("secret of admin"),
            Self::Lambda => Some("secret of lambda"),
            Self::Nobody | Self::Left | Self::Right => None,
        }
    }
}
