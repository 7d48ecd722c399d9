//! Conversations with Python's rpcudp 5.0.1, and 4.0.2 where there is an older Python, over loopback.

#[cfg(feature = "tokio")]
mod kademlia;
mod live;
mod own_loop;
mod packages;
