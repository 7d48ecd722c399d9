//! How often what lives are about has happened: a test asks whether it did.

/// Of one life, or of all of them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    /// Peers that were given up for their silence.
    pub(super) evictions: u64,
    /// Sessions that lost their name to a newer link.
    pub(super) take_overs: u64,
    /// Requests that were dropped, since their session had used their id before.
    pub(super) repeats: u64,
    /// Drains of servers at which somebody was.
    pub(super) drains: u64,
    /// Calls that were turned away by who drained.
    pub(super) turned_away: u64,
    /// Calls for somebody who was not there, and who was served by it once it came.
    pub(super) waited_for: u64,
    /// Those for somebody who never came.
    pub(super) waited_in_vain: u64,
    /// Calls that a server handed on and that were answered: to a peer by its name, to a user, to a session.
    pub(super) handed_on: [u64; 3],
}

impl Counts {
    /// All of them, each with what it counts.
    pub(super) fn all(&self) -> [(&'static str, u64); 10] {
        let [to_peers, to_users, to_sessions] = self.handed_on;
        [
            ("evictions", self.evictions),
            ("take-overs", self.take_overs),
            ("repeated ids", self.repeats),
            ("drains", self.drains),
            ("turned away by a drain", self.turned_away),
            ("waited for somebody who came", self.waited_for),
            ("waited in vain", self.waited_in_vain),
            ("handed on to a peer", to_peers),
            ("handed on to a user", to_users),
            ("handed on to a session", to_sessions),
        ]
    }

    /// Both together.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.evictions += other.evictions;
        self.take_overs += other.take_overs;
        self.repeats += other.repeats;
        self.drains += other.drains;
        self.turned_away += other.turned_away;
        self.waited_for += other.waited_for;
        self.waited_in_vain += other.waited_in_vain;
        for (mine, theirs) in self.handed_on.iter_mut().zip(other.handed_on) {
            *mine += theirs;
        }
        self
    }
}
