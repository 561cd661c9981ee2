//! How units stand: the states of nodes, which spares serve, and which clocks run. See `failing.rs`.

use super::failing::{Failing, Unit};
use super::time::{NEVER, Simulation};
use gigawatt::cluster::NodeState;
use gigawatt::failure::Exposure;

impl Simulation<'_> {
    /// When a part fails next, unless no job runs and nothing is to come but passes: that matters to nobody.
    pub(super) fn fails_next(&self) -> Option<u32> {
        let [fails, mends] = self.next_failure();
        let changes = &self.plan.cluster.changes;
        let notices =
            changes.iter().filter(|change| change.notice.is_some()).map(|change| change.announced().0);
        let caps = self.heeded_curtailments().iter();
        let caps = caps.flat_map(|caps| [caps.announced().0, caps.from.0, caps.until.0]);
        let is_alive = !self.running.is_empty()
            || !self.unsubmitted.is_empty()
            || !self.held.is_empty()
            || mends != NEVER
            || self.next_change < changes.len()
            || notices.chain(caps).any(|time| time > self.now && time != NEVER);
        (is_alive && fails != NEVER).then_some(fails.max(self.now.saturating_add(1)))
    }

    /// Whether a node would be up if nothing had failed; none: nothing can.
    pub(super) fn is_planned_up(&self, node: u32) -> Option<bool> {
        self.failing.as_ref().map(|failing| failing.planned[node as usize] == NodeState::Up)
    }
    /// What was planned for a node.
    pub(super) fn plan_node(&mut self, node: u32, state: NodeState) {
        self.failing.as_mut().expect("it is there").planned[node as usize] = state;
    }

    /// Nodes may be in another state than before, and spares be wanted.
    pub(super) fn look_at(&mut self, nodes: &[u32]) {
        let mut called = Vec::new();
        for node in nodes {
            called.extend(self.look_for_spares(*node));
        }
        for node in nodes {
            let state = self.failing.as_ref().expect("it is there").state_of(*node);
            if state != self.free.state[*node as usize] {
                self.set_node(*node, state);
            }
        }
        self.set_clocks();
        for spare in called {
            self.look_at(&[spare]);
        }
    }

    /// A spare that serves at once in the place of a node.
    fn look_for_spares(&mut self, node: u32) -> Option<u32> {
        let now = self.now;
        let holds = |job: &u32| self.attempt(*job).holding.pods.iter().any(|pod| pod.node == node);
        let is_held = self.running.iter().any(holds);
        let failing = self.failing.as_mut().expect("it is there");
        let is_sound = failing.is_sound(node);
        if failing.sound[node as usize] == is_sound {
            return None;
        }
        failing.sound[node as usize] = is_sound;
        let pool =
            failing.rules.spares.iter().find(|pool| pool.nodes.iter().any(|range| range.contains(&node)))?;
        let nodes: Vec<u32> = pool.nodes.iter().cloned().flatten().collect();
        let target = nodes.len().saturating_sub(pool.count as usize);
        let activation = pool.activation.0;
        let in_reserve = |failing: &Failing, node: u32| failing.spares[node as usize] == Some(None);
        let serving = |failing: &Failing| {
            nodes.iter().filter(|node| failing.sound[**node as usize] && !in_reserve(failing, **node)).count()
        };
        if !is_sound && !in_reserve(failing, node) {
            failing.spares[node as usize] = None;
        }
        if is_sound && !is_held && !in_reserve(failing, node) && serving(failing) > target {
            failing.spares[node as usize] = Some(None);
        }
        if serving(failing) >= target {
            return None;
        }
        let spare =
            nodes.iter().copied().find(|node| in_reserve(failing, *node) && failing.sound[*node as usize])?;
        self.result.counts.spares += 1;
        let failing = self.failing.as_mut().expect("it is there");
        failing.spares[spare as usize] = (activation > 0).then(|| Some(now.saturating_add(activation)));
        (activation == 0).then_some(spare)
    }

    /// Every clock runs or stands as it has to.
    pub(super) fn set_clocks(&mut self) {
        let now = self.now;
        let Some(failing) = &self.failing else { return };
        let wanted: Vec<(Option<u32>, u64)> =
            failing.units.iter().map(|unit| self.runs_from(failing, unit)).collect();
        let failing = self.failing.as_mut().expect("it is there");
        for (unit, (from, speed)) in failing.units.iter_mut().zip(wanted) {
            let same = unit.speed == speed && from.is_some() == unit.since.is_some();
            if let (true, Some(since), Some(from)) = (same, unit.since, from) {
                // It began to run before, or begins to sooner than was thought.
                if since > now {
                    unit.since = Some(from);
                }
                continue;
            }
            if let Some(since) = unit.since {
                unit.age += u64::from(now.saturating_sub(since)) * unit.speed;
            }
            (unit.since, unit.speed) = (from, speed);
        }
    }

    /// From when on a clock runs, as things stand, and how fast.
    fn runs_from(&self, failing: &Failing, unit: &Unit) -> (Option<u32>, u64) {
        if unit.broken {
            return (None, 0);
        }
        match unit.scope {
            0 => {
                let node = unit.index;
                let factor = failing.rules.lemons.filter(|_| failing.lemons.contains(&node));
                let speed = factor.map_or(1000, |own| u64::from(own.factor_milli));
                let state = failing.state_of(node);
                let is_well = matches!(state, NodeState::Up | NodeState::Draining | NodeState::Spare)
                    && !failing.ill(node, false);
                if failing.rules.exposure == Exposure::Always {
                    return (is_well.then_some(self.now), speed);
                }
                let holders = self.running.iter().map(|job| self.attempt(*job));
                let here = holders.filter(|own| own.holding.pods.iter().any(|pod| pod.node == node));
                let from = here.map(|own| own.from.saturating_add(own.restart).max(own.from)).min();
                (from.filter(|_| is_well), speed)
            }
            4 => {
                let job = unit.index;
                if !self.running.contains(&job) {
                    return (None, 0);
                }
                let gpus = u64::from(self.plan.workload.request_of(job).gpus().milli());
                let attempt = self.attempt(job);
                (Some(attempt.from.saturating_add(attempt.restart)), gpus)
            }
            _ => {
                let is_there = |node: &u32| failing.planned[*node as usize] != NodeState::Absent;
                (unit.nodes.iter().any(is_there).then_some(self.now), 1000)
            }
        }
    }

    /// Whether a job that runs now began to do so before an instant, without a stop since.
    pub(super) fn was_running_before(&self, job: u32, then: u32) -> bool {
        self.started(job) < then
    }
    /// When a running job started last, whether it has stalled since or not.
    pub(super) fn started(&self, job: u32) -> u32 {
        let attempts = &self.result.jobs[job as usize].attempts;
        let mut first = attempts.len() - 1;
        while first > 0 && attempts[first - 1].end.goes_on() {
            first -= 1;
        }
        attempts[first].from
    }
}
