//! Bodies: bytes that were not looked at yet, bytes that were checked, and values.
//!
//! pseud's bodies are msgpack as Python's pseud 1.0 writes it: str and bin apart, UTF-8, smallest
//! integers, 64-bit floats, exts 0 to 127.
//!
//! | from | to | by |
//! |---|---|---|
//! | [`Unchecked`] | [`Packed`], [`Arguments`] | [`Unchecked::check`], [`Unchecked::check_call`] |
//! | types with serde | [`Packed`] | [`Packed::call`], [`Packed::result`] |
//! | [`Packed`], [`Arguments`] | types with serde | [`Packed::decode`], [`Arguments::args`], [`Arguments::kwargs`] |
//! | [`Packed`], [`Arguments`] | [`Value`] | [`Packed::value`], [`Arguments::args_values`], [`Arguments::kwargs_values`] |
//!
//! Types that have a form for people and one for machines (`IpAddr`, `SocketAddr`, UUIDs) are in that for
//! people wherever they stand, inside `untagged`, `tag` and `flatten` too: a Python peer writes and expects
//! text. A bin (Python's `bytes`) is written by `bytes::Bytes` and the types of the crate `serde_bytes`;
//! `Vec<u8>` and `&[u8]` write an array of numbers, as serde has it, and a `Vec<u8>` reads either.
//!
//! ```
//! use pseud_proto::value::{Packed, Unchecked, Value, ValueLimits};
//!
//! let sent = Packed::call(&(1, "a"), &())?;
//! assert_eq!(sent.as_bytes(), b"\x92\x01\xa1a\x80");
//!
//! let bin = Packed::result(&bytes::Bytes::from_static(b"ab"))?;
//! assert_eq!(bin.as_bytes(), b"\xc4\x02ab");
//! assert_eq!(bin.decode::<Vec<u8>>()?, b"ab");
//! assert_eq!(Packed::result(b"ab")?.decode::<Vec<u8>>()?, b"ab");
//!
//! let received = Unchecked::new(sent.into_bytes()).check_call(&ValueLimits::default())?;
//! assert_eq!(received.args::<(u32, &str)>()?, (1, "a"));
//! assert_eq!(received.args_values(), [Value::from(1), Value::from("a")]);
//!
//! let error = received.args::<(u32, u32)>().unwrap_err();
//! assert_eq!(error.to_string(), "argument 2: expected u32, found str");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod check;
mod datetime;
mod de;
mod ext;
#[cfg(feature = "rpcudp")]
pub(crate) mod moment;
mod pickle;
mod ser;
mod shared;

pub(crate) use crate::base::stored::Stored;
pub use crate::value::body::{Arguments, Packed, Unchecked};
pub use crate::value::check::BadValue;
pub(crate) use crate::value::check::exts::Risk;
pub use crate::value::check::limits::ValueLimits;
#[cfg(feature = "rpcudp")]
pub(crate) use crate::value::datetime::timestamp;
pub use crate::value::datetime::{Date, DateTime, OutOfRange, TimeDelta, TimeZone};
pub use crate::value::de::{BadArguments, Mismatch};
pub use crate::value::dynamic::decode::{BadExt, DecodeExt, ExtPayload, ExtTable};
pub use crate::value::dynamic::value::Value;
pub use crate::value::ext::Ext;
pub use crate::value::msgpack::integer::Integer;
pub use crate::value::ser::EncodeError;
pub use crate::value::shared::SharedBytes;

/// The newtype struct by which rmp-serde, and we, tell an ext from a pair: `(i8, bytes)` inside.
const EXT_STRUCT: &str = "_ExtStruct";

pub(crate) mod dynamic;

pub(crate) mod msgpack;
