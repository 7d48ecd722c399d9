//! What other threads ask of the thread that owns the sockets, and how it is woken.

use pseud_async::adapter::{Listening, MessageSocket};
use pseud_async::{Address, EndpointError};
use pseud_proto::zmtp::Verdict;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// How long whoever ends a node waits for its sockets to be closed: the thread that closes them only has
/// to come round.
const CLOSING: Duration = Duration::from_secs(5);

/// What is asked, with where the answer goes.
pub(super) enum SocketCommand {
    Bind(Address, SyncSender<Result<Address, EndpointError>>),
    Connect(Address, SyncSender<Result<(), EndpointError>>),
    Unbind(Address, SyncSender<Result<(), EndpointError>>),
    Disconnect(Address, SyncSender<Result<(), EndpointError>>),
    Stop(SyncSender<()>),
}

/// An answer to a question of ZAP: which one, and what was said.
pub(super) type ZapReply = (u64, Verdict);

#[derive(Default)]
pub(super) struct Inbox {
    pub(super) commands: Vec<SocketCommand>,
    /// Peers that are to be looked at.
    pub(super) looks: Vec<usize>,
    pub(super) answered: Vec<ZapReply>,
}

impl Inbox {
    fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.looks.is_empty() && self.answered.is_empty()
    }
}

/// Shared with the thread that owns the sockets.
pub(super) struct Desk {
    inbox: Mutex<Inbox>,
    /// The sending end of a pair of sockets, as long as the thread runs: a context ends only when all of its
    /// sockets are closed. Sockets of libzmq are of one thread at a time.
    bell: Mutex<Option<zmq::Socket>>,
    /// The thread looks at its inbox before it sleeps.
    awake: AtomicBool,
    over: AtomicBool,
    thread: OnceLock<ThreadId>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("over", &self.over).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(super) fn new(bell: zmq::Socket) -> Self {
        Self {
            inbox: Mutex::default(),
            bell: Mutex::new(Some(bell)),
            awake: AtomicBool::new(true),
            over: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// This is the thread that owns the sockets.
    pub(super) fn run_here(&self) {
        let _ = self.thread.set(thread::current().id());
    }

    pub(super) fn take(&self) -> Inbox {
        std::mem::take(&mut lock(&self.inbox))
    }

    /// From here on whoever puts something in rings. `false`: there is something already.
    pub(super) fn may_sleep(&self) -> bool {
        self.awake.store(false, Ordering::SeqCst);
        let empty = lock(&self.inbox).is_empty();
        if !empty {
            self.woken();
        }
        empty
    }

    pub(super) fn woken(&self) {
        self.awake.store(true, Ordering::SeqCst);
    }

    fn put(&self, put: impl FnOnce(&mut Inbox)) {
        put(&mut lock(&self.inbox));
        if !self.awake.swap(true, Ordering::SeqCst)
            && let Some(bell) = &*lock(&self.bell)
        {
            // A full pipe wakes as well; a context that is no more has nobody to wake.
            let _ = bell.send("", zmq::DONTWAIT);
        }
    }

    pub(super) fn answered(&self, answered: ZapReply) {
        self.put(|inbox| inbox.answered.push(answered));
    }

    /// Puts a command, and waits for what comes of it.
    pub(super) fn ask<T>(
        &self,
        command: impl FnOnce(SyncSender<Result<T, EndpointError>>) -> SocketCommand,
    ) -> Result<T, EndpointError> {
        let (answer, answered) = sync_channel(1);
        self.submit(command(answer));
        let over = || EndpointError::Runtime(io::Error::other("this side shut down"));
        answered.recv().unwrap_or_else(|_| Err(over()))
    }

    fn submit(&self, command: SocketCommand) {
        self.put(|inbox| inbox.commands.push(command));
        // In this order: what comes when the thread has ended is thrown away by either.
        if self.over.load(Ordering::SeqCst) {
            drop(self.take());
        }
    }

    /// The thread has ended: nobody answers any more.
    pub(super) fn over(&self) {
        self.over.store(true, Ordering::SeqCst);
        drop(lock(&self.bell).take());
        drop(self.take());
    }

    fn stop(&self) -> Receiver<()> {
        let (answer, answered) = sync_channel(1);
        self.submit(SocketCommand::Stop(answer));
        answered
    }
}

impl MessageSocket for Desk {
    fn look_at(&self, key: usize) {
        self.put(|inbox| inbox.looks.push(key));
    }
}

/// The node's sockets, to be closed with it. It rings the bell, and so must not be held by what the
/// thread holds.
pub(super) struct OpenSockets(pub(super) Arc<Desk>);

impl Listening for OpenSockets {
    fn close(&self) {
        let stopped = self.0.stop();
        // Its own thread closes them when it comes round.
        if self.0.thread.get() != Some(&thread::current().id()) {
            let _ = stopped.recv_timeout(CLOSING);
        }
    }
}
