//! Conversations between whole nodes, written once over a [`Runtime`]: each is held in simulated worlds,
//! one a seed, and once over sockets.
//!
//! | file | what it is |
//! |---|---|
//! | `tasks` | what a conversation does besides: tasks, waits, the clock, wherever it is held |
//! | `nodes` | the nodes it is between, each of them watched to its end |
//! | `held` | where and how often it is held, and what is said of that |

mod held;
mod nodes;
mod tasks;

pub use crate::sim::SimRuntime;
pub use held::{in_all_weathers, over_sockets};
pub use nodes::{new_client, new_server};
pub use pseud_async::adapter::Runtime;
pub use pseud_async::{Client, Server};
pub use tasks::{
    ConversationTask, SOON, TaskAborted, is_simulated, join_all, now, pause, sleep, soon, spawn,
    timeout, until, yield_now,
};

/// A test of each of those conversations, `async fn`s over a [`Runtime`]: it is held in all weathers, and
/// then over sockets on that runtime, by one thread or by as many workers as are said.
#[macro_export]
macro_rules! conversations {
    ($runtime:ident: $($(#[$meta:meta])* $name:ident $(on $workers:literal threads)?),* $(,)?) => {
        mod conversations {
            use $crate::conversation::SimRuntime;

            $(
                $(#[$meta])*
                #[test]
                fn $name() {
                    let name = concat!(module_path!(), "::", stringify!($name));
                    $crate::conversation::in_all_weathers(name, super::$name::<SimRuntime>);
                    // One seed that is lived again is lived alone.
                    if std::env::var_os("PSEUD_SEED").is_none() {
                        let workers = 0 $(+ $workers)?;
                        let conversation = super::$name::<super::$runtime>();
                        $crate::conversation::over_sockets(workers, conversation);
                    }
                }
            )*
        }
    };
}
