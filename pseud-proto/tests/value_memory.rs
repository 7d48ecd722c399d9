//! What a body costs in memory: its bytes, 4 KiB, and 48 bytes for each value in it; no more at
//! any moment, while it is checked and while it is decoded.

use peak_alloc::PeakAlloc;
use pseud_proto::value::{Packed, Unchecked, Value, ValueLimits};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A body and the number of values in it.
struct Body {
    bytes: Vec<u8>,
    nodes: usize,
}

/// One test, alone in its program: nobody else allocates meanwhile.
#[test]
fn memory_is_bounded_by_bytes_and_nodes() {
    assert!(size_of::<Value>() <= 48);
    for body in greedy().into_iter().chain((1..400).map(random)) {
        let (len, nodes) = (body.bytes.len(), body.nodes);
        let unchecked = Unchecked::new(body.bytes.into());
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let packed: Packed = unchecked.check(&ValueLimits::default()).unwrap();
        let value = packed.value();
        let cost = MEMORY.peak_usage().saturating_sub(before);
        let most = len + 4096 + 48 * nodes;
        assert!(cost <= most, "{len} bytes, {nodes} values: {cost} over {most}");
        drop(value);
    }
    refused();
    kept();
}

/// S-13: who keeps a part of a message keeps about that part, wherever it stands.
fn kept() {
    for len in [1usize, 512, 4 << 10, 1 << 20] {
        for ext in [false, true] {
            let before = MEMORY.current_usage();
            let head = |len: usize| {
                let size = (len as u32).to_be_bytes();
                match ext {
                    false => [&[0xc6][..], &size].concat(),
                    true => [&[0xc9][..], &size, &[5]].concat(),
                }
            };
            let small = [head(len), vec![7; len]].concat();
            let large = [head(8 << 20), vec![8; 8 << 20]].concat();
            let inside = [&[0x81, 0xa1, b'k'][..], &small].concat();
            let bytes = [&[0x93][..], &small, &large, &inside].concat();
            drop((small, large, inside));
            let packed = Unchecked::new(bytes.into()).check(&limits()).unwrap();
            let Value::Array(mut items) = packed.value() else { panic!("an array") };
            let last = items.pop().unwrap().get("k").cloned().unwrap();
            let first = items.swap_remove(0);
            drop((packed, items));
            let held = MEMORY.current_usage().saturating_sub(before);
            assert!(held <= 2 * (len + 256), "{held} bytes for twice {len}");
            assert_eq!(first, last);
        }
    }
}

fn limits() -> ValueLimits {
    let mut limits = ValueLimits::default();
    limits.ext_bytes_max = limits.ext_bytes_max.max(16 << 20);
    limits
}

/// What is refused costs nothing at all.
fn refused() {
    for bytes in [
        vec![0xdd; 5],
        vec![0x91; 1 << 20],
        [&[0xdf, 0, 0xff, 0xff, 0xff], &[0xc1; 1 << 20][..]].concat(),
    ] {
        let unchecked = Unchecked::new(bytes.into());
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        unchecked.check(&ValueLimits::default()).unwrap_err();
        assert!(MEMORY.peak_usage() <= before + 64);
    }
}

/// Those that cost most for their length.
fn greedy() -> Vec<Body> {
    let nils = |head: &[u8], item: &[u8], count: usize, nodes: usize| Body {
        bytes: [head, &item.repeat(count)].concat(),
        nodes: nodes * count + 1,
    };
    let distinct = (0..60_000u32).flat_map(|at| [&[0xce], &at.to_be_bytes()[..], &[0xc0]].concat());
    let date = b"\xc7\x2b\x7e\x80\x05\x95\x20\0\0\0\0\0\0\0\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94C\x04\x07\xe2\x04\x11\x94\x85\x94R\x94.";
    let blob = [&[0xc6, 0, 0x10, 0, 0][..], &[7; 1 << 20]].concat();
    vec![
        nils(b"\xdd\0\x03\xd0\x90", b"\xc0", 250_000, 1),
        nils(b"\xdd\0\x01\xd4\xc0", b"\x90", 120_000, 1),
        nils(b"\xdd\0\x01\xd4\xc0", b"\x91\xc0", 120_000, 2),
        nils(b"\xdd\0\x01\xd4\xc0", b"\xa1a", 120_000, 1),
        nils(b"\xdd\0\x01\xd4\xc0", b"\xc4\x01a", 120_000, 1),
        nils(b"\xdf\0\x01\xd4\xc0", b"\xa1a\xc0", 120_000, 2),
        nils(b"\xdd\0\x01\x11\x70", b"\x81\xa1a\xc0", 70_000, 3),
        nils(b"\xdd\0\0\x03\xe8", date, 1000, 1),
        Body { bytes: [b"\xdf\0\0\xea\x60".to_vec(), distinct.collect()].concat(), nodes: 120_001 },
        Body { bytes: blob, nodes: 1 },
    ]
}

/// A random value, made of few big things or of many small ones.
fn random(seed: u64) -> Body {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut body = Body { bytes: Vec::new(), nodes: 0 };
    grow(&mut body, &mut dice, 0);
    body
}

fn grow(body: &mut Body, dice: &mut Dice, depth: usize) {
    body.nodes += 1;
    let count = dice.below(12);
    match dice.below(if depth < 6 { 8 } else { 4 }) {
        0 => body.bytes.push(0xc0),
        1 => body.bytes.extend([0xcd, 0xff, count]),
        2 => body.bytes.extend([&[0xa0 | count][..], &b"x".repeat(count.into())].concat()),
        3 => {
            let len = u16::from(count) * 100;
            body.bytes.push(0xc5);
            body.bytes.extend(len.to_be_bytes());
            body.bytes.extend(vec![7; len.into()]);
        }
        4 | 5 => {
            body.bytes.push(0x90 | count);
            (0..count).for_each(|_| grow(body, dice, depth + 1));
        }
        _ => {
            body.bytes.push(0x80 | count);
            for at in 0..count {
                body.nodes += 1;
                body.bytes.push(at / 2);
                grow(body, dice, depth + 1);
            }
        }
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u8::try_from((self.0 >> 33) % u64::from(sides)).unwrap()
    }
}
