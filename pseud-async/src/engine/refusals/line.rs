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
        LogLine::Denied(Failed { address, error, who, offered, expected, is_dialed }) => {
            let (who, offered) = (who.as_deref(), offered.as_deref());
            match is_dialed {
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
        LogLine::Unavailable(Unavailable::Nobody, address) => {
            tracing::error!(
                address,
                count,
                "nobody is there to authenticate peers: none is admitted"
            );
        }
        LogLine::Unavailable(Unavailable::Crowded, address) => {
            tracing::warn!(address, count, "too many peers wait to be authenticated");
        }
        LogLine::Unavailable(Unavailable::QuestionsOfSource, address) => {
            tracing::warn!(address, count, "too many peers of one source wait to be authenticated");
        }
        LogLine::Unavailable(Unavailable::Panicked, address) => {
            tracing::error!(address, count, "an authenticator panicked");
        }
        LogLine::Unavailable(Unavailable::UserWaits, address) => {
            tracing::warn!(
                address,
                count,
                "too many wrong passwords for one name: sources that have failed must wait"
            );
        }
        LogLine::Unavailable(Unavailable::HandshakesCrowded, address) => {
            tracing::warn!(address, count, "too many handshakes at once: newcomers are dropped");
        }
        LogLine::Unavailable(Unavailable::SourceCrowded, address) => {
            tracing::warn!(
                address,
                count,
                "too many handshakes of one source at once: newcomers of it are dropped"
            );
        }
        LogLine::Unavailable(Unavailable::SourceWaits, address) => {
            tracing::warn!(
                address,
                count,
                "too many failed handshakes of one source: it must wait, and is dropped meanwhile"
            );
        }
        LogLine::BadReply(BadReply { bad, over: None }) => {
            tracing::warn!(%bad, count, "a reply is not well-formed");
        }
        LogLine::BadReply(BadReply { bad, over: Some((limit, what)) }) => {
            tracing::warn!(%bad, limit, what, count, "a reply is over a limit of ours");
        }
        LogLine::Withheld(withheld) => withheld.warn(count),
        LogLine::Session => tracing::info!(count, "more sessions began or ended"),
    }
}
