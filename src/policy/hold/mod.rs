//! Which jobs are held back on purpose: those that may wait for cheap or clean hours.
//!
//! When a job becomes eligible its start is chosen: that of the lowest window of its expected run, the earliest of equal
//! ones, which delays it by no more than its greatest delay: its own, else that of its tenant, else that of its kind.
//! Where it may run at several sites, the lowest window of any of them counts, each with its PUE at full load and the
//! present temperature; which site it gets the placement says.
//! Until then no queue knows of it, so that this joins any order, backfill and placement; from then on it waits like
//! all others, as one that has been eligible all along. A job that was stopped is not held again. What prices and
//! intensities will be is taken as known, which is what sources do; a real forecast saves less.
//!
//! # Complexity
//! O(changes of the price until the last start + the expected run) a job that may wait, each a difference of sums.

mod cheapest_window;
mod cleanest_window;
mod none;

use super::PolicyError;
use super::part::{self, Kind, PartOption};
use super::pipeline::{Bus, Part};
use crate::cluster::grid::{Grid, Integral, Signal};
use crate::history::{Plan, Settings};
use crate::power::window::lowest;
use crate::state::{Decision, Event, State, ticks};
use crate::units::{Factor, Seconds, Time};
use crate::workload::{JobKind, Workload};
use std::collections::BTreeSet;

/// One way to hold jobs back.
#[derive(Debug)]
pub struct ListedHold {
    /// Unique among them.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What can be said about how it works.
    pub options: &'static [PartOption],
    /// What it wants to be low.
    signal: fn(&Grid) -> Option<&Signal>,
}

impl ListedHold {
    /// It as one of the parts of a policy.
    #[must_use]
    pub const fn part(&self) -> part::Part {
        part::Part {
            kind: Kind::Hold,
            name: self.name,
            about: self.about,
            source: self.source,
            options: self.options,
        }
    }
    /// Whether it wants something to be low that no site of a cluster says.
    #[must_use]
    pub fn lacks_signal(&self, plan: &Plan) -> bool {
        self.name != none::ENTRY.name && !plan.cluster.grids.iter().any(|grid| (self.signal)(grid).is_some())
    }
}

/// How long jobs of a kind may be held.
const MAX_DELAY: PartOption = PartOption {
    name: "max_delay",
    unit: "time by kind of job",
    default: "none",
    about: "the longest that jobs may be held, where neither they nor their tenant say",
    expected: "times by kind of job, such as `eval=12h,batch-inference=18h`, or `none`",
    read: |settings, text| {
        let delay = |pair: &str| {
            let (kind, delay) = pair.split_once('=')?;
            Some((JobKind::from_name(kind.trim())?, Seconds(part::seconds(delay.trim())?)))
        };
        let delays: Option<_> = text.split(',').map(delay).collect();
        settings.defer = if text == "none" { Vec::new() } else { delays? };
        Some(())
    },
    show: |settings| {
        let delay = |(kind, delay): &(JobKind, Seconds)| format!("{}={}", kind.name(), part::span(delay.0));
        let delays: Vec<String> = settings.defer.iter().map(delay).collect();
        if delays.is_empty() { "none".to_owned() } else { delays.join(",") }
    },
};

/// Every way to hold jobs back.
pub const HOLDS: &[ListedHold] = &[none::ENTRY, cheapest_window::ENTRY, cleanest_window::ENTRY];

/// The longest a job may be held after it became eligible.
///
/// ```
/// use gigawatt::history::{Plan, Settings};
/// use gigawatt::policy::hold::greatest_delay;
/// use gigawatt::units::{Seconds, Time};
/// use gigawatt::workload::{Behaviour, Builder, Job, JobKind};
/// let mut builder = Builder::default();
/// for max_delay in [None, Some(Seconds(60))] {
///     let behaviour = builder.behaviour(Behaviour { kind: JobKind::Eval, max_delay, ..Behaviour::default() });
///     builder.push(Job { behaviour, ..Job::at(Time(0)) });
/// }
/// let defer = vec![(JobKind::Eval, Seconds(3600))];
/// let settings = Settings { defer, ..Settings::named("fifo", "easy", "best-fit") };
/// let plan = Plan { workload: builder.finish(), settings, ..Plan::default() };
/// assert_eq!([0, 1].map(|job| greatest_delay(&plan, job)), [Seconds(3600), Seconds(60)]);
/// ```
#[must_use]
pub fn greatest_delay(plan: &Plan, job: u32) -> Seconds {
    delay_of(&plan.settings, &plan.workload, job)
}

/// Whether any job of a workload may be held back.
#[must_use]
pub fn may_hold(settings: &Settings, workload: &Workload) -> bool {
    (0..workload.len()).any(|job| delay_of(settings, workload, job) > Seconds::ZERO)
}

fn delay_of(settings: &Settings, workload: &Workload, job: u32) -> Seconds {
    let behaviour = workload.behaviour_of(job);
    let tenant = &workload.tenants[workload.jobs[job as usize].tenant as usize];
    let of_kind = || settings.defer.iter().find(|(kind, _)| *kind == behaviour.kind).map(|(_, delay)| *delay);
    behaviour.max_delay.or(tenant.max_delay).or_else(of_kind).unwrap_or_default()
}

/// The sites that a set of nodes lies in.
fn sites_in(plan: &Plan, nodes: &[u64]) -> Vec<usize> {
    let cluster = &plan.cluster;
    let has = |node: u32| nodes[node as usize >> 6] >> (node & 63) & 1 == 1;
    let racks = cluster.racks.iter().filter(|rack| (rack.first_node..rack.first_node + rack.nodes).any(has));
    let sites: BTreeSet<usize> = racks.map(|rack| cluster.feeds[rack.feed as usize].site as usize).collect();
    sites.into_iter().collect()
}

/// Holds jobs back, where something is to be held for.
#[derive(Debug)]
pub(super) struct Hold {
    /// By site: the sums of what is to be low, where it is known.
    sites: Vec<Option<Integral<'static>>>,
    /// By scope: the sites it lies in.
    sites_of: Vec<Vec<usize>>,
    /// Jobs that are held, by when that ends.
    held: BTreeSet<(Time, u32)>,
    /// Jobs that became eligible since the last pass and are to be held.
    fresh: Vec<(Time, u32)>,
}

impl Hold {
    /// The one that a plan names, or none where nothing is to be held for; no answer if there is none of that name.
    pub(super) fn of(state: &State) -> Option<Option<Self>> {
        let plan = state.plan();
        let name = plan.settings.hold.as_str();
        let entry =
            if name.is_empty() { &none::ENTRY } else { HOLDS.iter().find(|entry| entry.name == name)? };
        let signals = plan.cluster.grids.iter().map(entry.signal);
        let sites: Vec<Option<Integral<'static>>> =
            signals.map(|signal| signal.map(|signal| signal.clone().into_integral())).collect();
        if sites.iter().all(Option::is_none) {
            return Some(None);
        }
        let sites_of = state.classes().scopes.iter().map(|nodes| sites_in(plan, nodes)).collect();
        Some(Some(Self { sites, sites_of, held: BTreeSet::new(), fresh: Vec::new() }))
    }

    /// When a job that becomes eligible now is to start.
    fn start(&mut self, state: &State, job: u32) -> Time {
        let (now, delay) = (state.now(), greatest_delay(state.plan(), job));
        let class = state.class(job);
        // Nothing is drawn, or it never starts.
        if delay == Seconds::ZERO || class.kinds.is_empty() {
            return now;
        }
        let rate = slowest(state, job);
        let length = ticks(state.expected_work(job, rate), rate);
        let sites = self.sites_of[class.scope as usize].iter();
        let mut best: Option<(i128, Time)> = None;
        for site in sites {
            if let Some(Some(integral)) = self.sites.get_mut(*site) {
                let (sum, start) = lowest(integral, now, now + delay, length);
                let found = (sum * i128::from(state.plan().cluster.sites[*site].pue_milli(now)), start);
                best = Some(best.map_or(found, |best| best.min(found)));
            }
        }
        best.map_or(now, |best| best.1)
    }

    /// Holds what became eligible, and lets go of what has been held long enough.
    pub(super) fn decide(&mut self, bus: &mut Bus<'_, '_>) -> Result<(), PolicyError> {
        for (until, job) in std::mem::take(&mut self.fresh) {
            self.held.insert((until, job));
            bus.apply(Decision::Hold { job, until })?;
        }
        while let Some((until, job)) = self.held.first().copied().filter(|(until, _)| *until <= bus.now()) {
            self.held.remove(&(until, job));
            bus.release(job);
        }
        Ok(())
    }
}

/// The lowest rate a job might get inside a rack.
fn slowest(state: &State, job: u32) -> Factor {
    let (class, kinds) = (state.class(job), &state.plan().cluster.kinds);
    let rates = class.kinds.iter().map(|kind| class.rate_on(kinds, *kind, 1));
    class.rate.or_else(|| rates.min()).unwrap_or_default()
}

impl Part for Hold {
    fn observe(&mut self, event: &Event, state: &State) {
        match *event {
            Event::Eligible { job } => {
                let start = self.start(state, job);
                if start > state.now() {
                    self.fresh.push((start, job));
                }
            }
            // It has been running since before it could be held.
            Event::Started { job, .. } => self.fresh.retain(|(_, fresh)| *fresh != job),
            Event::Withdrawn { job } => {
                self.fresh.retain(|(_, fresh)| *fresh != job);
                self.held.retain(|(_, held)| *held != job);
            }
            _ => {}
        }
    }
}
