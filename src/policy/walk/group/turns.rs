//! Queues that take turns: before each job the order is asked whose queue goes next.
//!
//! Of every queue its first job is looked at that has not been tried, of classes that have not failed in this pass. It starts,
//! or its class fails: what fits passes what does not.

use super::{Group, Tried};
use crate::policy::PolicyError;
use crate::policy::order::Head;
use crate::policy::pipeline::Bus;
use crate::policy::walk::Desk;
use crate::policy::walk::pending::{Candidate, job_of};
use crate::state::State;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A queue of a tier in a pass.
#[derive(Debug)]
struct Lane {
    tier: usize,
    queue: Option<u32>,
    /// The next job of each of its classes, the first on top.
    tries: BinaryHeap<Reverse<Candidate>>,
}

impl Group {
    /// Goes through a tier, the queues in turns; returns the first of the next tier.
    pub(super) fn walk_in_turns(
        &mut self,
        desk: &mut Desk,
        bus: &mut Bus<'_, '_>,
        first: usize,
    ) -> Result<usize, PolicyError> {
        let of_tier = self.lanes[first..].iter().take_while(|lane| lane.0 == self.lanes[first].0);
        let end = first + of_tier.count();
        for stream in self.streams.iter().filter(|stream| (first..end).contains(&stream.tier)) {
            // What no longer waits is dropped from the front.
            self.tiers[stream.tier].first(stream.line, bus);
        }
        let mut active = (first..end).flat_map(|tier| self.tiers[tier].active());
        if !active.any(|class| self.may_start(bus, *class)) {
            return Ok(end);
        }
        let mut lanes: Vec<Lane> = (first..end).map(|tier| self.lane(tier)).collect();
        // How many of those that are next might start; once none does, nobody behind them would.
        let mut hopeful = self.hopeful(bus, &lanes);
        let mut is_any_blocked = false;
        let mut heads: Vec<Head> = Vec::with_capacity(lanes.len());
        while !self.made_room && hopeful > 0 {
            lanes.retain(|lane| !lane.tries.is_empty());
            heads.clear();
            heads.extend(lanes.iter().filter_map(|lane| head(bus, lane)));
            let lane = &mut lanes[desk.order.next(bus, &heads)];
            let Some(Reverse(candidate)) = lane.tries.pop() else { break };
            let was_hopeful = self.may_start(bus, candidate.class);
            let has_started = self.consider(desk, bus, candidate)? == Tried::Started;
            if has_started {
                self.tiers[lane.tier].remove(candidate);
                self.overtaken |= is_any_blocked;
            }
            is_any_blocked |= !has_started;
            // Of a class that has failed, jobs of other lengths may still fit where these decide.
            let goes_on = has_started || bus.lengths_decide();
            let next = self.tiers[lane.tier].next(candidate.class, Some(candidate.key)).filter(|_| goes_on);
            lane.tries.extend(next.map(Reverse));
            hopeful = match has_started || next.is_some() {
                true => self.hopeful(bus, &lanes),
                false => hopeful - usize::from(was_hopeful),
            };
        }
        Ok(end)
    }

    fn lane(&self, tier: usize) -> Lane {
        let next = |class: &u32| self.tiers[tier].next(*class, None).map(Reverse);
        Lane {
            tier,
            queue: self.lanes[tier].1,
            tries: self.tiers[tier].active().iter().filter_map(next).collect(),
        }
    }

    fn hopeful(&self, state: &State, lanes: &[Lane]) -> usize {
        let next = lanes.iter().flat_map(|lane| &lane.tries);
        next.filter(|Reverse(candidate)| self.may_start(state, candidate.class)).count()
    }

    /// Whether a job of a class might start as things are, as far as counts tell, or if others stopped for it.
    fn may_start(&self, state: &State, class: u32) -> bool {
        self.rules.yields || self.may_fit(state, class) && self.is_below_ceilings(state, class)
    }
}

/// The next job of a queue, as the order sees it: on the first of its platforms whose quota lets it in, else on the first.
fn head(state: &State, lane: &Lane) -> Option<Head> {
    let Reverse(Candidate { key, .. }) = *lane.tries.peek()?;
    let class = state.class(job_of(key));
    let own = state.resources().allowed(class).next().unwrap_or(class);
    Some(Head { queue: lane.queue, row: own.row, key, milli: u64::from(class.gpus_milli) })
}
