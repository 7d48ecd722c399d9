//! Who is there: listed page by page, told as it changes, kept where other servers can see it.

pub(crate) mod beats;
pub(crate) mod feed;
pub(crate) mod flaps;
pub(crate) mod pages;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod stream;
