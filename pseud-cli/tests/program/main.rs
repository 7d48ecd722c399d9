//! The program as a shell sees it: its streams and its exit codes.
#![cfg(unix)]

mod admin;
mod call;
#[cfg(unix)]
mod heartbeat;
mod kaa;
mod logins;
mod mistakes;
mod rpcudp;
mod run;
mod security;
mod serve;
mod users;
mod values;
