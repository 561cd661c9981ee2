//! Clocks that run while parts age: those of units always, or while a job holds their nodes, and those of jobs.

use super::clock::Clock;
use super::events::Due;
use super::{Failing, held};
use crate::cluster::{Cluster, NodeState};
use crate::failure::{Component, Exposure, Part, Per};
use crate::state::State;
use crate::units::{Seconds, Time};

/// The parts that a job brings along.
#[derive(Debug)]
pub(super) struct JobParts {
    pub(super) clock: Clock,
    /// By component of the kind: how far it has aged when it fails next, and how often it has failed.
    pub(super) dues: Vec<(u64, u32)>,
    /// The failure that nobody has seen yet.
    pub(super) stalled_by: Option<u32>,
}

impl Failing {
    fn ages_always(&self, unit: u32) -> bool {
        self.rules.exposure == Exposure::Always || !self.units.is_node(unit)
    }
    /// The clock of a unit whose parts always age runs, unless it is not there or being repaired.
    pub(super) fn let_age(&mut self, unit: u32, now: Time) {
        let is_well = match self.nodes.get(unit as usize) {
            Some(node) => node.is_well(),
            None => true,
        };
        if is_well && self.ages_always(unit) && self.units.clock(unit).start(now) {
            self.events.fails(self.units.instant(unit), Due::Unit(unit));
        }
    }
    /// Racks, feeds and sites age unless one of their parts is broken or all of their nodes are absent.
    pub(super) fn let_wide_age(&mut self, cluster: &Cluster, now: Time) {
        for unit in self.units.above_nodes() {
            let is_there = |node: u32| self.nodes[node as usize].planned != NodeState::Absent;
            let there = self.units.nodes(cluster, unit).into_iter().flatten().any(is_there);
            if there && !self.broken.contains(&unit) {
                self.let_age(unit, now);
            } else {
                self.units.clock(unit).stop(now);
            }
        }
    }
    /// The parts of nodes and jobs that age while a job holds them: it does so from now on in a segment.
    pub(in crate::simulation) fn begins(&mut self, state: &State, segment: u32) {
        let own = &state.history().segments[segment as usize];
        let from = own.from + Seconds(own.restart);
        if self.rules.exposure == Exposure::Computing {
            let mut first = Time::NEVER;
            for node in held(state, segment) {
                self.nodes[node as usize].holders += 1;
                let clock = self.units.clock(node);
                let ran = clock.runs();
                let changes = clock.start(from);
                let instant = clock.instant();
                if !ran {
                    first = first.min(instant);
                } else if changes {
                    self.events.fails(instant, Due::Unit(node));
                }
            }
            self.events.fails(first, Due::Segment(segment));
        }
        self.job_begins(state, own.job, from);
    }
    /// It lets go of them.
    pub(in crate::simulation) fn ends(&mut self, state: &State, segment: u32, now: Time) {
        if self.rules.exposure == Exposure::Computing {
            for node in held(state, segment) {
                let care = &mut self.nodes[node as usize];
                care.holders -= 1;
                if care.holders == 0 {
                    self.units.clock(node).stop(now);
                } else {
                    self.events.fails(self.units.instant(node), Due::Unit(node));
                }
            }
        }
        let own = &state.history().segments[segment as usize];
        if let Some(parts) = self.jobs.get_mut(&own.job) {
            parts.clock.stop(now);
            if !own.end.goes_on() {
                parts.stalled_by = None;
            }
        }
    }
    pub(super) fn job_components(&self) -> impl Iterator<Item = (u32, &Component)> {
        (0..).zip(&self.rules.components).filter(|(_, own)| own.per == Per::JobGpu)
    }
    fn job_begins(&mut self, state: &State, job: u32, from: Time) {
        let seed = self.seed;
        let first = |(component, own): (u32, &Component)| {
            (own.life.nth(seed, Part { component, unit: job }, 0, 1), 0)
        };
        if !self.jobs.contains_key(&job) {
            let dues: Vec<(u64, u32)> = self.job_components().map(first).collect();
            if dues.is_empty() {
                return;
            }
            let least = dues.iter().map(|(due, _)| *due).min().unwrap_or(u64::MAX);
            self.jobs.insert(job, JobParts { clock: Clock::standing(0, least), dues, stalled_by: None });
        }
        if let Some(parts) = self.jobs.get_mut(&job).filter(|parts| parts.stalled_by.is_none()) {
            // A GPU-second of the job is a second of their life.
            parts.clock.set_speed(state.held_milli(job), from);
            parts.clock.start(from);
            self.events.fails(parts.clock.instant(), Due::Job(job));
        }
    }
}
