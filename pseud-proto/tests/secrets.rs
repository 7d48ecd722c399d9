//! No secret is shown by any type that holds one.
#![allow(clippy::disallowed_methods, reason = "a test needs some moment to count from")]

mod secured;

use pseud_proto::zmtp::*;
use pseud_testkit::connection::*;
use secured::*;
use std::fmt::Debug;
use std::time::Instant;

/// The ways in which bytes may show: as text, as a list, as hexadecimal; keys also as Z85.
fn shapes() -> Vec<String> {
    let mut shapes = Vec::new();
    let mut add = |bytes: &[u8]| {
        shapes.push(String::from_utf8_lossy(bytes).into_owned());
        shapes.push(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
        shapes.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        shapes.push(bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect());
    };
    add(PASSWORD.as_bytes());
    #[cfg(feature = "_curve")]
    {
        add(server_pair().secret().expose());
        add(client_pair().secret().expose());
        shapes.push(server_pair().secret().to_z85().to_string());
        shapes.push(client_pair().secret().to_z85().to_string());
    }
    shapes
}

fn check(value: &dyn Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}").replace(['\n', ' '], "")] {
        for shape in shapes() {
            assert!(!shown.contains(&shape), "{shown}");
            assert!(!shown.contains(&shape.replace(' ', "")), "{shown}");
        }
    }
}

#[test]
fn the_scan_would_find_them() {
    for value in [&PASSWORD as &dyn Debug, &PASSWORD.as_bytes(), &PASSWORD.as_bytes().to_vec()] {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(value))).is_err());
    }
}

#[test]
fn at_no_step_of_a_handshake() {
    let now = Instant::now();
    for room in rooms() {
        check(&room);
        for verdict in [admit(), Verdict::Deny] {
            let (mut client, mut server) = room.open(Side::Connecting, now);
            while client.backlog() + server.backlog() > 0 {
                check(&[&client, &server]);
                let (from_client, from_server) = (written(&mut client), written(&mut server));
                for byte in from_client {
                    let _ = server.handle_input(&mut [byte], now);
                    check(&server);
                }
                let _ = feed(&mut client, &from_server, usize::MAX, now);
                check(&[&client, &server]);
                while let Some(event) = server.poll_event() {
                    check(&event);
                    if matches!(event, Event::Ask(_)) {
                        check(&server.answer(verdict.clone(), now));
                    }
                }
            }
            check(&[&client, &server]);
        }
    }
}

/// Whoever read it may read the next peer's bytes to the same place, and keep it for long.
#[test]
fn nor_where_a_handshake_was_read() {
    let now = Instant::now();
    for step in [1, 100, 200] {
        let (mut client, mut server) = plain().open(Side::Connecting, now);
        feed(&mut client, &written(&mut server), usize::MAX, now).unwrap();
        let mut read = written(&mut client);
        assert!(read.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD.as_bytes()));
        for bytes in read.chunks_mut(step) {
            server.handle_input(bytes, now).unwrap();
        }
        assert!(matches!(server.poll_event(), Some(Event::Ask(_))));
        assert!(read.iter().all(|byte| *byte == 0), "{step}");
    }
}

#[test]
fn nor_afterwards() {
    let now = Instant::now();
    for room in rooms() {
        let (mut client, mut server) = room.ready(now);
        send(&mut client, &[PASSWORD.as_bytes()], 1);
        check(&client);
        let bytes = written(&mut client);
        for byte in &bytes[..bytes.len() - 1] {
            server.handle_input(&mut [*byte], now).unwrap();
            check(&server);
        }
        server.handle_input(&mut [bytes[bytes.len() - 1]], now).unwrap();
        check(&server);
        check(&server.poll_event());
    }
}

#[cfg(feature = "_curve")]
#[test]
fn nor_by_a_key() {
    check(&server_pair());
    check(server_pair().secret());
    check(&SecretKey::from_z85(&server_pair().secret().to_z85()));
    check(&KeyPair::from_text(&server_pair().to_text()));
    check(&SecretKey::from_z85(&server_pair().secret().to_z85()[1..]));
}
