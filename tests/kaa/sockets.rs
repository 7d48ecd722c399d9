//! Unix sockets, by path and by name.

use crate::{SECRET, client, soon};
use pseud::Fault;
use pseud::tokio::kaa::{Options, Server};
use std::os::unix::fs::PermissionsExt;

async fn serves(address: &str) {
    let mut options = Options::new(SECRET);
    options.socket_mode = Some(0o600);
    let server = Server::with_options(options).unwrap();
    server.register("one", |_| async { Ok::<_, Fault>(1) }).unwrap();
    let bound = server.bind(address).await.unwrap();
    assert!(bound.starts_with('/'), "{bound}");
    let mode = std::fs::metadata(&*bound).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for way in [address, &bound] {
        let client = client(way);
        assert_eq!(soon(client.call::<i64, _>("one", ())).await.unwrap(), 1);
    }
    server.unbind(address).unwrap();
    assert!(!std::path::Path::new(&*bound).exists());
}

#[tokio::test]
async fn by_path() {
    let path = std::env::temp_dir().join(format!("pseud-kaa-{}", std::process::id()));
    serves(path.to_str().unwrap()).await;
}

#[tokio::test]
async fn by_name() {
    serves(&format!("pseud-kaa-name-{}", std::process::id())).await;
}
