//! Slurm's multifactor priority: a weighted sum of how long a job has waited, its size, what its tenant used, and its own
//! priority.
//!
//! Of Slurm's other factors, association, partition, quality of service, site and TRES have no counterpart, nor has a job's
//! `nice`; a partition's `tier` goes before all orders.

use super::{HALF_LIFE, ListedOrder, OrderKey, RANK_PERIOD, Varying};
use crate::history::Factors;
use crate::policy::part::{self, PartOption};

pub(super) const ENTRY: ListedOrder = ListedOrder {
    name: "multifactor",
    about: "greatest sum of weighted factors first, each from 0 to 1: waiting ÷ max_age, GPUs ÷ all GPUs, rank of the \
            tenant by fair-tree, priority",
    source: "Slurm, multifactor priority plugin; usual weights: its sample configuration",
    options: &[
        WEIGHT_AGE,
        WEIGHT_SIZE,
        WEIGHT_SHARE,
        WEIGHT_PRIORITY,
        MAX_AGE,
        FAVORED_SIZE,
        HALF_LIFE,
        RANK_PERIOD,
    ],
    rule: OrderKey::Varying(Varying {
        key: |at, job| {
            let factors = &at.state.plan().settings.factors;
            let (least, most) = at.facts.priorities;
            let milli = u64::from(at.state.class(job).gpus_milli).min(at.facts.milli);
            let counted = Counted {
                age: (at.waited(job).into(), factors.max_age.into()),
                size: (milli, at.facts.milli),
                share: if factors.weight_share > 0 { of(at.share_rank(job)) } else { (0, 1) },
                priority: of((at.state.job(job).priority.abs_diff(least), most.abs_diff(least))),
            };
            u64::MAX - priority(factors, &counted)
        },
        reads_shares: |settings| settings.factors.weight_share > 0,
    }),
};

fn of((part, whole): (u32, u32)) -> (u64, u64) {
    (part.into(), whole.into())
}

/// What the factors of a job are, each a part of a whole; of a whole of 0 it is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Seconds waited, and those at which it counts no more.
    pub age: (u64, u64),
    /// GPUs that it asks for, and all of the cluster.
    pub size: (u64, u64),
    /// The rank of its tenant, and how many there are.
    pub share: (u64, u64),
    /// How far its priority is above the least of all jobs, and that of the greatest.
    pub priority: (u64, u64),
}

/// The priority of a job, the higher the sooner: of each factor its part of its weight, in 65536ths, rounded down; then the
/// sum, in whole numbers, rounded down.
///
/// ```
/// use gigawatt::history::Factors;
/// use gigawatt::policy::order::multifactor::{Counted, priority};
/// let factors = Factors { weight_age: 1000, weight_size: 2000, ..Factors::default() };
/// let half_a_week = Counted { age: (302_400, 604_800), size: (64, 512), share: (0, 1), priority: (0, 0) };
/// assert_eq!(priority(&factors, &half_a_week), 500 + 250);
/// assert_eq!(priority(&Factors { favor_small: true, ..factors }, &half_a_week), 500 + 1750);
/// ```
#[must_use]
pub fn priority(factors: &Factors, counted: &Counted) -> u64 {
    let (gpus, all) = counted.size;
    let size = if factors.favor_small { (all.saturating_sub(gpus), all) } else { (gpus, all) };
    let parts = [
        (factors.weight_age, counted.age),
        (factors.weight_size, size),
        (factors.weight_share, counted.share),
        (factors.weight_priority, counted.priority),
    ];
    let part = |(weight, (part, whole)): (u32, (u64, u64))| {
        let weighted = (u128::from(weight) << 16) * u128::from(part.min(whole));
        weighted.checked_div(whole.into()).unwrap_or(0)
    };
    let sum: u128 = parts.into_iter().map(part).sum();
    u64::try_from(sum >> 16).expect("four weights of 32 bits")
}

const WEIGHT: &str = "a whole number from 0 to 4294967295";

macro_rules! weight {
    ($name:literal, $field:ident, $default:literal, $about:literal) => {
        PartOption {
            name: $name,
            unit: "points",
            default: $default,
            about: $about,
            expected: WEIGHT,
            read: |settings, text| {
                settings.factors.$field = text.parse().ok()?;
                Some(())
            },
            show: |settings| settings.factors.$field.to_string(),
        }
    };
}

const WEIGHT_AGE: PartOption =
    weight!("weight_age", weight_age, "1000", "what waiting for `max_age` is worth");
const WEIGHT_SIZE: PartOption = weight!(
    "weight_size",
    weight_size,
    "1000",
    "what asking for all GPUs is worth; under `favored_size=small`, for none"
);
const WEIGHT_SHARE: PartOption = weight!(
    "weight_share",
    weight_share,
    "10000",
    "what ranking first by use is worth, as order fair-tree ranks tenants"
);
const WEIGHT_PRIORITY: PartOption = weight!(
    "weight_priority",
    weight_priority,
    "1000",
    "what the highest priority of all jobs is worth, over the lowest"
);

const MAX_AGE: PartOption = PartOption {
    name: "max_age",
    unit: "time",
    default: "7d",
    about: "waiting beyond this counts no more",
    expected: "a time of at least `1s`, such as `12h` or `7d`",
    read: |settings, text| {
        settings.factors.max_age = part::seconds(text).filter(|age| *age > 0)?;
        Some(())
    },
    show: |settings| part::span(settings.factors.max_age),
};

const FAVORED_SIZE: PartOption = PartOption {
    name: "favored_size",
    unit: "large or small",
    default: "large",
    about: "which jobs get the most of `weight_size`",
    expected: "`large` or `small`",
    read: |settings, text| {
        settings.factors.favor_small = match text {
            "large" => false,
            "small" => true,
            _ => return None,
        };
        Some(())
    },
    show: |settings| if settings.factors.favor_small { "small" } else { "large" }.to_owned(),
};
