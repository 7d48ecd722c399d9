//! How it is found out who is gone: a flag, and the settings that it makes.

use clap::{Args, ValueEnum};
use pseud::{HeartbeatBackends, Options, Role, SetupError};

/// Heartbeat plug-ins of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Heartbeat {
    /// PINGs of the wire: gone after 15 s of silence.
    Ping,
    /// HEARTBEATs besides, ten a second, as Python pseud's ticking plug-ins want them; `serve --bind` ends
    /// who sends no message for a second.
    Ticking,
    /// None: only TCP's keep-alive finds out who is gone.
    Noop,
}

/// How it is found out who is gone.
#[derive(Debug, Args)]
pub(crate) struct HeartbeatArguments {
    /// How it is found out who is gone, and what others are shown of us.
    #[arg(long, value_enum, default_value = "ping")]
    heartbeat: Heartbeat,
}

impl HeartbeatArguments {
    /// The settings with it.
    pub(crate) fn put_to(&self, role: Role, options: Options) -> Result<Options, SetupError> {
        let name = match self.heartbeat {
            Heartbeat::Ping => "ping",
            Heartbeat::Ticking => "ticking",
            Heartbeat::Noop => "noop",
        };
        HeartbeatBackends::default().configure(role, name, options)
    }
}
