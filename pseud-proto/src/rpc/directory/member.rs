//! What is known of one session.

use crate::auth::user::User;
use crate::call::peer::PeerInfo;
use crate::rpc::directory::unnamed::UnnamedKey;
use crate::rpc::share::Held;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A session that is there.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) info: Arc<PeerInfo>,
    pub(crate) held: Arc<Held>,
    /// Whether it can be found.
    pub(crate) is_welcome: bool,
    /// As long as it has to say who it is: its place among those.
    pub(crate) unnamed: Option<UnnamedKey>,
    /// Whether it said who it is after it was let in: nobody does so twice.
    pub(crate) has_logged_in: bool,
    /// While its HELLO is asked about: few are.
    pub(crate) asked: Option<Box<MeanwhileChanged>>,
}

/// What has become of users while somebody is asked who a session is: the answer may be older.
#[derive(Debug, Default)]
pub(crate) struct MeanwhileChanged {
    pub(crate) shown_out: BTreeSet<Bytes>,
    /// By their ids.
    pub(crate) updated: BTreeMap<Bytes, User>,
}
