//! Python pseud's dialect: sessions of peers, calls both ways, over messages of five frames.
//!
//! # The wire
//! A message is `["", "v1", id, kind, body]`; the id is at most 64 bytes and is echoed. Bodies are
//! msgpack.
//!
//! | kind | byte | body |
//! |---|---|---|
//! | OK | `01` | the result |
//! | WORK | `03` | `[name, args, kwargs]`, or `[name, args, kwargs, map]` |
//! | ERROR | `10` | `[class, message, traceback]`, or `[class, message, traceback, map]` |
//! | HELLO | `02` | `[login, password]` |
//! | AUTHENTICATED | `04` | text |
//! | UNAUTHORIZED | `11` | text |
//! | GOAWAY | `12` | `[code]` |
//!
//! HELLO, AUTHENTICATED and UNAUTHORIZED are a login within a session, where a server asks for one
//! ([`Config::requires_login`](crate::Config)): they carry the id of the WORK that was not run.
//! To a HELLO of a peer that declares anything UNAUTHORIZED says `Authentication Unavailable` where nobody can
//! tell now whether it is right: that peer may show it again later.
//! HEARTBEAT `06` is read, and sent only where that is asked for.
//!
//! # What a peer declares
//! More than a Python pseud 1.0 process reads goes only to a peer that declared it, in the handshake of
//! that link: the property `X-Pseud: 1;caps=<hex>;max=<bytes>` of its READY or INITIATE (ZMTP 3.1
//! §metadata). `max` is the largest body that it takes, 1024 at least. `caps` is a bitmap:
//!
//! | bit | the peer | so it is sent |
//! |---|---|---|
//! | 0 | survives an answer to a call that is over | answers however late |
//! | 1 | reads an ERROR's fourth item | refusals, and one ERROR for WORKs of another version |
//! | 2 | reads a WORK's fourth item | in whose name a call is made, and after how many hops |
//! | 3 | reads a GOAWAY | why its session is ended |
//!
//! `link=<16 hex>` and `beside=<16 hex>,…` name the link that the peer opens and others of the same
//! node: [`Siblings`](crate::Siblings). Unknown bits and unknown `;key=value` are passed over. Another version, anything malformed, more than
//! 256 bytes, or the property given twice: the peer is a v1 peer. A declaration says what a peer can
//! read, and nothing else hangs on it; it is not remembered beyond its link.
//!
//! # GOAWAY
//! The last message of a session that one side ends: its id is empty, its body an array whose first item is
//! a code, and what follows is passed over. `revoked`: the peer is no longer welcome, and coming back soon
//! would change nothing; `draining`: it is to come back later, or to another server; `replaced`: another link
//! of its user has its name, and if both come back at once they do so for ever; `occupied`: another session
//! of its user is there already, and that one stays ([`Parting`](crate::Parting)). Any other code says no more than the link's end does. What had been sent is
//! `Unknown`, what had not is `NotExecuted`, both for that reason.
//!
//! # Fourth items
//! Maps of at most 1 KiB; unknown keys are passed over.
//!
//! * **ERROR** `{"outcome": "not_executed", "code": str}`: no handler was run. Codes are `draining`,
//!   `overloaded`, `no_such_service`, `too_large`, `bad_call`, `too_many_hops`, `unauthorized` and
//!   `version` ([`Refusal`](crate::Refusal)); any other is a refusal as well. A fault that a handler
//!   raised has three items. An item of another shape is as good as none.
//! * **WORK** `{"u": bin, "h": uint}`, both optional: the id of the user in whose name the call is made,
//!   and how many calls led to it ([`Provenance`](crate::Provenance)). One of another shape is refused. A call that has
//!   neither has three items. A call in another's name is not sent to a peer that would not read it.

pub(crate) mod classes;
pub(crate) mod envelope;
pub(crate) mod extension_map;
pub(crate) mod fault;
pub(crate) mod goaway;
pub(crate) mod login;
pub(crate) mod origin;
pub(crate) mod outbound;
