//! What the program understands, and its help.

use crate::credentials::Credentials;
use crate::heartbeat::HeartbeatArguments;
use crate::json;
use crate::parse::{
    host_port, kaa_address, kaa_to_connect, keyword, late_guard, name, seconds, to_bind, to_connect,
};
use crate::security::Guard;
use crate::user::UserArguments;
use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand};
use pseud::proto::value::Value;
use pseud::tokio::kaa;
use pseud::{Address, LateGuard};
use std::path::PathBuf;
use std::time::Duration;

/// Serve and call methods over pseud: bidirectional RPC on ZeroMQ's wire.
#[derive(Debug, Parser)]
#[command(
    name = "pseud",
    version,
    after_help = "\
Try it in two shells:
  pseud serve --name service --bind tcp://127.0.0.1:5555 --demo
  pseud call --connect tcp://127.0.0.1:5555 --peer service hello Charly

`pseud COMMAND --help` explains each command and its exit codes."
)]
pub(crate) struct Cli {
    /// Log more on stderr: -v for debug, -vv for all. RUST_LOG, such as `info,pseud_async=debug`,
    /// overrides it.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArguments),
    Call(CallArguments),
    Peers(PeersArguments),
    Kick(KickArguments),
    Keygen(KeygenArguments),
    User(UserArguments),
}

/// Which server is looked after, and who we are there.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// Connect there: tcp://HOST:PORT or ipc://PATH. May be given more than once.
    #[arg(long, value_name = "ENDPOINT", required = true, value_parser = to_connect)]
    pub(crate) connect: Vec<Address>,
    /// The server's name: its routing id, `--name` of `pseud serve`, `user_id` in Python.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) peer: String,
    #[command(flatten)]
    pub(crate) credentials: Credentials,
    /// How long to wait for the link and each answer together.
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Duration,
}

/// List who is connected to a server: a table, or with --json a line of JSON for each.
///
/// The server must let us: a user with the permission `admin`, or one that serves with --open-admin.
/// WHO is the user and, in brackets, the identity that it announced.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pseud peers --connect tcp://127.0.0.1:5555 --peer service
  pseud peers --connect tcp://127.0.0.1:5555 --peer service --watch --json

Exit codes:
  0  listed
  1  that is not served there, or not to us; or stdout cannot be written
  2  usage
  3  no answer: stderr says why")]
pub(crate) struct PeersArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Go on, with a line for each peer that comes or goes; first all who are there.
    #[arg(long)]
    pub(crate) watch: bool,
    /// A line of JSON for each peer, or change.
    #[arg(long)]
    pub(crate) json: bool,
}

/// End all sessions of a user at a server; prints how many there were.
///
/// Its calls end at once, and it is told so. It may come back, after 30 to 60 seconds if it is of this library, unless the
/// server stops admitting it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  pseud kick --connect tcp://127.0.0.1:5555 --peer service charly

Exit codes:
  0  kicked
  1  nobody of that name is there; or that is not served there, or not to us
  2  usage
  3  no answer: stderr says why")]
pub(crate) struct KickArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// WHO is a session, as `pseud peers` lists it.
    #[arg(long)]
    pub(crate) session: bool,
    /// The user; who is none, by its identity.
    #[arg(value_name = "USER")]
    pub(crate) who: String,
}

/// Make a pair of keys for --security trusted-curve, and print the public one.
///
/// The secret one is in the file only, which nobody but its owner may read (mode 600). A file that
/// is there already is left alone.
///
/// To change a server's key, give its clients the public half of a new one, beside the old one's (--server-key
/// twice); then put the new file in the old one's place and send the server SIGHUP. Or start it with both
/// (--key NEW --key OLD), and with the new one alone once all its clients know that.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  pseud keygen --output server.key
  pseud keygen --output charly.key
  pseud serve --name service --bind tcp://*:5555 --demo \\
    --security trusted-curve --key server.key --allow charly='PUBLIC-KEY-OF-CHARLY'
  pseud call --connect tcp://HOST:5555 --peer service \\
    --key charly.key --server-key 'PUBLIC-KEY-OF-THE-SERVER' whoami
Public keys need their quotes: they hold characters such as $ and &.

Exit codes:
  0  the public key is on stdout
  1  the file is there already (move it away first), or cannot be written
  2  usage: an argument is missing or malformed")]
pub(crate) struct KeygenArguments {
    /// Where to write both keys.
    #[arg(long, value_name = "FILE", default_value = "pseud.key")]
    pub(crate) output: PathBuf,
}

/// Serve methods until SIGINT or SIGTERM.
///
/// On SIGHUP it reads --users again, and a server's --key: sessions of users that were removed, or
/// whose password or key changed, end, changed permissions count at once, links that are there keep the key that they began with, and where a file is bad, what was known
/// before still is. Without either SIGHUP ends it. When it is told to stop, open calls may end within 5 s, and their callers have a second more to
/// read the answers; a second signal stops it at once. Before it serves it prints a line for each --bind, --kaa and
/// --rpcudp: `listening on ENDPOINT`, with the real port, and ` (kaa.rpc)` or ` (rpcudp)` behind it where
/// it is not pseud's own wire.
/// Logs go to stderr. Without --security nothing is authenticated or encrypted: bind where every
/// peer is trusted.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("endpoints").args(["bind", "connect", "kaa", "rpcudp"]).required(true).multiple(true)),
    after_long_help = "\
Methods of --demo:
  hello(name)            \"Hello NAME\"
  add(a, b)              the sum of two numbers
  echo(*args, **kw)      [args, kw]
  string.lower(s)        string.upper(s)
  fail(cls, message)     raises an exception of that class
  sleep(seconds)         waits so long, then answers with it
  now()                  the time here, in UTC
  whoami()               the caller's user id; empty without --security
  types()                one value of each kind
  callback(name, *args)  calls NAME on its caller; answers with what that answered

Example:
  pseud serve --name service --bind tcp://127.0.0.1:5555 --demo
  pseud serve --name charly --connect tcp://127.0.0.1:5555 --demo     a client of it that is called
  pseud serve --name charly --connect tcp://HOST:5555 --demo \\
    --key charly.key --server-key 'PUBLIC-KEY-OF-THE-SERVER'                          the same, by its key

Exit codes:
  0  stopped by SIGINT or SIGTERM
  1  an endpoint cannot be bound
  2  usage: an argument, a key or the file of users is missing or malformed, a file is not for its
     owner alone, or passwords would cross a network in clear"
)]
pub(crate) struct ServeArguments {
    /// The identity by which peers know this server: 1 to 255 bytes. --bind and --connect need it.
    #[arg(long, value_parser = name, required_unless_present_any = ["kaa", "rpcudp"])]
    pub(crate) name: Option<String>,
    /// Listen there: tcp://HOST:PORT, where the host may be `*` (any) and the port 0 (one that is
    /// free), or ipc://PATH.
    #[arg(long, value_name = "ENDPOINT", num_args = 1.., value_parser = to_bind, requires = "name")]
    pub(crate) bind: Vec<Address>,
    /// Connect there, and again whenever that link ends; who listens there can call --name. Without --bind,
    /// --user with --password-file, and --key with --server-key, log in there as for `pseud call`.
    #[arg(long, value_name = "ENDPOINT", num_args = 1.., value_parser = to_connect, requires = "name")]
    pub(crate) connect: Vec<Address>,
    /// Serve the same methods over datagrams, too, as Python's `rpcudp` has them: the host may be `*`
    /// (any), the port 0 (one that is free). Nothing is authenticated there, whatever --security says.
    #[arg(long, value_name = "HOST:PORT", num_args = 1.., value_parser = host_port)]
    pub(crate) rpcudp: Vec<String>,
    /// Serve kaa.rpc there as well: HOST:PORT, /PATH of a Unix socket, or unix:NAME for one in kaa's
    /// directory for temporary files ($TMPDIR/kaa-UID). The methods are the same.
    #[arg(long, value_name = "ENDPOINT", num_args = 1.., value_parser = kaa_address)]
    pub(crate) kaa: Vec<kaa::Address>,
    /// A file with the secret that kaa.rpc's peers must know, which only its owner may read (mode 600).
    /// The end of its last line is no part of it. Without it the secret is empty: whoever reaches the
    /// endpoint may call.
    #[arg(long, value_name = "FILE", requires = "kaa")]
    pub(crate) kaa_secret_file: Option<PathBuf>,
    /// Serve the methods listed below.
    #[arg(long)]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) guard: Guard,
    #[command(flatten)]
    pub(crate) heartbeat: HeartbeatArguments,
    /// How long a call of ours to a peer waits for its answer.
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Duration,
    /// How long after its receipt a Python caller's call may still be answered, or `off`. A Python
    /// process dies of an answer that its caller has given up on, so set it under the time-out of the
    /// callers that wait shortest; `off` only where all wait as long as methods take. A warning names each answer
    /// that was withheld. Other callers, Python's SyncClient among them, are answered at any time.
    #[arg(long, value_name = "SECONDS|off", default_value = "4.5", value_parser = late_guard, allow_negative_numbers = true)]
    pub(crate) late_guard: LateGuard,
    /// Let everybody on this machine look after this server (`pseud peers`, `pseud kick`, `pseud call
    /// --to`), not only users with the permission `admin`. Callers from elsewhere never are.
    #[arg(long)]
    pub(crate) open_admin: bool,
    /// Send the tracebacks of failed methods to their callers.
    #[arg(long)]
    pub(crate) expose_traceback: bool,
}

/// Call one method of a server, and print its result as one line of JSON
#[derive(Debug, Args)]
#[command(
    long_about = CALL,
    after_long_help = "\
Examples:
  pseud call --connect tcp://127.0.0.1:5555 --peer service hello Charly
  pseud call --connect tcp://127.0.0.1:5555 --peer service add 2 -3
  pseud call --connect tcp://127.0.0.1:5555 --peer service --to charly hello Desk
  pseud call --connect tcp://127.0.0.1:5555 --peer service echo '[1, null]' --kw day='{\"$date\": \"2024-02-29\"}'

Exit codes:
  0  answered: the result is on stdout
  1  the method raised an exception: `CLASS: message` is on stderr; or nothing of that name is
     served there, or not to this user: `ServiceNotFoundError: METHOD`; or the result cannot be
     read, or not be written to stdout
  2  usage: an argument or a key is missing or malformed, or a password would cross a network in
     clear; nothing was sent
  3  no answer: stderr says why, and whether a retry is safe; -v tells more"
)]
pub(crate) struct CallArguments {
    /// Connect there: tcp://HOST:PORT or ipc://PATH. May be given more than once.
    #[arg(
        long,
        value_name = "ENDPOINT",
        required_unless_present_any = ["kaa", "rpcudp"],
        conflicts_with = "kaa",
        value_parser = to_connect
    )]
    pub(crate) connect: Vec<Address>,
    /// Connect to a server of kaa.rpc there: HOST:PORT, /PATH of a Unix socket, or unix:NAME for one in
    /// kaa's directory for temporary files ($TMPDIR/kaa-UID).
    #[arg(long, value_name = "ENDPOINT", value_parser = kaa_to_connect, conflicts_with_all = ["peer", "identity", "key", "user"])]
    pub(crate) kaa: Option<kaa::Address>,
    /// A file with the secret that kaa.rpc's server knows, which only its owner may read (mode 600). The
    /// end of its last line is no part of it. Without it the secret is empty.
    #[arg(long, value_name = "FILE", requires = "kaa", conflicts_with = "connect")]
    pub(crate) kaa_secret_file: Option<PathBuf>,
    /// Call there instead, over datagrams, as Python's `rpcudp` does. There are no keyword arguments,
    /// and no errors: whatever goes wrong is exit code 3.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port, conflicts_with_all = ["connect", "kaa", "kaa_secret_file", "peer", "identity", "keywords", "traceback", "key", "server_key", "user", "password_file", "allow_plaintext"])]
    pub(crate) rpcudp: Option<String>,
    /// The server's name: its identity, `--name` of `pseud serve`, `user_id` in Python.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = name,
        required_unless_present_any = ["kaa", "rpcudp"]
    )]
    pub(crate) peer: Option<String>,
    /// Our own identity, by which the server may call us. Without it the server makes one up.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) identity: Option<String>,
    #[command(flatten)]
    pub(crate) credentials: Credentials,
    #[command(flatten)]
    pub(crate) heartbeat: HeartbeatArguments,
    /// How long to wait for the link and the answer together.
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Duration,
    /// A keyword argument; may be given more than once.
    #[arg(long = "kw", value_name = "KEY=VALUE", value_parser = keyword)]
    pub(crate) keywords: Vec<(String, Value)>,
    /// Call that client of the server, through it: a user, or who is none by its identity. The server must
    /// let us: see `pseud peers --help`.
    #[arg(long, value_name = "USER", value_parser = name, conflicts_with_all = ["rpcudp", "kaa"])]
    pub(crate) to: Option<String>,
    /// Print the remote traceback on stderr, too, where the server sends one.
    #[arg(long)]
    pub(crate) traceback: bool,
    /// The method, with its dots: string.lower
    pub(crate) method: String,
    /// Its arguments. Put `--` before METHOD if one begins with `-` and is not a number.
    #[arg(value_name = "ARG", value_parser = json::argument, allow_negative_numbers = true)]
    pub(crate) arguments: Vec<Value>,
}

/// The long help of `pseud call`: also the one place that documents the JSON.
const CALL: &str = r#"Call one method of a server, and print its result as one line of JSON.

An ARG, or a VALUE of --kw, that is JSON is that value; any other is a string. So 3 is a number,
'"3"' a string, null is None. What JSON lacks is an object with one key, in results and ARGs:

  {"$bin": "00ff"}                        bytes, in hex
  {"$float": "nan"}                       also inf, -inf
  {"$map": [[1, "one"]]}                  a dict with keys that are not strings
  {"$datetime": "2024-02-29T12:00:00Z"}   naive without Z or +HH:MM; [NAME] of a zone may follow
  {"$datetime_fold": "…"}                 the same with fold=1
  {"$date": "2024-02-29"}
  {"$timedelta": -1.5}                    seconds
  {"$timezone": "+02:00[CEST]"}           the name is optional; [Europe/Paris] alone is a key
  {"$ext": [5, "00ff"]}                   another msgpack ext: its code, its bytes

With --kaa also, as Python's pickles have them (elsewhere these ARGs are exts of codes 96 to 99):

  {"$int": "36893488147419103232"}        an int of more than 64 bits
  {"$set": [1, 2]}                        {"$frozenset": […]}, {"$complex": [1.0, 2.0]}
  {"$object": {"class": "m.Name", …}}     an object that is not data, in results: what was said of it

A dict whose only key begins with `$` is written as {"$map": …}, too."#;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
