//! Who may come in to `pseud serve --users FILE`, and the file that says so.
//!
//! ```toml
//! [users.charly]
//! password = "$argon2id$v=19$m=19456,t=2,p=1$…"
//! keys = ["Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"]
//! permissions = ["staff"]
//! ```

mod directory;
mod document;
mod entry;
mod file;
mod password;

pub(crate) use directory::{Directory, Proof, Reloaded};
pub(crate) use document::Document;
pub(crate) use entry::{Entry, Users, check_login};
pub(crate) use file::{Exclusive, bad, read};
pub(crate) use password::PasswordHash;
