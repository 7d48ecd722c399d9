//! What is sealed in a frame besides its payload.

/// What a sealed frame says inside. Its outer flags say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InnerFlags {
    pub(crate) is_command: bool,
    pub(crate) has_more: bool,
}
