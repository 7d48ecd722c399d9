//! What decoding takes: it counts where the bytes of requests do.

use crate::{Runtime, Tokio, conversations, new_client, new_server};
use pseud::{CallError, Fault, Limits, Options, Reason, Request};
use std::sync::Arc;
use tokio::sync::Semaphore;

conversations! { Tokio:
    what_decoding_takes_is_charged_while_a_handler_runs,
}

/// What a body may take once it is decoded counts where its bytes do: a body of 100 000 values is
/// small, what a handler makes of it is not.
async fn what_decoding_takes_is_charged_while_a_handler_runs<R: Runtime>() {
    let mut limits = Limits::default();
    limits.requests_open_bytes_per_peer_max = 6 << 20;
    let server = new_server::<R>(Options::server("service").limits(limits));
    let release = Arc::new(Semaphore::new(0));
    let held = release.clone();
    let hold = move |_: Request| {
        let held = held.clone();
        async move { held.acquire().await.map(drop).map_err(|_| Fault::new("E", "")) }
    };
    server.register("hold", hold).expect("a free name");
    let endpoint = server.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
    let client = new_client::<R>(Options::client("service"));
    client.connect(&endpoint).expect("well-formed");
    let many = vec![(); 100_000];
    // 100 KB and 4.8 MB: one is let in, a second one is not, and a small one is.
    let mut first = Box::pin(client.call::<(), _>("hold", (&many,)));
    let mut small = Box::pin(client.call::<(), _>("hold", ()));
    tokio::select! {
        biased;
        first = &mut first => panic!("{first:?}"),
        small = &mut small => panic!("{small:?}"),
        second = client.call::<(), _>("hold", (&many,)) => {
            assert!(matches!(second, Err(CallError::NotExecuted(Reason::Overloaded))), "{second:?}");
        }
    }
    release.add_permits(1);
    first.await.expect("it was let in");
    small.await.expect("it was let in");
    client.call::<(), _>("hold", (&many,)).await.expect("there is room again");
}
