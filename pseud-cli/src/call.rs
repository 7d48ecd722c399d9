//! `pseud call`.

use crate::cli::CallArguments;
use crate::{FAILED, NO_ANSWER, USAGE, fail, json, terminal};
use pseud::proto::value::Value;
use pseud::{CallError, Client, Fault, Options};
use std::process::ExitCode;

pub(crate) async fn run(arguments: CallArguments) -> ExitCode {
    if let Some(key) = repeated(&arguments.keywords) {
        return fail(USAGE, &format!("--kw {key}=… is given twice"));
    }
    let client = match connect(&arguments) {
        Ok(client) => client,
        Err(error) => return fail(FAILED, &error.to_string()),
    };
    let CallArguments { method, arguments, keywords, traceback, .. } = arguments;
    let keywords: Value = keywords.into_iter().collect();
    match client.call(&method, arguments).kwargs(keywords).await {
        Ok(value) => answer(&value),
        Err(CallError::Fault(fault)) => raised(&fault, traceback),
        Err(CallError::Refused(refused)) => fail(USAGE, &refused.to_string()),
        Err(error) => unanswered(&error),
    }
}

fn repeated(keywords: &[(String, Value)]) -> Option<&str> {
    let mut keys: Vec<&str> = keywords.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn connect(arguments: &CallArguments) -> std::io::Result<Client> {
    let mut options = Options::client(&arguments.peer).call_timeout(arguments.timeout);
    if let Some(identity) = &arguments.identity {
        options = options.identity(identity);
    }
    let client = Client::with(options)?;
    for endpoint in &arguments.connect {
        client.connect(endpoint)?;
    }
    Ok(client)
}

fn answer(value: &Value) -> ExitCode {
    let said = json::write(value).map_err(std::io::Error::other);
    match said.and_then(|text| terminal::say(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &format!("answered, but cannot write the answer: {error}")),
    }
}

fn raised(fault: &Fault, traceback: bool) -> ExitCode {
    let [class, message] = [&fault.class, &fault.message].map(|text| terminal::escape(text));
    terminal::complain(&format!("{class}: {message}"));
    if traceback {
        fault.traceback.lines().for_each(|line| terminal::complain(&terminal::escape(line)));
    }
    ExitCode::from(FAILED)
}

fn unanswered(error: &CallError) -> ExitCode {
    let advice = match error.is_retry_safe() {
        true => "a retry is safe",
        false => "it may have run: a retry may run it twice",
    };
    terminal::complain(&terminal::escape(&format!("no answer: {error} ({advice})")));
    ExitCode::from(NO_ANSWER)
}
