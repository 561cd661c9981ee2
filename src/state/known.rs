//! Capacity changes that are known to come: their notice has been given, and they have not happened yet.

use super::power::ledger::Ledger;
use super::power::level::level_of;
use super::power::rise::Rise;
use super::{Resources, State};
use crate::cluster::{CapacityChange, Curtailment, NodeState, Occupancy, Piece, Ramp};
use crate::units::Time;
use std::ops::Range;

/// Nodes that would take new pods, or would not any more, because of a change to come.
#[derive(Debug)]
pub(crate) struct Flipped {
    nodes: Vec<u32>,
    up: bool,
    /// Nodes that would begin to draw, or not draw any more.
    drawing: Vec<u32>,
    draws: bool,
}

impl Flipped {
    /// A change takes effect in what is looked ahead at.
    pub(crate) fn by(change: &CapacityChange, occupancy: &mut Occupancy) -> Self {
        let up = change.state == NodeState::Up;
        let nodes: Vec<u32> =
            change.nodes.clone().filter(|node| occupancy.is_up(*node as usize) != up).collect();
        nodes.iter().for_each(|node| occupancy.set_up(*node, up));
        Self { nodes, up, drawing: Vec::new(), draws: false }
    }
    /// It is taken back.
    pub(crate) fn undo(self, occupancy: &mut Occupancy) {
        self.nodes.iter().for_each(|node| occupancy.set_up(*node, !self.up));
    }
    /// As [`Flipped::by`], with what nodes draw that come or go for good.
    pub(crate) fn in_all(change: &CapacityChange, then: &mut Resources) -> Self {
        let mut flipped = Self::by(change, &mut then.occupancy);
        flipped.draws = change.state != NodeState::Absent;
        let turns = |node: &u32| then.set_drawing(*node, flipped.draws);
        flipped.drawing = change.nodes.clone().filter(turns).collect();
        flipped
    }
    /// It is taken back.
    pub(crate) fn undo_in_all(self, then: &mut Resources) {
        for node in &self.drawing {
            then.set_drawing(*node, !self.draws);
        }
        self.undo(&mut then.occupancy);
    }
}

impl State {
    /// The changes that are known to come, by time.
    #[must_use]
    pub fn known_changes(&self) -> &[CapacityChange] {
        &self.known
    }
    /// What is known to come is looked up anew.
    pub(crate) fn look_for_notices(&mut self) {
        let now = self.now;
        let known = |change: &&CapacityChange| change.announced() <= now && now < change.time;
        self.known = self.history.plan.cluster.changes.iter().filter(known).cloned().collect();
    }
    /// Nodes that are planned to be up already do not come up with a change, whatever has failed of them.
    pub(crate) fn come_only(&mut self, is_planned_up: impl Fn(u32) -> bool) {
        let mut known = Vec::new();
        for change in std::mem::take(&mut self.known) {
            if change.state != NodeState::Up {
                known.push(change);
                continue;
            }
            let mut nodes: Vec<Range<u32>> = Vec::new();
            for node in change.nodes.clone().filter(|node| !is_planned_up(*node)) {
                match nodes.last_mut() {
                    Some(last) if last.end == node => last.end += 1,
                    _ => nodes.push(node..node + 1),
                }
            }
            known.extend(nodes.into_iter().map(|nodes| CapacityChange { nodes, ..change.clone() }));
        }
        self.known = known;
    }
    /// The curtailments that are known and not over, where caps are heeded.
    fn known_curtailments(&self) -> impl Iterator<Item = &Curtailment> {
        let all = if self.caps.is_some() { &*self.history.plan.cluster.curtailments } else { &[] };
        all.iter().filter(|curtailment| curtailment.is_known(self.now) && curtailment.until > self.now)
    }
    /// When watts are known to go or to return after now, in no order.
    pub(crate) fn cap_changes(&self) -> impl Iterator<Item = Time> {
        let both = self.known_curtailments().flat_map(|curtailment| [curtailment.from, curtailment.until]);
        both.filter(|time| *time > self.now && *time != Time::NEVER)
    }
    /// The beginnings of the curtailments to come that starts heed already, ascending.
    pub(crate) fn drained_for(&self) -> Vec<Time> {
        if !self.caps.as_ref().is_some_and(|caps| caps.drains) {
            return Vec::new();
        }
        let begins = self.known_curtailments().map(|curtailment| curtailment.from);
        let mut begins: Vec<Time> = begins.filter(|from| *from > self.now).collect();
        begins.sort_unstable();
        begins.dedup();
        begins
    }
    /// How the watts are expected to stand at an instant to come, as far as what runs now and caps that are known tell.
    ///
    /// # Complexity
    /// O(domains + what running jobs hold) time: it is for asking once a pass.
    pub(crate) fn watts_at(&self, instant: Time) -> Option<Ledger> {
        let mut ledger = self.resources.power()?.clone();
        ledger.expect_rises(Vec::new());
        for job in self.running() {
            let Some(segment) = self.segment(*job) else { continue };
            let ends = self.expected_end_now(*job).is_some_and(|end| end <= instant);
            if let Some(draws) = self.class(*job).draws.as_ref().filter(|_| ends) {
                ledger.hold(draws, level_of(segment.cap), self.domains(*job), false);
            }
        }
        ledger.expect_caps(&self.history.plan.cluster, self.now, instant);
        Some(ledger)
    }
    /// As [`State::watts_at`] when each of the curtailments begins that a job, started now, would outlast; none where starts
    /// heed no curtailment to come, or the job draws nothing.
    pub(crate) fn watts_for(&self, job: u32) -> Option<Vec<Ledger>> {
        let begins = self.drained_for();
        if begins.is_empty() || self.class(job).draws.is_none() {
            return None;
        }
        let end = self.expected_end(job, self.slowest_rate(job));
        let during = begins.into_iter().filter(|begin| *begin < end);
        Some(during.filter_map(|begin| self.watts_at(begin)).collect())
    }
    /// Whether how long a job is expected to run decides now whether it may start: nodes or watts are known to go.
    pub(crate) fn lengths_decide(&self) -> bool {
        let drains = self.caps.as_ref().is_some_and(|caps| caps.drains);
        let is_to_come = |curtailment: &Curtailment| curtailment.from > self.now;
        !self.known.is_empty() || drains && self.known_curtailments().any(is_to_come)
    }
    /// Whether nodes or watts are known to come or to go.
    pub(crate) fn foresees_changes(&self) -> bool {
        !self.known.is_empty() || self.cap_changes().next().is_some()
    }
    /// True if nothing but what is expected to end decides what is free later: no nodes or watts are known to come or to
    /// go, and no feed's draw may rise only so fast.
    pub(crate) fn ends_tell_all(&self) -> bool {
        !self.foresees_changes() && self.rises().is_empty()
    }
    /// How far the draw of feeds may rise, where that is limited and starts heed it.
    pub(crate) fn rises(&self) -> &[Rise] {
        self.resources.power().map_or(&[], Ledger::rises)
    }
    /// When feeds whose rise is limited may draw more by themselves, for what they have drawn and for nodes that are known
    /// to come, in no order.
    pub(crate) fn rise_returns(&self) -> impl Iterator<Item = Time> {
        let changes = self.known.iter().map(|change| change.time + Ramp::WINDOW);
        let changes = changes.filter(|_| !self.rises().is_empty());
        self.rises().iter().flat_map(Rise::returns).chain(changes).filter(|time| *time > self.now)
    }
    fn departures(&self) -> impl Iterator<Item = &CapacityChange> {
        self.known.iter().filter(|change| matches!(change.state, NodeState::Down | NodeState::Absent))
    }
    /// When the first of the nodes of some domains is known to go; [`Time::NEVER`] if none is.
    pub(crate) fn departure(&self, domains: &[Piece]) -> Time {
        let touches = |change: &&CapacityChange| {
            domains.iter().flat_map(|piece| piece.nodes()).any(|node| change.nodes.contains(&node))
        };
        self.departures().find(touches).map_or(Time::NEVER, |change| change.time)
    }
    /// When a job, started now on a node, and perhaps others of its kind, is expected to end at the latest.
    pub(crate) fn expected_end_on(&self, job: u32, node: u32) -> Time {
        let class = self.class(job);
        let racks = if class.is_gang() && !self.resources.occupancy.is_flat() { 2 } else { 1 };
        let kind = self.resources.occupancy.kind(node as usize);
        let kinds = &self.history.plan.cluster.kinds;
        self.expected_end(job, class.rate.unwrap_or_else(|| class.rate_on(kinds, kind, racks)))
    }
    /// The nodes, 64 a word, that are known to go before a job, started now, would be expected to end there; none where
    /// no such node is known.
    pub(crate) fn going(&self, job: u32) -> Option<Vec<u64>> {
        self.marked(|change, node| change.time > self.now && change.time < self.expected_end_on(job, node))
    }
    /// The nodes, 64 a word, that are known to go within a window, after its beginning; none where no such node is known.
    pub(crate) fn going_within(&self, from: Time, to: Time) -> Option<Vec<u64>> {
        self.marked(|change, _| from < change.time && change.time < to)
    }
    fn marked(&self, goes: impl Fn(&CapacityChange, u32) -> bool) -> Option<Vec<u64>> {
        let mut nodes = Vec::new();
        for change in self.departures() {
            for node in change.nodes.clone().filter(|node| goes(change, *node)) {
                nodes.resize(self.resources.occupancy.nodes().div_ceil(64), 0_u64);
                nodes[node as usize >> 6] |= 1 << (node & 63);
            }
        }
        (!nodes.is_empty()).then_some(nodes)
    }
}
