//! The words of Python pseud's API are found by a search of the docs: as names of ours, or as their aliases.

use crate::source::texts;

/// What applications of Python pseud 1.0 write (`pseud/common.py`, `interfaces.py`, `utils.py`, `packer.py`).
const WORDS: &[&str] = &[
    "Client",
    "Server",
    "SyncClient",
    "connect",
    "bind",
    "stop",
    "send_to",
    "timeout",
    "user_id",
    "routing_id",
    "peer_routing_id",
    "registry",
    "register_rpc",
    "with_identity",
    "register_predicate",
    "security_plugin",
    "IAuthenticationBackend",
    "register_auth_backend",
    "get_predicate_arguments",
    "public_key",
    "secret_key",
    "peer_public_key",
    "password",
    "heartbeat_plugin",
    "IHeartbeatBackend",
    "register_heartbeat_backend",
    "ServiceNotFoundError",
    "translation_table",
    "register_ext_handler",
];

#[test]
fn words_of_python_pseud_are_found() {
    let texts: Vec<_> = ["pseud-proto", "pseud-async"].into_iter().flat_map(texts).collect();
    let lines: Vec<&str> = texts.iter().flat_map(|(_, text)| text.lines()).map(str::trim).collect();
    let lost: Vec<_> =
        WORDS.iter().filter(|word| !lines.iter().any(|line| leads(line, word))).collect();
    assert!(lost.is_empty(), "no item has that name, or `#[doc(alias)]`: {lost:?}");
}

/// Whether a search for that word shows the item of that line, or the one behind it.
fn leads(line: &str, word: &str) -> bool {
    if let Some(alias) = line.strip_prefix("#[doc(alias = \"") {
        return alias.split('"').next() == Some(word);
    }
    // A variant of `Exception`.
    if word.ends_with("Error") && line.strip_suffix(',') == Some(word) {
        return true;
    }
    let Some(item) = line.strip_prefix("pub ") else { return false };
    let name = ["struct ", "trait ", "enum ", "fn ", "async fn "]
        .iter()
        .find_map(|kind| item.strip_prefix(kind));
    let name = name.unwrap_or(item);
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    name.get(..end) == Some(word)
}
