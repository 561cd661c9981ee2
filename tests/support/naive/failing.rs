//! What fails by itself: parts age, fail, are found to have failed, and come back.
//!
//! **Ageing.** The parts of a node, rack, feed or site have one clock. It stands while one of them is broken; that of a node
//! also while its node is absent, down, or concerned by any other failure, and that of the others while all of their nodes are
//! planned to be absent. Else it runs always; that of a node, where
//! exposure is computing, only from when a restart is over of a job that holds something of the node until none does. A lemon's runs `factor`
//! times as fast, until a repair helps. A job's parts age a second for each of its GPUs while it works.
//! The n-th failure of a part is due when its clock has come to the sum of its first n + 1 lifetimes, in whole seconds
//! from when the clock last began to run, and at least one second after that; but while no job runs, and nothing is to come
//! but passes and withdrawals, none fails, and what is due fails once that has changed, at the next instant. None fails after
//! `until`.
//!
//! **An instant**, after jobs have ended and before capacity changes: repairs that are over, then failures that are
//! detected, then spares that are ready; each in the order in which the parts failed, spares by index. Then the parts that
//! are due, nodes, racks, feeds and sites in this order, each by index, then jobs. After each of these, once more what is
//! over, detected or ready at this instant.
//!
//! **A failure.** Until it is detected, the nodes below take no job, and the jobs there do no work: each goes on in a new
//! stretch that begins with so many seconds without work, unless as many are left of a restart. When it is detected they
//! stop, and the nodes are down. A node that has failed `failures` times within `within` is gone for good. Else it is
//! repaired at once, or, where that needs a crew and all are at work, when one is free, in the order in which they were
//! detected.
//!
//! **Spares.** The last `count` nodes of a pool take no job. Whenever a node of the pool that does is down, or planned not to
//! be up, the first sound one of those in reserve takes its place, `activation` later. A node that is back is in reserve
//! if enough others serve, and no job holds it.

use super::time::{NEVER, Simulation};
use gigawatt::cluster::NodeState;
use gigawatt::failure::{Failures, Mend, Part, Per};
use gigawatt::history::SegmentEnd;
use std::collections::BTreeSet;

/// Parts that age together.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// The scope: nodes 0, racks 1, feeds 2, sites 3, jobs 4.
    pub(super) scope: usize,
    pub(super) index: u32,
    pub(super) nodes: Vec<u32>,
    /// Component, failures so far, and the age at which the next one is due.
    pub(super) parts: Vec<(u32, u32, u64)>,
    pub(super) age: u64,
    /// Since when the clock runs.
    pub(super) since: Option<u32>,
    /// What a second adds to the age, as far as the clock has been running.
    pub(super) speed: u64,
    /// Whether one of the parts is broken.
    pub(super) broken: bool,
}

/// A failure that is not over.
#[derive(Debug, Clone)]
struct Ill {
    unit: usize,
    /// Its place among the parts of the unit.
    part: usize,
    mend: Mend,
    seen: u32,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Hidden,
    Queued,
    Repaired(u32),
    Over,
}

/// All that can fail, and how it stands.
#[derive(Debug, Clone)]
pub(super) struct Failing {
    pub(super) rules: Failures,
    pub(super) units: Vec<Unit>,
    /// In the order in which the parts failed.
    ills: Vec<Ill>,
    pub(super) planned: Vec<NodeState>,
    pub(super) retired: BTreeSet<u32>,
    pub(super) lemons: BTreeSet<u32>,
    /// When each node failed.
    pub(super) failed: Vec<Vec<u32>>,
    /// Nodes in reserve, and when they are ready if they are called.
    pub(super) spares: Vec<Option<Option<u32>>>,
    /// Nodes that served when their pool last looked, or were sound.
    pub(super) sound: Vec<bool>,
}

impl Failing {
    pub(super) fn new(plan: &gigawatt::history::Plan) -> Option<Self> {
        let rules = plan.cluster.failures.as_deref()?.clone();
        let cluster = &plan.cluster;
        let all: Vec<u32> = (0..cluster.nodes()).collect();
        let mut places: Vec<(usize, u32, Vec<u32>)> =
            all.iter().map(|node| (0, *node, vec![*node])).collect();
        let racks = 0..u32::try_from(cluster.racks.len()).expect("few racks");
        let of_rack = |rack: u32| all.iter().copied().filter(|node| cluster.rack_of(*node) == rack).collect();
        places.extend(racks.map(|rack| (1, rack, of_rack(rack))));
        for feed in 0..u32::try_from(cluster.feeds.len()).expect("few feeds") {
            let hangs_below = |node: &&u32| {
                let mut next = Some(cluster.racks[cluster.rack_of(**node) as usize].feed);
                while let Some(own) = next.filter(|own| *own != feed) {
                    next = cluster.feeds[own as usize].parent;
                }
                next.is_some()
            };
            places.push((2, feed, all.iter().filter(hangs_below).copied().collect()));
        }
        for site in 0..u32::try_from(cluster.sites.len()).expect("few sites") {
            let stands_there = |node: &&u32| {
                let rack = &cluster.racks[cluster.rack_of(**node) as usize];
                cluster.feeds[rack.feed as usize].site == site
            };
            places.push((3, site, all.iter().filter(stands_there).copied().collect()));
        }
        places.extend((0..plan.workload.len()).map(|job| (4, job, Vec::new())));
        let lemons: BTreeSet<u32> = all
            .iter()
            .copied()
            .filter(|node| rules.lemons.is_some_and(|own| own.has(plan.settings.seed, *node)))
            .collect();
        let unit = |(scope, index, nodes): (usize, u32, Vec<u32>)| {
            let mut parts = Vec::new();
            for (number, component) in (0_u32..).zip(&rules.components) {
                let own = match component.per {
                    Per::Gpu | Per::Node => 0,
                    Per::Rack => 1,
                    Per::Feed => 2,
                    Per::Site => 3,
                    Per::JobGpu => 4,
                };
                let kind = (scope < 2).then(|| cluster.racks[cluster.rack_of(nodes[0]) as usize].kind);
                if own == scope && kind.is_none_or(|kind| component.is_in(kind)) {
                    let part = Part { component: number, unit: index };
                    let count = match (component.per, kind) {
                        (Per::Gpu, Some(kind)) => cluster.kinds[kind as usize].gpus,
                        _ => 1,
                    };
                    parts.push((number, 0, component.life.nth(plan.settings.seed, part, 0, count)));
                }
            }
            Unit { scope, index, nodes, parts, age: 0, since: None, speed: 0, broken: false }
        };
        let mut spares = vec![None; all.len()];
        for pool in &rules.spares {
            let nodes: Vec<u32> = pool.nodes.iter().cloned().flatten().collect();
            for node in nodes.iter().rev().take(pool.count as usize) {
                spares[*node as usize] = Some(None);
            }
        }
        let count = all.len();
        Some(Self {
            units: places.into_iter().map(unit).collect(),
            ills: Vec::new(),
            planned: vec![NodeState::Up; count],
            retired: BTreeSet::new(),
            lemons,
            failed: vec![Vec::new(); count],
            spares,
            sound: vec![true; count],
            rules,
        })
    }

    /// Failures that concern a node, of which nobody knows, or which are known.
    pub(super) fn ill(&self, node: u32, is_known: bool) -> bool {
        self.ills.iter().any(|ill| {
            let stage = if is_known {
                !matches!(ill.stage, Stage::Hidden | Stage::Over)
            } else {
                ill.stage == Stage::Hidden
            };
            stage && self.units[ill.unit].nodes.contains(&node)
        })
    }
    pub(super) fn state_of(&self, node: u32) -> NodeState {
        let planned = self.planned[node as usize];
        if self.retired.contains(&node) || planned == NodeState::Absent {
            NodeState::Absent
        } else if self.ill(node, true) {
            NodeState::Down
        } else if planned == NodeState::Up && self.spares[node as usize].is_some() {
            NodeState::Spare
        } else if planned == NodeState::Up && self.ill(node, false) {
            NodeState::Draining
        } else {
            planned
        }
    }
    pub(super) fn is_sound(&self, node: u32) -> bool {
        self.planned[node as usize] == NodeState::Up && !self.ill(node, true) && !self.retired.contains(&node)
    }
}

impl Unit {
    /// Its age at an instant to come.
    pub(super) fn due_at(&self, last: u32) -> u32 {
        let least = self.parts.iter().map(|(_, _, due)| *due).min().unwrap_or(u64::MAX);
        match self.since {
            Some(since) if least < u64::MAX && self.speed > 0 => {
                let left = least.saturating_sub(self.age).div_ceil(self.speed).max(1);
                u32::try_from(u64::from(since) + left).ok().filter(|time| *time <= last).unwrap_or(NEVER)
            }
            _ => NEVER,
        }
    }
}

impl Simulation<'_> {
    /// The next instant at which something fails, and the next at which something is detected, over or ready.
    pub(super) fn next_failure(&self) -> [u32; 2] {
        let Some(failing) = &self.failing else { return [NEVER; 2] };
        let last = failing.rules.until.0;
        let fails = failing.units.iter().map(|unit| unit.due_at(last)).min();
        let mends = failing.ills.iter().filter_map(|ill| match ill.stage {
            Stage::Hidden => Some(ill.seen),
            Stage::Repaired(back) => Some(back),
            Stage::Queued | Stage::Over => None,
        });
        let ready = failing.spares.iter().filter_map(|spare| spare.flatten());
        [fails.unwrap_or(NEVER), mends.chain(ready).min().unwrap_or(NEVER)]
    }

    pub(super) fn failures(&mut self) {
        if self.failing.is_none() {
            return;
        }
        self.mend();
        let now = self.now;
        let failing = self.failing.as_ref().expect("it is there");
        let due: Vec<usize> = (0..failing.units.len())
            .filter(|unit| failing.units[*unit].due_at(failing.rules.until.0) <= now)
            .collect();
        for unit in due {
            if self.failing.as_ref().is_some_and(|own| own.units[unit].due_at(own.rules.until.0) <= now) {
                self.fails(unit);
                self.mend();
            }
        }
    }

    fn mend(&mut self) {
        loop {
            let now = self.now;
            let failing = self.failing.as_ref().expect("it is there");
            let over = failing.ills.iter().position(|ill| ill.stage == Stage::Repaired(now));
            let seen = failing.ills.iter().position(|ill| ill.stage == Stage::Hidden && ill.seen == now);
            let ready = failing.spares.iter().position(|spare| *spare == Some(Some(now)));
            match (over, seen, ready) {
                (Some(ill), _, _) => self.is_repaired(ill),
                (None, Some(ill), _) => self.is_seen(ill),
                (None, None, Some(node)) => {
                    self.failing.as_mut().expect("it is there").spares[node] = None;
                    self.look_at(&[u32::try_from(node).expect("few nodes")]);
                }
                (None, None, None) => return,
            }
        }
    }

    fn fails(&mut self, unit: usize) {
        let now = self.now;
        let seed = self.plan.settings.seed;
        let failing = self.failing.as_mut().expect("it is there");
        let own = &failing.units[unit];
        let part = (0..own.parts.len()).min_by_key(|part| own.parts[*part].2).expect("one is due");
        let (component, n, _) = own.parts[part];
        let mend =
            failing.rules.components[component as usize].mend(seed, Part { component, unit: own.index }, n);
        let seen = now.saturating_add(mend.detection.0);
        failing.ills.push(Ill { unit, part, mend, seen, stage: Stage::Hidden });
        failing.units[unit].broken = true;
        let Unit { scope, index, nodes, .. } = failing.units[unit].clone();
        self.set_clocks();
        if mend.detection.0 > 0 {
            self.look_at(&nodes);
            let stalls = |job: &u32| match scope {
                4 => *job == index,
                _ => self.attempt(*job).holding.pods.iter().any(|pod| nodes.contains(&pod.node)),
            };
            let mut jobs: Vec<u32> = self.running.iter().copied().filter(stalls).collect();
            jobs.sort_unstable();
            for job in jobs {
                self.stall(job, mend.detection.0);
            }
        }
        if scope == 4 {
            // A job's next part is there at once, and ages when it works again.
            self.replace(unit, part);
        }
        self.set_clocks();
    }

    /// A job stopped: what failed of it alone is over.
    pub(super) fn job_is_whole(&mut self, job: u32) {
        if let Some(failing) = &mut self.failing {
            let own = failing.units.iter_mut().find(|unit| unit.scope == 4 && unit.index == job);
            own.expect("every job has one").broken = false;
        }
    }

    fn stall(&mut self, job: u32, seconds: u32) {
        let attempt = self.attempt(job).clone();
        let left = attempt.restart.saturating_sub(self.now - attempt.from);
        if left >= seconds {
            return;
        }
        // For all that is known it works on.
        let before = &mut self.live[job as usize].stalled;
        *before = Some(before.unwrap_or(left));
        self.happened.insert(self.world.group_of(job));
        self.live[job as usize].attained = self.attained(job);
        self.live[job as usize].unsafe_work += self.worked(job);
        let from = self.now;
        let last = self.fate(job).attempts.last_mut().expect("it runs");
        (last.to, last.end) = (from, SegmentEnd::Stalled);
        let next = super::Attempt { from, to: NEVER, end: SegmentEnd::Open, restart: seconds, ..attempt };
        // What it alone holds ages no further until then.
        let running = self.running.clone();
        self.running.retain(|other| *other != job);
        self.set_clocks();
        self.running = running;
        self.fate(job).attempts.push(next);
        self.set_clocks();
        self.result.counts.stalled += 1;
    }

    fn is_seen(&mut self, ill: usize) {
        let now = self.now;
        let failing = self.failing.as_mut().expect("it is there");
        let Ill { unit, mend, .. } = failing.ills[ill].clone();
        let own = &failing.units[unit];
        if own.scope == 4 {
            let job = own.index;
            failing.ills[ill].stage = Stage::Over;
            let later = failing.ills[ill + 1..].iter().any(|other| other.unit == unit);
            let then = now - mend.detection.0;
            if !later && self.running.contains(&job) && self.was_running_before(job, then) {
                self.stop(job, SegmentEnd::NodeDown);
                self.result.counts.node_down += 1;
            }
            return;
        }
        let (component, nodes, is_node) =
            (own.parts[failing.ills[ill].part].0, own.nodes.clone(), own.scope == 0);
        failing.ills[ill].stage = Stage::Queued;
        let mut given_up = false;
        if let Some(rule) = failing.rules.retirement.filter(|_| is_node) {
            let failed = &mut failing.failed[nodes[0] as usize];
            failed.push(now);
            let recent = failed.iter().filter(|time| now - **time <= rule.within.0).count();
            given_up = recent >= rule.failures as usize;
        }
        if given_up {
            failing.retired.insert(nodes[0]);
            self.result.counts.retired += 1;
        } else {
            let needs_crew = failing.rules.components[component as usize].repairs[mend.class as usize].crew;
            if !needs_crew || failing.rules.crews.is_none_or(|crews| failing.at_work() < crews as usize) {
                failing.ills[ill].stage = Stage::Repaired(now.saturating_add(mend.time.0));
            }
        }
        self.result.counts.failed += 1;
        self.look_at(&nodes);
    }

    fn is_repaired(&mut self, ill: usize) {
        let now = self.now;
        let failing = self.failing.as_mut().expect("it is there");
        let Ill { unit, part, mend, .. } = failing.ills[ill].clone();
        failing.ills[ill].stage = Stage::Over;
        let nodes = failing.units[unit].nodes.clone();
        let component = failing.units[unit].parts[part].0;
        let had_crew = failing.rules.components[component as usize].repairs[mend.class as usize].crew;
        self.replace(unit, part);
        let failing = self.failing.as_mut().expect("it is there");
        failing.units[unit].broken = false;
        if mend.helps && failing.units[unit].scope == 0 {
            failing.lemons.remove(&nodes[0]);
        }
        if had_crew {
            let waits = |own: &Ill| {
                own.stage == Stage::Queued
                    && !failing.retired.contains(&failing.units[own.unit].index_of_node())
            };
            let mut queue: Vec<usize> =
                (0..failing.ills.len()).filter(|ill| waits(&failing.ills[*ill])).collect();
            queue.sort_by_key(|ill| (failing.ills[*ill].seen, *ill));
            if let Some(next) = queue.first().copied() {
                let time = failing.ills[next].mend.time.0;
                failing.ills[next].stage = Stage::Repaired(now.saturating_add(time));
            }
        }
        self.look_at(&nodes);
    }

    /// A broken part is new.
    fn replace(&mut self, unit: usize, part: usize) {
        let (cluster, seed) = (&self.plan.cluster, self.plan.settings.seed);
        let failing = self.failing.as_mut().expect("it is there");
        let own = &mut failing.units[unit];
        let (component, n, due) = own.parts[part];
        let rule = &failing.rules.components[component as usize];
        let count = if rule.per == Per::Gpu { cluster.kind_of(own.nodes[0]).gpus } else { 1 };
        let life = rule.life.nth(seed, Part { component, unit: own.index }, n + 1, count);
        own.parts[part] = (component, n + 1, due.saturating_add(life));
    }
}

impl Failing {
    /// How many crews are at work.
    fn at_work(&self) -> usize {
        let has_crew = |ill: &&Ill| {
            let component = self.units[ill.unit].parts[ill.part].0;
            let repair = &self.rules.components[component as usize].repairs[ill.mend.class as usize];
            repair.crew && matches!(ill.stage, Stage::Repaired(_))
        };
        self.ills.iter().filter(has_crew).count()
    }
}

impl Unit {
    fn index_of_node(&self) -> u32 {
        if self.scope == 0 { self.index } else { NEVER }
    }
}
