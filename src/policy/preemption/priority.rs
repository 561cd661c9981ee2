//! Jobs of lower priority yield to a blocked one.
//!
//! Lower is the tier of the partition, then the priority of the job; jobs that wait are tried in that order too, before that
//! of the policy, so that no job starts only to stop for one that has been waiting. The lowest stop first; among equals those that lose least
//! (GPUs held times the work since the last checkpoint and the restart), or the youngest; then those that started last,
//! then the highest index. Where quotas, queues, limits or licences say no, jobs that count against the same tree as any of
//! these, on whichever of the platforms that the job may run on, go before all others. The shortest beginning of that line
//! makes room; of it, those on the nodes of the place that is found stop, and of these only those that have to.

use super::ListedPreemption;
use super::running::May;
use super::yielding::{Bench, Blocked, MIN_RUN, Yields};
use crate::history::{Plan, Victims};
use crate::policy::part::PartOption;
use crate::state::State;
use std::cmp::Reverse;

const VICTIMS: PartOption = PartOption {
    name: "victims",
    unit: "name",
    default: "least-lost",
    about: "which of equally low jobs stop first: those that lose least work, or the youngest",
    expected: "`least-lost` or `youngest`",
    read: |settings, text| {
        settings.victims = Victims::named(text)?;
        Some(())
    },
    show: |settings| settings.victims.name().to_owned(),
};

pub(super) const ENTRY: ListedPreemption = ListedPreemption {
    name: "priority",
    about: "jobs go by tier and priority first, and the lowest that run stop for one that starts then",
    source: "Slurm preempt/partition_prio and preempt/qos; Kubernetes, Pod Priority and Preemption",
    options: &[MIN_RUN, VICTIMS],
    yields: Some(Yields {
        may: |state, standing, blocked| May::all_if(standing.height < state.class(blocked.job).height()),
        is_hopeless: |_, _| false,
        choose,
        idle,
        keeps_work: false,
        by_queues: false,
        moves: false,
        reads_order: false,
    }),
};

fn choose(bench: &mut Bench<'_, '_>, mut line: Vec<u32>, blocked: &Blocked<'_>) -> Option<Vec<u32>> {
    line.sort_by_cached_key(|job| standing(bench.state(), *job, blocked));
    let mates = blocked.row.map(|_| mates(bench.state(), &line, blocked.job));
    let mut lines = mates.into_iter().chain([line]);
    lines.find_map(|line| {
        let (stopped, nodes) = bench.shortest(&line)?;
        let near = bench.near(stopped, &nodes);
        Some(bench.needed(near))
    })
}

/// Where a job stands among those that may stop.
fn standing(state: &State, job: u32, blocked: &Blocked<'_>) -> impl Ord + use<> {
    let lost = match state.plan().settings.victims {
        Victims::LeastLost => u128::from(state.held_milli(job)) * u128::from(state.lost_if_stopped(job)),
        Victims::Youngest => 0,
    };
    (state.class(job).height(), lost, Reverse(blocked.began[job as usize]), Reverse(job))
}

/// The jobs that count against anything that refuses a job: a quota, a queue, a limit or a licence, or what is of one tree with it.
fn mates(state: &State, line: &[u32], blocked: u32) -> Vec<u32> {
    let tree = &state.classes().quotas;
    let refusing = state.resources().refusing_trees(state.class(blocked));
    let counts = |job: &u32| state.held_as(*job).ceilings().any(|own| tree.counts_in(own, &refusing));
    line.iter().copied().filter(counts).collect()
}

fn idle(plan: &Plan) -> Option<(&'static str, &'static str)> {
    let workload = &plan.workload;
    let tier = |partition: u32| {
        let partition = plan.cluster.partition(&workload.partitions[partition as usize]);
        partition.map_or(0, |partition| partition.tier)
    };
    let mut ranks = (0..workload.len())
        .map(|job| (tier(workload.request_of(job).partition), workload.jobs[job as usize].priority));
    let first = ranks.next();
    let hint =
        "`priority` of jobs, tenants\u{2019} jobs in a graph, or `tier` of partitions tells them apart";
    ranks.all(|rank| Some(rank) == first).then_some(("all jobs have the same tier and priority", hint))
}
