//! Why something is silent: the wire has no errors, so that they are told here.

use std::fmt;

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$each])* #[error($text)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

reasons! {
    /// Why a datagram that came is dropped.
    Dropped {
        /// Fewer than 22 bytes.
        TooShort = "a datagram of fewer than 22 bytes",
        /// A request of more than 8 213 bytes.
        TooLong = "a request of more than 8 213 bytes",
        /// Its first byte is neither 0 nor 1.
        UnknownKind = "neither a request nor a response",
        /// Its body is no value that u-msgpack reads, or over a limit.
        Malformed = "a body that is not well-formed",
        /// A request that is not `[name, arguments]`.
        NoCall = "a request that is not a name and its arguments",
        /// Its sender's address can be nobody's: port 0, no address, a group's, everybody's, or that of a
        /// service which answers whatever comes (echo and its like).
        BadSource = "an address that nobody sends from",
        /// It is our own: our address, or a request with the id of a call of ours that somebody reflects.
        OurOwn = "our own datagram",
        /// A request that came before and is still being served, or whose answer is no longer kept.
        Duplicate = "a request that came before",
        /// Too many requests wait for their answers.
        Overloaded = "too many requests are open",
        /// A response that no call waits for: unknown, late, or a second one.
        UnknownResponse = "a response that no call waits for",
        /// A response to a call of ours, from an address that was not called.
        WrongSource = "a response from an address that was not called",
        /// A request, while this endpoint finishes what is open.
        Draining = "this endpoint takes no new requests",
        /// This endpoint was closed.
        Closed = "this endpoint is closed",
    }
}

reasons! {
    /// Why a request is not answered: its caller hears nothing, and its `wait_timeout` ends the call.
    Silence {
        /// Nothing is served of that name, or not to this caller.
        NoSuchService = "nothing is served of that name",
        /// The handler failed, or its arguments were others: this wire tells no errors.
        Fault = "its handler failed",
        /// The result is a value that u-msgpack cannot have.
        Unpackable = "its result cannot be packed",
        /// The answer is larger than a datagram.
        TooLarge = "its answer is larger than a datagram",
        /// The answer is too large for an address that has not proved to be its sender's own.
        Amplification = "its answer is too large for an address that has proved nothing",
        /// Too many answers went to unproven addresses of that host.
        TooMany = "too many answers to a host that has proved nothing",
        /// Too much waits to be sent.
        QueueFull = "the queue is full",
        /// Whoever served it gave it up.
        Abandoned = "it was given up",
        /// It waited for longer than [`Config::request_timeout`](super::Config::request_timeout).
        Overdue = "its handler waited for too long",
        /// This endpoint was closed.
        Closed = "this endpoint is closed",
    }
}

/// How often each has happened.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Counts {
    dropped: [u64; Dropped::ALL.len()],
    silent: [u64; Silence::ALL.len()],
}

impl Counts {
    /// Datagrams that were dropped for that.
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.dropped.get(why as usize).copied().unwrap_or_default()
    }

    /// Requests that were not answered for that.
    pub fn silent(&self, why: Silence) -> u64 {
        self.silent.get(why as usize).copied().unwrap_or_default()
    }

    pub(super) fn drop(&mut self, why: Dropped) -> Dropped {
        self.dropped.get_mut(why as usize).into_iter().for_each(|count| *count += 1);
        why
    }

    pub(super) fn silence(&mut self, why: Silence) -> Silence {
        self.silent.get_mut(why as usize).into_iter().for_each(|count| *count += 1);
        why
    }
}

/// Those that have happened.
impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dropped =
            Dropped::ALL.iter().map(|&why| (why as usize, format!("{why:?}"), self.dropped(why)));
        let silent =
            Silence::ALL.iter().map(|&why| (why as usize, format!("{why:?}"), self.silent(why)));
        let happened = dropped.chain(silent).filter(|(.., count)| *count > 0);
        f.debug_map().entries(happened.map(|(_, why, count)| (why, count))).finish()
    }
}
