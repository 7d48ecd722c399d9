//! Who is authenticated as which user, and whom a call may reach.

use super::chance::{Chance, name};
use super::crowd::SERVER;
use bytes::Bytes;
use pseud::User;
use pseud::proto::{PeerId, To};

use pseud_testkit::memory::Node;

/// The clients' users, by number; the server has none.
#[derive(Debug)]
pub(crate) struct Users(Vec<Option<&'static str>>);

impl Users {
    pub(crate) fn new(members: usize, chance: &mut Chance) -> Self {
        Self(
            (0..members)
                .map(|number| if number == SERVER { None } else { chance.user() })
                .collect(),
        )
    }

    /// What the server is told of them; an impostor is believed to be whoever it likes.
    pub(crate) fn tell(&self, server: &mut Node, impostors: bool) {
        for (number, user) in self.0.iter().enumerate() {
            if let Some(user) = user.or(impostors.then_some("alice")) {
                server.users.insert(name(number).to_vec(), User::new(user));
            }
        }
    }

    /// A user that a call may be for: sometimes nobody is one, but somebody announces it.
    pub(crate) fn any(&self, chance: &mut Chance) -> Bytes {
        let client = 1 + chance.up_to(self.0.len() - 1);
        [Bytes::from("alice"), Bytes::from("bob"), name(client)][chance.up_to(3)].clone()
    }

    /// Who may be asked by a call to that; `None` where only the endpoint knows.
    pub(crate) fn meant(&self, to: &To) -> Option<Vec<usize>> {
        let of = |id: &Bytes| self.numbers(move |_, user| user.is_some_and(|user| user == id));
        let named = |id: &Bytes| self.numbers(move |number, _| name(number) == id);
        match to {
            To::Server => Some(vec![SERVER]),
            To::Peer(_) => None,
            To::Identity(id) => Some(named(id)),
            To::User { id, .. } => Some(of(id)),
            To::Known { id, .. } => {
                let nobody = self.numbers(|number, user| user.is_none() && name(number) == id);
                Some([of(id), nobody].concat())
            }
            other => panic!("who is {other:?}?"),
        }
    }

    fn numbers(&self, is: impl Fn(usize, Option<&str>) -> bool) -> Vec<usize> {
        let users = self.0.iter().enumerate().skip(SERVER + 1);
        users.filter(|(number, user)| is(*number, **user)).map(|(number, _)| number).collect()
    }

    /// The endpoint knows exactly the live sessions of each user.
    pub(crate) fn check(server: &Node) {
        for user in ["alice", "bob", ""] {
            let live = server.log.sessions.iter();
            let live = live.filter(|(_, info)| !user.is_empty() && info.user.id() == user);
            let live: Vec<PeerId> = live.map(|(peer, _)| *peer).collect();
            let mut known = server.endpoint.sessions_of(user.as_bytes()).to_vec();
            known.sort();
            assert_eq!(known, live, "sessions of {user:?}");
        }
    }
}
