//! Values whose types are known at run time alone.

pub(crate) mod decode;
pub(crate) mod keys;
#[expect(clippy::module_inception, reason = "it holds the type `Value`")]
pub(crate) mod value;
pub(crate) mod value_serde;
