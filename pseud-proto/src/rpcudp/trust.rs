//! How much may be sent to an address of which only a datagram says that it asked for it.
//!
//! Whoever sends can write any sender's address. One that has answered a call of ours, whose id nobody
//! else has seen, is its sender's own: it may be sent what it asks for. Any other may be sent a few times
//! what came from there, as QUIC has it (RFC 9000 §8.1), and a host of such addresses only so often.

use super::config::Config;
use super::recent::Recent;
use super::silence::Silence;
use super::source::host;
use crate::base::budget::FloodBudget;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Hosts of unproven addresses whose answers are counted.
const HOSTS_MAX: usize = 4_096;
/// How long a host is remembered of which nothing comes.
const HOSTS_AGE: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Trust {
    proven: Recent<SocketAddr, ()>,
    hosts: Recent<IpAddr, FloodBudget>,
}

impl Trust {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            proven: Recent::new(config.proven_max, config.proven_for),
            hosts: Recent::new(HOSTS_MAX, HOSTS_AGE),
        }
    }

    /// That address has answered a call of ours.
    pub(super) fn prove(&mut self, address: SocketAddr, now: Instant) {
        self.proven.put(address, (), now, drop);
    }

    pub(super) fn is_proven(&mut self, address: SocketAddr, now: Instant) -> bool {
        self.proven.get_mut(&address, now).is_some()
    }

    /// Whether an answer of that many bytes may go there, to a request of so many.
    pub(super) fn check(
        &mut self,
        to: SocketAddr,
        request_bytes: usize,
        answer_bytes: usize,
        config: &Config,
        now: Instant,
    ) -> Result<(), Silence> {
        let Some(times) = config.amplification_max else { return Ok(()) };
        if self.is_proven(to, now) {
            return Ok(());
        }
        if answer_bytes > request_bytes.saturating_mul(times as usize) {
            return Err(Silence::Amplification);
        }
        let host = host(to);
        if self.hosts.get_mut(&host, now).is_none() {
            self.hosts.put(host, FloodBudget::default(), now, drop);
        }
        let budget = self.hosts.get_mut(&host, now);
        match budget.is_none_or(|budget| budget.try_spend(config.unproven_answers, now)) {
            true => Ok(()),
            false => Err(Silence::TooMany),
        }
    }
}
