//! A channel that calls and answers.

use super::clock::Clock;
use super::end::End;
use super::log::{Ended, Log, Work, arguments, result};
use pseud_proto::pseud::{Channel, Deadlines, Dropped, Stats};
use pseud_proto::zmtp::Verdict;
use pseud_proto::{Action, CallId, CallOptions, CallRefused, PeerError, Refusal};
use pseud_proto::{Fault, Reason};
use serde::Serialize;
use std::io::IoSlice;
use std::time::{Duration, Instant};

/// A [`Channel`] with its driver: it does nothing by itself, a test says what it says. Whoever it is
/// asked about comes in.
#[derive(Debug)]
pub struct Talker {
    pub channel: Channel,
    pub log: Log,
    /// Why its link is over, where the peer was at fault.
    pub error: Option<PeerError>,
    clock: Clock,
    over: bool,
}

impl Talker {
    pub fn new(channel: Channel, clock: Clock) -> Self {
        Self { channel, log: Log::default(), error: None, clock, over: false }
    }

    /// Calls the other side.
    pub fn call(&mut self, name: &str, args: impl Serialize) -> CallId {
        self.try_call(name, args).expect("a call that is not refused")
    }

    pub fn try_call(&mut self, name: &str, args: impl Serialize) -> Result<CallId, CallRefused> {
        self.call_with(name, args, CallOptions::default())
    }

    pub fn call_within(&mut self, timeout: Duration, name: &str) -> CallId {
        let options = CallOptions::default().timeout(timeout);
        self.call_with(name, (), options).expect("a call that is not refused")
    }

    pub fn call_with(
        &mut self,
        name: &str,
        args: impl Serialize,
        options: CallOptions,
    ) -> Result<CallId, CallRefused> {
        let call = self.channel.call(name, arguments(args), options, self.clock.now());
        self.drain();
        call
    }

    /// Gives that call up.
    pub fn cancel(&mut self, call: CallId) {
        self.channel.cancel(call, self.clock.now());
        self.drain();
    }

    /// The oldest request that waits to be answered.
    pub fn work(&mut self) -> Work {
        self.next_work().expect("a request that waits")
    }

    /// The same, if there is one. What cannot be opened is refused here.
    pub fn next_work(&mut self) -> Option<Work> {
        while let Some(request) = self.log.requests.pop_front() {
            match Work::new(request) {
                Ok(work) => return Some(work),
                Err((ticket, refusal)) => {
                    self.channel.refuse(ticket, &refusal, self.clock.now());
                    self.drain();
                }
            }
        }
        None
    }

    /// Answers with a value.
    pub fn answer(&mut self, work: Work, value: impl Serialize) {
        self.channel.reply(work.ticket, Ok(result(value)), self.clock.now());
        self.drain();
    }

    /// Answers with a fault.
    pub fn fail(&mut self, work: Work, fault: Fault) {
        self.channel.reply(work.ticket, Err(fault), self.clock.now());
        self.drain();
    }

    /// Refuses to run a handler.
    pub fn refuse(&mut self, work: Work, refusal: &Refusal) {
        self.channel.refuse(work.ticket, refusal, self.clock.now());
        self.drain();
    }

    /// Ends everything.
    pub fn shutdown(&mut self) {
        self.channel.shutdown(self.clock.now());
        self.drain();
    }

    /// How that call ended.
    pub fn ended(&self, call: CallId) -> Ended {
        self.log.ended(call)
    }

    /// Whether a session is open.
    pub fn is_connected(&self) -> bool {
        self.channel.peer().is_some()
    }

    /// Pending calls and guarded requests, found by looking into the slots.
    pub fn deadlines(&self) -> (usize, usize) {
        let Deadlines { calls, guards, .. } = self.channel.machines().1.count_deadlines();
        (calls, guards)
    }

    pub fn stats(&self) -> Stats {
        self.channel.machines().1.stats()
    }

    pub fn dropped(&self, cause: Dropped) -> u64 {
        self.stats().dropped(cause)
    }

    /// Why its session ended, if it had one and it did.
    pub fn left(&self) -> Option<Reason> {
        self.log.said.iter().find_map(|said| match said {
            super::Said::Left(_, reason) => Some(*reason),
            _ => None,
        })
    }

    fn drain(&mut self) {
        while let Some(action) = self.channel.poll_action() {
            self.over |= matches!(action, Action::Close(..));
            self.log.take(action);
        }
    }

    fn check(&mut self, result: Result<(), PeerError>) {
        if let Err(error) = result {
            self.error = Some(error);
            self.over = true;
        }
        self.drain();
    }
}

impl End for Talker {
    fn write(&mut self, max: usize) -> Vec<u8> {
        let bytes = gather(max, |out| self.channel.slices(out));
        if !bytes.is_empty() {
            self.channel.advance(bytes.len(), self.clock.now());
            self.drain();
        }
        bytes
    }

    fn wants_to_write(&self) -> bool {
        self.channel.slices(&mut [IoSlice::new(&[])]) > 0
    }

    fn read(&mut self, input: &mut [u8]) {
        let result = self.channel.handle_input(input, self.clock.now());
        self.check(result);
        if self.channel.poll_question().is_some() {
            let result = self.channel.answer(Verdict::Admit("admitted".into()), self.clock.now());
            self.check(result);
        }
    }

    fn eof(&mut self) {
        let result = self.channel.handle_eof(self.clock.now());
        self.check(result);
        self.over = true;
    }

    fn timeout(&mut self) {
        let result = self.channel.handle_timeout(self.clock.now());
        self.check(result);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.channel.poll_timeout()
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

/// At most `max` bytes of what a machine's slices hold.
pub fn gather<'a>(max: usize, fill: impl FnOnce(&mut [IoSlice<'a>]) -> usize) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 8];
    let count = fill(&mut slices);
    let mut bytes = Vec::new();
    for slice in &slices[..count] {
        let left = max - bytes.len();
        bytes.extend_from_slice(&slice[..left.min(slice.len())]);
    }
    bytes
}
