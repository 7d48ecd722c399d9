//! rzmq 0.5. Its PINGs, which are off unless they are asked for, leave a link of CURVE in clear
//! (`protocol/zmtp/engine.rs`, `on_tick`). It speaks ZMTP 3.0, so that we send it none.

use super::stack::{Parts, SERVICE, Stack, client_pair, server_pair};
use rzmq::socket::options::{
    AUTO_DELIMITER, CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY, HEARTBEAT_IVL, LAST_ENDPOINT,
    ROUTING_ID,
};
use rzmq::{Context, Msg, MsgFlags, Socket, SocketType};
use std::time::Duration;

pub(crate) struct Peer {
    context: Context,
    socket: Socket,
}

impl Peer {
    async fn of(kind: SocketType, secret: &[u8]) -> Self {
        let context = Context::new().expect("it has a runtime");
        let socket = context.socket(kind).expect("a socket");
        socket.set_option_raw(CURVE_SECRET_KEY, secret).await.expect("a key");
        // A DEALER and a ROUTER send what they are told to, as everywhere else.
        socket.set_option(AUTO_DELIMITER, false).await.expect("a flag");
        Self { context, socket }
    }

    /// A client that PINGs so often, if at all.
    pub(crate) async fn client_with(endpoint: &str, interval: Option<Duration>) -> Self {
        let this = Self::of(SocketType::Dealer, client_pair().secret().expose()).await;
        if let Some(interval) = interval {
            let interval = interval.as_millis() as i32;
            this.socket.set_option(HEARTBEAT_IVL, interval).await.expect("milliseconds");
        }
        let server_key = *server_pair().public().as_bytes();
        this.socket.set_option_raw(CURVE_SERVER_KEY, &server_key).await.expect("a key");
        this.socket.connect(endpoint).await.expect("it connects");
        this
    }
}

impl Stack for Peer {
    async fn client(endpoint: &str) -> Self {
        Self::client_with(endpoint, None).await
    }

    async fn server() -> (Self, String) {
        let this = Self::of(SocketType::Router, server_pair().secret().expose()).await;
        this.socket.set_option(CURVE_SERVER, true).await.expect("a flag");
        let name = SERVICE.as_bytes();
        this.socket.set_option_raw(ROUTING_ID, name).await.expect("a name");
        this.socket.bind("tcp://127.0.0.1:0").await.expect("loopback has a port");
        let bound = this.socket.get_option(LAST_ENDPOINT).await.expect("it is bound");
        let bound = String::from_utf8(bound).expect("text");
        (this, bound.trim_end_matches('\0').to_owned())
    }

    async fn send(&self, parts: Parts) {
        let last = parts.len() - 1;
        let frame = |(index, part)| {
            let mut frame = Msg::from_vec(part);
            if index < last {
                frame.set_flags(MsgFlags::MORE);
            }
            frame
        };
        let frames = parts.into_iter().enumerate().map(frame).collect();
        self.socket.send_multipart(frames).await.expect("it sends");
    }

    async fn receive(&self) -> Parts {
        let frames = self.socket.recv_multipart().await.expect("it is well");
        frames.iter().map(|frame| frame.data().unwrap_or_default().to_vec()).collect()
    }

    async fn close(self) {
        self.socket.close().await.expect("it closes");
        self.context.term().await.expect("it ends");
    }
}
