//! Types that have a form for people and one for machines, such as addresses: always that for people,
//! since that is what a Python program sends and reads.

use pseud_proto::value::{Packed, Unchecked, Value, ValueLimits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Host {
    address: IpAddr,
    socket: SocketAddr,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Untagged {
    Host(Host),
    Address(IpAddr),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "kind")]
enum Tagged {
    Host(Host),
    Pair { one: Ipv4Addr, other: Ipv6Addr },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    Host(Host),
    Address(IpAddr),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum External {
    Host(Host),
    Address(IpAddr),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Flat {
    name: String,
    #[serde(flatten)]
    host: Host,
    #[serde(flatten)]
    more: BTreeMap<String, IpAddr>,
}

fn host() -> Host {
    Host { address: "::1".parse().unwrap(), socket: "127.0.0.1:80".parse().unwrap() }
}

/// There and back in every place: a result, an argument, a keyword, a field, an item.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(value: T) -> Value {
    let packed = Packed::result(&value).unwrap();
    assert_eq!(packed.decode::<T>().unwrap(), value);
    let keywords = BTreeMap::from([("k", value.clone())]);
    let call = Packed::call(&(&value, [&value]), &keywords).unwrap();
    let call = Unchecked::new(call.into_bytes()).check_call(&ValueLimits::default()).unwrap();
    assert_eq!(call.args::<(T, [T; 1])>().unwrap(), (value.clone(), [value]));
    assert_eq!(call.kwargs::<BTreeMap<String, T>>().unwrap().len(), 1);
    packed.value()
}

#[test]
fn an_address_is_text_as_a_field_and_inside_types_that_are_buffered() {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Value>();
    let both = [("address", "::1"), ("socket", "127.0.0.1:80")];
    let plain = pairs(&both);
    assert_eq!(check(IpAddr::from([127, 0, 0, 1])), "127.0.0.1".into());
    assert_eq!(check(host()), plain);
    assert_eq!(check(Untagged::Host(host())), plain);
    assert_eq!(check(Untagged::Address([127, 0, 0, 1].into())), "127.0.0.1".into());
    assert_eq!(
        check(Tagged::Host(host())),
        pairs(&[("kind", "Host"), ("address", "::1"), ("socket", "127.0.0.1:80")])
    );
    let pair = Tagged::Pair { one: Ipv4Addr::LOCALHOST, other: Ipv6Addr::LOCALHOST };
    assert_eq!(check(pair), pairs(&[("kind", "Pair"), ("one", "127.0.0.1"), ("other", "::1")]));
    check(Adjacent::Host(host()));
    let adjacent = Adjacent::Address([127, 0, 0, 1].into());
    assert_eq!(check(adjacent), pairs(&[("kind", "Address"), ("of", "127.0.0.1")]));
    check(External::Host(host()));
    let external = External::Address([127, 0, 0, 1].into());
    assert_eq!(check(external), pairs(&[("Address", "127.0.0.1")]));
    let more = BTreeMap::from([("gateway".to_owned(), IpAddr::from([10, 0, 0, 1]))]);
    let flat = Flat { name: "a".to_owned(), host: host(), more };
    assert_eq!(check(flat), pairs(&[("name", "a"), both[0], both[1], ("gateway", "10.0.0.1")]));
}

#[test]
fn a_map_may_have_addresses_for_keys() {
    check(BTreeMap::from([(IpAddr::from([127, 0, 0, 1]), 1)]));
    check(BTreeMap::from([(SocketAddr::from(([127, 0, 0, 1], 80)), 1)]));
}
