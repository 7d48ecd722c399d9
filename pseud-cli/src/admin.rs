//! `pseud peers` and `pseud kick`: a server looked after from a shell.

use crate::call::{Calling, open};
use crate::cli::{KickArguments, PeersArguments, TargetArguments};
use crate::exit::{FAILED, fail};
use crate::result::answer;
use crate::{json, terminal};
use pseud::proto::value::Value;
use pseud::{CallError, Fault, Options, Reason};
use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a server calls here to tell who comes and goes.
const CHANGED: &str = "changed";

/// How long one `pseud.watch` may go on: the longest that any call may.
const WATCH: Duration = Duration::from_secs(3_600);

pub(crate) async fn kick(arguments: KickArguments) -> ExitCode {
    let calling = match opened(&arguments.target) {
        Ok(calling) => calling,
        Err(code) => return code,
    };
    let keyword = if arguments.session { "session" } else { "user" };
    let keywords = BTreeMap::from([(keyword, arguments.who.as_str())]);
    let call = calling.client.call::<i64, _>("pseud.kick", ()).kwargs(keywords);
    match call.await {
        Ok(0) => fail(FAILED, &format!("nobody of that name is there: {}", arguments.who)),
        Ok(count) => answer(&count.into()),
        Err(error) => calling.failed(error, "pseud.kick", false),
    }
}

pub(crate) async fn peers(arguments: PeersArguments) -> ExitCode {
    let calling = match opened(&arguments.target) {
        Ok(calling) => calling,
        Err(code) => return code,
    };
    match arguments.watch {
        true => watch(calling, arguments.json, arguments.target.timeout).await,
        false => list(calling, arguments.json).await,
    }
}

fn opened(target: &TargetArguments) -> Result<Calling, ExitCode> {
    let options = Options::client(&target.peer).call_timeout(target.timeout);
    open(options, &target.credentials, &target.connect, &target.peer)
}

/// Every page, as it comes.
async fn list(calling: Calling, as_json: bool) -> ExitCode {
    let (mut after, mut table) = (Value::Nil, Table::new(as_json));
    loop {
        let page = match calling.client.call::<Value, _>("pseud.peers", (after,)).await {
            Ok(page) => page,
            Err(error) => return calling.failed(error, "pseud.peers", false),
        };
        let Some(Value::Array(peers)) = field(&page, "peers") else {
            return fail(FAILED, "the answer is no list of peers");
        };
        if let Err(error) = peers.iter().try_for_each(|peer| table.row(peer)) {
            return fail(FAILED, &format!("cannot write: {error}"));
        }
        match field(&page, "next") {
            Some(next @ Value::Str(_)) if !peers.is_empty() => after = next.clone(),
            _ => return ExitCode::SUCCESS,
        }
    }
}

/// Until a signal ends us, or the server does not answer; where it is gone, not for so long.
async fn watch(calling: Calling, as_json: bool, patience: Duration) -> ExitCode {
    let known = Arc::new(Mutex::new(KnownPeers { there: BTreeMap::new(), as_json }));
    let telling = known.clone();
    let told = calling.client.registry().register_sync(CHANGED, move |request| {
        let (changes,): (Vec<Value>,) = request.args()?;
        let mut known = telling.lock().unwrap_or_else(PoisonError::into_inner);
        let told = changes.into_iter().try_for_each(|change| known.tell(change));
        // Nobody reads: there is no more to be watched for.
        told.map_err(|error| Fault::new("BrokenPipeError", error.to_string()))
    });
    if let Err(error) = told {
        return fail(FAILED, &error.to_string());
    }
    loop {
        let call = calling.client.call::<Value, _>("pseud.watch", (CHANGED,)).timeout(WATCH);
        match call.await {
            Ok(_) => {
                let all_left = known.lock().unwrap_or_else(PoisonError::into_inner).all_left();
                return match all_left {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => fail(FAILED, &format!("cannot write: {error}")),
                };
            }
            // Its hour is over, and the link is there: the next one begins with all who are.
            Err(CallError::Unknown(Reason::TimedOut)) => continue,
            Err(error) if error.is_transient() && !error.is_retry_safe() => {
                // Who is there now is another server's to say: it names its sessions anew.
                let all_left = known.lock().unwrap_or_else(PoisonError::into_inner).all_left();
                if let Err(error) = all_left {
                    return fail(FAILED, &format!("cannot write: {error}"));
                }
                terminal::complain(&terminal::escape(&format!(
                    "connection lost: {error}; waiting"
                )));
            }
            Err(error) => return calling.failed(error, "pseud.watch", false),
        }
        if tokio::time::timeout(patience, calling.client.ready()).await.is_err() {
            let error = CallError::NotExecuted(Reason::NotConnected);
            return calling.failed(error, "pseud.watch", false);
        }
    }
}

/// Who was told to be there: each watch begins with all who are.
struct KnownPeers {
    there: BTreeMap<String, Value>,
    as_json: bool,
}

impl KnownPeers {
    fn tell(&mut self, change: Value) -> io::Result<()> {
        let session = text(&change, "session");
        let is_news = match text(&change, "event").as_str() {
            "joined" => self.there.insert(session, change.clone()).is_none(),
            "left" => self.there.remove(&session).is_some(),
            _ => false,
        };
        if is_news { self.say(&change) } else { Ok(()) }
    }

    /// Nobody says any more who is there.
    fn all_left(&mut self) -> io::Result<()> {
        for joined in std::mem::take(&mut self.there).into_values() {
            let Value::Map(mut entries) = joined else { continue };
            let is_event = |key: &Value| matches!(key, Value::Str(key) if &**key == "event");
            entries.retain(|(key, _)| !is_event(key));
            entries.insert(0, ("event".into(), "left".into()));
            entries.push(("reason".into(), "the server is gone".into()));
            self.say(&Value::Map(entries))?;
        }
        Ok(())
    }

    fn say(&self, change: &Value) -> io::Result<()> {
        match self.as_json {
            true => terminal::say(&json::write(change).map_err(io::Error::other)?),
            false => terminal::say(&change_for_people(change)),
        }
    }
}

fn change_for_people(change: &Value) -> String {
    let mut line =
        format!("{:<6} {:<10} {}", text(change, "event"), text(change, "session"), who(change));
    line = format!("{line} {}", text(change, "address"));
    let reason = text(change, "reason");
    if reason.is_empty() { line } else { format!("{line}: {reason}") }
}

/// A table for people, or a line of JSON for each peer.
struct Table {
    as_json: bool,
    has_head: bool,
}

impl Table {
    fn new(as_json: bool) -> Self {
        Self { as_json, has_head: false }
    }

    fn row(&mut self, peer: &Value) -> io::Result<()> {
        if self.as_json {
            return terminal::say(&json::write(peer).map_err(io::Error::other)?);
        }
        if !std::mem::replace(&mut self.has_head, true) {
            terminal::say(
                "SESSION    WHO                  ADDRESS                MECH  SINCE  HEARD CALLS  BYTES",
            )?;
        }
        let [since, heard] = ["connected_for", "heard_ago"].map(|name| span(field(peer, name)));
        let [calls, requests] = ["calls_pending", "requests_open"].map(|name| number(peer, name));
        let bytes = number(peer, "bytes_received") + number(peer, "bytes_sent");
        terminal::say(&format!(
            "{:<10} {:<20} {:<22} {:<5} {since:>5} {heard:>6} {:>5} {bytes:>6}",
            text(peer, "session"),
            who(peer),
            text(peer, "address"),
            text(peer, "mechanism"),
            calls + requests,
        ))
    }
}

/// Its user, and its identity, where it is another.
fn who(peer: &Value) -> String {
    let (user, identity) = (text(peer, "user"), text(peer, "identity"));
    match (user.as_str(), identity.as_str()) {
        ("", "") => "(no name)".to_owned(),
        ("", identity) => identity.to_owned(),
        (user, identity) if user == identity || identity.is_empty() => user.to_owned(),
        (user, identity) => format!("{user} ({identity})"),
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(entries) = value else { return None };
    let named = |(key, _): &&(Value, Value)| matches!(key, Value::Str(key) if &**key == name);
    entries.iter().find(named).map(|(_, value)| value)
}

/// What is no text is not shown: an identity that was made up for a peer without one.
fn text(value: &Value, name: &str) -> String {
    match field(value, name) {
        Some(Value::Str(text)) => terminal::escape(text),
        _ => String::new(),
    }
}

fn number(value: &Value, name: &str) -> i128 {
    match field(value, name) {
        Some(Value::Int(number)) => number.as_i128(),
        _ => 0,
    }
}

fn span(seconds: Option<&Value>) -> String {
    match seconds {
        Some(Value::F64(seconds)) if *seconds < 120.0 => format!("{seconds:.0}s"),
        Some(Value::F64(seconds)) if *seconds < 7_200.0 => format!("{:.0}m", seconds / 60.0),
        Some(Value::F64(seconds)) => format!("{:.0}h", seconds / 3_600.0),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        json::argument(text).unwrap()
    }

    #[test]
    fn who_is_told_by_user_and_identity_and_nothing_steers_a_terminal() {
        for (peer, shown) in [
            (r#"{"user": "alice", "identity": "desk"}"#, "alice (desk)"),
            (r#"{"user": "alice", "identity": {"$bin": "00ff"}}"#, "alice"),
            (r#"{"user": "", "identity": "desk"}"#, "desk"),
            (r#"{"user": "", "identity": {"$bin": "00"}}"#, "(no name)"),
            ("{\"user\": \"\\u001b[31m\", \"identity\": \"\"}", r"\u{1b}[31m"),
        ] {
            assert_eq!(who(&value(peer)), shown);
        }
    }

    #[test]
    fn spans_are_short() {
        for (seconds, shown) in [(3.2, "3s"), (600.0, "10m"), (86_400.0, "24h")] {
            assert_eq!(span(Some(&Value::F64(seconds))), shown);
        }
    }
}
