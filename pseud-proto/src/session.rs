//! What an [`Endpoint`](crate::pseud::Endpoint) is made of, for drivers with many threads: a [`Session`]
//! for each peer, under its link's lock; one [`Directory`] of names, under its own; and a [`Budget`] of
//! atomics that all of them share. A session and the directory are never locked together.
//!
//! A call: [`Directory::find`] says which session is meant (or where the call [waits](Directory::park));
//! a driver that knows the session already doesn't ask. [`Session::call`] queues it, and
//! [`Session::poll_transmit`] hands it to the link. Its answer comes back by [`Session::visit`], which
//! looks at a message where it lies. A request is answered where it came
//! ([`Session::answer`]) or later ([`Session::keep`], [`Session::reply`]).
//!
//! An ended session is told to the directory by whoever finds it so: [`Directory::leave`] may be told
//! twice.

pub use crate::call::IncomingWork;
pub use crate::dialect::pseud::origin::OpenedWork;
pub use crate::message::parts::Lent;
pub use crate::rpc::budget::{Budget, Portion, Taken};
pub use crate::rpc::counts::EventCounts;
pub use crate::rpc::directory::find::{AbsentPeer, Target};
pub use crate::rpc::directory::members::{Joined, Left, LoggedIn};
pub use crate::rpc::directory::parked::Awaited;
pub use crate::rpc::directory::shares::ShareOwner;
pub use crate::rpc::directory::waiting::Waits;
pub use crate::rpc::directory::{Directory, Parking};
pub use crate::rpc::session::calling::NotCalled;
pub use crate::rpc::session::calls::CallKey;
pub use crate::rpc::session::entry::{NewCall, Outbound};
pub use crate::rpc::session::ids::Dialect;
pub use crate::rpc::session::last_work::LastWork;
pub use crate::rpc::session::owned::Came;
pub use crate::rpc::session::replying::Reply;
pub use crate::rpc::session::sink::Sink;
pub use crate::rpc::session::visit::{Arrived, Located, Visit};
pub use crate::rpc::session::{Admitted, Session};
pub use crate::rpc::share::{Held, Share};
pub use crate::rpc::stats::Counted;
