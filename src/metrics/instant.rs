//! What was held, free and waiting at one instant.

use super::levels::Meter;
use super::times::{Wait, times};
use super::waiting::first_pass;
use crate::cluster::{Cluster, Level, NodeState};
use crate::history::{History, Segment, WaitReason, Why};
use crate::units::{Gpus, Seconds, Time};
use crate::workload::Request;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Goes through a history instant by instant.
#[derive(Debug)]
pub struct Walk<'a> {
    history: &'a History,
    meter: Meter,
    states: Vec<NodeState>,
    /// Segments by when they begin, and by when they end.
    starts: Vec<(Time, u32)>,
    ends: Vec<(Time, u32)>,
    begun: usize,
    ended: usize,
    changed: usize,
    running: BTreeSet<u32>,
}

impl<'a> Walk<'a> {
    /// Before the first instant.
    ///
    /// # Complexity
    /// O(n log n) in segments.
    ///
    /// # Panics
    /// Never: a history counts its segments in 32 bits.
    #[must_use]
    pub fn new(history: &'a History) -> Self {
        let of = |time: fn(&Segment) -> Time| {
            let lasts = (0..).zip(&history.segments).filter(|(_, segment)| segment.from < segment.to);
            let mut times: Vec<(Time, u32)> = lasts.map(|(index, segment)| (time(segment), index)).collect();
            times.sort_unstable();
            times
        };
        Self {
            history,
            meter: Meter::new(&history.plan.cluster),
            states: vec![NodeState::Up; history.plan.cluster.nodes() as usize],
            starts: of(|segment| segment.from),
            ends: of(|segment| segment.to),
            begun: 0,
            ended: 0,
            changed: 0,
            running: BTreeSet::new(),
        }
    }

    /// When something happens next; none: nothing more does.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        let change = self.history.changes().get(self.changed).map(|change| change.time);
        let of = |times: &[(Time, u32)], at: usize| times.get(at).map(|(time, _)| *time);
        let all = [change, of(&self.starts, self.begun), of(&self.ends, self.ended)];
        all.into_iter().flatten().min().filter(|time| *time <= self.history.end)
    }
    /// Goes on until everything of an instant, and of those before it, has happened.
    pub fn to(&mut self, now: Time) {
        while let Some(next) = self.next().filter(|next| *next <= now) {
            self.instant(next);
        }
    }
    fn instant(&mut self, now: Time) {
        while let Some(change) = self.history.changes().get(self.changed).filter(|own| own.time <= now) {
            self.meter.set_state(change.nodes.clone(), change.state);
            change.nodes.clone().for_each(|node| self.states[node as usize] = change.state);
            self.changed += 1;
        }
        while let Some((_, index)) = self.ends.get(self.ended).copied().filter(|(time, _)| *time <= now) {
            self.hold(index, false);
            self.ended += 1;
        }
        while let Some((_, index)) = self.starts.get(self.begun).copied().filter(|(time, _)| *time <= now) {
            self.hold(index, true);
            self.begun += 1;
        }
    }
    fn hold(&mut self, index: u32, take: bool) {
        let segment = &self.history.segments[index as usize];
        for piece in self.history.pieces_of(segment) {
            self.meter.hold(*piece, take);
        }
        if take {
            self.running.insert(index)
        } else {
            self.running.remove(&index)
        };
    }

    /// The segments that hold something, in the order they began.
    pub fn running(&self) -> impl Iterator<Item = &'a Segment> + '_ {
        self.running.iter().map(|index| &self.history.segments[*index as usize])
    }
    /// Thousandths of GPUs on nodes that are up or draining.
    #[must_use]
    pub fn available_milli(&self) -> u64 {
        self.meter.levels.available
    }
    /// How many thousandths of GPUs are free on some nodes, as far as they are up.
    #[must_use]
    pub fn free_milli(&self, nodes: &[u32]) -> u64 {
        let is_up = |node: &&u32| self.states[**node as usize] == NodeState::Up;
        nodes.iter().filter(is_up).map(|node| self.meter.free_of(*node).0).sum()
    }
    /// The most wholly free GPUs of some nodes that are in one domain of a level.
    #[must_use]
    pub fn most_in_a_domain(&self, nodes: &[u32], level: &Level) -> u64 {
        let mut free = vec![0; level.first_racks.len() + 1];
        for node in nodes.iter().filter(|node| self.states[**node as usize] == NodeState::Up) {
            let rack = self.history.plan.cluster.rack_of(*node);
            // The domain that begins last before the rack.
            let domain = level.first_racks.partition_point(|first| *first <= rack);
            free[domain] += u64::from(self.meter.free_of(*node).1);
        }
        free.into_iter().max().unwrap_or(0)
    }
    /// What is free on some nodes.
    #[must_use]
    pub fn room(&self, nodes: &[u32]) -> Room {
        let cluster = &self.history.plan.cluster;
        let mut room = Room::default();
        let (mut rack, mut in_rack) = (u32::MAX, 0);
        for node in nodes {
            if !self.states[*node as usize].is_there() {
                continue;
            }
            room.gpus += u64::from(cluster.kind_of(*node).gpus);
            if self.states[*node as usize] != NodeState::Up {
                continue;
            }
            let (milli, whole) = self.meter.free_of(*node);
            room.free_milli += milli;
            if whole > 0 {
                room.pieces.push(whole);
            }
            if cluster.rack_of(*node) != rack {
                (rack, in_rack) = (cluster.rack_of(*node), 0);
            }
            in_rack += whole;
            room.most_in_a_rack = room.most_in_a_rack.max(in_rack);
        }
        room.pieces.sort_unstable_by(|a, b| b.cmp(a));
        room
    }
}

/// What was free at an instant on the nodes where a job may run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Room {
    /// GPUs of those that were up or draining.
    pub gpus: u64,
    /// Free GPUs of those that were up, in thousandths.
    pub free_milli: u64,
    /// Wholly free GPUs node by node, the most first; of nodes without any nothing is told.
    pub pieces: Vec<u32>,
    /// The most wholly free GPUs in one rack.
    pub most_in_a_rack: u32,
}

impl Room {
    /// Free GPUs.
    #[must_use]
    pub fn free(&self) -> Gpus {
        Gpus::from_milli(u32::try_from(self.free_milli).unwrap_or(u32::MAX))
    }
}

/// The nodes on which a request may run, ascending: those of its partition, of the platforms that it allows.
#[must_use]
pub fn nodes_for(history: &History, request: &Request) -> Vec<u32> {
    let cluster: &Cluster = &history.plan.cluster;
    let partition = cluster.partition(&history.plan.workload.partitions[request.partition as usize]);
    let nodes = partition.map_or(&[][..], |partition| &partition.nodes);
    let allowed = |node: &u32| request.platforms.contains(cluster.kind_of(*node).platform as usize);
    nodes.iter().cloned().flatten().filter(allowed).collect()
}

/// A job that waited at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Queued {
    /// Its index.
    pub job: u32,
    /// Since when it had been waiting, this time.
    pub since: Time,
    /// For what.
    pub reason: WaitReason,
}

/// The jobs that waited at an instant, those first that had waited longer; dependencies are no waiting. At the end of a
/// run those that wait on.
///
/// # Complexity
/// O(records + segments + jobs) time.
#[must_use]
pub fn queue_at(history: &History, now: Time) -> Vec<Queued> {
    let (times, waits) = times(history);
    let (mut of_classes, mut of_jobs) = (BTreeMap::new(), BTreeMap::new());
    for record in history.waits.iter().take_while(|record| record.time <= now) {
        match record.why {
            Why::Class { class, reason } => of_classes.insert(class, reason),
            Why::Job { job, reason } => of_jobs.insert(job, reason),
            Why::AsClass { job } => of_jobs.remove(&job),
        };
    }
    let reason = |wait: &Wait| {
        let class = history.wait_classes.get(wait.job as usize);
        let told = of_jobs.get(&wait.job).or_else(|| class.and_then(|class| of_classes.get(class)));
        let is_seen = first_pass(&history.plan.settings, wait.from) <= now;
        if is_seen { told.copied().unwrap_or(WaitReason::Order) } else { WaitReason::Held }
    };
    let eligible = |job: u32| history.jobs[job as usize].eligible_time;
    let held = |job: u32| Seconds(times[job as usize].reasons[WaitReason::Held as usize]);
    let waits_on = |job: u32, to: Time| to == history.end && times[job as usize].waits_for.is_some();
    let at = |job: u32, from: Time, to: Time| from <= now && (now < to || now == to && waits_on(job, to));
    let is_held = |job: u32| at(job, eligible(job), eligible(job) + held(job));
    let held_back: BTreeSet<u32> =
        history.holds.iter().map(|hold| hold.job).filter(|job| is_held(*job)).collect();
    let queued = |job: &u32| Queued { job: *job, since: eligible(*job), reason: WaitReason::Held };
    let mut found: Vec<Queued> = held_back.iter().map(queued).collect();
    let at = |wait: &&Wait| at(wait.job, wait.from, wait.to) && !held_back.contains(&wait.job);
    for wait in waits.iter().filter(at) {
        // What a policy held back on purpose before belongs to the same wait.
        let is_first = wait.from == eligible(wait.job) + held(wait.job);
        let since = if is_first { eligible(wait.job) } else { wait.from };
        found.push(Queued { job: wait.job, since, reason: reason(wait) });
    }
    found.sort_by_key(|queued| (queued.since, queued.job));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;
    use crate::metrics::{Waited, waited};

    #[test]
    fn at_every_instant_what_runs_is_what_the_segments_say() {
        let mut instants = 0;
        for seed in 0..40 {
            let history = sample::random(seed);
            let cluster = &history.plan.cluster;
            let all: Vec<u32> = (0..cluster.nodes()).collect();
            let mut walk = Walk::new(&history);
            while let Some(now) = walk.next() {
                walk.to(now);
                let runs = |segment: &&Segment| segment.from <= now && now < segment.to;
                let expected: Vec<&Segment> = history.segments.iter().filter(runs).collect();
                assert_eq!(walk.running().collect::<Vec<_>>(), expected, "seed {seed} at {}", now.0);
                let held: u64 = expected.iter().map(|segment| history.gpus_of(segment)).sum();
                let room = walk.room(&all);
                let is_whole = history.plan.cluster.changes.is_empty();
                if is_whole {
                    assert_eq!(room.free_milli + held, room.gpus * 1000, "seed {seed} at {}", now.0);
                }
                let whole: u64 = room.pieces.iter().map(|piece| u64::from(*piece) * 1000).sum();
                assert!(whole <= room.free_milli, "seed {seed}: {room:?}");
                instants += usize::from(is_whole);
            }
        }
        assert!(instants > 20, "{instants} instants on clusters that do not change");
    }

    #[test]
    fn the_queue_of_an_instant_is_those_whose_wait_it_lies_in() {
        let mut seen = 0;
        for seed in 0..40 {
            let history = sample::random(seed);
            let jobs = 0..history.plan.workload.len();
            let all: Vec<_> = jobs.map(|job| waited(&history, job)).collect();
            for now in (0..history.end.0).step_by(usize::try_from(history.end.0 / 17 + 1).unwrap()).map(Time)
            {
                let found = queue_at(&history, now);
                let mut told: Vec<_> = found.iter().map(|queued| (queued.job, queued.reason)).collect();
                told.sort_unstable();
                let at =
                    |own: &&Waited| own.from <= now && now < own.to && own.reason != WaitReason::Dependency;
                let expected: Vec<_> = (0..)
                    .zip(&all)
                    .filter_map(|(job, own)| Some((job, own.iter().find(at)?.reason)))
                    .collect();
                assert_eq!(told, expected, "seed {seed} at {}", now.0);
                assert!(found.iter().all(|queued| queued.since <= now), "seed {seed} at {}", now.0);
                seen += found.len();
            }
        }
        assert!(seen > 100, "{seen} jobs seen waiting");
    }

    #[test]
    fn at_its_end_the_queue_of_a_run_is_the_jobs_that_wait_on() {
        let mut seen = 0;
        for seed in 0..40 {
            let history = sample::random(seed);
            let measured = crate::metrics::measure(&history);
            let waits = |(job, times): (u32, &crate::metrics::JobTimes)| times.waits_for.map(|_| job);
            let expected: Vec<u32> = (0..).zip(&measured.jobs).filter_map(waits).collect();
            let mut found: Vec<u32> = queue_at(&history, history.end).iter().map(|own| own.job).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "seed {seed}");
            seen += found.len();
        }
        assert!(seen > 10, "{seen} jobs wait at the end");
    }
}
