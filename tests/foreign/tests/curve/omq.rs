//! omq-tokio 0.33.

use super::stack::{Parts, SERVICE, Stack, client_pair, server_pair};
use omq_tokio::{
    CurveKeypair, CurvePublicKey, CurveSecretKey, Message, Options, Socket, SocketType,
};
use pseud::KeyPair;
use std::time::Duration;

const BEAT: Duration = Duration::from_millis(10);

pub(crate) struct Peer(Socket);

fn pair(ours: &KeyPair) -> CurveKeypair {
    CurveKeypair {
        public: CurvePublicKey::from_bytes(*ours.public().as_bytes()),
        secret: CurveSecretKey::from_bytes(*ours.secret().expose()),
    }
}

/// PINGs between the messages.
fn beating() -> Options {
    Options::default().heartbeat_interval(BEAT).heartbeat_timeout(Duration::from_secs(10))
}

impl Stack for Peer {
    async fn client(endpoint: &str) -> Self {
        let server = CurvePublicKey::from_bytes(*server_pair().public().as_bytes());
        let options = beating().curve_client(pair(&client_pair()), server);
        let socket = Socket::new(SocketType::Dealer, options);
        socket.connect(endpoint).await.expect("it connects");
        Self(socket)
    }

    async fn server() -> (Self, String) {
        let options = beating().identity(SERVICE).curve_server(pair(&server_pair()));
        let socket = Socket::new(SocketType::Router, options);
        let bound = socket.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        (Self(socket), bound.to_string())
    }

    async fn send(&self, parts: Parts) {
        self.0.send(Message::multipart(parts)).await.expect("it sends");
    }

    async fn receive(&self) -> Parts {
        let message = self.0.recv().await.expect("it is well");
        (0..message.len()).map(|index| message.part_slice(index).unwrap().to_vec()).collect()
    }

    async fn close(self) {
        self.0.close().await.expect("it closes");
    }
}
