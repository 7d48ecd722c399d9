//! ZAP's questions, and the node's answers.

use super::admitted::AdmittedPeer;
use super::commands::ZapReply;
use super::worker::Worker;
use super::zap::ZapRequest;
use pseud_async::adapter::{after, seed};
#[cfg(feature = "_curve")]
use pseud_proto::zmtp::Question;
use pseud_proto::zmtp::Verdict;
use std::fmt::Write;
use std::time::Instant;
use zmq::DONTWAIT;

impl Worker {
    /// Puts what libzmq asks to the node's authenticator.
    pub(super) fn ask(&mut self) -> zmq::Result<()> {
        loop {
            let Some(zap) = &self.zap else { return Ok(()) };
            let frames = match zap.recv_multipart(DONTWAIT) {
                Ok(frames) => frames,
                Err(zmq::Error::EAGAIN) => return Ok(()),
                Err(error) => return Err(error),
            };
            let Some(mut asked) = ZapRequest::read(frames) else { continue };
            let Some(question) = asked.question.take() else {
                self.reply(asked, "400", "")?;
                continue;
            };
            #[cfg(feature = "_curve")]
            if let Question::Curve { client_key } = &question {
                asked.key = Some(*client_key);
            }
            self.questions += 1;
            let (number, desk) = (self.questions, self.desk.clone());
            let by = after(Instant::now(), self.options.connection.handshake_timeout);
            let address = asked.address.clone();
            let answer = move |verdict| desk.answered((number, verdict));
            let asking = self.host.ask(question, &address, by, answer);
            self.asked.insert(number, (asked, asking));
        }
    }

    /// The authenticator has decided.
    pub(super) fn answer(&mut self, (number, verdict): ZapReply) -> zmq::Result<()> {
        let Some((asked, asking)) = self.asked.remove(&number) else { return Ok(()) };
        match (verdict, ticket()) {
            (Verdict::Admit(user), Some(ticket)) => {
                let who = AdmittedPeer {
                    user,
                    #[cfg(feature = "_curve")]
                    key: asked.key,
                };
                asking.admitted(&who.user);
                self.admitted.insert(ticket.clone(), who, asking);
                self.reply(asked, "200", &ticket)
            }
            (Verdict::Deny, _) => self.reply(asked, "400", ""),
            // Nobody can tell, or there is no ticket: neither lets anybody in.
            (_, _) => {
                asking.forget();
                self.reply(asked, "500", "")
            }
        }
    }

    fn reply(&self, asked: ZapRequest, status: &str, ticket: &str) -> zmq::Result<()> {
        let Some(zap) = &self.zap else { return Ok(()) };
        match zap.send_multipart(asked.answer(status, ticket), DONTWAIT) {
            // Whoever asked is gone.
            Err(zmq::Error::EHOSTUNREACH | zmq::Error::EAGAIN) => Ok(()),
            sent => sent,
        }
    }
}

/// Nobody can guess it, and no two are alike. `None`: there is no entropy.
fn ticket() -> Option<String> {
    let seed = seed().ok()?;
    let mut text = String::new();
    for byte in &seed[..16] {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text)
}
