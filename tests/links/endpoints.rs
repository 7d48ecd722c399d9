//! Where one can bind and connect, and what is said where one cannot.

use crate::{
    Runtime, Server, Tokio, client, conversations, hello, new_client, new_server, serve, server,
    soon, until,
};
use pseud::Options;
use std::io::ErrorKind;
use std::path::PathBuf;

conversations! { Tokio:
    ipv6,
    a_name_is_resolved,
    two_endpoints_of_one_server_and_links_that_outlive_an_unbind,
    two_endpoints_of_one_client_one_in_use_and_one_to_fall_back_on,
    either_role_may_bind_or_connect,
    a_connecting_side_probes_unless_told_not_to,
}

/// A fresh path that nobody else uses, gone at the end.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pseud-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}", self.0.display())
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn ipv6<R: Runtime>() {
    let (_server, endpoint) = server::<R>("tcp://[::1]:0").await;
    assert!(endpoint.starts_with("tcp://[::1]:"), "{endpoint}");
    assert_eq!(hello(&client::<R>(&endpoint)).await, "Hello Charly");
}

async fn a_name_is_resolved<R: Runtime>() {
    let (_server, endpoint) = server::<R>("tcp://127.0.0.1:*").await;
    let port = endpoint.rsplit(':').next().unwrap();
    assert_eq!(hello(&client::<R>(&format!("tcp://localhost:{port}"))).await, "Hello Charly");
}

#[tokio::test]
async fn an_ipc_path_with_its_mode_and_without_a_trace_at_the_end() {
    use std::os::unix::fs::PermissionsExt;
    let path = SocketPath::new("mode");
    let mut options = Options::server("service");
    options.ipc_mode = Some(0o600);
    let server = new_server::<Tokio>(options);
    let endpoint = serve(&server, &path.endpoint()).await;
    assert_eq!(endpoint, path.endpoint());
    let mode = std::fs::metadata(&path.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(hello(&client::<Tokio>(&endpoint)).await, "Hello Charly");
    server.unbind(&endpoint).unwrap();
    until(|| !(path.0.exists())).await;
}

#[tokio::test]
async fn an_abstract_name() {
    let name = format!("ipc://@pseud-{}", std::process::id());
    let (_server, endpoint) = server::<Tokio>(&name).await;
    assert_eq!(hello(&client::<Tokio>(&endpoint)).await, "Hello Charly");
}

#[tokio::test]
async fn p_08_a_file_is_replaced_only_if_nobody_listens_there() {
    let path = SocketPath::new("stale");
    drop(std::os::unix::net::UnixListener::bind(&path.0).unwrap());
    assert!(path.0.exists(), "a dead listener leaves its file");
    let (_first, endpoint) = server::<Tokio>(&path.endpoint()).await;
    let second = new_server::<Tokio>(Options::server("second"));
    let error = second.bind(&endpoint).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&endpoint), "{error}");
    assert_eq!(hello(&client::<Tokio>(&endpoint)).await, "Hello Charly");

    let plain = SocketPath::new("plain");
    std::fs::write(&plain.0, "mine").unwrap();
    assert!(second.bind(&plain.endpoint()).await.is_err());
    assert_eq!(std::fs::read(&plain.0).unwrap(), b"mine");
}

#[tokio::test]
async fn p_08_what_cannot_be_used_is_named() {
    let (server, endpoint) = server::<Tokio>("tcp://127.0.0.1:0").await;
    let other = new_server::<Tokio>(Options::server("other"));
    let long = format!("ipc:///tmp/{}", "x".repeat(120));
    for bad in [&*endpoint, "tcp://127.0.0.1:99999", "tcp://nohost", "udp://a:1", "ipc://", &long] {
        let error = other.bind(bad).await.unwrap_err().to_string();
        assert!(error.contains(bad), "{error}");
    }
    for bad in ["tcp://*:1", "tcp://127.0.0.1:0", "inproc://x", ""] {
        let error = other.connect(bad).unwrap_err().to_string();
        assert!(error.contains(bad), "{error}");
    }
    for error in [server.unbind("tcp://127.0.0.1:1"), server.disconnect(&endpoint)] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert!(Server::<Tokio>::new([0, 1]).is_err() && Server::<Tokio>::new([b'x'; 256]).is_err());
}

async fn two_endpoints_of_one_server_and_links_that_outlive_an_unbind<R: Runtime>() {
    let (server, first) = server::<R>("tcp://127.0.0.1:0").await;
    let second = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let (a, b) = (client::<R>(&first), client::<R>(&second));
    assert_eq!(hello(&a).await, "Hello Charly");
    assert_eq!(hello(&b).await, "Hello Charly");
    server.unbind(&first).unwrap();
    assert_eq!(hello(&a).await, "Hello Charly");
    assert!(server.unbind(&first).is_err());
}

async fn two_endpoints_of_one_client_one_in_use_and_one_to_fall_back_on<R: Runtime>() {
    let (one, first) = server::<R>("tcp://127.0.0.1:0").await;
    let (two, second) = server::<R>("tcp://127.0.0.1:0").await;
    let client = client::<R>(&first);
    soon(client.ready()).await;
    client.connect(&second).unwrap();
    until(|| client.stats().sessions >= 2).await;
    assert_eq!(hello(&client).await, "Hello Charly");
    assert_eq!((one.stats().requests_served, two.stats().requests_served), (1, 0));
    one.shutdown();
    until(|| client.stats().sessions <= 1).await;
    assert_eq!(hello(&client).await, "Hello Charly");
    assert_eq!(two.stats().requests_served, 1);
}

async fn either_role_may_bind_or_connect<R: Runtime>() {
    let client = new_client::<R>(Options::client("service"));
    let endpoint = client.bind("tcp://127.0.0.1:0").await.unwrap();
    let (server, _) = server::<R>("tcp://127.0.0.1:0").await;
    server.connect(&endpoint).unwrap();
    assert_eq!(hello(&client).await, "Hello Charly");
    server.disconnect(&endpoint).unwrap();
    until(|| client.stats().sessions == 0).await;
}

#[test]
fn connecting_from_a_thread_of_no_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_server, endpoint) = runtime.block_on(server::<Tokio>("tcp://127.0.0.1:0"));
    let client = runtime.block_on(async { new_client::<Tokio>(Options::client("service")) });
    client.connect(&endpoint).unwrap();
    assert_eq!(runtime.block_on(hello(&client)), "Hello Charly");
}

async fn a_connecting_side_probes_unless_told_not_to<R: Runtime>() {
    for probe in [true, false] {
        let (server, endpoint) = server::<R>("tcp://127.0.0.1:0").await;
        let options = Options::client("service").probe(probe);
        let client = new_client::<R>(options);
        client.connect(&endpoint).unwrap();
        // It goes out behind the probe.
        assert_eq!(hello(&client).await, "Hello Charly");
        assert_eq!(server.stats().probes, u64::from(probe));
    }
}
