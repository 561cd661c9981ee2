//! Which running jobs stop so that others start.
//!
//! `ranked` decides it for all jobs at once, pending and running. The others choose jobs that yield to one that is
//! blocked, and a walk carries that out: all stops and the start, or nothing.

mod classical;
mod consolidate;
mod fair;
mod none;
mod priority;
mod ranked;
mod ranked_lucid;
mod reclaim;
mod running;
pub(super) mod yielding;

pub(super) use ranked::Preemptive;

use super::order;
use super::part::{self, Kind, PartOption};
use crate::error::Problem;
use crate::history::{Plan, Settings};
use yielding::Yields;

/// What is done to running jobs so that others start: by name, and what it does.
#[derive(Debug)]
pub struct ListedPreemption {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    /// How jobs are chosen that yield to a blocked one, where that is what it does.
    yields: Option<Yields>,
}

impl ListedPreemption {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> part::Part {
        part::Part {
            kind: Kind::Preemption,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
}

/// Every way to preempt.
pub const PREEMPTIONS: &[ListedPreemption] = &[
    none::ENTRY,
    ranked::ENTRY,
    ranked_lucid::ENTRY,
    priority::ENTRY,
    reclaim::ENTRY,
    classical::ENTRY,
    consolidate::ENTRY,
];

/// The way to preempt that settings name, or that their order implies.
fn of(settings: &Settings) -> Option<&'static ListedPreemption> {
    let name = match &settings.preemption {
        Some(name) => name,
        None => implied(&settings.order),
    };
    PREEMPTIONS.iter().find(|entry| entry.name == name)
}

/// The preemption of a policy that names only the order.
#[must_use]
pub fn implied(order: &str) -> &'static str {
    let ranks = order::named(order).is_some_and(order::ListedOrder::ranks_running);
    if ranks { ranked::ENTRY.name } else { none::ENTRY.name }
}

/// Whether running and pending jobs are ranked together: where it is said, else where the order implies it.
#[must_use]
pub fn is_ranked(settings: &Settings) -> bool {
    let ranks = [ranked::ENTRY.name, ranked_lucid::ENTRY.name];
    of(settings).is_some_and(|entry| ranks.contains(&entry.name))
}

/// Whether running jobs stop even for those that then find no place.
pub(super) fn stops_in_vain(settings: &Settings) -> bool {
    of(settings).is_some_and(|entry| entry.name == ranked_lucid::ENTRY.name)
}

/// Whether running jobs are stopped for others.
#[must_use]
pub fn stops_jobs(settings: &Settings) -> bool {
    of(settings).is_some_and(|entry| entry.name != none::ENTRY.name)
}

/// Whether the weights of queues decide which jobs stop.
pub(super) fn reads_weights(settings: &Settings) -> bool {
    of(settings).is_some_and(|entry| entry.name == reclaim::ENTRY.name)
}

/// How jobs are chosen that yield to a blocked one, if any are.
pub(crate) fn yields(settings: &Settings) -> Option<Yields> {
    of(settings)?.yields
}

/// Why the chosen preemption and backfill do not go together, if they do not.
#[must_use]
pub fn misfit(settings: &Settings) -> Option<Box<Problem>> {
    let entry = of(settings)?;
    if stops_in_vain(settings) && settings.cycle.is_none() {
        let said = format!("preemption `{}` stops jobs in passes of a cycle, and there is none", entry.name);
        return Some(Box::new(Problem::new(said).hint("`--cycle 1s` is that of its simulator")));
    }
    let (name, yields) = (entry.name, entry.yields?);
    if settings.backfill == "conservative" {
        let said = format!(
            "preemption `{name}` stops jobs for a blocked one, and backfill `conservative` blocks none"
        );
        return Some(Box::new(Problem::new(said).hint("`none`, `skip` and `easy` go with it")));
    }
    (yields.moves && settings.curtail == "drain").then(|| {
        let said = format!(
            "preemption `{name}` starts jobs again that run, and curtail `drain` starts none that runs too long"
        );
        Box::new(Problem::new(said).hint("curtail `cap` and `preempt` go with it"))
    })
}

/// Why the chosen preemption can stop no job of a plan, if it cannot: what to say, and a hint.
#[must_use]
pub fn idle(settings: &Settings, plan: &Plan) -> Option<(String, &'static str)> {
    let entry = of(settings)?;
    let (why, hint) = (entry.yields?.idle)(plan)?;
    Some((format!("preemption `{}`, and {why}", entry.name), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_tell_classes_apart_where_jobs_yield_to_a_blocked_one() {
        for entry in PREEMPTIONS {
            let preemption = Some(entry.name.to_owned());
            let settings = Settings { preemption, cycle: Some(60), ..Settings::default() };
            let for_the_higher = entry.yields.is_some_and(|yields| !yields.moves);
            assert_eq!(settings.priorities_stop_jobs(), for_the_higher, "{}", entry.name);
            let conservative = Settings { backfill: "conservative".to_owned(), ..settings };
            assert_eq!(misfit(&conservative).is_some(), entry.yields.is_some(), "{}", entry.name);
            let moves = entry.yields.is_some_and(|yields| yields.moves);
            let drains =
                Settings { curtail: "drain".to_owned(), backfill: "easy".to_owned(), ..conservative };
            assert_eq!(misfit(&drains).is_some(), moves, "{}", entry.name);
        }
    }

    #[test]
    fn what_can_stop_nobody_says_why() {
        let settings = |name: &str| Settings { preemption: Some(name.to_owned()), ..Settings::default() };
        let plan = Plan::default();
        for (name, why) in [
            ("priority", "the same tier and priority"),
            ("reclaim", "no job stands in a queue"),
            ("classical", "no job stands in a queue"),
            ("consolidate", "every GPU is a node"),
        ] {
            let (said, hint) = idle(&settings(name), &plan).unwrap();
            assert!(said.starts_with(&format!("preemption `{name}`")) && said.contains(why), "{said}");
            assert!(hint.contains('`'), "{hint}");
        }
        assert_eq!(idle(&settings("none"), &plan), None);
    }
}
