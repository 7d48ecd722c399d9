//! All that is measured, in the order in which it is printed.

use crate::measure::{Measure, Subject};
use crate::{codec, engine, heap, idle, large, valgrind, whole};

const fn subject(name: &'static str, run: fn(usize), times: [usize; 2]) -> Subject {
    Subject { name, run, times, system_calls: false }
}

const fn over_sockets(name: &'static str, run: fn(usize), times: [usize; 2]) -> Subject {
    Subject { name, run, times, system_calls: true }
}

/// Everything below is of a body of 16 bytes.
pub(crate) const SUBJECTS: [Subject; 9] = [
    subject("encode", codec::encode, [1_000, 11_000]),
    subject("decode", codec::decode, [1_000, 11_000]),
    subject("engine_1", engine::one_by_one, [500, 2_500]),
    subject("engine_256", engine::in_flight, [10 * 256, 30 * 256]),
    over_sockets("call_1", whole::null_1, [500, 1_500]),
    over_sockets("call_256", whole::null_256, [10 * 256, 40 * 256]),
    over_sockets("worker_256", whole::worker_256, [10 * 256, 40 * 256]),
    over_sockets("curve_1", whole::curve_1, [200, 600]),
    over_sockets("curve_256", whole::curve_256, [5 * 256, 15 * 256]),
];

pub(crate) fn all() -> Vec<Measure> {
    let mut all = Vec::new();
    for subject in &SUBJECTS {
        all.extend(valgrind::measure(subject));
    }
    all.extend(heap::allocations());
    all.extend(large::page_faults());
    all.extend(idle::bytes());
    all
}
