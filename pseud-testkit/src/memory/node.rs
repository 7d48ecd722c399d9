//! An endpoint and its links, driven as their documentation says.

use super::clock::Clock;
use super::end::End;
use super::log::{Ended, Log, Work, arguments, result};
use super::talker::gather;
use pseud_proto::pseud::{Endpoint, Link};
use pseud_proto::zmtp::{ConnectionConfig, MechanismConfig, Question, Secret, Side, Verdict};
use pseud_proto::{Action, CallId, CallOptions, CallRefused, PeerId, To};
use pseud_proto::{Config, Fault, LateGuard, User};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// One endpoint, its links, and what came out of it.
#[derive(Debug)]
pub struct Node {
    pub endpoint: Endpoint,
    pub log: Log,
    /// Under PLAIN: who is authenticated as which user, by the name that it shows. All others come in as
    /// nobody.
    pub users: BTreeMap<Vec<u8>, User>,
    /// The guard of links that are opened from now on, where it is not the endpoint's.
    pub late_guard: Option<LateGuard>,
    clock: Clock,
    config: Arc<ConnectionConfig>,
    seed: u8,
    links: Vec<Link>,
}

/// One link of a node, as the end of a wire.
#[derive(Debug, Clone)]
pub struct Port {
    pub node: Rc<RefCell<Node>>,
    link: usize,
}

/// The mechanism of a client that shows that name, to a server whose [`Node::users`] knows whose it is.
pub fn shows(name: &[u8]) -> MechanismConfig {
    let username = name.to_vec().into();
    MechanismConfig::PlainClient { username, password: Secret::new("any") }
}

impl Node {
    pub fn new(
        config: Config,
        connection: ConnectionConfig,
        seed: u8,
        clock: &Clock,
    ) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            endpoint: Endpoint::new(Arc::new(config), [seed; 32]),
            log: Log::default(),
            users: BTreeMap::new(),
            late_guard: None,
            clock: clock.clone(),
            config: Arc::new(connection),
            seed,
            links: Vec::new(),
        }))
    }

    /// A new link of that node.
    pub fn open(node: &Rc<RefCell<Self>>, side: Side) -> Port {
        let mut this = node.borrow_mut();
        let (index, mut seed) = (this.links.len(), [this.seed; 32]);
        seed[..8].copy_from_slice(&index.to_be_bytes());
        let (config, now) = (this.config.clone(), this.clock.now());
        let link = Link::new(&this.endpoint, config, side, seed, now);
        let link = match this.late_guard {
            Some(guard) => link.with_late_guard(guard),
            None => link,
        };
        this.links.push(link);
        Port { node: node.clone(), link: index }
    }

    pub fn call(
        &mut self,
        to: To,
        name: &str,
        args: impl Serialize,
        options: CallOptions,
    ) -> Result<CallId, CallRefused> {
        self.with(|endpoint, now| endpoint.call(to, name, arguments(args), options, now))
    }

    pub fn cancel(&mut self, call: CallId) {
        self.with(|endpoint, now| endpoint.cancel(call, now));
    }

    /// The oldest request that waits to be answered.
    pub fn work(&mut self) -> Work {
        self.next_work().expect("a request that waits")
    }

    pub fn next_work(&mut self) -> Option<Work> {
        let request = self.log.requests.pop_front()?;
        Some(Work::new(request).expect("a sound request"))
    }

    pub fn answer(&mut self, work: Work, value: impl Serialize) {
        self.with(|endpoint, now| endpoint.reply(work.ticket, Ok(result(value)), now));
    }

    pub fn fail(&mut self, work: Work, fault: Fault) {
        self.with(|endpoint, now| endpoint.reply(work.ticket, Err(fault), now));
    }

    pub fn abandon(&mut self, work: Work) {
        self.with(|endpoint, now| endpoint.abandon(work.ticket, now));
    }

    pub fn shutdown(&mut self) {
        self.with(Endpoint::shutdown);
    }

    /// Ends that user's sessions; says how many there were.
    pub fn disconnect_user(&mut self, user: &str) -> usize {
        self.with(|endpoint, now| endpoint.disconnect_user(user.as_bytes(), now))
    }

    pub fn ended(&self, call: CallId) -> Ended {
        self.log.ended(call)
    }

    /// Its endpoint's deadline came, or may have.
    pub fn timeout(&mut self) {
        self.with(Endpoint::handle_timeout);
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let done = act(&mut self.endpoint, self.clock.now());
        self.drain();
        done
    }

    fn drain(&mut self) {
        let now = self.clock.now();
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Flush(peer) => {
                    for link in self.links.iter_mut().filter(|link| link.peer() == Some(peer)) {
                        link.pull(&mut self.endpoint, now);
                    }
                }
                action => {
                    if let Action::Close(peer, reason) = action {
                        for link in self.links.iter_mut().filter(|link| link.peer() == Some(peer)) {
                            link.end(&mut self.endpoint, reason, now);
                        }
                    }
                    self.log.take(action);
                }
            }
        }
    }

    /// Tells a link something, answers what it asks, and takes what came of it.
    fn notify<T>(
        &mut self,
        index: usize,
        tell: impl FnOnce(&mut Link, &mut Endpoint, Instant) -> T,
    ) {
        let (link, now) = (&mut self.links[index], self.clock.now());
        tell(link, &mut self.endpoint, now);
        if let Some(question) = link.poll_question() {
            let user = match &question {
                Question::Plain { username, .. } => self.users.get(&username[..]).cloned(),
                _ => None,
            };
            let verdict = Verdict::Admit(user.unwrap_or_default());
            // Its error was told: the link is over.
            let _ = link.answer(&mut self.endpoint, verdict, now);
        }
        link.pull(&mut self.endpoint, now);
        self.drain();
    }
}

impl Port {
    /// The session of this link, if it is open.
    pub fn peer(&self) -> Option<PeerId> {
        self.look(Link::peer)
    }

    /// Bytes that its connection holds.
    pub fn backlog(&self) -> usize {
        self.look(|link| link.connection().backlog())
    }

    fn look<T>(&self, look: impl FnOnce(&Link) -> T) -> T {
        look(&self.node.borrow().links[self.link])
    }
}

impl End for Port {
    fn write(&mut self, max: usize) -> Vec<u8> {
        let mut node = self.node.borrow_mut();
        let bytes = gather(max, |out| node.links[self.link].slices(out));
        if !bytes.is_empty() {
            node.notify(self.link, |link, endpoint, now| link.advance(endpoint, bytes.len(), now));
        }
        bytes
    }

    fn wants_to_write(&self) -> bool {
        self.look(|link| link.slices(&mut [IoSlice::new(&[])]) > 0)
    }

    fn read(&mut self, input: &mut [u8]) {
        let mut node = self.node.borrow_mut();
        node.notify(self.link, |link, endpoint, now| link.handle_input(endpoint, input, now));
    }

    fn eof(&mut self) {
        let mut node = self.node.borrow_mut();
        node.notify(self.link, Link::handle_eof);
    }

    fn timeout(&mut self) {
        let mut node = self.node.borrow_mut();
        node.timeout();
        if !node.links[self.link].is_over() {
            node.notify(self.link, Link::handle_timeout);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let node = self.node.borrow();
        let deadline = node.links[self.link].poll_timeout();
        deadline.into_iter().chain(node.endpoint.poll_timeout()).min()
    }

    fn is_over(&self) -> bool {
        self.look(Link::is_over)
    }
}
