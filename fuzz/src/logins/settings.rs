//! What both sides are set to, out of a script.

use crate::limits;
use crate::script::Script;
use pseud_proto::zmtp::Secret;
use pseud_proto::{Capabilities, Config, Credentials, FloodLimit, Profile, UserSessions};

/// Whose login is whose; the first two are the clients'.
pub(super) const USERS: [&str; 3] = ["john", "jane", "eve"];

pub(super) fn server(script: &mut Script<'_>) -> Config {
    let mut config = limits::config(script);
    config.server = None;
    let [policy, number, tries, time] = [0; 4].map(|_: u8| script.byte());
    config.requires_login = policy % 8 != 7;
    let policies = [UserSessions::Several, UserSessions::Newest, UserSessions::Oldest];
    config.user_sessions = policies[usize::from(policy / 8 % 3)];
    let limits = &mut config.limits;
    limits.sessions_unnamed_max = [usize::MAX, 0, 1, 2][usize::from(number % 4)];
    let mut unauthorized = FloodLimit::default();
    unauthorized.burst = [u32::MAX, 0, 1, 4][usize::from(number / 4 % 4)];
    unauthorized.per_second = [0, 1, 100, u32::MAX][usize::from(number / 16 % 4)];
    limits.unauthorized = unauthorized;
    limits.login_tries_max = [3, 0, 1, u8::MAX][usize::from(tries % 4)];
    limits.login_timeout = limits::time(time);
    config
}

pub(super) fn client(script: &mut Script<'_>, login: &'static str) -> Config {
    let mut config = limits::config(script);
    let [credentials, max] = [0; 2].map(|_: u8| script.byte());
    let shown = Credentials::new(login, Secret::new("sesame"));
    config.credentials = match credentials % 4 {
        3 => None,
        kind => Some(shown.allow_plaintext(kind != 2)),
    };
    config.limits.logins_shown_max = [2, 0, 1, u8::MAX][usize::from(max % 4)];
    config
}

/// What a peer declares: all that there is, nothing, or that late answers harm it.
pub(super) fn profile(choice: u8) -> Profile {
    match choice % 3 {
        0 => Profile::V1,
        1 => Profile::declared(Capabilities::ALL, 1 << 20),
        _ => Profile::declared(Capabilities::ALL.without(Capabilities::LATE_ANSWERS), 1 << 20),
    }
}
