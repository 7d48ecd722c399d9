//! What waits for a peer that reads nothing takes what is counted, whatever the names that it has called.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test that panics is a test that fails"
)]

use peak_alloc::PeakAlloc;
use pseud_proto::peer::PeerInfo;
use pseud_proto::pseud::Endpoint;
use pseud_proto::zmtp::Parts;
use pseud_proto::{Action, Config, LateGuard, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A WORK for a name of so many bytes.
fn work(id: u32, name: usize) -> Parts {
    let body = [&[0x93, 0xdb][..], &(name as u32).to_be_bytes(), &vec![b'n'; name], b"\x90\x80"];
    let frames = [&b""[..], b"v1", &id.to_be_bytes(), b"\x03", &body.concat()];
    Parts::from_frames(&frames).unwrap()
}

/// One test, alone in its program: nobody else allocates meanwhile.
#[test]
fn answers_that_wait_hold_no_more_than_is_counted() {
    let now = Instant::now();
    let mut endpoint = Endpoint::new(Arc::new(Config::default()), [7; 32]);
    let guard = Some(LateGuard::After(Duration::from_secs(4)));
    let peer = endpoint.handle_connected(PeerInfo::new("v1".into()).with_late_guard(guard), now);
    let before = MEMORY.current_usage();
    for id in 0..100 {
        endpoint.handle_message(peer, work(id, 256 << 10), now).unwrap();
        while let Some(action) = endpoint.poll_action() {
            if let Action::Serve(request) = action {
                let refusal = Refusal::NoSuchService(request.name().into());
                let ticket = request.open(&Default::default()).unwrap().ticket;
                endpoint.refuse(ticket, &refusal, now);
            }
        }
    }
    let (held, stats) = (MEMORY.current_usage().saturating_sub(before), endpoint.stats());
    assert_eq!((stats.requests_open, stats.requests_open_bytes), (100, 0));
    assert!(held < 2 * stats.queued_bytes + (64 << 10), "{held} for {}", stats.queued_bytes);
    // Who runs the node is told which they were.
    endpoint.handle_timeout(now + Duration::from_secs(5));
    let withheld =
        std::iter::from_fn(|| endpoint.poll_action()).filter_map(|action| match action {
            Action::Withheld { name, .. } => Some(name),
            _ => None,
        });
    let names: Vec<_> = withheld.collect();
    assert_eq!(names, vec!["n".repeat(255); 100]);
}
