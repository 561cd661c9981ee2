//! What the policies of random plans are chosen from.

use gigawatt::history::Factors;
use proptest::prelude::*;

/// Orders, by name.
pub(crate) const ORDERS: [&str; 13] = [
    "fifo",
    "sjf",
    "ljf",
    "smallest-area-first",
    "largest-first",
    "f1",
    "priority",
    "wfp3",
    "unicef",
    "multifactor",
    "fair-tree",
    "srtf",
    "las",
];
/// Backfills, by name.
pub(crate) const BACKFILLS: [&str; 5] = ["none", "skip", "easy", "easy-strict", "conservative"];
/// Placements, by name.
pub(crate) const PLACEMENTS: [&str; 11] = [
    "first-fit",
    "best-fit",
    "worst-fit",
    "pack",
    "spread",
    "random",
    "consolidate",
    "cheapest-energy",
    "fgd",
    "run_time=400,fragmentation=50,rack_spread=7,span=30",
    "rack_leftover=3,spread=2,rack_fragmentation=5,pressure=2,carbon=1,energy=1",
];

/// What the factors of multifactor are worth.
pub(crate) fn factors() -> impl Strategy<Value = Factors> {
    let weights = prop::array::uniform4(prop_oneof![Just(0), 1u32..3000]);
    let any = (weights, 1u32..300, any::<bool>()).prop_map(|(weights, max_age, favor_small)| {
        let [weight_age, weight_size, weight_share, weight_priority] = weights;
        Factors { weight_age, weight_size, weight_share, weight_priority, max_age, favor_small }
    });
    prop_oneof![1 => Just(Factors::default()), 3 => any]
}
