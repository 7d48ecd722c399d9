//! A store of who is there that is far away.

use crate::presence::{plain_server, user};
use crate::{Tokio, soon};
use bytes::Bytes;
use pseud::SmolStr;
use pseud::tokio::{MemoryPresence, PresenceEntry, PresenceStore, Storing};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A database: it answers after a while, fails now and then, and may have stored what it then failed at.
#[derive(Clone)]
struct Remote {
    stored: MemoryPresence,
    asked: Arc<AtomicUsize>,
}

impl Remote {
    async fn round_trip(&self) -> std::io::Result<()> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        match self.asked.fetch_add(1, Ordering::Relaxed) {
            1 => Err(std::io::Error::other("the database is away")),
            _ => Ok(()),
        }
    }
}

impl PresenceStore for Remote {
    fn began(&self, node: SmolStr) -> Storing<'_, ()> {
        Box::pin(async {
            self.stored.began(node).await?;
            self.round_trip().await
        })
    }

    fn joined(&self, entry: PresenceEntry) -> Storing<'_, ()> {
        Box::pin(async {
            self.stored.joined(entry).await?;
            self.round_trip().await
        })
    }

    fn left(&self, node: SmolStr, session: SmolStr) -> Storing<'_, ()> {
        Box::pin(async {
            self.round_trip().await?;
            self.stored.left(node, session).await
        })
    }

    fn is_connected(&self, user: Bytes) -> Storing<'_, bool> {
        Box::pin(async {
            self.round_trip().await?;
            self.stored.is_connected(user).await
        })
    }

    fn page(
        &self,
        after: Option<(SmolStr, SmolStr)>,
        max: usize,
    ) -> Storing<'_, Vec<PresenceEntry>> {
        Box::pin(async move {
            self.round_trip().await?;
            self.stored.page(after, max).await
        })
    }
}

/// Two servers tell one store that is far away: each asks it of the other's clients.
#[tokio::test]
async fn a_store_that_is_far_away_and_fails_holds_in_the_end_who_is_there() {
    let stored = MemoryPresence::new();
    let store = Remote { stored: stored.clone(), asked: Arc::default() };
    let [(one, first), (two, second)] =
        [plain_server::<Tokio>().await, plain_server::<Tokio>().await];
    let publishing = [("one", &one), ("two", &two)]
        .map(|(name, server)| tokio::spawn(server.node().publish_presence(name, store.clone())));
    let (alice, _bob) = (user::<Tokio>(&first, "alice").await, user::<Tokio>(&second, "bob").await);
    let until = async |there: &[&str]| {
        soon(async {
            loop {
                let page = stored.page(None, 9).await.unwrap();
                let mut users: Vec<_> = page.iter().map(|entry| entry.user.to_string()).collect();
                users.sort();
                if users == there {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    until(&["alice", "bob"]).await;
    alice.shutdown();
    until(&["bob"]).await;
    one.shutdown();
    two.shutdown();
    for publishing in publishing {
        soon(publishing).await.unwrap();
    }
    until(&[]).await;
    assert!(store.asked.load(Ordering::Relaxed) > 4, "what failed was told again");
}

/// What a node that died has left is gone once one of its name begins; others' entries stay.
#[tokio::test]
async fn who_was_left_by_a_node_that_died_goes_when_it_begins_again() {
    let store = MemoryPresence::new();
    let publish = async |name: &'static str, client: &'static str| {
        let (server, endpoint) = plain_server::<Tokio>().await;
        let publishing = tokio::spawn(server.node().publish_presence(name, store.clone()));
        let client = user::<Tokio>(&endpoint, client).await;
        (server, publishing, client)
    };
    let until = async |user: &'static str, is_there: bool| {
        soon(async {
            while store.is_connected(user.into()).await.unwrap() != is_there {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let dies = publish("here", "alice").await;
    let other = publish("here-too", "carol").await;
    until("alice", true).await;
    until("carol", true).await;
    // It tells nothing more, as after a crash.
    dies.1.abort();
    drop(dies);
    let again = publish("here", "bob").await;
    until("bob", true).await;
    until("alice", false).await;
    assert!(store.is_connected("carol".into()).await.unwrap());
    drop((other, again));
}
