//! kaa.rpc: calls both ways over one authenticated stream, as kaa-base 0.99.2dev speaks it.
//!
//! [`Channel`] is one link, driven as [`pseud::Channel`](crate::pseud::Channel) is; [`Connection`] is one
//! for an [`Endpoint`](crate::pseud::Endpoint) of many. Bodies are the same
//! [`Packed`](crate::value::Packed) and [`Unchecked`](crate::value::Unchecked) as there: pickles are turned into them
//! where they come in, and back where they go out.
//!
//! # What it protects, and what not
//! Both sides show that they know a secret, by HMAC-SHA1 of a challenge. After that all is in clear and
//! nothing is signed: whoever is on the path reads and changes what he likes, and whoever passes our
//! challenge on to another holder of the secret is taken for that one. The wire knows no way to see that.
//! So: loopback, Unix sockets, or inside TLS.
//!
//! Pickles are data here: no class is looked up and nothing is called. A *peer of ours* that is the
//! reference runs whatever pickle it is sent; it is sent none that calls more than `_codecs.encode`, the
//! types of plain data, `datetime`'s classes and the exceptions that both Pythons have.
//!
//! # The reference's names
//! | there | here |
//! |---|---|
//! | `Server(address, auth_secret)`, `Client(address, auth_secret, buffer_size, retry)` | `kaa::Server`, `kaa::Client` of an adapter, with options for each; in the core a [`Channel`] of either [`Side`](crate::zmtp::Side) and a [`Config`] |
//! | `Channel.rpc('do_something', 6, foo=4)` | `call`; in the core [`Channel::call`] |
//! | `x = yield client.rpc('name')` | `client.call("name", ()).await`, or `.wait()` on plain threads |
//! | `InProgress` | a future; in the core [`Action::Finish`](crate::Action) |
//! | `@expose('do_something')` | a handler that is registered under that name |
//! | `@expose()` | the same, under the function's own name |
//! | `expose(add_client=True)` | each handler has the request's `caller()`, which can be called back |
//! | `expose(coroutine=True)` | each handler may be async: its answer goes out when it is there, in any order |
//! | `Server.register(obj)`, `server.connect(obj)` | a registry: names with handlers, of a function (`register`, or `register!` under its own name), of an object's methods (`object`), or of a module: a [registry](crate::registry) that it fills, and a node is given. Served to connections that are made later, as there, and to those that are there |
//! | `Channel.register(obj)` | the same on a client, at once |
//! | `disconnect(obj)` | `unregister` of its names |
//! | `Channel.connected` | `is_connected`; in the core [`Channel::peer`] |
//! | signals `client-connected` (`client_connected`), `open`, `closed` (`disconnected`) | events `Connected` and `Disconnected`, with a handle to call who connected; in the core [`Action::Joined`](crate::Action) and [`Action::Left`](crate::Action) |
//! | `Server.close()` | `unbind`: connections live on; `close` ends those, too |
//! | `Channel.close()` | `close`, which flushes first; in the core: drain, write what is left, close |
//! | `buffer_size` | the same option |
//! | `retry` | the same option |
//! | a wrong secret "will fail without notifying the user" | both sides are told (`HandshakeFailed`), and calls that wait end at once; the client goes on trying, as `retry` says |
//! | `NotConnectedError` before the handshake is over | the call waits for it, as up to kaa-base 0.6 |
//! | an error that the peer is not told | an answer: a `TypeError`, `Overloaded`, `TooLarge` |
//!
//! # Bodies
//! | Python | here |
//! |---|---|
//! | `None`, `bool`, `int`, `float`, `str`, `bytes`, `list`, `dict` | nil, bool, int, float, str, bin, array, map |
//! | `tuple` | an array; comes back as a list |
//! | Python 2's `str` | str where it is ASCII, as Python 3 reads it, else bin |
//! | Python 2's `unicode`, `long` | str, int |
//! | `bytearray` | bin |
//! | `int` over 64 bits, `set`, `frozenset`, `complex` | [`BigInt`], [`Set`], [`FrozenSet`], [`Complex`]: exts of this library's own ([`exts`]) |
//! | `datetime`'s `date`, `datetime`, `timedelta`, `timezone` | dates; a time zone goes to no Python 2, and needs its offset |
//! | anything else | [`PickledObject`], which is read and never sent |
//!
//! An exception is a [`Fault`](crate::Fault) of its class's name without the module and its one argument
//! as text. `KeyError` with the command's name is what the reference raises for a command that it does
//! not have; so does this side.

mod calls;
mod channel;
mod config;
mod connection;
mod requests;

pub use crate::dialect::kaa::exts;
pub use crate::dialect::kaa::types::{BigInt, Complex, FrozenSet, PickledObject, Set};
pub use channel::Channel;
pub use config::Config;
pub use connection::Connection;

use crate::wire::kaa::connection::{KaaEntropy, Settings};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;

/// The identity by which an [`Endpoint`](crate::pseud::Endpoint) knows the server that a
/// [`Connection`] was opened to. The wire has no such ids.
pub const SERVER: &[u8] = b"kaa.rpc";

/// Packets that are looked at before others have their turn, as with ZMTP.
const PACKETS_AT_ONCE: usize = 32;

/// Bytes of bodies over which no further packets are looked at before others have their turn: a packet
/// is small beside what it may unfold to.
const UNFOLDED_AT_ONCE: usize = 1 << 20;

/// A link's challenge and salt.
fn entropy_of(random: &mut ChaCha20Rng) -> KaaEntropy {
    let mut entropy = KaaEntropy { nonce: [0; 10], salt: [0; 20] };
    random.fill_bytes(&mut entropy.nonce);
    random.fill_bytes(&mut entropy.salt);
    entropy
}

fn settings_of(config: &Config) -> Settings {
    Settings {
        handshake_timeout: config.handshake_timeout,
        packet_timeout: config.packet_timeout,
        progress: config.progress,
        payload_bytes_max: config.limits.body_bytes_max,
    }
}
