//! What a peer failed to prove.

/// How a secured link fails. What the peer sent is dropped unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Insecure {
    /// A greeting of ZMTP 1 or 2, or none at all, where a mechanism must be spoken.
    #[error("downgrade: not a ZMTP 3 greeting")]
    Downgrade,
    /// A CURVE HELLO with a wrong size, version, padding or content.
    #[error("bad CURVE HELLO")]
    Hello,
    /// A CURVE server ended the link behind our HELLO: its key is most likely not the one we know.
    #[error("the server went after HELLO: is its key the one we know?")]
    HelloRefused,
    /// A box does not open: a wrong key or a forgery.
    #[error("a box that does not open")]
    Box,
    /// A public key of low order, all zeros among them.
    #[error("weak public key")]
    WeakKey,
    /// An INITIATE that does not return the cookie of this link's WELCOME.
    #[error("bad cookie")]
    Cookie,
    /// A vouch that does not prove who the client is.
    #[error("bad vouch")]
    Vouch,
    /// A nonce that is not above the last one: a frame came twice, or behind one that it was sent
    /// before.
    #[error("a nonce came again")]
    Replay,
    /// A nonce that leaves some out: a frame was deleted on its way, or is still to come. Nonces
    /// count by one in each direction, from CURVE's INITIATE and READY on.
    #[error("a nonce was left out")]
    Gap,
    /// No nonce is left for this link: a new one begins anew.
    #[error("nonces used up")]
    Exhausted,
    /// kaa.rpc: a response that whoever knows our secret would not give.
    #[error("the peer does not know the secret")]
    WrongSecret,
    /// kaa.rpc: the server ended the link behind our response: its secret is most likely another.
    #[error("the server went after our response: does it have the same secret?")]
    SecretRefused,
    /// kaa.rpc: a challenge that our own side made: whoever shows it wants us to answer what it was
    /// asked itself.
    #[error("a challenge of our own came back")]
    Reflection,
}
