//! What is done to the node. Each attack lasts as long as it is told, and leaves nothing connected.

use crate::link::{self, Link, works};
use pseud_testkit::raw::{OK, envelope, fresh_id, long_header};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// One way to do harm.
#[derive(Debug)]
pub(crate) struct Attack {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    /// It comes from all over 127.0.0.0/8, whose addresses are strangers' then.
    pub(crate) from_everywhere: bool,
    /// Attacks that address for that long; says how many bytes it has sent.
    pub(crate) run: fn(&str, Duration) -> u64,
}

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        id: "A-10",
        what: "5 000 handshakes from all over 127.0.0.0/8 stay half open",
        from_everywhere: true,
        run: half_open,
    },
    Attack {
        id: "S-02",
        what: "60 peers ask for 1 MiB and read nothing",
        from_everywhere: false,
        run: deaf,
    },
    Attack {
        id: "S-03",
        what: "20 peers ask and do not read, then leave",
        from_everywhere: false,
        run: leave,
    },
    Attack {
        id: "S-04",
        what: "17 peers block handlers, leave and come again",
        from_everywhere: false,
        run: block_and_leave,
    },
    Attack {
        id: "S-06",
        what: "8 peers pipeline calls of 20 µs",
        from_everywhere: false,
        run: pipeline,
    },
    Attack {
        id: "S-07",
        what: "1 peer has 1 000 blocking calls",
        from_everywhere: false,
        run: block,
    },
    Attack {
        id: "S-09",
        what: "40 peers send 8 MiB, a byte at a time",
        from_everywhere: false,
        run: trickle,
    },
    Attack {
        id: "S-10",
        what: "bursts of 2 000 instant calls",
        from_everywhere: false,
        run: burst,
    },
    Attack { id: "S-12", what: "handshakes of garbage", from_everywhere: false, run: garbage },
    Attack {
        id: "S-14",
        what: "answers that nobody waits for",
        from_everywhere: false,
        run: stray,
    },
    Attack { id: "all", what: "all of these but A-10 at once", from_everywhere: false, run: all },
];

/// Bytes sent while that runs. What runs beside it counts, too.
fn counted(run: impl FnOnce()) -> u64 {
    let before = link::sent();
    run();
    link::sent() - before
}

/// So many peers at once, each doing that until the time is over; whoever is thrown out comes again.
fn peers(
    count: usize,
    time: Duration,
    peer: impl Fn(Instant) -> std::io::Result<()> + Sync,
) -> u64 {
    let until = Instant::now() + time;
    counted(|| {
        std::thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| {
                    while Instant::now() < until {
                        if peer(until).is_err() {
                            std::thread::sleep(Duration::from_millis(10));
                        }
                    }
                });
            }
        });
    })
}

/// Waits, connected, until then or until the node has closed the link. It reads nothing.
fn idle(link: &mut Link, until: Instant) -> std::io::Result<()> {
    while Instant::now() < until {
        // A PING with no context: life, without a message (RFC 37 §heartbeating).
        link.send(b"\x04\x07\x04PING\0\0")?;
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Each from an address of its own; whom the node drops comes again, as another.
fn half_open(address: &str, time: Duration) -> u64 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let open = Mutex::new(VecDeque::new());
    peers(4, time, |_| {
        // A thousand a second: what a peer of the node's does beside, not its machine, is looked at.
        std::thread::sleep(Duration::from_millis(4));
        let number = NEXT.fetch_add(2_503, Ordering::Relaxed) % 0xff_0000;
        let mut link = Link::from(Ipv4Addr::from_bits(0x7f00_0001 + number), address)?;
        link.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03")?;
        let mut open = open.lock().expect("no attacker panics");
        open.push_back(link);
        if open.len() > 5_000 {
            open.pop_front();
        }
        Ok(())
    })
}

fn deaf(address: &str, time: Duration) -> u64 {
    peers(60, time, |until| {
        let mut link = Link::session(address, "1;caps=7")?;
        link.send(&works("large", 12))?;
        idle(&mut link, until)
    })
}

fn leave(address: &str, time: Duration) -> u64 {
    peers(20, time, |_| {
        let mut link = Link::session(address, "1;caps=7")?;
        for _ in 0..50 {
            link.send(&works("take", 1_000))?;
        }
        Ok(())
    })
}

fn block_and_leave(address: &str, time: Duration) -> u64 {
    peers(17, time, |_| {
        let mut link = Link::session(address, "1;caps=7")?;
        link.send(&works("block", 1_000))?;
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    })
}

fn pipeline(address: &str, time: Duration) -> u64 {
    peers(8, time, |until| {
        let mut link = Link::session(address, "1;caps=7")?;
        let batch = works("spin", 200);
        while Instant::now() < until {
            link.send(&batch)?;
            link.skim()?;
        }
        Ok(())
    })
}

fn block(address: &str, time: Duration) -> u64 {
    peers(1, time, |until| {
        let mut link = Link::session(address, "1;caps=7")?;
        link.send(&works("block", 1_000))?;
        idle(&mut link, until)
    })
}

fn trickle(address: &str, time: Duration) -> u64 {
    peers(40, time, |until| {
        let mut link = Link::session(address, "1;caps=7")?;
        link.send(&long_header(0, 8 << 20))?;
        link.send(&vec![0; 1 << 20])?;
        while Instant::now() < until {
            link.send(b"x")?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    })
}

fn burst(address: &str, time: Duration) -> u64 {
    peers(1, time, |_| {
        let mut link = Link::session(address, "1;caps=7")?;
        link.send(&works("take", 2_000))?;
        let mut answered = 0;
        while answered < 2_000 * 30 {
            match link.skim()? {
                0 => break,
                count => answered += count,
            }
        }
        Ok(())
    })
}

fn garbage(address: &str, time: Duration) -> u64 {
    peers(8, time, |_| {
        let mut link = Link::bare(address)?;
        link.send(b"GET / HTTP/1.1\r\nHost: victim\r\n\r\n")?;
        let _ = link.skim();
        Ok(())
    })
}

fn stray(address: &str, time: Duration) -> u64 {
    peers(4, time, |_| {
        let mut link = Link::session(address, "1;caps=7")?;
        let answers: Vec<u8> =
            (0..1_000).flat_map(|_| envelope(&fresh_id(), OK, b"\xc0")).collect();
        loop {
            link.send(&answers)?;
        }
    })
}

fn all(address: &str, time: Duration) -> u64 {
    counted(|| {
        std::thread::scope(|scope| {
            for attack in
                ATTACKS.iter().filter(|attack| attack.id != "all" && !attack.from_everywhere)
            {
                scope.spawn(|| (attack.run)(address, time));
            }
        });
    })
}
