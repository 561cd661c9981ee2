use super::comparison::{Comparison, Run};
use super::measure::{MEASURES, rank};
use crate::history::{Plan, Settings};
use crate::metrics::measure;
use crate::policy::Ranks;
use crate::simulation::{Control, Progress, simulate};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// One of the policies compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// As the user calls it.
    pub name: String,
    /// Its parts; the seed is that of each plan.
    pub settings: Settings,
}

impl Contender {
    /// Its parts, as [`Settings::policy`] has them.
    #[must_use]
    pub fn parts(&self) -> String {
        self.settings.policy()
    }
}

/// What the caller of a comparison may watch and stop.
#[derive(Default, Clone, Copy)]
pub struct Watch<'a> {
    /// Set by somebody else to stop.
    pub interrupted: Option<&'a AtomicBool>,
    /// Called now and then, from any thread.
    pub progress: Option<&'a (dyn Fn(Done) + Sync)>,
    /// Called with each decision.
    pub trace: Option<Tracer<'a>>,
    /// How places are ranked, and by whom; the results do not depend on it.
    pub ranks: Option<&'a Ranks>,
}

/// Called with the name of a policy, the seed of its run and a decision in it, from any thread.
pub type Tracer<'a> = &'a (dyn Fn(&str, u64, &str) + Sync);

/// How far a comparison has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Finished runs.
    pub runs: usize,
    /// Jobs of all runs whose outcome is known.
    pub settled: u64,
}

/// Counts over all threads what is done.
#[derive(Debug, Default)]
struct Tally {
    runs: AtomicUsize,
    settled: AtomicU64,
}

impl Tally {
    fn add(&self, runs: usize, settled: u64, watch: Watch<'_>) {
        let runs = self.runs.fetch_add(runs, Ordering::Relaxed) + runs;
        let settled = self.settled.fetch_add(settled, Ordering::Relaxed) + settled;
        if let Some(progress) = watch.progress {
            progress(Done { runs, settled });
        }
    }
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("interrupted", &self.interrupted).finish_non_exhaustive()
    }
}

/// Whether two seeds make any difference: plans of one scenario with different seeds, and the policies that meet them.
#[must_use]
pub fn is_random(one: &Plan, other: &Plan, contenders: &[Contender]) -> bool {
    let draws = |contender: &Contender| contender.settings.placement == "random";
    one.workload != other.workload || one.cluster != other.cluster || contenders.iter().any(draws)
}

/// Runs every policy on every plan, on all cores, and compares them with `reference`.
///
/// `plans` are one scenario under different seeds. A single one of which `is_random` is false has its days
/// resampled. `None` if it was interrupted.
///
/// # Panics
/// Without a plan or without `contenders[reference]`.
#[must_use]
pub fn compare(
    plans: &[Plan],
    contenders: &[Contender],
    reference: usize,
    is_random: bool,
    watch: Watch<'_>,
) -> Option<Comparison> {
    assert!(!plans.is_empty() && reference < contenders.len(), "something to compare with");
    let by_days = plans.len() == 1 && !is_random;
    let pairs = contenders.iter().flat_map(|contender| plans.iter().map(move |plan| (contender, plan)));
    let pairs: Vec<(&Contender, &Plan)> = pairs.collect();
    let tally = Tally::default();
    let runs: Option<Vec<(Run, u64)>> =
        pairs.into_par_iter().map(|(contender, plan)| run(plan, contender, by_days, &tally, watch)).collect();
    let runs = runs?;
    let jobs = runs[..plans.len()].iter().map(|(_, jobs)| *jobs).collect();
    let mut runs = runs.into_iter().map(|(run, _)| run);
    let by_policy: Vec<Vec<Run>> =
        contenders.iter().map(|_| runs.by_ref().take(plans.len()).collect()).collect();
    let seeds = plans.iter().map(|plan| plan.settings.seed).collect();
    Some(Comparison::new(contenders, seeds, jobs, reference, &by_policy))
}

/// One policy on one plan: what is kept of it, and how many jobs count.
fn run(
    plan: &Plan,
    contender: &Contender,
    by_days: bool,
    tally: &Tally,
    watch: Watch<'_>,
) -> Option<(Run, u64)> {
    let (seed, jobs) = (plan.settings.seed, u64::from(plan.workload.len()));
    let settings = Settings { seed, ..contender.settings.clone() };
    let plan = Plan { settings, ..plan.clone() };
    let mut told = 0;
    let mut progress = |progress: Progress| {
        let settled = u64::from(progress.settled);
        tally.add(0, settled - std::mem::replace(&mut told, settled), watch);
    };
    let mut trace = |line: &str| {
        if let Some(trace) = watch.trace {
            trace(&contender.name, seed, line);
        }
    };
    let mut control =
        Control { interrupted: watch.interrupted, progress: Some(&mut progress), ..Control::default() };
    control.ranks = watch.ranks.cloned().unwrap_or_default();
    if watch.trace.is_some() {
        control.trace = Some(&mut trace);
    }
    let history = simulate(plan, &mut control);
    if !history.complete {
        return None;
    }
    tally.add(1, jobs - told, watch);
    let measured = measure(&history);
    let values = MEASURES.iter().map(|measure| (measure.of_run)(&measured.metrics)).collect();
    let jobs = if by_days { rank(&history, &measured) } else { Vec::new() };
    Some((Run { values, jobs }, measured.metrics.jobs.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::experiment::Basis;
    use crate::experiment::comparison::readings;
    use crate::units::{Gpus, Seconds, Time};
    use crate::workload::{Behaviour, Builder, Job, Request};
    use std::sync::Mutex;

    /// Sixteen days on 2 nodes of 8 GPUs, contended; `shift` stands for what a seed would change.
    fn plan(seed: u64, shift: u32) -> Plan {
        let mut builder = Builder::default();
        let behaviour = builder.behaviour(Behaviour::default());
        for number in 0..400_u32 {
            let request = builder.request(Request::gang(Gpus::whole([1, 2, 16, 8][number as usize % 4])));
            let work_time = Seconds(600 + (number + shift) * 7919 % 14_000);
            let job = Job { request, behaviour, work_time, ..Job::at(Time(number * 3450)) };
            builder.push(job.requesting(work_time));
        }
        let settings = Settings { seed, ..Settings::named("fifo", "none", "first-fit") };
        let cluster = Cluster::uniform(2, NodeKind { gpus: 8, ..NodeKind::default() });
        Plan { cluster, workload: builder.finish(), settings }
    }

    fn contenders(names: &[&str]) -> Vec<Contender> {
        let settings = |name: &str| {
            let parts: Vec<&str> = name.split('/').collect();
            Settings::named(parts[0], parts[1], parts[2])
        };
        names.iter().map(|name| Contender { name: (*name).to_owned(), settings: settings(name) }).collect()
    }

    const POLICIES: [&str; 3] = ["fifo/none/first-fit", "fifo/easy/first-fit", "fifo/none/first-fit"];

    #[test]
    fn backfill_waits_less_and_a_policy_is_equal_to_itself() {
        let plans: Vec<Plan> = (0..10).map(|seed| plan(seed, 100 * u32::try_from(seed).unwrap())).collect();
        let found = compare(&plans, &contenders(&POLICIES), 0, true, Watch::default()).unwrap();
        assert_eq!(found.basis, Basis::Seeds { seeds: 10 }, "ten seeds");
        let wait = &found.policies[1].entries[0];
        assert!(wait.interval.unwrap().high < 0.0, "{wait:?}");
        let same = &found.policies[2].entries[0];
        assert_eq!(same.change, Some(0.0), "no change against itself");
        assert_eq!(same.runs, found.policies[0].entries[0].runs, "run by run");
    }

    #[test]
    fn a_trace_has_its_days_resampled() {
        let found = compare(&[plan(0, 0)], &contenders(&POLICIES), 0, false, Watch::default()).unwrap();
        assert_eq!(found.basis, Basis::Days { days: 16, block: 3 }, "399 · 3450 s are 16 days");
        let [wait, .., utilization, _, _] = &found.policies[1].entries[..] else { panic!("many measures") };
        assert!(wait.interval.unwrap().contains(wait.change.unwrap()), "{wait:?}");
        assert_eq!(utilization.interval, None, "of the whole run there is but one");
    }

    #[test]
    fn days_counted_once_give_the_numbers_of_the_run() {
        let tally = Tally::default();
        let (run, _) = run(&plan(0, 0), &contenders(&POLICIES)[1], true, &tally, Watch::default()).unwrap();
        let read = readings(&run.jobs, &vec![1; run.jobs[0].days()]);
        for ((measure, value), read) in MEASURES.iter().zip(&run.values).zip(read) {
            let equal = (value - read).abs() <= 1e-9 * value.abs();
            assert!(measure.of_jobs.is_none() || equal, "{}: {value} and {read}", measure.key);
        }
    }

    #[test]
    fn only_what_a_seed_changes_is_random() {
        let fixed = contenders(&POLICIES);
        assert!(!is_random(&plan(1, 0), &plan(2, 0), &fixed), "a trace");
        assert!(is_random(&plan(1, 0), &plan(2, 5), &fixed), "made workloads");
        let drawing = contenders(&["fifo/none/random"]);
        assert!(is_random(&plan(1, 0), &plan(2, 0), &drawing), "a placement that draws");
    }

    #[test]
    fn whoever_watches_sees_every_job_settled_and_every_decision() {
        let (most, starts) = (Mutex::new(Done { runs: 0, settled: 0 }), Mutex::new(Vec::new()));
        let progress = |done: Done| {
            let mut most = most.lock().unwrap();
            *most = Done { runs: most.runs.max(done.runs), settled: most.settled.max(done.settled) };
        };
        let trace = |policy: &str, seed: u64, line: &str| {
            if line.contains(" start ") {
                starts.lock().unwrap().push((policy.to_owned(), seed));
            }
        };
        let watch = Watch { progress: Some(&progress), trace: Some(&trace), ..Watch::default() };
        let plans = [plan(0, 0), plan(1, 100)];
        compare(&plans, &contenders(&POLICIES[..2]), 0, true, watch).unwrap();
        assert_eq!(*most.lock().unwrap(), Done { runs: 4, settled: 4 * 400 }, "all that there is");
        for policy in &POLICIES[..2] {
            for seed in 0..2 {
                let of_run = |start: &&(String, u64)| start.0 == *policy && start.1 == seed;
                let starts = starts.lock().unwrap().iter().filter(of_run).count();
                assert_eq!(starts, 400, "{policy} starts every job of seed {seed}");
            }
        }
    }

    #[test]
    fn an_interrupted_comparison_is_none() {
        let stop = AtomicBool::new(true);
        let watch = Watch { interrupted: Some(&stop), ..Watch::default() };
        let mut long = plan(0, 0);
        long.workload.jobs = long.workload.jobs.repeat(50);
        let found = compare(&[long], &contenders(&POLICIES), 0, false, watch);
        assert_eq!(found, None, "no half comparison");
    }
}
