//! What a node asks of others: bootstrapping, and values of the network.

use super::id::{Contact, Id};
use super::node::Node;
use super::table::K;
use pseud::{Bytes, Value};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Nodes that are asked at the same time: Kademlia's α.
const ALPHA: usize = 3;

/// What a node answers to find_node or find_value.
enum Found {
    Value(Value),
    Contacts(Vec<Contact>),
}

impl Node {
    /// Joins the network of those addresses; how many of them answered.
    pub(crate) async fn bootstrap(&self, addresses: &[SocketAddr]) -> usize {
        let mut answered = 0;
        for &address in addresses {
            let args = (self.known.id.to_bytes(),);
            let answer: Result<Bytes, _> = self.endpoint.call(address, "ping", args).await;
            if let Some(id) = answer.ok().and_then(|id| Id::read(&id)) {
                self.heard(Contact { id, address });
                answered += 1;
            }
        }
        self.nearest(self.known.id).await;
        answered
    }

    /// Stores a value on the nodes that are nearest to its key; on how many.
    pub(crate) async fn set(&self, key: &str, value: Value) -> usize {
        let key = Id::of_key(key);
        let nodes = self.nearest(key).await;
        let own = self.known.id.distance(key);
        let is_near = nodes.len() < K || nodes.iter().any(|node| own < node.id.distance(key));
        if is_near {
            self.known.store(key, value.clone());
        }
        let mut stored = usize::from(is_near);
        let mut calls = tokio::task::JoinSet::new();
        for node in nodes {
            let args = (self.known.id.to_bytes(), key.to_bytes(), value.clone());
            calls.spawn(self.endpoint.call::<bool, _>(node.address, "store", args));
        }
        while let Some(call) = calls.join_next().await {
            stored += usize::from(matches!(call, Ok(Ok(true))));
        }
        stored
    }

    /// The value of a key, if any node has it.
    pub(crate) async fn get(&self, key: &str) -> Option<Value> {
        let key = Id::of_key(key);
        match self.known.value(key) {
            Some(value) => Some(value),
            None => self.look_up(key, "find_value").await.err(),
        }
    }

    /// The nodes of the network that are nearest to an id.
    async fn nearest(&self, id: Id) -> Vec<Contact> {
        self.look_up(id, "find_node").await.unwrap_or_default()
    }

    /// Asks ever nearer nodes, until the nearest that are known have all answered: those; or the value
    /// that one of them has, as the error that ends it.
    async fn look_up(&self, id: Id, method: &'static str) -> Result<Vec<Contact>, Value> {
        let mut near = self.known.lock().table.nearest(id, None);
        let (mut asked, mut silent) = (BTreeSet::new(), BTreeSet::new());
        loop {
            near.sort_by_key(|contact| contact.id.distance(id));
            near.dedup_by_key(|contact| contact.id);
            near.retain(|contact| !silent.contains(&contact.id));
            near.truncate(K);
            let next = near.iter().filter(|contact| !asked.contains(&contact.id)).take(ALPHA);
            let next: Vec<Contact> = next.copied().collect();
            if next.is_empty() {
                return Ok(near);
            }
            let mut answers = tokio::task::JoinSet::new();
            for contact in next {
                asked.insert(contact.id);
                let node = self.clone();
                answers.spawn(async move { (contact, node.find(contact, id, method).await) });
            }
            while let Some(answer) = answers.join_next().await {
                match answer {
                    Ok((contact, Some(found))) => {
                        self.heard(contact);
                        match found {
                            Found::Value(value) => return Err(value),
                            Found::Contacts(contacts) => near.extend(contacts),
                        }
                    }
                    Ok((contact, None)) => {
                        silent.insert(contact.id);
                        self.known.lock().table.remove(contact.id);
                    }
                    Err(_) => {}
                }
            }
        }
    }

    async fn find(&self, contact: Contact, id: Id, method: &str) -> Option<Found> {
        let args = (self.known.id.to_bytes(), id.to_bytes());
        let answer: Value = self.endpoint.call(contact.address, method, args).await.ok()?;
        if let Some(value) = answer.get("value") {
            return Some(Found::Value(value.clone()));
        }
        let contacts = answer.as_array()?.iter().take(2 * K).filter_map(read_contact);
        Some(Found::Contacts(contacts.filter(|contact| contact.id != self.known.id).collect()))
    }

    /// A node has answered.
    fn heard(&self, contact: Contact) {
        let is_new = self.known.lock().table.is_new(&contact);
        if is_new {
            self.known.welcome(contact, &self.endpoint.peer(contact.address));
        }
    }
}

/// `(id, host, port)`; whatever else a node says is passed over.
fn read_contact(value: &Value) -> Option<Contact> {
    let [id, host, port] = value.as_array()? else { return None };
    let ip: IpAddr = host.as_str()?.parse().ok()?;
    let port = u16::try_from(port.as_u64()?).ok().filter(|port| *port != 0)?;
    Some(Contact { id: Id::read(id.as_bytes()?)?, address: (ip, port).into() })
}
