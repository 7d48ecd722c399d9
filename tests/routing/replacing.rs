//! Registering, replacing and unregistering while calls run.

use crate::{
    Runtime, Tokio, client, conversations, is_simulated, not_found, open_server, pause, said, says,
    soon, spawn,
};
use pseud::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

conversations! { Tokio:
    each_call_gets_the_one_handler_or_the_other_and_never_an_error on 2 threads,
    a_call_that_runs_is_finished_by_the_handler_that_it_began_with,
}

/// Calls over sockets; in a simulated world a few meet as many turns of the other task.
const CALLS: [usize; 2] = [2_000, 40];

async fn each_call_gets_the_one_handler_or_the_other_and_never_an_error<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let registry = server.registry();
    says(&registry, "which", "one");
    let (client, done) = (client::<R>(&endpoint), Arc::new(AtomicBool::new(false)));
    let stop = done.clone();
    let replacing = spawn(async move {
        let mut times = 0;
        while !stop.load(Ordering::Relaxed) {
            says(&registry, "which", if times % 2 == 0 { "other" } else { "one" });
            times += 1;
            pause().await;
        }
        times
    });
    let mut seen = [0; 2];
    for _ in 0..CALLS[usize::from(is_simulated())] {
        match said(&client, "which").await.as_str() {
            "one" => seen[0] += 1,
            "other" => seen[1] += 1,
            unknown => panic!("{unknown}"),
        }
    }
    done.store(true, Ordering::Relaxed);
    let times = soon(replacing).await.unwrap();
    assert!(times > 2 && seen.iter().all(|&count| count > 0), "{times} replacements: {seen:?}");
}

async fn a_call_that_runs_is_finished_by_the_handler_that_it_began_with<R: Runtime>() {
    let (server, endpoint) = open_server::<R>().await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), release.clone());
    server
        .register("slow", move |_| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.notify_one();
                wait.notified().await;
                Ok::<_, Fault>("the former")
            }
        })
        .unwrap();
    let client = client::<R>(&endpoint);
    let caller = client.clone();
    let calling = spawn(async move { said(&caller, "slow").await });
    soon(begun.notified()).await;
    says(&server.registry(), "slow", "the latter");
    assert_eq!(said(&client, "slow").await, "the latter");
    assert!(server.unregister("slow"));
    not_found(&client, "slow").await;
    assert!(!server.unregister("slow"));
    release.notify_one();
    assert_eq!(soon(calling).await.unwrap(), "the former");
}
