//! Nodes: the state that follows from what is planned, what has failed, and what is kept in reserve.

use super::Failing;
use super::events::Mending;
use super::spares::Reserve;
use crate::cluster::{CapacityChange, NodeState};
use crate::failure::Exposure;
use crate::simulation::Simulation;
use crate::state::Event;
use crate::units::{Seconds, Time};
use std::ops::Range;

/// What is the matter with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeCare {
    /// Its state, failures aside.
    pub(super) planned: NodeState,
    /// Its state.
    pub(super) now: NodeState,
    /// Failures that concern it and have not been detected.
    pub(super) hidden: u16,
    /// Failures that concern it and are being repaired.
    pub(super) known: u16,
    /// How many jobs hold something of it, where that is when its parts age.
    pub(super) holders: u32,
    /// Whether it is given up.
    pub(super) retired: bool,
    /// Whether it is kept in reserve.
    pub(super) reserve: Reserve,
    /// Whether it was sane when its pool last looked.
    pub(super) was_sane: bool,
}

impl NodeCare {
    const fn state(&self) -> NodeState {
        match self.planned {
            _ if self.retired => NodeState::Absent,
            NodeState::Absent => NodeState::Absent,
            _ if self.known > 0 => NodeState::Down,
            NodeState::Up if !matches!(self.reserve, Reserve::Serves) => NodeState::Spare,
            NodeState::Up if self.hidden > 0 => NodeState::Draining,
            planned => planned,
        }
    }
    /// Whether it is there and nothing of it has failed.
    pub(super) const fn is_well(&self) -> bool {
        self.hidden == 0 && self.state().is_there()
    }
    /// Whether it is planned to be up, and neither broken nor given up, as far as anybody knows.
    const fn is_sane(&self) -> bool {
        matches!(self.planned, NodeState::Up) && self.known == 0 && !self.retired
    }
}

impl Simulation {
    /// Nodes are in a state that was planned; failures aside, they are in it from now on.
    pub(in crate::simulation) fn plan_nodes(&mut self, nodes: Range<u32>, state: NodeState) {
        let Some(failing) = &mut self.failing else { return self.set_nodes(nodes, state) };
        let own = &mut failing.nodes[nodes.start as usize..nodes.end as usize];
        own.iter_mut().for_each(|node| node.planned = state);
        failing.let_wide_age(&self.state.plan().cluster, self.state.now());
        self.renew(std::slice::from_ref(&nodes), self.state.now());
        // It is an event even where failures leave nodes as they are.
        self.tell(Event::Capacity);
    }
    /// Nodes are in the states that follow from what is planned and what has failed.
    pub(super) fn renew(&mut self, nodes: &[Range<u32>], now: Time) {
        let Some(failing) = &mut self.failing else { return };
        let mut changed: Vec<(Range<u32>, NodeState)> = Vec::new();
        let mut called: Vec<u32> = Vec::new();
        for node in nodes.iter().cloned().flatten() {
            let is_held = || !self.state.running_on(&(node..node + 1)).is_empty();
            called.extend(failing.keep_reserve(node, now, is_held));
            let care = &mut failing.nodes[node as usize];
            let (before, state) = (care.now, care.state());
            care.now = state;
            if care.is_well() {
                failing.let_age(node, now);
            } else if failing.rules.exposure == Exposure::Always {
                failing.units.clock(node).stop(now);
            }
            if before == state {
                continue;
            }
            match changed.last_mut() {
                Some((last, same)) if *same == state && last.end == node => last.end += 1,
                _ => changed.push((node..node + 1, state)),
            }
        }
        for (nodes, state) in changed {
            self.state.note_capacity(CapacityChange::surprise(now, nodes.clone(), state));
            self.set_nodes(nodes, state);
        }
        for spare in called {
            self.renew(std::slice::from_ref(&(spare..spare + 1)), now);
        }
    }
    /// Nodes in reserve take no job from the beginning.
    pub(in crate::simulation) fn keep_spares(&mut self) {
        let all = self.state.plan().cluster.nodes();
        self.renew(std::slice::from_ref(&(0..all)), Time::ZERO);
    }
    /// A node in reserve takes jobs from now on.
    pub(super) fn is_ready(&mut self, node: u32, now: Time) {
        let Some(failing) = &mut self.failing else { return };
        let care = &mut failing.nodes[node as usize];
        if care.reserve == Reserve::Coming(now) {
            care.reserve = Reserve::Serves;
            self.renew(std::slice::from_ref(&(node..node + 1)), now);
        }
    }
}

impl Failing {
    /// What the state of a node means for its pool: one that is broken is replaced by a spare, which is returned if it
    /// takes jobs at once; one that is back is in reserve where enough others serve.
    fn keep_reserve(&mut self, node: u32, now: Time, is_held: impl Fn() -> bool) -> Option<u32> {
        let care = &mut self.nodes[node as usize];
        let is_sane = care.is_sane();
        if is_sane == std::mem::replace(&mut care.was_sane, is_sane) {
            return None;
        }
        if care.reserve == Reserve::Idle {
            self.pools.set_idle(node, is_sane);
        } else if self.pools.counts(node, is_sane, is_sane && is_held()) {
            care.reserve = Reserve::Idle;
            self.pools.set_idle(node, true);
        } else if !is_sane {
            care.reserve = Reserve::Serves;
        }
        let (spare, activation) = self.pools.call(node)?;
        let reserve = &mut self.nodes[spare as usize].reserve;
        if activation == Seconds::ZERO {
            *reserve = Reserve::Serves;
            return Some(spare);
        }
        *reserve = Reserve::Coming(now + activation);
        self.events.mends(now + activation, Mending::Ready(spare));
        None
    }
}
