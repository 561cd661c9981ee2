use super::explain::{Explained, explain, first_start};
use crate::history::{History, Outcome, Plan, WaitReason};
use crate::metrics::{SecondsByReason, percentile, waited};
use crate::policy::{oversized, too_large};
use crate::simulation::{Control, simulate};
use crate::state::quota::Tree;
use crate::units::{Seconds, Time};
use crate::workload::JobLimit;
use rayon::prelude::*;
use std::sync::atomic::AtomicBool;

/// When a job would start, seed by seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// When it comes.
    pub submit: Time,
    /// One a seed: when it starts; none: it does not.
    pub starts: Vec<Option<Time>>,
    /// How often no empty cluster could hold it.
    pub rejected: usize,
    /// Seconds for which it waited, by reason, of all seeds together.
    pub reasons: [u64; WaitReason::ALL.len()],
}

impl Fit {
    /// Of the seeds in which it starts, how many.
    #[must_use]
    pub fn started(&self) -> usize {
        self.starts.iter().flatten().count()
    }
    /// The wait of nearest rank `percent` (1..=100), those that never start last; none where that one never does.
    ///
    /// ```
    /// use gigawatt::experiment::Fit;
    /// use gigawatt::units::{Seconds, Time};
    /// let fit = Fit { submit: Time(10), starts: vec![Some(Time(40)), None, Some(Time(10))], rejected: 0, reasons: [0; 9] };
    /// assert_eq!((fit.wait(1), fit.wait(50), fit.wait(100)), (Some(Seconds(0)), Some(Seconds(30)), None));
    /// ```
    #[must_use]
    pub fn wait(&self, percent: usize) -> Option<Seconds> {
        let wait = |start: &Option<Time>| start.map_or(u32::MAX, |start| start.since(self.submit).0);
        let mut waits: Vec<u32> = self.starts.iter().map(wait).collect();
        waits.sort_unstable();
        Some(percentile(&waits, percent)).filter(|wait| *wait != u32::MAX).map(Seconds)
    }
    /// Whether it starts in some seed.
    #[must_use]
    pub fn is_feasible(&self) -> bool {
        self.started() > 0
    }
    /// Whether it starts sooner than with another ask: in more seeds, or by the median.
    #[must_use]
    pub fn is_sooner_than(&self, other: &Self) -> bool {
        let key = |fit: &Self| fit.wait(50).map_or(u32::MAX, |wait| wait.0);
        key(self) < key(other) || key(self) == key(other) && self.started() > other.started()
    }
}

/// Why an empty cluster cannot hold a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// Its tenant may hold no more than so many thousandths of a GPU.
    Quota(u64),
    /// The queue that it stands in could hold no more than so many, were it alone.
    Queue(u64),
    /// The jobs of its partition may.
    Limit(u64),
    /// A queue that it stands in or below does not allow that of any job.
    Job(u32, JobLimit),
    /// There are no more than so many of a licence of the cluster.
    Licence(u32, u32),
    /// Caps leave less power than it would draw.
    Power,
    /// There is no room of the shape it asks for.
    Room,
}

impl Barrier {
    /// What keeps a job out of the empty cluster of a plan, if something does: the first of several.
    ///
    /// # Panics
    /// Without such a job.
    #[must_use]
    pub fn of(plan: &Plan, job: u32) -> Option<Self> {
        if oversized(plan).binary_search(&job).is_err() {
            return None;
        }
        if let Some((queue, limit)) = plan.workload.beyond_queue(job) {
            return Some(Self::Job(queue, limit));
        }
        let asked = u64::from(plan.workload.request_of(job).gpus().milli());
        let [quota, queue, limit] =
            ceilings(plan, job).map(|ceiling| ceiling.filter(|ceiling| *ceiling < asked));
        let licence = plan.beyond_licence(job).map(|own| (own, plan.cluster.licences[own as usize].count));
        let licence = licence.map(|(own, count)| Self::Licence(own, count));
        let has_room = || too_large(plan).binary_search(&job).is_err();
        let ceiling =
            quota.map(Self::Quota).or(queue.map(Self::Queue)).or(limit.map(Self::Limit)).or(licence);
        Some(ceiling.unwrap_or_else(|| if has_room() { Self::Power } else { Self::Room }))
    }
    /// As machines call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quota(_) | Self::Queue(_) | Self::Job(..) => "quota",
            Self::Limit(_) => "limit",
            Self::Licence(..) => "licence",
            Self::Power => "power",
            Self::Room => "room",
        }
    }
}

/// The most that the tenant of a job may hold, that its queue could hold, were it alone, and that the jobs of its partition
/// may, thousandths of a GPU; none: as much as there is.
///
/// # Panics
/// Without such a job.
#[must_use]
pub fn ceilings(plan: &Plan, job: u32) -> [Option<u64>; 3] {
    let tree = Tree::of(plan);
    let (tenant, partition) =
        (plan.workload.jobs[job as usize].tenant, plan.workload.request_of(job).partition);
    let rows = [tree.quota_of(tenant), tree.queue_of(tenant, partition), tree.limit_of(partition)];
    // Where platforms are told apart, on the one on which it may hold most.
    let may_run = plan.workload.request_of(job).platforms;
    let kinds = plan.cluster.kinds.iter().map(|kind| kind.platform);
    let platforms: Vec<u32> = kinds.filter(|platform| may_run.contains(*platform as usize)).collect();
    let most = |row: u32| match platforms[..] {
        [] => tree.most(row),
        _ => {
            let each: Option<Vec<u64>> = platforms.iter().map(|own| tree.most(tree.on(row, *own))).collect();
            each.and_then(|each| each.into_iter().max())
        }
    };
    rows.map(|row| row.and_then(most))
}

/// What became of a job in the first of the seeds.
#[derive(Debug)]
pub struct First {
    /// What happened.
    pub history: History,
    /// Why the job waited.
    pub explained: Explained,
}

/// When the job called `name` starts in the plan of each seed, on all cores, and what happened in the first.
///
/// None if it was interrupted.
///
/// # Errors
/// The plan of the first seed that has none.
///
/// # Panics
/// Without a seed, or where a plan has no such job.
pub fn fit<E: Send>(
    plan: impl Fn(u64) -> Result<Plan, E> + Sync,
    name: &str,
    seeds: &[u64],
    interrupted: Option<&AtomicBool>,
) -> Result<Option<(Fit, First)>, E> {
    let one = |seed: &u64| -> Result<Option<(History, u32)>, E> {
        let plan = plan(*seed)?;
        let job = index_of(&plan, name).expect("the job is in the plan");
        let history = simulate(plan, &mut Control { interrupted, ..Control::default() });
        Ok(history.complete.then_some((history, job)))
    };
    let told = |seed: &u64| -> Result<Option<Told>, E> {
        Ok(one(seed)?.map(|(history, job)| Told::of(&history, job)))
    };
    let Some((history, job)) = one(&seeds[0])? else { return Ok(None) };
    let mut all = vec![Told::of(&history, job)];
    let rest: Vec<Option<Told>> = seeds[1..].par_iter().map(told).collect::<Result<_, E>>()?;
    for told in rest {
        let Some(told) = told else { return Ok(None) };
        all.push(told);
    }
    let mut reasons = [0; WaitReason::ALL.len()];
    for told in &all {
        reasons.iter_mut().zip(told.reasons).for_each(|(sum, own)| *sum += u64::from(own));
    }
    let fit = Fit {
        submit: history.plan.workload.jobs[job as usize].submit_time,
        starts: all.iter().map(|told| told.start).collect(),
        rejected: all.iter().filter(|told| told.is_rejected).count(),
        reasons,
    };
    let explained = explain(&history, job);
    Ok(Some((fit, First { history, explained })))
}

/// What became of the job under one seed.
struct Told {
    start: Option<Time>,
    is_rejected: bool,
    reasons: SecondsByReason,
}

impl Told {
    fn of(history: &History, job: u32) -> Self {
        let mut reasons = SecondsByReason::default();
        waited(history, job).iter().for_each(|own| reasons[own.reason as usize] += own.seconds().0);
        let is_rejected = history.jobs[job as usize].outcome == Outcome::Rejected;
        Self { start: first_start(history, job), is_rejected, reasons }
    }
}

/// The job of that name: the last, where there are several.
#[must_use]
pub fn index_of(plan: &Plan, name: &str) -> Option<u32> {
    let names = &plan.workload.names;
    (0..plan.workload.len()).rev().find(|job| names.get(*job as usize) == name)
}
