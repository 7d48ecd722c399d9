//! What kaa-base 0.99.2dev was recorded with, under Python 2.7 and 3.11.

use super::hostile::ADD;
use super::talk::{Peer, open_server, packet, packets, result_of};
use pseud_proto::kaa::{BigInt, Complex, Config, FrozenSet, Set};
use pseud_proto::value::{Packed, Value, ValueLimits};
use pseud_proto::zmtp::Side;
use pseud_proto::{Action, Insecure, Outcome, Reason};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Recorded {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    kind: String,
    hex: Json,
    meaning: Json,
}

impl Vector {
    fn sends(&self) -> Vec<Vec<u8>> {
        let all = match &self.hex {
            Json::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
            one => vec![one.as_str().unwrap()],
        };
        all.into_iter().map(unhex).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        self.sends().concat()
    }

    fn case(&self) -> &str {
        self.name.rsplit('/').next().unwrap()
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn limits() -> ValueLimits {
    Config::default().limits.values
}

#[test]
fn every_vector() {
    let recorded: Recorded = serde_json::from_str(include_str!("../vectors/kaa.json")).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for vector in &recorded.vectors {
        *counts.entry(go(vector)).or_default() += 1;
    }
    let expected = [
        ("a call", 38),
        ("a challenge and response", 14),
        ("a handshake's packet", 28),
        ("a result", 24),
        ("an exception", 14),
        ("an end", 20),
        ("as the reference does", 57),
        ("closed earlier", 2),
        ("answered, where the reference is silent", 13),
        ("a stream", 20),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// Goes through one vector; what kind of vector it was.
fn go(vector: &Vector) -> &'static str {
    match vector.kind.as_str() {
        "auth-digest" => digest(vector),
        "packet" => recorded_packet(vector),
        "tcp-stream" => stream(vector),
        "tcp-eof" => end(vector),
        "edge" => edge(vector),
        kind => panic!("a vector of kind {kind}"),
    }
}

/// That the response is right only the machine's inside shows: `wire::kaa::proof` computes each of these
/// again, from this file's challenge, salt and secret.
fn digest(vector: &Vector) -> &'static str {
    assert_eq!(vector.bytes().len(), 20);
    "a challenge and response"
}

/// The stream ends. No bytes: what it means depends on what came before.
fn end(vector: &Vector) -> &'static str {
    assert!(vector.bytes().is_empty());
    let (mut server, mut client) = super::talk::pair();
    if vector.name.contains("/bad-secret/") {
        // The server goes without a word once it was shown a wrong secret; then its client goes, too.
        (server, client) = (Peer::server(), Peer::new(Side::Connecting, Config::new("other"), 2));
        client.read(&server.written());
        server.read(&client.written());
        assert_eq!(server.result, Err(Insecure::WrongSecret.into()));
        let ended = client.channel.handle_eof(client.now);
        assert_eq!(ended, Err(Insecure::SecretRefused.into()), "{}", vector.name);
        assert_eq!(server.channel.handle_eof(server.now), Ok(()), "it is over already");
        return "an end";
    }
    let mut peer = if vector.name.contains("client-to-server") { server } else { client };
    let call = peer.call("add", Packed::call(&(1, 2), &()).unwrap());
    peer.written();
    assert_eq!(peer.channel.handle_eof(peer.now), Ok(()), "{}", vector.name);
    assert!(matches!(peer.outcome(call), Some(Outcome::Unknown(Reason::PeerGone))));
    peer.look();
    assert!(peer.actions.iter().any(|action| matches!(action, Action::Left(_, Reason::PeerGone))));
    "an end"
}

fn recorded_packet(vector: &Vector) -> &'static str {
    let mut packets = packets(&vector.bytes());
    let (seq, kind, payload) = packets.remove(0);
    assert!(packets.is_empty());
    assert_eq!(vector.meaning["seq"], seq, "{}", vector.name);
    assert_eq!(vector.meaning["type"], *kind, "{}", vector.name);
    let meaning = &vector.meaning["payload"];
    match kind.as_str() {
        "AUTH" => {
            // It is as ours is, and a client of ours answers it.
            let own = Peer::server().written();
            assert_eq!((own.len(), &own[..12]), (72, &vector.bytes()[..12]));
            assert_eq!(own[32..], vector.bytes()[32..], "behind the challenge are zeros");
            let mut client = Peer::client();
            client.read(&vector.bytes());
            assert_eq!((client.written().len(), &client.result), (72, &Ok(())));
            "a handshake's packet"
        }
        "RESP" => {
            // Whether it is right `wire::kaa::proof` judges, with the challenge that was recorded before it: no
            // side of ours makes that one, and so both refuse it as a wrong one, and as nothing else.
            let (mut server, mut client) = (Peer::server(), Peer::client());
            client.read(&server.written());
            for peer in [&mut server, &mut client] {
                peer.read(&vector.bytes());
                assert_eq!(peer.result, Err(Insecure::WrongSecret.into()), "{}", vector.name);
            }
            "a handshake's packet"
        }
        "CALL" => {
            let (name, args, kwargs) = called(&payload);
            let [expected_name, expected_args, expected_kwargs] = tuple(meaning);
            assert!(is(&Value::from(name), expected_name), "{}", vector.name);
            assert!(is(&args, expected_args), "{}: {args:?}", vector.name);
            assert!(is(&kwargs, expected_kwargs), "{}: {kwargs:?}", vector.name);
            "a call"
        }
        "RETN" => {
            let Outcome::Value(body) = result_of("RETN", &payload) else { panic!("no result") };
            let value = body.check(&limits()).unwrap().value();
            assert!(is(&value, meaning), "{}: {value:?} is not {meaning}", vector.name);
            "a result"
        }
        _ => {
            let Outcome::Fault(fault) = result_of("EXCP", &payload) else { panic!("no fault") };
            let [exception, _] = tuple(meaning);
            let told = exception["$repr"].as_str().unwrap();
            let class = told.split('(').next().unwrap().rsplit('.').next().unwrap();
            assert_eq!(fault.class, class, "{}", vector.name);
            assert!(told.contains(&fault.message) && !fault.message.is_empty(), "{fault:?}");
            let traceback = fault.traceback.unwrap();
            assert!(
                traceback.contains("  File \"") && traceback.contains(", line "),
                "{}: {traceback}",
                vector.name
            );
            "an exception"
        }
    }
}

fn tuple<const N: usize>(meaning: &Json) -> [&Json; N] {
    let items: Vec<_> = meaning["$tuple"].as_array().unwrap().iter().collect();
    items.try_into().unwrap()
}

/// What a server is called with.
fn called(payload: &[u8]) -> (String, Value, Value) {
    let mut server = open_server();
    server.read(&packet(1, b"CALL", payload));
    let request = server.request();
    let name = request.name().to_owned();
    let opened = request.open(&limits()).unwrap();
    let kwargs = opened.arguments.kwargs_values().into_iter();
    let kwargs = Value::Map(kwargs.map(|(name, value)| (name.into(), value)).collect());
    (name, opened.arguments.args_values().into(), kwargs)
}

/// Whether a value means that.
fn is(value: &Value, meaning: &Json) -> bool {
    let typed = || Packed::result(value).unwrap();
    let all = |values: &[Value], meanings: &Json| {
        let meanings = meanings.as_array().unwrap();
        values.len() == meanings.len()
            && values.iter().zip(meanings).all(|(one, other)| is(one, other))
    };
    let any_order = |values: Vec<Value>, meanings: &Json| {
        let meanings = meanings.as_array().unwrap();
        let has = |meaning: &Json| values.iter().any(|value| is(value, meaning));
        values.len() == meanings.len() && meanings.iter().all(has)
    };
    match meaning {
        Json::Object(tags) if tags.len() == 1 && tags.keys().all(|key| key.starts_with('$')) => {
            let (tag, inner) = tags.iter().next().unwrap();
            match tag.as_str() {
                "$bytes" => {
                    let bytes = unhex(inner.as_str().unwrap());
                    value.as_bytes().or(value.as_str().map(str::as_bytes)) == Some(&bytes[..])
                }
                "$tuple" => value.as_array().is_some_and(|items| all(items, inner)),
                "$map" => {
                    let pairs = value.as_map().unwrap_or_default().iter();
                    let pairs: Vec<Value> = pairs
                        .map(|(key, value)| Value::Array(vec![key.clone(), value.clone()]))
                        .collect();
                    any_order_pairs(&pairs, inner)
                }
                "$bigint" => {
                    let big: BigInt = typed().decode().unwrap();
                    big.to_i128().unwrap().to_string() == inner.as_str().unwrap()
                }
                "$set" => any_order(typed().decode::<Set<Value>>().unwrap().0, inner),
                "$frozenset" => any_order(typed().decode::<FrozenSet<Value>>().unwrap().0, inner),
                "$complex" => {
                    let complex: Complex = typed().decode().unwrap();
                    [complex.real, complex.imaginary].map(Json::from).to_vec()
                        == *inner.as_array().unwrap()
                }
                tag => panic!("{tag}"),
            }
        }
        Json::Object(pairs) => {
            pairs
                .iter()
                .all(|(key, meaning)| value.get(key).is_some_and(|value| is(value, meaning)))
                && value.as_map().is_some_and(|map| map.len() == pairs.len())
        }
        Json::Array(_) => value.as_array().is_some_and(|items| all(items, meaning)),
        Json::Null => value.is_nil(),
        Json::Bool(one) => value.as_bool() == Some(*one),
        Json::String(text) => value.as_str() == Some(text),
        Json::Number(number) => match number.as_i64() {
            Some(number) => value.as_i64() == Some(number),
            None => value.as_f64() == number.as_f64(),
        },
    }
}

fn any_order_pairs(pairs: &[Value], meanings: &Json) -> bool {
    let meanings = meanings.as_array().unwrap();
    pairs.len() == meanings.len()
        && meanings.iter().all(|meaning| pairs.iter().any(|pair| is(pair, meaning)))
}

/// A whole direction, behind its handshake (whose challenges no other side makes): each call is served, and
/// nothing of it is refused, however it is cut.
fn stream(vector: &Vector) -> &'static str {
    let (proofs, others): (Vec<_>, Vec<_>) = packets(&vector.bytes())
        .into_iter()
        .partition(|(_, kind, _)| matches!(kind.as_str(), "AUTH" | "RESP"));
    let begun = proofs.iter().map(|(.., payload)| 12 + payload.len()).sum();
    let calls = others.iter().filter(|(_, kind, _)| kind == "CALL").count();
    let bytes = vector.bytes();
    for size in [1, 7, usize::MAX] {
        let (server, client) = super::talk::pair();
        let mut peer = if vector.name.contains("client-to-server") { server } else { client };
        for piece in bytes[begun..].chunks(size) {
            peer.read(piece);
        }
        assert_eq!((peer.requests().len(), &peer.result), (calls, &Ok(())), "{}", vector.name);
    }
    "a stream"
}

/// Their responses are to a challenge that no server of ours makes. The same packet with a right one does
/// the same here: a counter-challenge of zeros is not answered, a number is repeated, and calls are served.
fn late_proof(vector: &Vector) -> &'static str {
    let (mut server, mut client) = (Peer::server(), Peer::client());
    client.read(&server.written());
    let recorded = vector.bytes();
    let mut sent = client.written();
    assert_eq!(sent.len(), recorded.len());
    sent[..12].copy_from_slice(&recorded[..12]);
    if recorded[12..32] == [0; 20] {
        sent[12..32].copy_from_slice(&recorded[12..32]);
    }
    server.read(&sent);
    assert_eq!(server.is_closed(), vector.meaning["closed"].as_bool().unwrap());
    let answered = packets(&server.written());
    let expected = vector.meaning["server_reply"].as_array().unwrap();
    assert_eq!(answered.len(), expected.len(), "{}", vector.name);
    for ((seq, kind, payload), expected) in answered.iter().zip(expected) {
        assert_eq!((&expected["seq"], &expected["type"]), (&(*seq).into(), &kind.as_str().into()));
        let recorded = unhex(expected["payload"].as_str().unwrap());
        assert_eq!((payload.len(), &payload[..20]), (60, &recorded[..20]), "it asks nothing");
    }
    server.read(&packet(1, b"CALL", ADD));
    serve(&mut server);
    let answered = packets(&server.written());
    let expected = vector.meaning["then_call_reply"].as_array().unwrap();
    assert_eq!(answered.len(), expected.len(), "{}", vector.name);
    for ((seq, kind, payload), expected) in answered.iter().zip(expected) {
        assert_eq!((&expected["seq"], &expected["type"]), (&(*seq).into(), &kind.as_str().into()));
        compare(vector.case(), kind, payload, &expected["payload"]);
    }
    "as the reference does"
}

/// What was sent to the reference's server, and what it did; the methods that it served.
fn edge(vector: &Vector) -> &'static str {
    let case = vector.case();
    if let "resp-null-counter-challenge" | "resp-seq-77" = case {
        return late_proof(vector);
    }
    let authenticated = vector.meaning["authenticated_first"].as_bool().unwrap();
    let mut server = if authenticated { open_server() } else { Peer::server() };
    server.written();
    let mut kind = "as the reference does";
    let after = vector.meaning["after_each_send"].as_array().unwrap();
    for (bytes, after) in vector.sends().iter().zip(after) {
        server.read(bytes);
        let closed = server.is_closed();
        match after["closed"].as_bool().unwrap() {
            false if closed => {
                // A header that cannot be right is not awaited.
                assert!(matches!(case, "1024-bytes-no-packet" | "resp-59-bytes"), "{case}");
                kind = "closed earlier";
            }
            expected => assert_eq!(closed, expected, "{case}: {:?}", server.result),
        }
        serve(&mut server);
        let answered = packets(&server.written());
        let expected = after["packets"].as_array().unwrap();
        if answered.len() > expected.len() {
            kind = "answered, where the reference is silent";
        }
        for expected in expected {
            let seq = expected["seq"].as_u64().unwrap();
            let found = answered.iter().find(|(found, ..)| u64::from(*found) == seq);
            let (_, kind, payload) = found.unwrap_or_else(|| panic!("{case}: nothing for {seq}"));
            assert_eq!(expected["type"], kind.as_str(), "{case}");
            compare(case, kind, payload, &expected["payload"]);
        }
    }
    kind
}

fn compare(case: &str, kind: &str, payload: &[u8], meaning: &Json) {
    match result_of(kind, payload) {
        Outcome::Value(body) => {
            let value = body.check(&limits()).unwrap().value();
            assert!(is(&value, meaning), "{case}: {value:?} is not {meaning}");
        }
        Outcome::Fault(fault) => {
            let told = tuple::<2>(meaning)[0]["$repr"].as_str().unwrap().to_owned();
            assert!(told.starts_with(&format!("exceptions.{}(", fault.class)), "{case}: {fault}");
        }
        outcome => panic!("{case}: {outcome:?}"),
    }
}

/// The methods of the service that was recorded.
fn serve(server: &mut Peer) {
    for request in server.requests() {
        let name = request.name().to_owned();
        let opened = match request.open(&limits()) {
            Ok(opened) => opened,
            Err((ticket, refusal)) => {
                server.channel.refuse(ticket, &refusal, server.now);
                continue;
            }
        };
        #[derive(Deserialize)]
        struct Add {
            a: i64,
            b: i64,
        }
        let arguments = &opened.arguments;
        let result = match name.as_str() {
            "add" => arguments.bind::<Add>().map(|sum| Value::from(sum.a + sum.b)),
            "nothing" => Ok(Value::Nil),
            "big" => arguments.args::<(usize,)>().map(|(len,)| Value::Bin(vec![b'x'; len].into())),
            "unpicklable" => Ok(Value::Ext(5, "an ext of somebody's".into())),
            name => {
                let refusal = pseud_proto::Refusal::NoSuchService(name.into());
                server.channel.refuse(opened.ticket, &refusal, server.now);
                continue;
            }
        };
        match result {
            Ok(value) => server.reply(opened.ticket, Packed::result(&value).unwrap()),
            Err(bad) => server.channel.reply(opened.ticket, Err(bad.into()), server.now),
        }
    }
    assert!(!server.actions.iter().any(|action| matches!(action, Action::Serve(_))));
}

#[test]
fn a_client_never_sends_a_zero_challenge() {
    for seed in 0..=255 {
        let (mut server, mut client) =
            (Peer::server(), Peer::new(Side::Connecting, Config::new(super::talk::SECRET), seed));
        client.read(&server.written());
        let written = packets(&client.written());
        assert_ne!(written[0].2[..20], [0; 20]);
    }
}
