//! Parts that fail, are seen to have failed, and come back.
//!
//! Of one instant: repairs that end, then failures that are detected, each in the order in which the parts failed; then
//! parts that fail, those of nodes, racks, feeds and sites by their index, then those of jobs. What is detected at once
//! is so before the next part fails.
//!
//! From when a part fails the nodes below it take no new job, and what runs there does no work. Once that is detected
//! it stops, and they are down until the repair is over. A node that several failures concern is back once the last of
//! them is repaired.

mod ageing;
mod clock;
mod events;
mod nodes;
mod spares;
mod units;

use super::Simulation;
use crate::cluster::NodeState;
use crate::failure::{Failures, Part};
use crate::history::{FailureRecord, Plan, SegmentEnd};
use crate::state::{Event, State, Status};
use crate::units::{Seconds, Time};
use ageing::JobParts;
use events::{Due, Events, Mending};
use nodes::NodeCare;
use spares::{Pools, Reserve};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use units::Units;

/// What fails in a run, and how it stands.
#[derive(Debug)]
pub(super) struct Failing {
    seed: u64,
    rules: Failures,
    units: Units,
    /// Of jobs that have run, where parts of jobs fail.
    jobs: BTreeMap<u32, JobParts>,
    events: Events,
    nodes: Vec<NodeCare>,
    /// Nodes whose parts age faster.
    lemons: BTreeSet<u32>,
    pools: Pools,
    /// Racks, feeds and sites of which a part is broken.
    broken: BTreeSet<u32>,
    /// Crews at work.
    crews: u32,
    /// Failures that wait for one.
    queue: VecDeque<u32>,
    /// By node: when its last failures were, where they decide whether it is given up.
    recent: BTreeMap<u32, VecDeque<Time>>,
}

impl Failing {
    /// None where nothing fails.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let rules = plan.cluster.failures.as_deref()?.clone();
        let seed = plan.settings.seed;
        let care = NodeCare {
            planned: NodeState::Up,
            now: NodeState::Up,
            hidden: 0,
            known: 0,
            holders: 0,
            retired: false,
            reserve: Reserve::Serves,
            was_sane: true,
        };
        let nodes = plan.cluster.nodes();
        let has = |node: &u32| rules.lemons.is_some_and(|lemons| lemons.has(seed, *node));
        let lemons: BTreeSet<u32> = (0..nodes).filter(has).collect();
        let last = plan.settings.until.map_or(Time::NEVER, Time).min(rules.until);
        let mut failing = Self {
            seed,
            units: Units::new(&plan.cluster, &rules.components, seed),
            jobs: BTreeMap::new(),
            events: Events::until(last),
            nodes: vec![care; nodes as usize],
            lemons,
            pools: Pools::new(&rules.spares),
            broken: BTreeSet::new(),
            crews: 0,
            queue: VecDeque::new(),
            recent: BTreeMap::new(),
            rules,
        };
        let factor = failing.rules.lemons.map_or(1000, |lemons| u64::from(lemons.factor_milli));
        for node in failing.lemons.clone() {
            failing.units.clock(node).set_speed(factor, Time::ZERO);
        }
        for node in failing.pools.idle() {
            failing.nodes[node as usize].reserve = Reserve::Idle;
        }
        for unit in 0..failing.units.len() {
            failing.let_age(unit, Time::ZERO);
        }
        Some(failing)
    }
    /// Whether a node would be up if nothing had failed.
    pub(super) fn is_planned_up(&self, node: u32) -> bool {
        self.nodes[node as usize].planned == NodeState::Up
    }
    /// When a repair ends or a failure is detected next.
    pub(super) fn next_mending(&self) -> Time {
        self.events.next_mending()
    }
    /// When a part fails next.
    pub(super) fn next_failure(&mut self, state: &State) -> Time {
        while let Some((time, due)) = self.events.next_failure() {
            let is_so = match due {
                Due::Unit(unit) => self.units.instant(unit) == time,
                Due::Job(job) => self.jobs.get(&job).is_some_and(|parts| parts.clock.instant() == time),
                Due::Segment(segment) => is_open(state, segment),
            };
            if is_so {
                return time;
            }
            self.events.forget_failure();
        }
        Time::NEVER
    }
    /// All parts that fail at an instant: the units, and the jobs.
    fn due(&mut self, state: &State, now: Time) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut units, mut jobs) = (BTreeSet::new(), BTreeSet::new());
        while self.next_failure(state) <= now {
            match self.events.take_failure() {
                Some(Due::Unit(unit)) => {
                    units.insert(unit);
                }
                Some(Due::Job(job)) => {
                    jobs.insert(job);
                }
                Some(Due::Segment(segment)) => {
                    let mut next = Time::NEVER;
                    for node in held(state, segment) {
                        match self.units.instant(node) {
                            time if time <= now => {
                                units.insert(node);
                            }
                            time => next = next.min(time),
                        }
                    }
                    self.events.fails(next, Due::Segment(segment));
                }
                None => break,
            }
        }
        (units, jobs)
    }
}

/// The nodes of which a segment holds something; one of several pieces as often.
fn held(state: &State, segment: u32) -> impl Iterator<Item = u32> {
    let history = state.history();
    let pieces = history.pieces_of(&history.segments[segment as usize]);
    pieces.iter().flat_map(|piece| piece.nodes())
}

fn is_open(state: &State, segment: u32) -> bool {
    let own = &state.history().segments[segment as usize];
    own.end == SegmentEnd::Open && state.segment_index(own.job) == segment
}

impl Simulation {
    /// Whatever fails, is detected or comes back at this instant.
    pub(super) fn failures(&mut self, now: Time) {
        if self.failing.is_none() {
            return;
        }
        self.mend(now);
        let Some((units, jobs)) = self.failing.as_mut().map(|failing| failing.due(&self.state, now)) else {
            return;
        };
        for unit in units {
            if self.failing.as_ref().is_some_and(|failing| failing.units.instant(unit) <= now) {
                self.unit_fails(unit, now);
                self.mend(now);
            }
        }
        for job in jobs {
            let is_due =
                |failing: &Failing| failing.jobs.get(&job).is_some_and(|parts| parts.clock.instant() <= now);
            if self.failing.as_deref().is_some_and(is_due) && self.state.status(job) == Status::Running {
                self.job_fails(job, now);
                self.mend(now);
            }
        }
    }
    /// Repairs that end and failures that are detected now.
    fn mend(&mut self, now: Time) {
        while let Some(mending) = self.failing.as_mut().and_then(|failing| failing.events.take_mending(now)) {
            match mending {
                Mending::Back(record) => self.is_back(record, now),
                Mending::Seen(record) => self.is_seen(record, now),
                Mending::Ready(node) => self.is_ready(node, now),
            }
        }
    }
    /// What a failure is of; its components are those of the plan.
    fn part(&self, record: u32) -> Part {
        let own = &self.state.history().failures[record as usize];
        Part { component: own.component, unit: own.unit }
    }
    fn unit_fails(&mut self, unit: u32, now: Time) {
        let Some(failing) = &mut self.failing else { return };
        let (part, n) = failing.units.next(unit);
        failing.units.clock(unit).stop(now);
        if !failing.units.is_node(unit) {
            failing.broken.insert(unit);
        }
        let mend = failing.rules.components[part.component as usize].mend(failing.seed, part, n);
        let nodes = failing.units.nodes(&self.state.plan().cluster, unit);
        let seen = now + mend.detection;
        let record = self.state.note_failure(FailureRecord {
            time: now,
            component: part.component,
            unit: part.unit,
            detected: seen,
            back: Time::NEVER,
            repair: mend.class,
            helps: mend.helps,
        });
        let Some(failing) = &mut self.failing else { return };
        failing.events.mends(seen, Mending::Seen(record));
        nodes.iter().cloned().flatten().for_each(|node| {
            failing.nodes[node as usize].hidden += 1;
            failing.units.clock(node).stop(now);
        });
        if mend.detection > Seconds::ZERO {
            self.renew(&nodes, now);
            for job in nodes.iter().flat_map(|nodes| self.state.running_on(nodes)).collect::<BTreeSet<u32>>()
            {
                self.stall(job, mend.detection);
            }
        }
    }
    fn job_fails(&mut self, job: u32, now: Time) {
        let Some(failing) = &mut self.failing else { return };
        let components: Vec<u32> = failing.job_components().map(|(component, _)| component).collect();
        let Some(parts) = failing.jobs.get_mut(&job) else { return };
        let least = (0..parts.dues.len()).min_by_key(|place| parts.dues[*place].0).unwrap_or(0);
        let part = Part { component: components[least], unit: job };
        let component = &failing.rules.components[part.component as usize];
        let (due, n) = parts.dues[least];
        let mend = component.mend(failing.seed, part, n);
        // The next one begins to age when the job works again.
        parts.dues[least] = (due.saturating_add(component.life.nth(failing.seed, part, n + 1, 1)), n + 1);
        parts.clock.stop(now);
        parts.clock.set_due(parts.dues.iter().map(|(due, _)| *due).min().unwrap_or(u64::MAX));
        let seen = now + mend.detection;
        let record = self.state.note_failure(FailureRecord {
            time: now,
            component: part.component,
            unit: job,
            detected: seen,
            back: seen,
            repair: mend.class,
            helps: mend.helps,
        });
        parts.stalled_by = Some(record);
        failing.events.mends(seen, Mending::Seen(record));
        self.stall(job, mend.detection);
    }
    /// A running job does no work for so long, until what it needs is found to have failed.
    fn stall(&mut self, job: u32, time: Seconds) {
        let Some((before, segment)) = self.state.stall(job, time) else { return };
        let event = Event::Changed { job, before, segment };
        self.tell(event);
        self.follow(event, self.state.now());
    }
    fn is_seen(&mut self, record: u32, now: Time) {
        let part = self.part(record);
        let Some(failing) = &mut self.failing else { return };
        let Some(unit) = failing.units.unit_of(&failing.rules.components, part) else {
            // It may have stopped for another reason meanwhile.
            if failing.jobs.get(&part.unit).is_some_and(|parts| parts.stalled_by == Some(record)) {
                self.stop_for_failure(part.unit);
            }
            return;
        };
        let nodes = failing.units.nodes(&self.state.plan().cluster, unit);
        for node in nodes.iter().cloned().flatten() {
            let care = &mut failing.nodes[node as usize];
            (care.hidden, care.known) = (care.hidden - 1, care.known + 1);
        }
        if failing.units.is_node(unit) && failing.is_given_up(unit, now) {
            failing.nodes[unit as usize].retired = true;
        } else {
            let rules = &failing.rules.components[part.component as usize];
            let own = &self.state.history().failures[record as usize];
            if rules.repairs[own.repair as usize].crew && failing.rules.crews == Some(failing.crews) {
                failing.queue.push_back(record);
            } else {
                self.repair(record, now);
            }
        }
        self.renew(&nodes, now);
    }
    /// A repair begins.
    fn repair(&mut self, record: u32, now: Time) {
        let part = self.part(record);
        let Some(failing) = &mut self.failing else { return };
        let own = &self.state.history().failures[record as usize];
        let component = &failing.rules.components[part.component as usize];
        let n = failing.units.failed(part);
        failing.crews += u32::from(component.repairs[own.repair as usize].crew);
        let back = now + component.mend(failing.seed, part, n).time;
        failing.events.mends(back, Mending::Back(record));
    }
    fn is_back(&mut self, record: u32, now: Time) {
        let part = self.part(record);
        let Some(failing) = &mut self.failing else { return };
        let Some(unit) = failing.units.unit_of(&failing.rules.components, part) else { return };
        let own = self.state.set_back(record);
        let cluster = &self.state.plan().cluster;
        failing.units.replace(cluster, &failing.rules.components, part);
        if own.helps && failing.units.is_node(unit) && failing.lemons.remove(&unit) {
            failing.units.clock(unit).set_speed(1000, now);
        }
        let nodes = failing.units.nodes(cluster, unit);
        nodes.iter().cloned().flatten().for_each(|node| failing.nodes[node as usize].known -= 1);
        if failing.broken.remove(&unit) {
            failing.let_wide_age(cluster, now);
        }
        if failing.rules.components[part.component as usize].repairs[own.repair as usize].crew {
            failing.crews -= 1;
            if let Some(next) = failing.queue.pop_front() {
                self.repair(next, now);
            }
        }
        self.renew(&nodes, now);
    }
}

impl Failing {
    /// Whether a node that fails now once more is not repaired.
    fn is_given_up(&mut self, node: u32, now: Time) -> bool {
        let Some(rule) = self.rules.retirement else { return false };
        let recent = self.recent.entry(node).or_default();
        recent.push_back(now);
        while recent.front().is_some_and(|first| now.since(*first) > rule.within) {
            recent.pop_front();
        }
        recent.len() >= rule.failures as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::failure::{Component, Life, Per, Span};
    use crate::history::Settings;
    use crate::simulation::{Control, simulate};
    use crate::units::Gpus;
    use crate::workload::{Behaviour, Builder, Job, Request};

    /// A plan of one job of `gpus` GPUs and `work` seconds on two nodes of four, with something that fails.
    fn plan(gpus: u32, work: u32, component: Component) -> Plan {
        let mut builder = Builder::default();
        builder.request(Request::gang(Gpus::whole(gpus)));
        builder.behaviour(Behaviour::default());
        builder.push(Job { work_time: Seconds(work), ..Job::at(Time(0)) }.requesting(Seconds(work)));
        let mut cluster = Cluster::uniform(2, NodeKind { gpus: 4, ..NodeKind::default() });
        let until = Time(2 * work);
        let components = vec![component];
        cluster.failures = Some(Box::new(Failures { components, until, ..Failures::default() }));
        Plan { cluster, workload: builder.finish(), settings: Settings::named("fifo", "none", "first-fit") }
    }

    #[test]
    fn a_part_of_a_job_stops_it_once_its_failure_is_seen() {
        for detection in [0, 30] {
            let component = Component {
                life: Life::of_mean(100.0, 1.0).unwrap(),
                detection: Span::Fixed(Seconds(detection)),
                ..Component::new("software", Per::JobGpu)
            };
            let first = component.life.nth(0, Part { component: 0, unit: 0 }, 0, 1).div_ceil(2000);
            let plan = plan(2, 200, component);
            let history = simulate(plan, &mut Control::default());
            let first = u32::try_from(first).unwrap();
            assert_eq!(history.failures[0].time, Time(first), "two GPUs age twice as fast");
            let ends: Vec<(u32, SegmentEnd)> =
                history.segments.iter().take(2).map(|own| (own.to.0, own.end)).collect();
            if detection == 0 {
                assert_eq!(ends[0], (first, SegmentEnd::NodeDown), "at once");
            } else {
                let stop = (first + detection, SegmentEnd::NodeDown);
                assert_eq!(ends, [(first, SegmentEnd::Stalled), stop], "when it is seen");
            }
            history.check().unwrap();
        }
    }
}
