//! What is done about caps on power, and which jobs yield when the grid takes some away.
//!
//! A start is *admitted* if the reserved draw of everything below each level of the tree (node, rack, feed, the feeds
//! above) stays within that level's cap, the new job's included. A domain whose chain lacks headroom does not fit:
//! the next cheapest is taken, and a gang over several racks passes over those that lack it for what they would give;
//! one that ignores racks waits. This is Slurm's hierarchical resource in mode 3. Where the rise of a feed is limited, a
//! start must besides not raise its reserved draw by more than that above the least of the minute before; what is drawn
//! in the mean, and measured, may rise by a little more, where one whose phases differ much ends as another begins. Under
//! every backfill starts are admitted so; reservations of nodes ahead (`conservative`) reserve no power ahead.

mod admit;
mod cap;
pub(super) mod control;
pub(super) mod curtail;
mod none;
mod polca;
mod steer;

use super::part::{Kind, Part, PartOption};
use crate::cluster::Cluster;
use crate::history::Plan;
use crate::state::power::CapRule;
use crate::units::Time;

/// One way to treat caps: its name and what it does.
#[derive(Debug)]
pub struct ListedPower {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    rule: Treatment,
}

impl ListedPower {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> Part {
        Part {
            kind: Kind::Power,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
}

/// Every way to treat caps.
pub const POWERS: &[ListedPower] = &[none::ENTRY, admit::ENTRY, cap::ENTRY, steer::ENTRY, polca::ENTRY];

/// Every rule of which jobs yield to a curtailment.
pub const CURTAILS: &[curtail::ListedCurtail] = curtail::ENTRIES;

/// Percentage points that a draw has to fall below a threshold of `polca` before what it slowed is set free.
pub const HYSTERESIS: u32 = 5;

/// What starts are allowed to do, and what is done about running jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    None,
    Admit,
    Cap,
    Steer,
    Polca,
}

/// Whether anything limits what a cluster may draw: a cap, a curtailment or a limit to how fast a feed may rise.
#[must_use]
pub fn is_capped(cluster: &Cluster) -> bool {
    !cluster.curtailments.is_empty()
        || !cluster.ramps.is_empty()
        || cluster.sites.iter().any(|site| site.cap.is_some())
        || cluster.feeds.iter().any(|feed| feed.cap.is_some())
        || cluster.racks.iter().any(|rack| rack.cap.is_some())
        || cluster.kinds.iter().any(|kind| kind.power.cap.is_some())
}

/// The instants at which caps change, ascending; none where they are not heeded.
#[must_use]
pub fn cap_times(plan: &Plan) -> Vec<Time> {
    let mut times: Vec<Time> = Vec::new();
    if Treatment::of(plan).is_some() {
        times.extend(plan.cluster.curtailments.iter().flat_map(|c| [c.announced(), c.from, c.until]));
    }
    times.sort_unstable();
    times.dedup();
    times.retain(|time| *time != Time::NEVER);
    times
}

impl Treatment {
    /// The rule of that name; no name is no rule.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.is_empty() {
            return Some(Self::None);
        }
        POWERS.iter().find(|entry| entry.name == name).map(|entry| entry.rule)
    }
    /// The rule of a plan, if it has a cap at all; without one no watts are counted.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let is_capped = is_capped(&plan.cluster);
        Self::named(&plan.settings.power).filter(|rule| is_capped && *rule != Self::None)
    }
    /// Whether starts heed curtailments that are only announced.
    pub(super) fn drains(plan: &Plan) -> bool {
        curtail::Curtail::named(&plan.settings.curtail) == Some(curtail::Curtail::Drain)
    }
    /// How starts heed caps.
    pub(super) fn caps(self, drains: bool) -> CapRule {
        match self {
            Self::None | Self::Admit => CapRule::full_power(drains),
            Self::Cap | Self::Steer => CapRule::any_level(drains),
            Self::Polca => {
                CapRule { low: polca::levels(false).to_vec(), high: polca::levels(true).to_vec(), drains }
            }
        }
    }
}
