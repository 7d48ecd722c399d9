//! Somebody between a client and its server.

use super::editor::{Edit, Editor};
use crate::patience::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Which byte it changes, counted from the first of that direction, or which frame it edits, counted
/// from the first behind the greeting.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Nothing,
    /// Of the client's.
    Up(usize),
    /// Of the server's.
    Down(usize),
    /// Of the client's.
    UpFrame(usize, Edit),
    /// Of the server's.
    DownFrame(usize, Edit),
}

/// What is done to one direction.
enum Meddling {
    None,
    Byte(usize),
    Frames(Editor),
}

impl Change {
    fn up_and_down(self) -> (Meddling, Meddling) {
        let frames = |index, edit| Meddling::Frames(Editor::new(Some((index, edit))));
        match self {
            Self::Nothing => (Meddling::None, Meddling::None),
            Self::Up(at) => (Meddling::Byte(at), Meddling::None),
            Self::Down(at) => (Meddling::None, Meddling::Byte(at)),
            Self::UpFrame(index, edit) => (frames(index, edit), Meddling::None),
            Self::DownFrame(index, edit) => (Meddling::None, frames(index, edit)),
        }
    }
}

/// Carries the first link that is opened to it, and no other.
pub struct Relay {
    pub address: SocketAddr,
    carrying: JoinHandle<CarriedLink>,
}

/// A whole link.
pub struct CarriedLink {
    /// All that the client said, as it said it.
    pub up: Vec<u8>,
    /// All that the server said.
    pub down: Vec<u8>,
    /// Where the server saw the client.
    pub seen_at: SocketAddr,
}

impl Relay {
    pub async fn to(server: SocketAddr, change: Change) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, carrying: tokio::spawn(carry(listener, server, change)) }
    }

    /// What it carried, once both sides have closed.
    pub async fn carried(self) -> CarriedLink {
        timeout(PATIENCE, self.carrying).await.expect("a link that does not end").unwrap()
    }
}

async fn carry(listener: TcpListener, server: SocketAddr, change: Change) -> CarriedLink {
    let (client, _) = listener.accept().await.unwrap();
    drop(listener);
    let server = TcpStream::connect(server).await.unwrap();
    let seen_at = server.local_addr().unwrap();
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let (up, down) = change.up_and_down();
    let up = tokio::spawn(copy(from_client, to_server, up));
    let down = copy(from_server, to_client, down).await;
    CarriedLink { up: up.await.unwrap(), down, seen_at }
}

/// Copies until one of them closes; both hear of it.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut how: Meddling) -> Vec<u8> {
    let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(len @ 1..) = from.read(&mut buffer).await {
        let passed = came.len();
        came.extend_from_slice(&buffer[..len]);
        let edited = match &mut how {
            Meddling::Frames(editor) => editor.take(&buffer[..len]).concat(),
            Meddling::Byte(at) if (passed..passed + len).contains(at) => {
                buffer[*at - passed] ^= 1;
                buffer[..len].to_vec()
            }
            _ => buffer[..len].to_vec(),
        };
        if to.write_all(&edited).await.is_err() {
            break;
        }
    }
    // It may be closed already.
    let _ = to.shutdown().await;
    came
}
