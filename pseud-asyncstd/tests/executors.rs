//! Nodes run under whichever executor polls them.

use pseud_asyncstd::{Client, Server};
use pseud_proto::Fault;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A server that calls its caller back, over TCP and over a Unix socket.
async fn call_back(ipc: &str) {
    let server = Server::new("service").unwrap();
    let ask = |request: pseud_asyncstd::Request| async move {
        let name: String =
            request.caller().call("name", ()).await.map_err(|_| Fault::new("E", ""))?;
        Ok::<_, Fault>(format!("Hello {name}"))
    };
    server.register("hello", ask).unwrap();
    let wait = |_| {
        std::thread::sleep(Duration::from_millis(10));
        Ok::<_, Fault>(())
    };
    server.register_blocking("wait", wait).unwrap();
    let tcp = server.bind("tcp://localhost:0").await.unwrap();
    let path = std::env::temp_dir().join(format!("pseud-{}-{ipc}", std::process::id()));
    let ipc = server.bind(&format!("ipc://{}", path.display())).await.unwrap();
    for endpoint in [tcp, ipc] {
        let client = Client::new("service").unwrap();
        client.register("name", |_| async { Ok::<_, Fault>("Charly") }).unwrap();
        client.connect(&endpoint).unwrap();
        assert_eq!(client.call::<String, _>("hello", ()).await.unwrap(), "Hello Charly");
        client.call::<(), _>("wait", ()).await.unwrap();
        let late = client.call::<(), _>("wait", ()).timeout(Duration::from_millis(1)).await;
        assert!(late.is_err());
        client.drain(Duration::from_secs(5)).await;
    }
    server.drain(Duration::from_secs(5)).await;
    assert!(!path.exists(), "the file goes with its listener");
}

type Run = fn(Pin<Box<dyn Future<Output = ()> + Send>>);

#[test]
fn any_executor_will_do() {
    let executors: [(&str, Run); 4] = [
        ("async-io", |future| async_io::block_on(future)),
        ("futures-lite", |future| futures_lite::future::block_on(future)),
        ("smol", |future| smol::block_on(smol::spawn(future))),
        ("futures", |future| futures_executor::block_on(future)),
    ];
    for (name, run) in executors {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            run(Box::pin(call_back(name)));
            done.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("under {name}"));
    }
}
