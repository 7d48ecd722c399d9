//! Allocations of a call.

use crate::engine::Exchange;
use crate::measure::Measure;
use crate::whole::Pair;
use allocation_counter::measure;

const CALLS: usize = 1_000;

/// Of each side of the core alone, and of a whole call at both ends, what the application keeps of
/// body and result included.
pub(crate) fn allocations() -> Vec<Measure> {
    let mut exchange = Exchange::new();
    exchange.calls(CALLS);
    let before = exchange.allocated();
    exchange.calls(CALLS);
    let after = exchange.allocated();
    let each = |after: u64, before: u64| (after - before) as f64 / CALLS as f64;
    let pair = Pair::null();
    let text = "0123456789abcdef".to_owned();
    pair.calls(text.clone(), CALLS);
    let whole = measure(|| pair.calls(text, CALLS)).count_total;
    vec![
        Measure::new("allocations.engine.client", each(after.client, before.client)),
        Measure::new("allocations.engine.server", each(after.server, before.server)),
        Measure::new("allocations.call_1", each(whole, 0)),
    ]
}
