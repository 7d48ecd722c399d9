//! Texts of the command line to what they mean.

use crate::json;
use pseud::LateGuard;
use pseud::proto::value::Value;
use pseud::proto::zmtp::PublicKey;
use pseud::tokio::kaa;
use pseud::{Address, BadAddress};
use std::time::Duration;

pub(crate) fn to_bind(endpoint: &str) -> Result<Address, BadAddress> {
    Address::to_bind(endpoint)
}

pub(crate) fn to_connect(endpoint: &str) -> Result<Address, BadAddress> {
    Address::to_connect(endpoint)
}

/// HOST:PORT, of datagrams.
pub(crate) fn host_port(text: &str) -> Result<String, &'static str> {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && is_port(port) => Ok(text.to_owned()),
        _ => Err("write HOST:PORT"),
    }
}

/// Where kaa.rpc is served. A host without its port is not taken for the name of a socket.
pub(crate) fn kaa_address(text: &str) -> Result<kaa::Address, String> {
    kaa::Address::explicit(text).map_err(|bad| bad.cause.to_owned())
}

/// The same, to connect to.
pub(crate) fn kaa_to_connect(text: &str) -> Result<kaa::Address, String> {
    match kaa_address(text)? {
        any if any.port() == Some(0) => Err("a port is needed to connect to".to_owned()),
        any if any.starts_with("*:") => {
            Err("`*` is for binding: name a host to connect to".to_owned())
        }
        address => Ok(address),
    }
}

/// An identity, or the name of a user.
pub(crate) fn name(name: &str) -> Result<String, &'static str> {
    match name.len() {
        1..=255 => Ok(name.to_owned()),
        _ => Err("a name has 1 to 255 bytes"),
    }
}

pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3_600.0);
    let seconds = seconds.ok_or("a number of seconds, more than 0 and at most 3600")?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a number of seconds")
}

pub(crate) fn late_guard(text: &str) -> Result<LateGuard, &'static str> {
    match text {
        "off" => Ok(LateGuard::Off),
        text => seconds(text)
            .map(LateGuard::After)
            .map_err(|_| "a number of seconds, more than 0 and at most 3600, or `off`"),
    }
}

pub(crate) fn keyword(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    match key {
        "" => Err("the KEY of KEY=VALUE is empty".to_owned()),
        key => Ok((key.to_owned(), json::argument(value).map_err(|bad| bad.to_string())?)),
    }
}

pub(crate) fn public_key(text: &str) -> Result<PublicKey, String> {
    let key: PublicKey = text.parse().map_err(|error| format!("{error}"))?;
    match key.is_weak() {
        true => Err("that is nobody's key".to_owned()),
        false => Ok(key),
    }
}

pub(crate) fn user(text: &str) -> Result<(String, PublicKey), String> {
    match text.split_once('=') {
        None | Some(("", _)) => Err("write NAME=Z85".to_owned()),
        Some((user, key)) => Ok((user.to_owned(), public_key(key)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_and_an_hour_at_most() {
        assert_eq!(seconds("0.3"), Ok(Duration::from_millis(300)));
        for text in ["0", "-1", "nan", "inf", "3601", "", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_late_guard_is_seconds_or_off() {
        assert_eq!(late_guard("off"), Ok(LateGuard::Off));
        assert_eq!(late_guard("0.25"), Ok(Duration::from_millis(250).into()));
        assert_eq!(late_guard("4.5"), Ok(LateGuard::default()), "the default of both");
        for text in ["", "OFF", "0", "-1", "never"] {
            assert!(late_guard(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keywords_are_split_at_the_first_sign() {
        assert_eq!(keyword("a=b=c"), Ok(("a".to_owned(), "b=c".into())));
        assert_eq!(keyword("a=3"), Ok(("a".to_owned(), 3.into())));
        assert!(keyword("a").is_err() && keyword("=3").is_err());
    }
}
