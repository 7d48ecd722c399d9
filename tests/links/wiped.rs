//! No copy of a password is left in this process's memory once nobody needs it: a login's HELLO and
//! PLAIN's, both ends here, over encrypted links and in clear. All writable memory is searched.

use crate::soon;
use pseud::{Authenticator, CurveLogins, Fault, KeyPair, Options, Secret};
use pseud::{Client, Server};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

const LEN: usize = 40;
/// What is searched for is nowhere in memory itself.
const MASK: u8 = 0xa5;

/// A password of that number, never moved while it is made.
fn password(number: u8) -> Vec<u8> {
    let mut password = Vec::with_capacity(LEN);
    password.extend(masked(number).map(|byte| byte ^ MASK));
    password
}

fn masked(number: u8) -> impl Iterator<Item = u8> {
    (0..LEN as u8).map(move |at| (b'A' + at.wrapping_mul(7).wrapping_add(number) % 58) ^ MASK)
}

/// How often it lies in the memory of this process.
fn copies_of(number: u8) -> Vec<String> {
    let masked: Vec<u8> = masked(number).collect();
    let is_it =
        |bytes: &[u8]| bytes.iter().zip(&masked).all(|(byte, masked)| byte ^ MASK == *masked);
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = Vec::new();
    let mut page = vec![0; 1 << 16];
    for map in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut words = map.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut at = start;
        while at < end {
            let len = page.len().min((end - at) as usize);
            let Ok(read) = memory.read_at(&mut page[..len], at) else { break };
            let first = |bytes: &[u8]| bytes[0] ^ MASK == masked[0] && is_it(bytes);
            let here = page[..read].windows(LEN).filter(|bytes| first(bytes)).count();
            found.extend((0..here).map(|_| map.to_owned()));
            // What was read is not to be found in its turn.
            page[..read].fill(0);
            if read < len || read < LEN {
                break;
            }
            // One that lies across two reads is seen whole.
            at += (read - if at + (read as u64) < end { LEN - 1 } else { 0 }) as u64;
        }
    }
    found
}

fn assert_gone(number: u8, what: &str) {
    let found = copies_of(number);
    assert!(found.is_empty(), "{what}: {} copies: {found:#?}", found.len());
}

#[test]
fn a_copy_would_be_found() {
    let shown = password(0);
    assert!(!copies_of(0).is_empty());
    drop(Secret::new(shown));
    assert_gone(0, "a secret that was dropped");
}

/// Both ends of a login, with that user's password; then they go.
async fn logs_in(number: u8, server: Options, client: Options) {
    let server = Server::with_options(server).unwrap();
    server.register_sync("who", |request| Ok::<_, Fault>(request.user().to_string())).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = Client::with_options(client).unwrap();
    client.connect(&endpoint).unwrap();
    let who: String = soon(client.call("who", ())).await.unwrap();
    assert_eq!(who, "john");
    assert!(!copies_of(number).is_empty(), "the client's own");
    client.shutdown();
    server.shutdown();
    drop((client, server));
}

/// In a runtime that ends: what its threads held goes with them.
fn in_a_runtime(work: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(work);
}

fn by_login(number: u8, options: Options) -> Options {
    options.credentials("john", Secret::new(password(number)))
}

#[test]
fn nothing_of_a_login_over_curve() {
    let server = KeyPair::generate([1; 32]);
    let logins = CurveLogins::new();
    logins.set_password("john", Secret::new(password(1)));
    let serves = Options::server("service").curve_server([server.clone()], logins.authenticator());
    let calls =
        Options::client("service").curve_client(KeyPair::generate([2; 32]), [*server.public()]);
    in_a_runtime(logs_in(1, serves.requires_login(true), by_login(1, calls)));
    drop(logins);
    assert_gone(1, "HELLO over CURVE");
}

fn by_password(number: u8) -> Authenticator {
    Authenticator::passwords([("john", Secret::new(password(number)))])
}

#[test]
fn nothing_of_a_login_in_clear() {
    let mut serves = Options::server("service").requires_login(true);
    serves.admission.authenticator = Some(by_password(2));
    let calls = by_login(2, Options::client("service").allow_plaintext(true));
    in_a_runtime(logs_in(2, serves, calls));
    assert_gone(2, "HELLO in clear");
}

#[test]
fn nothing_of_plain() {
    let serves = Options::server("service").plain_server(by_password(3));
    let calls = Options::client("service").plain_client("john", Secret::new(password(3)));
    in_a_runtime(logs_in(3, serves, calls));
    assert_gone(3, "PLAIN's HELLO");
}
