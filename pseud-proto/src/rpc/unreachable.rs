//! Why there is no link to the configured server, as far as that is known.

use crate::call::peer::PeerInfo;
use crate::error::Reason;
use crate::rpc::endpoint::Endpoint;
use bytes::Bytes;
use std::time::Instant;

/// What calls to the server are told where it is not there.
#[derive(Debug, Default)]
pub(crate) struct Unreachable {
    /// What the driver says came of connecting to it.
    said: Option<Reason>,
    is_final: bool,
    /// Sessions over links that we opened, whose peers have another name than the server.
    others: usize,
}

impl Unreachable {
    pub(crate) fn joined(&mut self, info: &PeerInfo, server: Option<&Bytes>) {
        self.others += usize::from(is_other(info, server));
    }

    pub(crate) fn left(&mut self, info: &PeerInfo, server: Option<&Bytes>) {
        self.others -= usize::from(is_other(info, server));
    }

    /// Why there is nothing to wait for, if there is not.
    pub(crate) fn is_final(&self) -> Option<Reason> {
        self.is_final.then(|| self.why())
    }

    pub(crate) fn why(&self) -> Reason {
        match self.others {
            0 => self.said.unwrap_or(Reason::NotConnected),
            _ => Reason::WrongName,
        }
    }
}

fn is_other(info: &PeerInfo, server: Option<&Bytes>) -> bool {
    info.dialed && server.is_some_and(|server| *server != info.identity)
}

impl Endpoint {
    /// Says why there is no link to the configured server, for calls that end while they wait for one:
    /// what came of connecting to it ([`Reason::Denied`], [`Reason::PeerFault`]). `None` is
    /// [`Reason::NotConnected`]. Where links that we opened lead to others it is
    /// [`Reason::WrongName`], whatever is said.
    ///
    /// If that is final, those that wait and later ones end so at once, until something else is said.
    /// It means nothing while the server's link stands.
    pub fn set_unreachable(&mut self, why: Option<Reason>, is_final: bool, _now: Instant) {
        self.unreachable.said = why;
        self.unreachable.is_final = is_final;
        let Some(why) = self.unreachable.is_final() else { return };
        for call in self.calls.parked(true) {
            self.end_call(call, why);
        }
    }
}
