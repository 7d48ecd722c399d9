//! Conversations of two peers in memory: each promise of a call, held at every size of pieces.

mod answers;
mod before_ready;
mod calls;
mod cancel;
mod capabilities;
mod deadlines;
mod floods;
mod goaway;
mod k_clocks;
mod late_guard;
mod limits;
mod links;
mod provenance;
mod refusals;
mod repeated;
mod req;
mod shutdown;
mod swarm;
mod takeover;
mod users;
#[cfg(feature = "_curve")]
mod whole_link;

use pseud_testkit::memory::{CHUNKS, Pair, Setup};

/// Holds a conversation at every size of pieces.
fn at_every_chunk(conversation: impl Fn(Setup)) {
    for chunk in CHUNKS {
        conversation(Setup::default().chunk(chunk));
    }
}

/// Nothing is left: no call, no request, no deadline, and no moment to wait for.
#[track_caller]
fn assert_at_rest(pair: &Pair) {
    for side in [&pair.client, &pair.server] {
        assert_eq!(side.deadlines(), (0, 0));
        assert_eq!(side.stats().calls_pending, 0);
        assert_eq!((side.stats().requests_open, side.stats().requests_open_bytes), (0, 0));
        assert_eq!(side.channel.poll_timeout(), None);
    }
}
