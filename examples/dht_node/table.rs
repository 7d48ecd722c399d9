//! The routing table: few of the far nodes, many of the near ones.

use super::id::{Contact, Id};
use std::collections::VecDeque;

/// Contacts in a bucket, and nodes that a value is stored on: Kademlia's k, Python's `ksize`.
pub(crate) const K: usize = 20;

/// Nodes by how many bits their ids share with ours. All of them have answered a ping.
pub(crate) struct Table {
    own: Id,
    buckets: Vec<Bucket>,
}

#[derive(Default, Clone)]
struct Bucket {
    /// Who was heard of longest ago stands first.
    contacts: VecDeque<Contact>,
    /// Who takes the place of one that does not answer.
    spare: VecDeque<Contact>,
}

impl Table {
    pub(crate) fn new(own: Id) -> Self {
        Self { own, buckets: vec![Bucket::default(); 161] }
    }

    /// Whether nothing is known of that node at that address.
    pub(crate) fn is_new(&self, contact: &Contact) -> bool {
        contact.id != self.own && !self.bucket(contact.id).contacts.contains(contact)
    }

    /// A node that has answered: where its bucket is full it waits for a place.
    pub(crate) fn add(&mut self, contact: Contact) {
        if contact.id == self.own {
            return;
        }
        let bucket = self.bucket_mut(contact.id);
        let spare = bucket.contacts.len() >= K;
        for known in [&mut bucket.contacts, &mut bucket.spare] {
            known.retain(|known| known.id != contact.id);
        }
        let place = match spare && bucket.contacts.len() >= K {
            true => &mut bucket.spare,
            false => &mut bucket.contacts,
        };
        place.push_back(contact);
        if bucket.spare.len() > K {
            bucket.spare.pop_front();
        }
    }

    /// A node that has not answered.
    pub(crate) fn remove(&mut self, id: Id) {
        let bucket = self.bucket_mut(id);
        bucket.contacts.retain(|known| known.id != id);
        if bucket.contacts.len() < K {
            bucket.contacts.extend(bucket.spare.pop_back());
        }
    }

    /// The nodes that are nearest to an id, `but` left out.
    pub(crate) fn nearest(&self, to: Id, but: Option<Id>) -> Vec<Contact> {
        let all = self.buckets.iter().flat_map(|bucket| &bucket.contacts);
        let mut near: Vec<_> = all.filter(|known| Some(known.id) != but).copied().collect();
        near.sort_by_key(|contact| contact.id.distance(to));
        near.truncate(K);
        near
    }

    fn bucket(&self, id: Id) -> &Bucket {
        &self.buckets[self.own.common_bits(id)]
    }

    fn bucket_mut(&mut self, id: Id) -> &mut Bucket {
        &mut self.buckets[self.own.common_bits(id)]
    }
}
