//! `pseud.call`: a peer called by name, through the node that it is connected to.

use crate::call::error::CallError;
use crate::call::peer::Peer;
use crate::serve::request::Request;
use bytes::Bytes;
use pseud_proto::value::Value;
use pseud_proto::{Exception, Fault, Reason, Several, To};
use serde::Deserialize;
use std::time::Duration;

/// By what somebody is known.
pub(super) fn id_of(value: &Value) -> Result<Bytes, Fault> {
    match value {
        Value::Str(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Value::Bin(bytes) => Ok(bytes.clone()),
        _ => Err(Fault::new("TypeError", "an id is a text or bytes")),
    }
}

#[derive(Deserialize)]
struct OfCall {
    to: Value,
    method: String,
    args: Option<Vec<Value>>,
    kwargs: Option<Value>,
    timeout: Option<f64>,
    outcome: Option<bool>,
}

pub(super) async fn call(request: Request) -> Result<Value, Fault> {
    let OfCall { to, method, args, kwargs, timeout, outcome } = request.bind()?;
    let caller = request.caller();
    let to = To::Known { id: id_of(&to)?, several: Several::Newest };
    let to = Peer::new(caller.seat.hub.clone(), to);
    let call = to.call(&method, args.unwrap_or_default());
    let mut call =
        call.kwargs(kwargs.unwrap_or_else(|| Value::Map(Vec::new()))).hops(caller.hops_of_calls());
    if let Some(seconds) = timeout {
        let bad = |_| Fault::new(Exception::ValueError, "`timeout` is no span of time in seconds");
        call = call.timeout(Duration::try_from_secs_f64(seconds).map_err(bad)?);
    }
    let told = |name: &str, value| Value::Map(vec![(name.into(), value)]);
    match (call.await, outcome.unwrap_or_default()) {
        (Ok(value), false) => Ok(value),
        (Ok(value), true) => Ok(told("value", value)),
        // In one word, whether it comes as an outcome or from a Python peer.
        (Err(error), _) if error.is_service_not_found() => {
            Err(Fault::new(Exception::ServiceNotFoundError, method))
        }
        (Err(CallError::Fault(fault)), _) => Err(fault),
        (Err(error), false) => Err(error.into()),
        (Err(error), true) => Ok(told("no_answer", why(&error).into())),
    }
}

/// Why there is none, and whether a retry is safe, for people.
fn why(error: &CallError) -> String {
    match error {
        CallError::NotExecuted(Reason::NotConnected) => {
            "not executed: nobody of that name is there (a retry is safe)".to_owned()
        }
        error => error.to_string(),
    }
}
