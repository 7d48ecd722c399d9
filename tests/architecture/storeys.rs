//! The storeys of each package, from the ground up, and what is not named where.

/// Folders and files right below `src`; those of one storey do not import each other, unless they
/// are the same folder.
pub(crate) type Storeys = &'static [&'static [&'static str]];

pub(crate) const STOREYS: &[(&str, Storeys)] = &[
    (
        "pseud-proto",
        &[
            &["base"],
            &["error"],
            &["auth"],
            &["value", "message"],
            &["call"],
            &["wire", "dialect", "registry"],
            &["rpc", "rpcudp"],
            &["link"],
            &["channel", "kaa"],
            &["pseud", "session"],
        ],
    ),
    (
        "pseud-async",
        &[
            &["endpoint_error", "entropy", "io_error", "panics"],
            &["runtime"],
            &["os", "files"],
            &["engine"],
            &["call", "auth"],
            &["presence"],
            &["datagram"],
            &["serve"],
            &["link"],
            &["node"],
            &["kaa", "rpcudp"],
            &["adapter", "surface"],
        ],
    ),
    (
        "pseud-asyncstd",
        &[&["executor", "socket"], &["listener"], &["runtime"], &["adapter", "rpcudp"], &["kaa"]],
    ),
    (
        "pseud-blocking",
        &[
            &["threads"],
            &["socket"],
            &["runtime", "inside"],
            &["adapter", "wait"],
            &["faces"],
            &["client", "server"],
            &["kaa", "rpcudp", "zmq"],
        ],
    ),
    ("pseud-tokio", &[&["socket"], &["listener"], &["runtime"], &["adapter", "rpcudp"], &["kaa"]]),
    (
        "pseud-testkit",
        &[
            &["ledger", "luck", "patience"],
            &["path"],
            &["memory"],
            &["weather"],
            &["sim"],
            &["conversation"],
            &["raw", "spy"],
            &["attacks", "connection"],
        ],
    ),
    (
        "pseud-cli",
        &[
            &["terminal"],
            &["exit", "json", "log"],
            &["json_tests", "parse"],
            &["users"],
            &["credentials"],
            &["security", "heartbeat", "user", "result"],
            &["cli", "demo"],
            &["kaa", "rpcudp"],
            &["call", "keygen", "serve"],
            &["admin"],
        ],
    ),
];

/// Package, part of its tree, words of paths, why.
pub(crate) const NOT_NAMED: &[(&str, &str, &[&str], &str)] = &[
    (
        "pseud-proto",
        "",
        &[
            "Instant::now",
            "SystemTime::now",
            "thread",
            "TcpStream",
            "UdpSocket",
            "getrandom",
            "Mutex",
            "Waker",
        ],
        "the core is sans-IO",
    ),
    (
        "pseud-proto",
        "rpc/",
        &["zmtp", "wire", "dialect::pseud", "kaa", "rpcudp"],
        "sessions know no wire and no dialect",
    ),
    (
        "pseud-proto",
        "rpc/directory",
        &["rpc::session::Session", "calls", "requests", "output", "endpoint"],
        "a directory never looks into a session",
    ),
    (
        "pseud-proto",
        "rpc/session",
        &["directory", "endpoint", "identities", "users"],
        "a session knows no names and no other session",
    ),
    ("pseud-proto", "wire", &["dialect", "rpc", "call"], "a wire knows no meaning"),
    (
        "pseud-tokio",
        "",
        &[
            "pseud_proto::value",
            "pseud_proto::pseud",
            "pseud_proto::address",
            "pseud_proto::backoff",
            "ConnectionConfig",
            "Hub",
            "StreamLink",
            "Dial",
            "Executor",
        ],
        "an adapter is its runtime's I/O, time and tasks, and nothing else",
    ),
    (
        "pseud-asyncstd",
        "",
        &[
            "pseud_proto::value",
            "pseud_proto::pseud",
            "pseud_proto::address",
            "pseud_proto::backoff",
            "ConnectionConfig",
            "Hub",
            "StreamLink",
            "Dial",
            "pseud_async::adapter::Executor",
        ],
        "an adapter is its runtime's I/O, time and tasks, and nothing else",
    ),
    (
        "pseud-async",
        "",
        &["tokio", "Instant::now", "SystemTime::now", "TcpStream", "TcpListener", "thread::sleep"],
        "what is shared knows no runtime, no socket and no clock",
    ),
];

/// Files that import each other in a circle today. The list may only get shorter.
pub(crate) const CIRCLES: &[(&str, &[&str])] = &[];
