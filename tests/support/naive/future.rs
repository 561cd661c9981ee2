//! What is expected: what is held until when, which nodes come and go, what is free over a window of time.
//!
//! **Known** is every capacity change whose notice has come. A node takes a job over a window if it is up at its
//! beginning and is not known to go down or absent before its end. A node that drains takes nothing new, and nothing
//! from what runs: its notice only tells that nobody can start there later.
//!
//! **Free over a window** is of every GPU, CPU, memory, quota and limit the least at any instant of it, beside the running
//! jobs until their expected ends and the windows given. Caps are asked at every instant by itself.
//!
//! **A shadow** is the earliest instant after now at which the job could start by every check and hold its place as long
//! as it is expected to run at the slowest rate it could have. It is sought at the expected ends of running jobs, the ends
//! of the windows given, and at known changes, beginnings and ends of curtailments among them, as far as their partitions
//! are linked with the job's; and when a feed whose rise is limited may draw more again.

use super::free::{Free, Holding, Owner};
use super::power::Draws;
use super::time::{NEVER, Simulation};
use gigawatt::cluster::{CapacityChange, Curtailment, NodeState, Ramp};
use gigawatt::units::{Time, Watts};
use std::collections::BTreeMap;

/// What a job is expected to hold from an instant to another.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) job: u32,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) holding: Holding,
}

/// Of draws, each with the instant at which it ended, those below all later ones.
fn lows(past: &[(u32, u64)]) -> Vec<(u32, u64)> {
    let below = |at: usize| past[at + 1..].iter().all(|(_, later)| past[at].1 < *later);
    (0..past.len()).filter(|at| below(*at)).map(|at| past[at]).collect()
}

impl Simulation<'_> {
    /// The changes to come that are known, in their order. Where something can fail, nodes that are planned to be up already do
    /// not come up with one.
    pub(super) fn known_changes(&self) -> impl Iterator<Item = CapacityChange> {
        let changes = self.plan.cluster.changes.iter();
        let known = changes.filter(|change| change.time.0 > self.now && change.announced().0 <= self.now);
        let parts = |change: &CapacityChange| -> Vec<CapacityChange> {
            if change.state != NodeState::Up || self.failing.is_none() {
                return vec![change.clone()];
            }
            let comes = change.nodes.clone().filter(|node| self.is_planned_up(*node) == Some(false));
            comes.map(|node| CapacityChange { nodes: node..node + 1, ..change.clone() }).collect()
        };
        known.flat_map(parts).collect::<Vec<_>>().into_iter()
    }

    /// When after `instant` a node is known to go down or absent.
    pub(super) fn known_to_go(&self, node: u32, instant: u32) -> Option<u32> {
        let goes = |change: &CapacityChange| {
            matches!(change.state, NodeState::Down | NodeState::Absent) && change.nodes.contains(&node)
        };
        self.known_changes().filter(goes).map(|change| change.time.0).find(|time| *time > instant)
    }

    /// The nodes of a job's scope that are known to go before it would be expected to end there if it started now.
    pub(super) fn going(&self, job: u32) -> impl Iterator<Item = u32> {
        let goes = move |node: &u32| {
            self.known_to_go(*node, self.now)
                .is_some_and(|time| time < self.would_end_on(job, *node, self.now))
        };
        self.world.scope(job).iter().copied().filter(goes)
    }

    /// The instants after now at which a start of a job may become possible, ascending: of what it is linked with.
    pub(super) fn instants_to_try(&self, job: u32, windows: &[Window]) -> Vec<u32> {
        let group = self.world.group_of(job);
        let linked = |other: u32| self.world.group_of(other) == group;
        let running = self.running.iter().filter(|other| linked(**other));
        let mut instants: Vec<u32> = running.map(|other| self.expected_end(*other)).collect();
        instants.extend(windows.iter().filter(|window| linked(window.job)).map(|window| window.to));
        instants.extend(self.returns(windows));
        let changes =
            self.known_changes().filter(|change| self.world.groups_with(&change.nodes).contains(&group));
        instants.extend(changes.map(|change| change.time.0));
        instants
            .extend(self.curtailments().flat_map(|curtailment| [curtailment.from.0, curtailment.until.0]));
        instants.retain(|instant| *instant > self.now && *instant != NEVER);
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The curtailments that starts heed, under way or known to come.
    fn curtailments(&self) -> impl Iterator<Item = &Curtailment> {
        let heeds = self.plan.settings.power == "admit" && self.plan.settings.curtail == "drain";
        let all = if heeds { &*self.plan.cluster.curtailments } else { &[] };
        all.iter().filter(|curtailment| curtailment.is_known(Time(self.now)))
    }

    /// What curtailed feeds may deliver at an instant, as far as it is known.
    pub(super) fn curtailed_at(&self, instant: u32) -> BTreeMap<u32, Watts> {
        let mut caps = BTreeMap::new();
        for curtailment in self.curtailments().filter(|curtailment| curtailment.is_active(Time(instant))) {
            let cap = caps.entry(curtailment.feed).or_insert(curtailment.cap);
            *cap = curtailment.cap.min(*cap);
        }
        caps
    }

    /// The most that feeds whose rise is limited may draw at an instant.
    fn risen_at(&self, instant: u32, windows: &[Window]) -> BTreeMap<u32, u64> {
        let from = instant.saturating_sub(60).max(self.now);
        let expected: Vec<Free> = self
            .plan
            .cluster
            .ramps
            .first()
            .map_or(from..from, |_| from..instant)
            .map(|second| self.free_at(second, windows))
            .collect();
        let most = |(ramp, past): (&Ramp, &Vec<(u32, u64)>)| {
            let counts = past.iter().filter(|(until, _)| until + 60 > instant).map(|(_, drawn)| *drawn);
            let draws = |free: &Free| Draws { cluster: &self.plan.cluster, free }.feed(ramp.feed);
            let least = counts.chain(expected.iter().map(draws)).min();
            (ramp.feed, least.expect("it drew something until now") + ramp.rise.0)
        };
        self.plan.cluster.ramps.iter().zip(&self.past).map(most).collect()
    }

    /// When feeds whose rise is limited may draw more by themselves: a minute after they drew less than since then, and a
    /// minute after windows begin and nodes are known to come.
    fn returns(&self, windows: &[Window]) -> Vec<u32> {
        if self.plan.cluster.ramps.is_empty() {
            return Vec::new();
        }
        let lows = self.past.iter().flat_map(|past| lows(past)).map(|(until, _)| until);
        let begins = windows.iter().map(|window| window.from);
        let changes = self.known_changes().map(|change| change.time.0);
        lows.chain(begins).chain(changes).map(|instant| instant + 60).collect()
    }

    /// When a feed whose rise is limited may next draw more by itself than it does.
    pub(super) fn next_return(&self) -> Option<u32> {
        let next = |(ramp, past): (&Ramp, &Vec<(u32, u64)>)| {
            let drawn = Draws { cluster: &self.plan.cluster, free: &self.free }.feed(ramp.feed);
            let counts: Vec<(u32, u64)> =
                past.iter().copied().filter(|(until, _)| until + 60 > self.now).collect();
            lows(&counts).first().filter(|(_, low)| *low < drawn).map(|(until, _)| until + 60)
        };
        self.plan.cluster.ramps.iter().zip(&self.past).filter_map(next).min()
    }

    /// What is free now, and whenever a known curtailment begins before a job that starts now is expected to end.
    pub(super) fn free_now(&self, job: u32) -> Free {
        let mut free = self.free.clone();
        free.curtailed = self.curtailed_at(self.now);
        free.risen = self.risen_at(self.now, &[]);
        let to = self.would_end_at_the_latest(job, self.now);
        let begins = self.curtailments().map(|curtailment| curtailment.from.0);
        let during = begins.filter(|begin| (self.now + 1..to).contains(begin));
        free.instants = during.map(|begin| self.free_at(begin, &[])).collect();
        if !free.instants.is_empty() {
            free.instants.push(free.clone());
        }
        free
    }

    /// What is expected to be free at one instant.
    fn free_at(&self, instant: u32, windows: &[Window]) -> Free {
        let mut free = Free::empty(self.plan);
        free.state.clone_from(&self.free.state);
        for change in self.known_changes().filter(|change| change.time.0 <= instant) {
            change.nodes.clone().for_each(|node| free.state[node as usize] = change.state);
        }
        free.curtailed = self.curtailed_at(instant);
        for job in self.running.iter().filter(|job| self.expected_end(**job) > instant) {
            free.take(&self.attempt(*job).holding, Owner::of(self.plan, *job));
        }
        for window in windows.iter().filter(|window| (window.from..window.to).contains(&instant)) {
            free.take(&window.holding, Owner::of(self.plan, window.job));
        }
        free
    }

    /// What is expected to be free at every instant of `from..to`.
    fn free_over(&self, from: u32, to: u32, windows: &[Window]) -> Free {
        let begins = windows.iter().map(|window| window.from);
        let changes = self.known_changes().map(|change| change.time.0);
        let curtailments = self.curtailments().map(|curtailment| curtailment.from.0);
        let mut instants: Vec<u32> = begins.chain(changes).chain(curtailments).collect();
        instants.retain(|instant| (from + 1..to).contains(instant));
        instants.push(from);
        instants.sort_unstable();
        instants.dedup();
        let mut each: Vec<Free> =
            instants.into_iter().map(|instant| self.free_at(instant, windows)).collect();
        each[0].risen = self.risen_at(from, windows);
        let mut least = each[0].clone();
        each[1..].iter().for_each(|then| least.least(then));
        let goes = |node: &u32| self.known_to_go(*node, from).is_some_and(|time| time < to);
        least.barred = (0..self.plan.cluster.nodes()).filter(goes).collect();
        least.instants = if self.plan.settings.power == "admit" { each } else { Vec::new() };
        least
    }

    /// Where a job finds its place over a window, if it does.
    pub(super) fn place_over(&self, job: u32, from: u32, to: u32, windows: &[Window]) -> Option<Holding> {
        let free = self.free_over(from, to, windows);
        let allowed = self.world.ceilings_allow(&free, job);
        allowed.then(|| self.world.place(&free, job)).flatten()
    }

    /// The window of a job that begins at an instant, if it finds its place.
    pub(super) fn window_at(&self, job: u32, from: u32, windows: &[Window]) -> Option<Window> {
        let to = self.slot(self.would_end_at_the_latest(job, from));
        let holding = self.place_over(job, from, to, windows)?;
        Some(Window { job, from, to, holding })
    }

    /// Whether a job has a shadow at all; the latest instant is the likeliest.
    pub(super) fn has_shadow(&self, job: u32) -> bool {
        self.instants_to_try(job, &[])
            .into_iter()
            .rev()
            .any(|instant| self.window_at(job, instant, &[]).is_some())
    }

    /// The window of a job that begins at its shadow, if there is one.
    pub(super) fn shadow(&self, job: u32, windows: &[Window]) -> Option<Window> {
        self.instants_to_try(job, windows)
            .into_iter()
            .find_map(|instant| self.window_at(job, instant, windows))
    }
}
