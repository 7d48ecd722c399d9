//! Lines on strangers, and on what they make happen.

use super::withheld::Withheld;
use pseud_proto::PeerError;
use pseud_proto::value::BadValue;

/// A handshake that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) address: String,
    pub(crate) error: PeerError,
    /// Who was not admitted, as it says itself or proves.
    pub(crate) who: Option<Box<str>>,
    /// The mechanism that its greeting names, if that came.
    pub(crate) offered: Option<String>,
    /// Ours.
    pub(crate) expected: &'static str,
    /// Whether we opened the link.
    pub(crate) is_dialed: bool,
}

/// Why nobody could say whether a stranger may come in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unavailable {
    /// There is no authenticator.
    Nobody,
    /// Too many wait for its answer.
    Crowded,
    /// Too many of that source do.
    QuestionsOfSource,
    /// It panicked.
    Panicked,
    /// Passwords for that name were wrong too often of late.
    UserWaits,
    /// There are too many handshakes.
    HandshakesCrowded,
    /// There are too many of that source.
    SourceCrowded,
    /// That source has failed too often of late.
    SourceWaits,
}

impl Unavailable {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::SourceWaits as usize + 1;
}

/// A result that cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadReply {
    pub(crate) bad: BadValue,
    /// The limit of ours that it is over, and what that bounds: then its peer did nothing wrong.
    pub(crate) over: Option<(usize, &'static str)>,
}

/// What is to be logged.
#[derive(Debug)]
pub(crate) enum LogLine {
    /// Somebody that speaks something else, or stopped before it said who it is.
    PendingLink(Failed),
    /// Somebody that was not let in.
    Denied(Failed),
    Unavailable(Unavailable, String),
    Session,
    BadReply(BadReply),
    Withheld(Withheld),
}

/// Whoever listens to logs is a user's: never under a lock. `count`: so many of the kind since the last
/// line, of which this is the last one.
pub(crate) fn log(line: &LogLine, count: Option<u64>) {
    match line {
        LogLine::PendingLink(Failed { address, error, .. }) => {
            tracing::info!(address, %error, count, "handshake failed");
        }
        LogLine::Denied(failed) => failed.warn(count),
        LogLine::Unavailable(why, address) => why.tell(address, count),
        LogLine::BadReply(reply) => reply.warn(count),
        LogLine::Withheld(withheld) => withheld.warn(count),
        LogLine::Session => tracing::info!(count, "more sessions began or ended"),
    }
}

impl Failed {
    /// Of one that was not let in.
    fn warn(&self, count: Option<u64>) {
        let Self { address, error, expected, .. } = self;
        let (who, offered) = (self.who.as_deref(), self.offered.as_deref());
        match self.is_dialed {
            false => tracing::warn!(
                who, address, offered, expected, %error, count,
                "authentication failed: a peer was not let in"
            ),
            true => tracing::warn!(
                address, offered, expected, %error, count,
                "authentication failed: we were not let in"
            ),
        }
    }
}

impl Unavailable {
    fn tell(self, address: &str, count: Option<u64>) {
        let text = match self {
            Self::Nobody => "nobody is there to authenticate peers: none is admitted",
            Self::Crowded => "too many peers wait to be authenticated",
            Self::QuestionsOfSource => "too many peers of one source wait to be authenticated",
            Self::Panicked => "an authenticator panicked",
            Self::UserWaits => {
                "too many wrong passwords for one name: sources that have failed must wait"
            }
            Self::HandshakesCrowded => "too many handshakes at once: newcomers are dropped",
            Self::SourceCrowded => {
                "too many handshakes of one source at once: newcomers of it are dropped"
            }
            Self::SourceWaits => {
                "too many failed handshakes of one source: it must wait, and is dropped meanwhile"
            }
        };
        match self {
            // Our own side is at fault.
            Self::Nobody | Self::Panicked => tracing::error!(address, count, "{text}"),
            _ => tracing::warn!(address, count, "{text}"),
        }
    }
}

impl BadReply {
    fn warn(&self, count: Option<u64>) {
        let Self { bad, over } = self;
        match over {
            None => tracing::warn!(%bad, count, "a reply is not well-formed"),
            Some((limit, what)) => {
                tracing::warn!(%bad, limit, what, count, "a reply is over a limit of ours");
            }
        }
    }
}
