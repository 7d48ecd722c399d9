//! Why there is no link to the configured server, as far as that is known.

use crate::call::peer::PeerInfo;
use crate::error::Reason;
use bytes::Bytes;

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
    pub(crate) fn say(&mut self, why: Option<Reason>, is_final: bool) {
        self.said = why;
        self.is_final = is_final;
    }

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
