//! Who is let in no more, and who may do other things from now on.

use super::Node;
use pseud_proto::User;
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::PublicKey;

/// Rights that change while their users are there.
impl Node {
    /// Lets that user in no more, whatever the authenticator says, and
    /// [ends its sessions](Self::disconnect_user); returns how many there were. Who is in a handshake or a
    /// login as that user does not come in either. Nothing happens to who is no user.
    ///
    /// It is this node's memory alone, until [`reinstate_user`](Self::reinstate_user): what stores users is
    /// to forget it, too.
    pub fn revoke_user(&self, user_id: impl AsRef<[u8]>) -> usize {
        let user = user_id.as_ref();
        if user.is_empty() {
            return 0;
        }
        self.host().admissions.revoked.add_user(user);
        self.disconnect_user(user)
    }

    /// Lets that user in again, where the authenticator does; says whether it was revoked.
    pub fn reinstate_user(&self, user_id: impl AsRef<[u8]>) -> bool {
        self.host().admissions.revoked.remove_user(user_id.as_ref())
    }

    /// The same for whoever proves that key, by whatever user it is known: keys that were lost. Its sessions
    /// end; other sessions of the same user live on.
    #[cfg(feature = "_curve")]
    pub fn revoke_key(&self, key: &PublicKey) -> usize {
        self.host().admissions.revoked.add_key(*key);
        self.hub().disconnect_who(|info| info.client_key.as_deref() == Some(key))
    }

    /// Lets whoever proves that key in again, where the authenticator does; says whether it was revoked.
    #[cfg(feature = "_curve")]
    pub fn reinstate_key(&self, key: &PublicKey) -> bool {
        self.host().admissions.revoked.remove_key(key)
    }

    /// From now on the sessions of that user have the permissions, and what is kept beside, that are said
    /// here: in their next requests, and in [`peers`](Self::peers). Requests that are open keep what they
    /// began with. So has who is in a handshake or a login as that user, whatever the authenticator has said of it.
    /// Returns how many sessions there are. The authenticator is not asked: what it says counts for the next
    /// link.
    pub fn update_user(&self, user: &User) -> usize {
        self.hub().update_user(user)
    }
}
