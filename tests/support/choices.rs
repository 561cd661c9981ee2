//! What the policies of random plans are chosen from, and such a policy.

use gigawatt::history::{
    BorrowFrom, Classical, Factors, ReclaimFrom, ReclaimRule, Settings, Victims, WithinQueue,
};
use gigawatt::units::Seconds;
use proptest::option::weighted;
use proptest::prelude::*;

/// Orders, by name.
pub(crate) const ORDERS: [&str; 25] = [
    "fifo",
    "sjf",
    "ljf",
    "smallest-area-first",
    "smallest-first",
    "largest-first",
    "qssf",
    "qssf-lucid",
    "edf",
    "f1",
    "priority",
    "wfp3",
    "unicef",
    "multifactor",
    "fair-tree",
    "requested_time / gpus ** 0.5 - 3 * wait",
    "min(requested_time, 60) * (1 - priority / 2) - log2(1 + submit_time)",
    "drf",
    "fair-sharing",
    "saturation",
    "proportion",
    "srtf",
    "srsf",
    "las",
    "gittins",
];
/// Those that imply that running jobs are ranked too.
const RANKING: [&str; 4] = ["srtf", "srsf", "las", "gittins"];
/// Backfills, by name.
pub(crate) const BACKFILLS: [&str; 7] =
    ["none", "skip", "easy", "easy-strict", "easy-pinned", "easy-frozen", "conservative"];
/// Placements, by name.
pub(crate) const PLACEMENTS: [&str; 18] = [
    "first-fit",
    "best-fit",
    "worst-fit",
    "pack",
    "spread",
    "random",
    "consolidate",
    "cheapest-energy",
    "least-stranded",
    "fgd",
    "best-fit-pods",
    "dot-product",
    "gpu-packing",
    "gpu-clustering",
    "tas",
    "tas-least-free",
    "run_time=400,fragmentation=50,rack_spread=7,span=30",
    "rack_leftover=3,spread=2,rack_fragmentation=5,pressure=2,carbon=1,energy=1",
];

/// What the factors of multifactor are worth.
fn factors() -> impl Strategy<Value = Factors> {
    let weights = prop::array::uniform4(prop_oneof![Just(0), 1u32..3000]);
    let any = (weights, 1u32..300, any::<bool>()).prop_map(|(weights, max_age, favor_small)| {
        let [weight_age, weight_size, weight_share, weight_priority] = weights;
        Factors { weight_age, weight_size, weight_share, weight_priority, max_age, favor_small }
    });
    prop_oneof![1 => Just(Factors::default()), 3 => any]
}

/// How far conservative looks ahead, how long a slot of that is, and how many jobs a pass tries.
fn slots() -> impl Strategy<Value = [Option<u32>; 3]> {
    (weighted(0.3, 0u32..150), weighted(0.4, 2u32..40), weighted(0.3, 1u32..6))
        .prop_map(|(window, resolution, most)| [window, resolution, most])
}

/// The rules of preemption `classical`.
fn classical() -> impl Strategy<Value = Classical> {
    let within =
        prop_oneof![Just(WithinQueue::Never), Just(WithinQueue::Lower), Just(WithinQueue::LowerOrNewer)];
    let reclaim = prop_oneof![1 => Just(ReclaimFrom::Never), 2 => Just(ReclaimFrom::Lower), 3 => Just(ReclaimFrom::Any)];
    let borrow =
        prop_oneof![Just(BorrowFrom::Never), Just(BorrowFrom::Lower), (-2i32..4).prop_map(BorrowFrom::UpTo)];
    (within, reclaim, borrow).prop_map(|(within_queue, reclaim_from, borrow_from)| Classical {
        within_queue,
        reclaim_from,
        borrow_from,
    })
}

/// How it is scheduled.
#[derive(Debug, Clone)]
pub(crate) struct PolicySpec {
    pub(crate) order: usize,
    pub(crate) backfill: usize,
    pub(crate) placement: usize,
    pub(crate) cycle: Option<u32>,
    /// With a cycle: whether passes at events have the backfill of the cycle, or none; nothing: there are no such passes.
    pub(crate) event: Option<bool>,
    /// How many reservations easy keeps.
    pub(crate) reservations: Option<u32>,
    /// How many jobs of a partition reserve under conservative.
    pub(crate) depth: Option<u32>,
    /// How far conservative looks ahead, how long a slot of that is, and how many jobs a pass tries.
    slots: [Option<u32>; 3],
    /// Whether srtf and las are plain orders.
    pub(crate) plain: bool,
    /// Where backfill and order go with it, running jobs stop for a blocked one: after how long, whether the youngest first,
    /// and, where there are queues, by which rules of their shares.
    pub(crate) yields: Option<(u32, bool, usize)>,
    classical: Classical,
    seed: u64,
    priority_step: u32,
    /// From one renewal of keys that vary to the next; none: as usual, which is longer than most runs.
    rank_period: Option<u32>,
    half_life: Option<u32>,
    factors: Factors,
    limits: Vec<u64>,
    lengths: Vec<u64>,
    /// Whether service is counted in seconds.
    seconds: bool,
    until: Option<u32>,
}

prop_compose! {
    pub(crate) fn policy()(
        order in 0..ORDERS.len(),
        backfill in 0..BACKFILLS.len(),
        placement in 0..PLACEMENTS.len(),
        cycle in weighted(0.25, 1u32..40),
        seed in 0u64..100,
        priority_step in 0u32..60,
        (half_life, factors) in (weighted(0.9, 1u32..300), factors()),
        rank_period in weighted(0.9, prop_oneof![Just(1u32), 2u32..40]),
        seconds in any::<bool>(),
        limits in prop_oneof![Just(vec![40, 300]), Just(vec![10]), Just(Vec::new())],
        lengths in prop_oneof![2 => Just(Vec::new()), 1 => Just(vec![10, 100]), 1 => Just(vec![5, 30, 30, 200])],
        until in weighted(0.05, 0u32..300),
        event in weighted(0.5, any::<bool>()),
        reservations in weighted(0.5, 1u32..5),
        (depth, slots) in (weighted(0.4, 1u32..5), slots()),
        plain in prop::bool::weighted(0.4),
        yields in weighted(0.45, (prop_oneof![Just(0u32), 1u32..60], any::<bool>(), 0usize..10)),
        classical in classical(),
    ) -> PolicySpec {
        let event = event.filter(|_| cycle.is_some());
        PolicySpec {
            order, backfill, placement, cycle, event, reservations, depth, slots, plain, yields, classical, seed, priority_step,
            rank_period, half_life, factors, limits, lengths, seconds, until,
        }
    }
}

impl PolicySpec {
    pub(crate) fn settings(&self) -> Settings {
        let reserves = !["none", "skip"].contains(&BACKFILLS[self.backfill]);
        let placement = match PLACEMENTS[self.placement] {
            // It knows the pods of now alone.
            "gpu-clustering" if reserves => "gpu-packing",
            placement => placement,
        };
        Settings {
            seed: self.seed,
            order: ORDERS[self.order].to_owned(),
            backfill: BACKFILLS[self.backfill].to_owned(),
            placement: placement.to_owned(),
            cycle: self.cycle,
            event_backfill: self.event.map(|own| BACKFILLS[if own { self.backfill } else { 0 }].to_owned()),
            reservations: self.reservations,
            depth: self.depth,
            window: self.slots[0].map(Seconds),
            resolution: self.slots[1],
            max_jobs: self.slots[2],
            preemption: self.preemption().map(str::to_owned),
            min_run: self.yields.filter(|_| self.stops_for_blocked()).map(|(least, ..)| Seconds(least)),
            victims: match self.yields {
                Some((_, true, ..5)) if self.stops_for_blocked() => Victims::Youngest,
                _ => Victims::LeastLost,
            },
            reclaim_rule: match self.yields {
                Some((_, _, 3)) if self.stops_for_blocked() => Some(ReclaimRule::Final),
                Some((_, _, 4)) if self.stops_for_blocked() => Some(ReclaimRule::Initial),
                _ => None,
            },
            classical: if self.preemption() == Some("classical") {
                self.classical
            } else {
                Classical::default()
            },
            priority_step: self.priority_step,
            rank_period: self.rank_period,
            half_life: self.half_life,
            factors: self.factors,
            queue_limits: self.limits.clone(),
            service_in_seconds: self.seconds && ["las", "gittins"].contains(&ORDERS[self.order]),
            lengths: if ORDERS[self.order] == "gittins" { self.lengths.clone() } else { Vec::new() },
            until: self.until,
            ..Settings::default()
        }
    }
    /// Whether running jobs stop for a blocked one.
    pub(crate) fn stops_for_blocked(&self) -> bool {
        self.yields.is_some() && !self.is_ranked() && BACKFILLS[self.backfill] != "conservative"
    }
    fn preemption(&self) -> Option<&'static str> {
        // An order that implies ranked preemption may go without.
        let is_plain = self.plain && RANKING.contains(&ORDERS[self.order]);
        if self.stops_in_vain() {
            return Some("ranked-lucid");
        }
        match self.yields {
            Some((_, _, 0)) if self.stops_for_blocked() => Some("priority"),
            Some((_, _, 5..7)) if self.stops_for_blocked() => Some("consolidate"),
            Some((_, _, 7..)) if self.stops_for_blocked() => Some("classical"),
            Some(_) if self.stops_for_blocked() => Some("reclaim"),
            _ => is_plain.then_some("none"),
        }
    }
    /// Whether a job that may run on several platforms is tried on one after another.
    pub(crate) fn tries_platforms(&self) -> bool {
        !self.is_ranked()
            && !["easy-pinned", "easy-frozen", "conservative"].contains(&BACKFILLS[self.backfill])
    }
    /// Whether running jobs stop even for those that then find no place.
    pub(crate) fn stops_in_vain(&self) -> bool {
        self.is_ranked() && self.cycle.is_some() && self.yields.is_some()
    }
    /// Whether pending and running jobs compete.
    pub(crate) fn is_ranked(&self) -> bool {
        !self.plain && RANKING.contains(&ORDERS[self.order])
    }
    pub(crate) fn runs_to_the_end(&self) -> bool {
        self.until.is_none()
    }
}
