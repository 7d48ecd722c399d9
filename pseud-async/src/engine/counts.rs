//! A node's counters: each session has those of a shard, so that links on several threads seldom write
//! to the same line of memory.

use pseud_proto::PeerId;
use pseud_proto::pseud::Stats;
use pseud_proto::session::EventCounts;

const SHARDS: usize = 16;

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct Sharded([Shard; SHARDS]);

/// Apart from the next one by two lines of memory, since processors fetch those in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(EventCounts);

impl Sharded {
    /// Where that session's are counted.
    pub(crate) fn of(&self, peer: PeerId) -> &EventCounts {
        &self.0[peer.slot() % SHARDS].0
    }

    /// For what is nobody's.
    pub(crate) fn of_nobody(&self) -> &EventCounts {
        &self.0[0].0
    }

    /// The sums.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.0.iter().for_each(|shard| shard.0.add_to(&mut stats));
        stats
    }
}
