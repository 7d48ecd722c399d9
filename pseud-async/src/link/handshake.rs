//! A link until its peer is in: the greeting and the handshake, and the session that begins behind them.

use super::StreamLink;
use super::carrier::Carrier;
use super::exchange::ExchangeFindings;
use crate::engine::hub::Inner;
use crate::engine::pending_link::{PendingLink, PendingLinks};
use crate::engine::refusals::line::Failed;
use crate::runtime::Writer;
use pseud_proto::peer::PeerInfo;
use pseud_proto::zmtp::{Event, Ready, Side};
use pseud_proto::{Incompatible, Misbehaved, PeerError, Reason};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

impl<W: Writer> StreamLink<W> {
    /// Takes the link off the list of those whose handshake is not over.
    pub(super) fn take_pending(&self, inner: &mut Inner) -> Option<PendingLink> {
        inner.strangers.remove(self.stranger.swap(PendingLinks::NONE, Ordering::Relaxed))
    }

    /// Whether that user was disconnected, or it or its key revoked, while this link's handshake went on.
    fn is_barred(&self, inner: &Inner, ready: &Ready) -> bool {
        let stranger = inner.strangers.get(self.stranger.load(Ordering::Relaxed));
        let revoked = &self.host.admissions.revoked;
        #[cfg(feature = "_curve")]
        let is_revoked = revoked.has(&ready.user, ready.client_key.as_ref());
        #[cfg(not(feature = "_curve"))]
        let is_revoked = revoked.has(&ready.user);
        let is_served = self.side == Side::Accepting;
        is_served && is_revoked || stranger.is_some_and(|stranger| stranger.is_barred(&ready.user))
    }

    /// What a handshake gives rise to, until it is over.
    pub(super) fn greet(
        self: &Arc<Self>,
        connection: &mut Carrier,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Ask(question) => {
                    let mut inner = self.hub().lock();
                    let stranger = inner.strangers.get_mut(self.stranger.load(Ordering::Relaxed));
                    stranger.into_iter().for_each(|stranger| stranger.asked = true);
                    heard.question = Some(question.into());
                }
                Event::Ready(ready) => {
                    self.join(ready, heard, now)?;
                    if heard.newcomer.is_some() {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The handshake is over: a session begins, and takes nothing until it is complete.
    fn join(
        self: &Arc<Self>,
        ready: Box<Ready>,
        heard: &mut ExchangeFindings,
        now: Instant,
    ) -> Result<(), PeerError> {
        let mut inner = self.hub().lock();
        if self.is_barred(&inner, &ready) {
            return Err(PeerError::Denied(400));
        }
        // An answer may come when the link is over, or everything is.
        let Some(mut stranger) = self.take_pending(&mut inner) else { return Ok(()) };
        let mut ready = ready;
        if self.side == Side::Accepting {
            ready.user = stranger.as_updated(ready.user);
        }
        let must_log_in = self.hub().config.requires_login;
        let is_known = !must_log_in || !ready.user.is_anonymous();
        let info = PeerInfo::behind(ready, self.side, self.address.clone())
            .with_late_guard(stranger.late_guard);
        if let Some(link) = stranger.dialed {
            inner.dials.arrived(link, &info.identity);
        }
        self.reads_goaway.store(info.reads_goaway(), Ordering::Relaxed);
        let newcomer = inner.join(self.host.hub(), info, Some(self.clone()));
        self.activity.join(self.hub().born(), now);
        self.is_joining.store(true, Ordering::Release);
        let _ = self.seat.set(newcomer.seat.clone());
        drop(inner);
        stranger.completed(is_known, now);
        heard.newcomer = Some(newcomer.into());
        Ok(())
    }

    /// Its handshake has failed for that.
    pub(super) fn refused(&self, reason: Reason) {
        let error = match reason {
            Reason::PeerFault(error) => error,
            Reason::Denied => Incompatible::Refused(400).into(),
            Reason::PeerGone => Misbehaved::HandshakeIncomplete.into(),
            _ => return,
        };
        let (offered, expected) = self.lock().mechanisms();
        let (address, who) = (self.address.to_string(), self.asked.denied());
        let is_dialed = self.side == Side::Connecting;
        self.hub().refused(Failed { address, error, who, offered, expected, is_dialed });
    }
}
