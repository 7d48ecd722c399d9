//! Values whose types are known at run time alone.

mod dates;
pub(crate) mod decode;
pub(crate) mod keys;
pub(crate) mod value;
pub(crate) mod value_serde;
