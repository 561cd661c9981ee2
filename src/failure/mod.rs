//! WHAT fails: the parts of a cluster, how long they last, how soon it is seen, and how they come back.
//!
//! A [`Component`] is in every GPU, node, rack, feed or site, and its parts last as its [`Life`] says. The n-th lifetime of
//! a part is the same number under every policy and in a cluster of any size: it is addressed by seed, component,
//! where the part is, and n. When a part fails, what runs there stalls until that is detected; then it stops, and
//! the nodes below are down until one of the component's [`Repair`]s is over.
//!
//! ```
//! use gigawatt::failure::{Component, Life, Part, Per, Repair, Span};
//! use gigawatt::units::Seconds;
//! let gpu = Component {
//!     life: Life::of_mean(3600.0 * 50_000.0, 1.0).unwrap(),
//!     detection: Span::Fixed(Seconds(60)),
//!     repairs: vec![Repair::certain("swap", Span::Fixed(Seconds(3600)))],
//!     ..Component::new("gpu", Per::Gpu)
//! };
//! let part = Part { component: 0, unit: 17 };
//! // The first of eight GPUs to fail does so after an eighth of the time, here and in any larger cluster.
//! let first = gpu.life.nth(7, part, 0, 8);
//! assert_eq!(first, gpu.life.nth(7, part, 0, 8));
//! assert!(first < gpu.life.nth(7, part, 0, 1));
//! ```

pub mod availability;
pub mod checkpoint;
mod described;
mod life;
mod profile;
mod span;

pub use described::{Described, Share, mark_in_repairs};
pub use life::{Life, Part};
pub use profile::{Graded, Profile};
pub use span::Span;

use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What there is one part of a component in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Every GPU; its node goes down with it.
    Gpu,
    /// Every node.
    Node,
    /// Every rack; all of its nodes go down with it.
    Rack,
    /// Every feed; all nodes that it feeds go down with it.
    Feed,
    /// Every site.
    Site,
    /// Every GPU that a job holds, while it does: the job stops, and no node goes down.
    JobGpu,
}

impl Per {
    /// All, with the names used in files.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("gpu", Self::Gpu),
        ("node", Self::Node),
        ("rack", Self::Rack),
        ("feed", Self::Feed),
        ("site", Self::Site),
        ("job-gpu", Self::JobGpu),
    ];
    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }
}

/// When the clocks of parts in nodes run; those of racks, feeds and sites always do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// While their node is up or draining.
    #[default]
    Always,
    /// While a job holds something of their node.
    Computing,
}

/// A way in which a part comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What it is called.
    pub name: String,
    /// How many of a thousand failures of the component are repaired so; those of all its repairs sum to 1000.
    pub share_milli: u32,
    /// From when the failure is detected, or a crew is free, until the nodes are back.
    pub time: Span,
    /// How many of a thousand such repairs help: after the others a lemon is as it was.
    pub helps_milli: u32,
    /// Whether people are needed for it: it then waits for a free crew, where crews are counted.
    pub crew: bool,
}

impl Repair {
    /// How every failure of a component is repaired: it always helps, and needs no people.
    #[must_use]
    pub fn certain(name: &str, time: Span) -> Self {
        Self { name: name.to_owned(), share_milli: 1000, time, helps_milli: 1000, crew: false }
    }
}

/// A sort of part that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Unique among the components.
    pub name: String,
    /// What there is one in.
    pub per: Per,
    /// The kinds of nodes that have it, indices into the cluster's, ascending; empty: all. Of no meaning for feeds and sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<u32>,
    /// How long a part lasts.
    pub life: Life,
    /// From when a part fails until that is seen.
    pub detection: Span,
    /// At least one; of [`Per::JobGpu`] what is told of them is of no meaning but their names.
    pub repairs: Vec<Repair>,
}

impl Component {
    /// A component that never fails, seen at once and repaired at once.
    #[must_use]
    pub fn new(name: &str, per: Per) -> Self {
        Self {
            name: name.to_owned(),
            per,
            kinds: Vec::new(),
            life: Life::NEVER,
            detection: Span::Fixed(Seconds::ZERO),
            repairs: vec![Repair::certain("restart", Span::Fixed(Seconds::ZERO))],
        }
    }
    /// Whether nodes of a kind have it.
    #[must_use]
    pub fn is_in(&self, kind: u32) -> bool {
        self.kinds.is_empty() || self.kinds.binary_search(&kind).is_ok()
    }
    /// What comes of the n-th failure of a part.
    ///
    /// # Panics
    /// If it has no repair.
    #[must_use]
    pub fn mend(&self, seed: u64, part: Part, n: u32) -> Mend {
        let [_, _, which, helps] = Stream::new(seed, Purpose::Lifetimes).block(part.entity(), n);
        let [seen, length, _, _] = Stream::new(seed, Purpose::Repairs).block(part.entity(), n);
        let milli = |bits: u32| (u64::from(bits) * 1000) >> 32;
        let mut left = milli(which);
        let found = self.repairs.iter().position(|repair| {
            let here = left < u64::from(repair.share_milli);
            left = left.saturating_sub(repair.share_milli.into());
            here
        });
        let class = found.unwrap_or(self.repairs.len() - 1);
        let repair = &self.repairs[class];
        Mend {
            detection: self.detection.at(seen),
            class: u32::try_from(class).expect("repairs are few"),
            time: repair.time.at(length),
            helps: milli(helps) < u64::from(repair.helps_milli),
        }
    }
}

/// What comes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mend {
    /// Until it is seen.
    pub detection: Seconds,
    /// Index of the repair.
    pub class: u32,
    /// How long that takes.
    pub time: Seconds,
    /// Whether it helps.
    pub helps: bool,
}

/// Nodes whose parts age faster than those of others, until a repair helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lemons {
    /// How many of a thousand nodes are.
    pub share_milli: u32,
    /// How many times as fast their parts age, thousandths, at least 1000.
    pub factor_milli: u32,
}

impl Lemons {
    /// Whether a node is one to begin with.
    #[must_use]
    pub fn has(&self, seed: u64, node: u32) -> bool {
        let bits = Stream::new(seed, Purpose::Lemons).draw(node.into(), 0);
        (u64::from(bits) * 1000) >> 32 < u64::from(self.share_milli)
    }
}

/// When a node is not repaired any more but taken away for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retirement {
    /// At so many failures of its parts, at least 1 ...
    pub failures: u32,
    /// ... within so long.
    pub within: Seconds,
}

/// Nodes of which some are kept in reserve: one takes jobs once another of them is down, and what comes back is the new
/// reserve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparePool {
    /// Ascending, not touching; no node is in two pools.
    pub nodes: Vec<Range<u32>>,
    /// How many of them are kept in reserve: the last ones to begin with.
    pub count: u32,
    /// From when a node is down until a spare takes jobs.
    pub activation: Seconds,
}

/// What fails of a cluster; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// At most 2^16.
    pub components: Vec<Component>,
    /// When parts in nodes age.
    pub exposure: Exposure,
    /// How many repairs that need people go on at once; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crews: Option<u32>,
    /// Nodes that fail more often; none: all are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lemons: Option<Lemons>,
    /// When nodes are given up; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
    /// What is kept in reserve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spares: Vec<SparePool>,
    /// No part fails later.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub until: Time,
}

const fn never() -> Time {
    Time::NEVER
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_never(time: &Time) -> bool {
    *time == Time::NEVER
}

impl Default for Failures {
    fn default() -> Self {
        Self {
            components: Vec::new(),
            exposure: Exposure::default(),
            crews: None,
            lemons: None,
            retirement: None,
            spares: Vec::new(),
            until: Time::NEVER,
        }
    }
}

impl Failures {
    /// Whether nothing ever fails.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }
    /// Whether shares sum up and indices are those of so many kinds of nodes and nodes; a description read from a file may
    /// not be so.
    #[must_use]
    pub fn is_sound(&self, kinds: usize, nodes: u32) -> bool {
        let milli = |share: u32| share <= 1000;
        let component = |component: &Component| {
            let shares: u64 = component.repairs.iter().map(|repair| u64::from(repair.share_milli)).sum();
            let known = |kind: &u32| usize::try_from(*kind).is_ok_and(|kind| kind < kinds);
            shares == 1000
                && component.repairs.iter().all(|repair| milli(repair.helps_milli) && repair.time.is_sound())
                && component.detection.is_sound()
                && component.life.is_sound()
                && component.kinds.is_sorted_by(|a, b| a < b)
                && component.kinds.iter().all(known)
        };
        let lemons = |lemons: Lemons| {
            milli(lemons.share_milli) && (1000..=Self::FACTOR_MAX_MILLI).contains(&lemons.factor_milli)
        };
        let mut pooled: Vec<&Range<u32>> = self.spares.iter().flat_map(|pool| &pool.nodes).collect();
        pooled.sort_unstable_by_key(|range| range.start);
        let apart = pooled.windows(2).all(|pair| pair[0].end <= pair[1].start);
        let inside = |range: &&Range<u32>| range.start <= range.end && range.end <= nodes;
        apart
            && pooled.iter().all(inside)
            && self.components.len() <= 1 << 16
            && self.components.iter().all(component)
            && self.lemons.is_none_or(lemons)
            && self.retirement.is_none_or(|rule| rule.failures > 0)
            && self.crews != Some(0)
    }
    /// The most that lemons may age faster, thousandths.
    pub const FACTOR_MAX_MILLI: u32 = 1_000_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component() -> Component {
        let repair = |name: &str, share_milli, hours: u32| Repair {
            share_milli,
            helps_milli: 600,
            ..Repair::certain(name, Span::Fixed(Seconds(hours * 3600)))
        };
        Component {
            repairs: vec![repair("reboot", 200, 2), repair("manual", 800, 48)],
            ..Component::new("server", Per::Node)
        }
    }

    #[test]
    fn repairs_come_in_their_shares_and_help_as_often_as_they_say() {
        let component = component();
        let mends: Vec<Mend> =
            (0..10_000).map(|unit| component.mend(1, Part { component: 0, unit }, 0)).collect();
        let share = |counts: &dyn Fn(&&Mend) -> bool| mends.iter().filter(counts).count();
        assert!((1850..2150).contains(&share(&|mend| mend.class == 0)), "of 10,000 a fifth");
        assert!((5800..6200).contains(&share(&|mend| mend.helps)), "six of ten");
        assert!(
            mends.iter().all(|mend| mend.time.0 == if mend.class == 0 { 7200 } else { 172_800 }),
            "its time"
        );
    }

    #[test]
    fn as_many_nodes_are_lemons_as_is_said() {
        let lemons = Lemons { share_milli: 150, factor_milli: 6000 };
        let count = (0..10_000).filter(|node| lemons.has(3, *node)).count();
        assert!((1400..1600).contains(&count), "{count} of 10,000");
        let none = Lemons { share_milli: 0, ..lemons };
        assert!((0..10_000).all(|node| !none.has(3, node)), "none");
    }

    #[test]
    fn what_contradicts_itself_is_unsound() {
        let sound = Failures { components: vec![component()], ..Failures::default() };
        assert!(sound.is_sound(1, 8), "as it is");
        let with = |change: &dyn Fn(&mut Failures)| {
            let mut failures = sound.clone();
            change(&mut failures);
            failures.is_sound(1, 8)
        };
        assert!(!with(&|f| f.components[0].repairs[0].share_milli = 201), "shares");
        assert!(!with(&|f| f.components[0].repairs.clear()), "no repair");
        assert!(!with(&|f| f.components[0].kinds = vec![1]), "an unknown kind");
        assert!(!with(&|f| f.crews = Some(0)), "no crew");
        assert!(
            !with(&|f| f.lemons = Some(Lemons { share_milli: 1, factor_milli: 999 })),
            "lemons that last"
        );
    }
}
