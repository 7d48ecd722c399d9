//! Functions under their own names.

/// Serves functions with typed arguments under their own names, as Python does by default: the last
/// part of the path is the name. `register!(on, function, module::function, …)`, where `on` is a node
/// or a [`Registry`](crate::Registry), does for each what `register_typed` does, and stops at the first
/// name that is refused.
///
/// It takes paths: of functions in scope, in modules or of types. A method with `self`, a closure or a
/// generic function has no name of that kind: give it one,
/// `on.register_typed("add", move |(a, b): (i64, i64), request| …)`, or see [`Object`](crate::Object).
///
/// ```
/// use pseud_async::{Registry, Request, register};
/// use pseud_proto::Fault;
///
/// async fn lower((text,): (String,), _: Request) -> Result<String, Fault> {
///     Ok(text.to_lowercase())
/// }
///
/// mod string {
///     # use pseud_async::Request;
///     # use pseud_proto::Fault;
///     pub async fn upper((text,): (String,), _: Request) -> Result<String, Fault> {
///         Ok(text.to_uppercase())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// register!(registry, lower, string::upper)?;
/// assert!(registry.unregister("lower") && registry.unregister("upper"));
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! register {
    ($on:expr, $($($part:ident)::+),+ $(,)?) => {{
        let on = &$on;
        let registered: ::core::result::Result<(), $crate::NameRefused> = ::core::result::Result::Ok(());
        $(let registered = registered.and_then(|()| {
            on.register_typed($crate::name_of(::core::stringify!($($part)::+)), $($part)::+)
        });)+
        registered
    }};
}

/// The name by which a function is served, of its path as the compiler spells it.
#[doc(hidden)]
pub fn name_of(path: &'static str) -> &'static str {
    let last = path.rsplit(':').next().unwrap_or(path).trim();
    last.strip_prefix("r#").unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn the_last_part_of_a_path_is_the_name() {
        for path in ["lower", "string::lower", "crate::string :: lower", "a::r#lower"] {
            assert_eq!(name_of(path), "lower");
        }
    }
}
