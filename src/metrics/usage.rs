//! What tenants, queues, or the jobs of partitions, may hold, held, borrowed and lent.

use super::distribution::real;
use super::measure::measure;
use super::queue_platforms::PlatformUsage;
use super::schedule::Stretches;
use super::times::{JobTimes, SecondsByReason, times};
use super::{MILLI_SECONDS_AN_HOUR, Walk};
use crate::cluster::{Cluster, Rack};
use crate::history::{History, Segment, SegmentEnd, WaitReason};
use crate::units::Time;
use crate::workload::{JobLimits, Queue, Tenant};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a tenant, a queue, or the jobs of a partition, may hold, and what they held over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Usage {
    /// As the user calls it.
    pub name: String,
    /// Jobs that it has.
    pub jobs: u32,
    /// The most that it may hold at once, GPUs: a quota, a limit, or what a queue could hold, were it alone; none: as many as
    /// there are.
    pub ceiling: Option<f64>,
    /// Of a queue: what its jobs have to keep to one by one, by its own limits and those above it; none: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_limits: Option<JobLimits>,
    /// Of a queue where quotas tell platforms apart: the same of each, in the order in which its jobs are tried on them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_platform: Vec<PlatformUsage>,
    /// The GPUs that it is entitled to, mean over the run: of a tenant its part by
    /// [`Workload::claims`](crate::workload::Workload::claims), or an equal one, of those that were available, and no more
    /// than it may hold, which leaves the rest to the others; of a queue what is nominally its own and that of those below
    /// it; of a partition those of its nodes.
    pub entitled: f64,
    /// GPUs held by its jobs, mean over the run.
    pub held: f64,
    /// The most GPUs that its jobs held at once.
    pub peak: f64,
    /// ∫ max(0, held − entitled) dt, GPU-hours.
    pub borrowed_gpu_hours: f64,
    /// Of a tenant, or of a queue among those below the same one: what others borrowed, shared by those that held less than they were entitled to, GPU-hours; of a
    /// partition: what jobs of others held on its nodes.
    pub lent_gpu_hours: f64,
    /// ∫ max(0, ceiling − held) dt while none of its jobs waited, GPU-hours; none where there is no ceiling.
    pub idle_ceiling_gpu_hours: Option<f64>,
    /// Of a tenant or a queue: seconds in which a job of it waited although it held less than it was entitled to.
    pub starved_seconds: u64,
    /// Who held more than they were entitled to meanwhile, those first that did most: name, and GPU-hours.
    pub borrowers: Vec<(String, f64)>,
    /// Job-seconds by [`WaitReason`], in the order of [`WaitReason::ALL`].
    #[serde(serialize_with = "super::measure::by_reason")]
    pub waiting_seconds: [u64; WaitReason::ALL.len()],
    /// How often a policy stopped one of its jobs.
    pub preemptions: u32,
}

/// One group on the way: thousandths of a GPU, and those times seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    held: u64,
    /// Held by jobs of others on its nodes.
    others: u64,
    peak: u64,
    waiting: u32,
    held_seconds: u128,
    entitled_seconds: u128,
    borrowed: u128,
    lent: u128,
    idle: u128,
    starved: u64,
}

/// What makes groups of jobs, and what each may hold.
struct Groups {
    names: Vec<String>,
    /// By job; none: of none of them.
    of: Vec<Option<u32>>,
    ceilings: Vec<Option<u64>>,
    entitled: Entitled,
}

impl Groups {
    /// What each is entitled to while so many thousandths of a GPU are available.
    fn entitled_of(&self, available: u64) -> Vec<u64> {
        match &self.entitled {
            Entitled::Nodes(_, all) | Entitled::Own(all) => all.clone(),
            Entitled::Parts(parts) => parted(parts, &self.ceilings, available),
        }
    }
}

/// What groups are entitled to.
enum Entitled {
    /// A part of what is available, as the sum of all parts counts.
    Parts(Vec<u64>),
    /// So much, whatever is available.
    Own(Vec<u64>),
    /// The GPUs of some nodes, by node and group.
    Nodes(Vec<Vec<bool>>, Vec<u64>),
}

/// What every tenant with a job may hold and held, in their order.
///
/// # Complexity
/// O(instants · tenants), and O(tenants²) where the available GPUs change.
#[must_use]
pub fn usage_of_tenants(history: &History) -> Vec<Usage> {
    let workload = &history.plan.workload;
    let parts = workload.claims(|_| true).unwrap_or_else(|| {
        let mut parts = vec![0; workload.tenants.len()];
        workload.jobs.iter().for_each(|job| parts[job.tenant as usize] = 1);
        parts
    });
    usage(
        history,
        &measure(history).jobs,
        &Groups {
            names: workload.tenants.iter().map(|tenant| tenant.name.clone()).collect(),
            of: workload.jobs.iter().map(|job| Some(job.tenant)).collect(),
            ceilings: workload
                .tenants
                .iter()
                .map(|tenant| most_milli(tenant, &history.plan.cluster))
                .collect(),
            entitled: Entitled::Parts(parts),
        },
    )
}

/// The most that a tenant may hold, thousandths of GPUs: its quota, and where that is by platform all there is of others; none: it
/// has no quota.
fn most_milli(tenant: &Tenant, cluster: &Cluster) -> Option<u64> {
    let own = tenant.own_milli()?;
    let is_named = |platform: u32| tenant.quota_by_platform.iter().any(|(named, _)| *named == platform);
    let others =
        |rack: &&Rack| tenant.quota_milli.is_none() && !is_named(cluster.kinds[rack.kind as usize].platform);
    let gpus = |rack: &Rack| u64::from(rack.nodes) * u64::from(cluster.kinds[rack.kind as usize].gpus);
    Some(own + cluster.racks.iter().filter(others).map(gpus).sum::<u64>() * 1000)
}

/// What every queue that has jobs, itself or below it, may hold and held, in their order, where each could hold at most so
/// many thousandths of a GPU, were it alone; none: no end. Queues borrow from and lend to those below the same queue.
///
/// # Complexity
/// A walk through the run each queue that stands above others or alone.
///
/// # Panics
/// Without a ceiling for every queue.
#[must_use]
pub fn usage_of_queues(history: &History, measured: &[JobTimes], ceilings: &[Option<u64>]) -> Vec<Usage> {
    let workload = &history.plan.workload;
    let queue_of: Vec<Option<u32>> = (0..workload.len()).map(|job| workload.queue_of(job)).collect();
    let mut found: Vec<(u32, Usage)> = Vec::new();
    for family in families(&workload.queues) {
        let groups = family_of(history, ceilings, &family, &queue_of);
        for own in usage(history, measured, &groups) {
            let is_own = |queue: &&u32| workload.queues[**queue as usize].name == own.name;
            let Some(queue) = family.iter().find(is_own) else { continue };
            let job_limits = Some(workload.job_limits(*queue)).filter(|limits| !limits.is_empty());
            found.push((*queue, Usage { job_limits, ..own.clone() }));
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, own)| own).collect()
}

/// Queues that borrow from and lend to each other: those below one queue, and each root by itself.
fn families(queues: &[Queue]) -> Vec<Vec<u32>> {
    let mut below: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    (0..).zip(queues).for_each(|(index, queue)| below.entry(queue.parent).or_default().push(index));
    let roots = below.remove(&None).unwrap_or_default();
    roots.into_iter().map(|root| vec![root]).chain(below.into_values()).collect()
}

/// The jobs of queues and of those below them, as groups.
fn family_of(
    history: &History,
    ceilings: &[Option<u64>],
    family: &[u32],
    queue_of: &[Option<u32>],
) -> Groups {
    let workload = &history.plan.workload;
    let is_within = |own: u32, queue: u32| workload.queues_above(own).any(|above| above == queue);
    let nominal = |queue: u32| {
        let below = (0..).zip(&workload.queues).filter(|(other, _)| is_within(*other, queue));
        below.filter_map(|(_, queue)| queue.own_milli()).reduce(|sum, more| sum + more)
    };
    let own = |queue: &u32| -> u64 {
        // Where nobody has anything of its own, nobody borrows.
        let root = workload.queues_above(*queue).last().unwrap_or(*queue);
        let all = ceilings[*queue as usize].unwrap_or(history.plan.cluster.gpus() * 1000);
        if nominal(root).is_none() { all } else { nominal(*queue).unwrap_or(0) }
    };
    let of = |job: &Option<u32>| {
        let place = family.iter().position(|queue| job.is_some_and(|job| is_within(job, *queue)));
        place.map(|place| u32::try_from(place).expect("queues are counted in 32 bits"))
    };
    Groups {
        names: family.iter().map(|queue| workload.queues[*queue as usize].name.clone()).collect(),
        of: queue_of.iter().map(of).collect(),
        ceilings: family.iter().map(|queue| ceilings[*queue as usize]).collect(),
        entitled: Entitled::Own(family.iter().map(own).collect()),
    }
}

/// What the jobs of every partition that jobs name may hold and held.
///
/// # Complexity
/// O(instants · partitions + nodes · partitions).
#[must_use]
pub fn usage_of_partitions(history: &History) -> Vec<Usage> {
    let (workload, cluster) = (&history.plan.workload, &history.plan.cluster);
    let partition = |name: &String| cluster.partition(name);
    let is_in = |name: &String| -> Vec<bool> {
        let mut nodes = vec![false; cluster.nodes() as usize];
        let own = partition(name).map_or(&[][..], |own| &own.nodes);
        own.iter().cloned().flatten().for_each(|node| nodes[node as usize] = true);
        nodes
    };
    let nodes: Vec<Vec<bool>> = workload.partitions.iter().map(is_in).collect();
    let gpus = |own: &Vec<bool>| -> u64 {
        let inside = (0..cluster.nodes()).zip(own).filter(|(_, is_in)| **is_in);
        inside.map(|(node, _)| u64::from(cluster.kind_of(node).gpus) * 1000).sum()
    };
    let all = nodes.iter().map(gpus).collect();
    let limit = |name: &String| partition(name).and_then(|own| own.limit_milli).map(u64::from);
    usage(
        history,
        &measure(history).jobs,
        &Groups {
            names: workload.partitions.clone(),
            of: (0..workload.len()).map(|job| Some(workload.request_of(job).partition)).collect(),
            ceilings: workload.partitions.iter().map(limit).collect(),
            entitled: Entitled::Nodes(nodes, all),
        },
    )
}

/// Parts of what is available, of which nobody gets more than a ceiling: what is beyond it is shared by the others.
fn parted(parts: &[u64], ceilings: &[Option<u64>], available: u64) -> Vec<u64> {
    let mut given: Vec<Option<u64>> = parts.iter().map(|part| (*part == 0).then_some(0)).collect();
    loop {
        let open = |place: &usize| given[*place].is_none();
        let whole: u128 = (0..parts.len()).filter(open).map(|place| u128::from(parts[place])).sum();
        let rest = available.saturating_sub(given.iter().flatten().sum());
        let share = |place: usize| {
            u64::try_from(u128::from(parts[place]) * u128::from(rest) / whole.max(1)).unwrap_or(u64::MAX)
        };
        let full = |place: usize| ceilings[place].filter(|ceiling| share(place) > *ceiling);
        let reached: Vec<(usize, u64)> =
            (0..parts.len()).filter(open).filter_map(|place| Some((place, full(place)?))).collect();
        if reached.is_empty() {
            return given
                .iter()
                .enumerate()
                .map(|(place, own)| own.unwrap_or_else(|| share(place)))
                .collect();
        }
        reached.into_iter().for_each(|(place, ceiling)| given[place] = Some(ceiling));
    }
}

fn usage(history: &History, measured: &[JobTimes], groups: &Groups) -> Vec<Usage> {
    let mut sums = vec![[0_u64; WaitReason::ALL.len()]; groups.names.len()];
    let mut jobs = vec![0_u32; groups.names.len()];
    for (own, group) in measured.iter().zip(&groups.of) {
        let Some(group) = group else { continue };
        let add = |(sum, seconds): (&mut u64, u32)| *sum += u64::from(seconds);
        sums[*group as usize].iter_mut().zip::<SecondsByReason>(own.reasons).for_each(add);
        jobs[*group as usize] += 1;
    }
    let mut preemptions = vec![0_u32; groups.names.len()];
    for segment in history.segments.iter().filter(|segment| segment.end == SegmentEnd::Preempted) {
        groups.of[segment.job as usize].into_iter().for_each(|group| preemptions[group as usize] += 1);
    }
    let (levels, pairs) = Sums::of(history, groups);
    let hours = |milli: u128| real(milli) / MILLI_SECONDS_AN_HOUR;
    let mean = |milli: u128| real(milli) / 1000.0 / f64::from(history.end.0.max(1));
    let gpus = |milli: u64| real(milli.into()) / 1000.0;
    let told = |(group, level): (usize, &Level)| {
        let mut borrowers: Vec<(String, f64)> =
            groups.names.iter().cloned().zip(pairs[group].iter().map(|milli| hours(*milli))).collect();
        borrowers.retain(|(_, hours)| *hours > 0.0);
        borrowers.sort_by(|a, b| b.1.total_cmp(&a.1));
        Usage {
            name: groups.names[group].clone(),
            jobs: jobs[group],
            ceiling: groups.ceilings[group].map(gpus),
            job_limits: None,
            by_platform: Vec::new(),
            entitled: mean(level.entitled_seconds),
            held: mean(level.held_seconds),
            peak: gpus(level.peak),
            borrowed_gpu_hours: hours(level.borrowed),
            lent_gpu_hours: hours(level.lent),
            idle_ceiling_gpu_hours: groups.ceilings[group].map(|_| hours(level.idle)),
            starved_seconds: level.starved,
            borrowers,
            waiting_seconds: sums[group],
            preemptions: preemptions[group],
        }
    };
    levels.iter().enumerate().filter(|(group, _)| jobs[*group] > 0).map(told).collect()
}

/// Adds up, instant by instant.
struct Sums<'a> {
    history: &'a History,
    groups: &'a Groups,
    levels: Vec<Level>,
    /// What each is entitled to while so many thousandths of a GPU are available.
    entitled: (u64, Vec<u64>),
    /// By group that is starved, and group that borrows: what that borrows meanwhile.
    pairs: Vec<Vec<u128>>,
}

impl<'a> Sums<'a> {
    fn of(history: &'a History, groups: &'a Groups) -> (Vec<Level>, Vec<Vec<u128>>) {
        let count = groups.names.len();
        let mut sums = Self {
            history,
            groups,
            levels: vec![Level::default(); count],
            entitled: (0, groups.entitled_of(0)),
            pairs: vec![vec![0; count]; count],
        };
        let stretches = Stretches::new(times(history).1);
        let (mut begins, mut ends) = (stretches.starts.cursor(), stretches.ends.cursor());
        let mut walk = Walk::new(history);
        let mut now = Time::ZERO;
        loop {
            walk.to(now);
            while let Some(wait) = begins.next_if(|time| time <= now) {
                sums.waits(stretches.waits[wait].job, |waiting| waiting + 1);
            }
            while let Some(wait) = ends.next_if(|time| time <= now) {
                sums.waits(stretches.waits[wait].job, |waiting| waiting - 1);
            }
            sums.look(&walk);
            let next = [walk.next(), begins.time(), ends.time()].into_iter().flatten().min();
            let until = next.unwrap_or(history.end).min(history.end);
            sums.add(u128::from(until.since(now).0), walk.available_milli());
            if next.is_none_or(|next| next > history.end) || until <= now {
                return (sums.levels, sums.pairs);
            }
            now = until;
        }
    }

    fn waits(&mut self, job: u32, change: impl Fn(u32) -> u32) {
        if let Some(group) = self.groups.of[job as usize] {
            let waiting = &mut self.levels[group as usize].waiting;
            *waiting = change(*waiting);
        }
    }

    /// What every group holds now.
    fn look(&mut self, walk: &Walk<'_>) {
        for level in &mut self.levels {
            (level.held, level.others) = (0, 0);
        }
        for segment in walk.running() {
            let Some(own) = self.groups.of[segment.job as usize].map(|own| own as usize) else { continue };
            let milli = self.history.gpus_of(segment);
            self.levels[own].held += milli;
            if let Entitled::Nodes(nodes, _) = &self.groups.entitled {
                for (group, inside) in nodes.iter().enumerate().filter(|(group, _)| *group != own) {
                    self.levels[group].others += if self.touches(segment, inside) { milli } else { 0 };
                }
            }
        }
        self.levels.iter_mut().for_each(|level| level.peak = level.peak.max(level.held));
    }
    fn touches(&self, segment: &Segment, inside: &[bool]) -> bool {
        self.history
            .pieces_of(segment)
            .iter()
            .flat_map(|piece| piece.nodes())
            .any(|node| inside[node as usize])
    }

    /// So many seconds of it.
    fn add(&mut self, seconds: u128, available: u64) {
        if self.entitled.0 != available {
            self.entitled = (available, self.groups.entitled_of(available));
        }
        let entitled = &self.entitled.1;
        let over: Vec<u64> =
            self.levels.iter().zip(entitled).map(|(level, own)| level.held.saturating_sub(*own)).collect();
        let borrowed: u128 = over.iter().map(|milli| u128::from(*milli)).sum();
        let under = |level: &Level, own: u64| u128::from(own.saturating_sub(level.held));
        let unused: u128 = self.levels.iter().zip(entitled).map(|(level, own)| under(level, *own)).sum();
        let is_parts = !matches!(self.groups.entitled, Entitled::Nodes(..));
        for (group, level) in self.levels.iter_mut().enumerate() {
            level.held_seconds += u128::from(level.held) * seconds;
            level.entitled_seconds += u128::from(entitled[group]) * seconds;
            level.borrowed += u128::from(over[group]) * seconds;
            level.lent += seconds
                * if is_parts {
                    under(level, entitled[group]) * borrowed.min(unused) / unused.max(1)
                } else {
                    level.others.into()
                };
            if let Some(ceiling) = self.groups.ceilings[group].filter(|_| level.waiting == 0) {
                level.idle += u128::from(ceiling.saturating_sub(level.held)) * seconds;
            }
            if is_parts && level.waiting > 0 && level.held < entitled[group] {
                level.starved += u64::try_from(seconds).unwrap_or(u64::MAX);
                let pairs =
                    self.pairs[group].iter_mut().zip(&over).enumerate().filter(|(other, _)| *other != group);
                pairs.for_each(|(_, (pair, over))| *pair += u128::from(*over) * seconds);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::sample;

    #[test]
    fn what_tenants_hold_is_what_the_run_held_and_what_is_borrowed_is_lent() {
        let mut borrowed = 0;
        for seed in 0..60 {
            let history = sample::random(seed);
            let found = usage_of_tenants(&history);
            let hours = f64::from(history.end.0) / 3600.0;
            let held: f64 = found.iter().map(|own| own.held * hours).sum();
            let expected: f64 = history
                .segments
                .iter()
                .map(|own| {
                    real(u128::from(history.gpus_of(own)))
                        * f64::from(own.to.min(history.end).since(own.from).0)
                })
                .sum::<f64>()
                / MILLI_SECONDS_AN_HOUR;
            assert!((held - expected).abs() <= 1e-6 * (1.0 + expected), "seed {seed}: {held} and {expected}");
            for own in &found {
                assert!(own.peak + 1e-9 >= own.held, "seed {seed}: {own:?}");
                assert!(own.ceiling.is_none_or(|ceiling| own.peak <= ceiling + 1e-9), "seed {seed}: {own:?}");
            }
            let of = |part: fn(&Usage) -> f64| found.iter().map(part).sum::<f64>();
            let (taken, given) = (of(|own| own.borrowed_gpu_hours), of(|own| own.lent_gpu_hours));
            // Parts are rounded to thousandths of a GPU.
            assert!(given <= taken + 0.01 * hours, "seed {seed}: lent {given}, borrowed {taken}");
            borrowed += usize::from(taken > 0.1 && (taken - given).abs() < 0.01 * (taken + hours));
        }
        assert!(borrowed > 5, "in {borrowed} runs tenants lend what others borrow");
    }

    #[test]
    fn nobody_is_entitled_to_more_than_it_may_hold_and_others_get_the_rest() {
        let none = [None; 3];
        for (parts, ceilings, available, expected) in [
            ([1, 1, 1], none, 900, [300, 300, 300]),
            ([1, 1, 1], [Some(100), None, None], 900, [100, 400, 400]),
            ([1, 1, 1], [Some(100), Some(350), None], 900, [100, 350, 450]),
            ([64, 112, 112], [Some(64), Some(112), Some(112)], 576, [64, 112, 112]),
            ([64, 112, 112], [Some(64), Some(112), Some(112)], 144, [32, 56, 56]),
            ([0, 1, 1], [Some(50), Some(10), None], 100, [0, 10, 90]),
            ([0, 0, 0], none, 100, [0, 0, 0]),
        ] {
            assert_eq!(
                parted(&parts, &ceilings, available),
                expected,
                "{parts:?} {ceilings:?} of {available}"
            );
        }
        for seed in 0..60 {
            for own in usage_of_tenants(&sample::random(seed)) {
                assert!(
                    own.ceiling.is_none_or(|ceiling| own.entitled <= ceiling + 1e-9),
                    "seed {seed}: {own:?}"
                );
            }
        }
    }

    #[test]
    fn a_queue_holds_what_those_below_it_hold() {
        let mut borrowed = 0;
        for seed in 0..60 {
            let mut history = sample::random(seed);
            let tenants = 0..u32::try_from(history.plan.workload.tenants.len()).unwrap();
            let below = tenants.map(|tenant| Queue {
                parent: Some(0),
                tenants: vec![tenant],
                nominal_milli: Some(2000),
                ..Queue::named(format!("queue-{tenant}"))
            });
            history.plan.workload.queues = std::iter::once(Queue::named("cloud")).chain(below).collect();
            let ceilings = vec![None; history.plan.workload.queues.len()];
            let (queues, tenants) =
                (usage_of_queues(&history, &measure(&history).jobs, &ceilings), usage_of_tenants(&history));
            let [cloud, below @ ..] = &queues[..] else { panic!("seed {seed}: {queues:?}") };
            assert_eq!(below.len(), tenants.len(), "seed {seed}: those with jobs");
            for (own, tenant) in below.iter().zip(&tenants) {
                assert_eq!(
                    (own.held, own.peak, own.jobs),
                    (tenant.held, tenant.peak, tenant.jobs),
                    "seed {seed}"
                );
                assert_eq!(own.waiting_seconds, tenant.waiting_seconds, "seed {seed}: {own:?}");
                assert!((own.entitled - 2.0).abs() < 1e-9, "seed {seed}: what is nominal: {own:?}");
            }
            let held: f64 = below.iter().map(|own| own.held).sum();
            assert!((cloud.held - held).abs() < 1e-9, "seed {seed}: {cloud:?}");
            assert!(cloud.lent_gpu_hours.abs() < 1e-9, "seed {seed}: it is alone: {cloud:?}");
            borrowed += usize::from(
                below.iter().any(|own| own.borrowed_gpu_hours > 0.0 && own.lent_gpu_hours < 1e-9),
            );
        }
        assert!(borrowed > 5, "in {borrowed} runs a queue borrows");
    }

    #[test]
    fn a_partition_is_entitled_to_its_nodes() {
        for seed in 0..30 {
            let history = sample::random(seed);
            for own in usage_of_partitions(&history) {
                let gpus = history.plan.cluster.gpus();
                assert!(own.entitled <= real(u128::from(gpus)) + 1e-6, "seed {seed}: {own:?}");
                assert!(own.borrowed_gpu_hours.abs() < 1e-9, "its jobs stay on its nodes: {own:?}");
            }
        }
    }
}
