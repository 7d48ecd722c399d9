//! What a foreign socket must do, and a pseud peer on top of it, made by hand.

use pseud::KeyPair;

/// The name of every server here.
pub(crate) const SERVICE: &str = "service";

pub(crate) const OK: u8 = 0x01;
pub(crate) const WORK: u8 = 0x03;

pub(crate) type Parts = Vec<Vec<u8>>;

/// A socket of another library that speaks CURVE: a DEALER as the client, a ROUTER as the server.
pub(crate) trait Stack: Sized + Send + Sync + 'static {
    /// Connects.
    fn client(endpoint: &str) -> impl Future<Output = Self> + Send;
    /// Binds; where.
    fn server() -> impl Future<Output = (Self, String)> + Send;
    fn send(&self, parts: Parts) -> impl Future<Output = ()> + Send;
    fn receive(&self) -> impl Future<Output = Parts> + Send;
    fn close(self) -> impl Future<Output = ()> + Send;
}

pub(crate) fn server_pair() -> KeyPair {
    KeyPair::generate([0x51; 32])
}

pub(crate) fn client_pair() -> KeyPair {
    KeyPair::generate([0xc1; 32])
}

/// A message of pseud's.
pub(crate) fn envelope(id: u64, kind: u8, body: Vec<u8>) -> Parts {
    let id = format!("{id:016}").into_bytes();
    vec![Vec::new(), b"v1".to_vec(), id, vec![kind], body]
}

/// The body of a call of that name with one number.
fn call_body(name: &str, number: u64) -> Vec<u8> {
    let name = [&[0xa0 | name.len() as u8], name.as_bytes()].concat();
    [&[0x93][..], &name, &[0x91, 0xcf], &number.to_be_bytes(), &[0x80]].concat()
}

/// Calls carry the numbers from here on, so that all of them, and twice that, take the 16 bits of
/// msgpack's `cd`.
pub(crate) const FIRST: u64 = 1_000;

/// The number in the body of a call, which ends in its empty keywords.
fn number_called(body: &[u8]) -> u64 {
    number_in(body.strip_suffix(&[0x80]).expect("no keywords"))
}

/// The number that a body ends in, as this library writes one of 16 bits.
fn number_in(body: &[u8]) -> u64 {
    match body {
        [.., 0xcd, high, low] => u64::from(*high) << 8 | u64::from(*low),
        other => panic!("a body without a number: {other:x?}"),
    }
}

/// Calls `back`, and doubles what it is asked to.
pub(crate) async fn calls(socket: &impl Stack, count: u64) {
    for number in FIRST..FIRST + count {
        socket.send(envelope(number, WORK, call_body("back", number))).await;
        loop {
            // The other side may say first that it is there: one empty frame.
            let parts = socket.receive().await;
            let [_, _, id, kind, body] = &parts[..] else { continue };
            match kind[0] {
                WORK => {
                    assert_eq!(number_called(body), number);
                    let doubled = [&[0xcf][..], &(2 * number).to_be_bytes()].concat();
                    let answer = [Vec::new(), b"v1".to_vec(), id.clone(), vec![OK], doubled];
                    socket.send(answer.into()).await;
                }
                OK => {
                    assert_eq!(id, format!("{number:016}").as_bytes());
                    assert_eq!(number_in(body), 2 * number);
                    break;
                }
                other => panic!("{other:x}: {}", String::from_utf8_lossy(body)),
            }
        }
    }
}

/// Serves `back`: calls its caller's `double`, and answers with 7.
pub(crate) async fn serves(socket: &impl Stack, count: u64) {
    let mut waiting = Vec::new();
    let mut served = FIRST;
    while served < FIRST + count {
        let parts = socket.receive().await;
        let [route, _, _, id, kind, body] = &parts[..] else { continue };
        let to = |message: Parts| [vec![route.clone()], message].concat();
        match kind[0] {
            WORK => {
                waiting.push(id.clone());
                let number = number_called(body);
                socket.send(to(envelope(number, WORK, call_body("double", number)))).await;
            }
            OK => {
                assert_eq!(number_in(body), 2 * served);
                let first = waiting.remove(0);
                socket.send(to(vec![Vec::new(), b"v1".to_vec(), first, vec![OK], vec![7]])).await;
                served += 1;
            }
            other => panic!("{other:x}: {}", String::from_utf8_lossy(body)),
        }
    }
}
