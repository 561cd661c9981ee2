use super::comparison::{Comparison, Reached, half_width};
use crate::ensemble::{By, Delivered, Done, Wanted, Watch, World, run};
use crate::history::{Plan, Settings};

/// One of the policies, or scenarios, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// As the user calls it.
    pub name: String,
    /// Its parts; the seed is that of each plan.
    pub settings: Settings,
    /// Which scenario it is about; those of one scenario stand beside each other.
    pub scenario: usize,
}

impl Contender {
    /// Its parts, as [`Settings::policy`] has them.
    #[must_use]
    pub fn parts(&self) -> String {
        self.settings.policy()
    }
}

/// Whether two seeds make any difference: plans of one scenario with different seeds, and the policies that meet them.
#[must_use]
pub fn is_random<'a>(one: &Plan, other: &Plan, policies: impl IntoIterator<Item = &'a Settings>) -> bool {
    let draws = |settings: &Settings| settings.placement == "random";
    let fails = one.cluster.failures.is_some() || other.cluster.failures.is_some();
    fails || one.workload != other.workload || one.cluster != other.cluster || policies.into_iter().any(draws)
}

/// What is compared with what, and how.
#[derive(Debug, Clone, Default)]
pub struct Match<'a> {
    /// Those of one scenario stand beside each other.
    pub contenders: &'a [Contender],
    /// Which of them the others are compared with.
    pub reference: usize,
    /// The seeds that all meet; with a precision the most that there may be.
    pub seeds: &'a [u64],
    /// Whether seeds make a difference; else days are resampled.
    pub is_random: bool,
    /// The groups of jobs that are told beside those by GPUs, of which the longest waits always are.
    pub by: Option<By>,
    /// The measure, by its place in [`MEASURES`](crate::ensemble::MEASURES), of which it is said what chance may explain.
    pub about: usize,
    /// Half the width that the widest interval of a change of that measure may have, above 0: as many seeds are run as
    /// that takes.
    pub precision: Option<f64>,
}

/// Seeds to begin with where it is not said how many: few enough to be quick, and enough for an interval to mean something.
const FIRST_SEEDS: usize = 20;

/// How many seeds to have after `seeds` gave intervals of this half width.
///
/// The half width falls with the square root of the number: (width / within)² times as many are expected to be enough.
/// At most twice as many are taken at once, as the first intervals are rough.
fn more_seeds(seeds: usize, width: f64, within: f64) -> usize {
    let ratio = (width / within).powi(2).clamp(1.0, 2.0);
    let expected = seeds_of(real(seeds) * ratio);
    expected.max(seeds + seeds.div_ceil(10))
}

#[expect(clippy::cast_precision_loss, reason = "counts of seeds are far below 2^53")]
const fn real(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn seeds_of(number: f64) -> usize {
    number.ceil() as usize
}

/// Runs every contender under every seed, on all cores, and compares them with the reference.
///
/// `plan` gives a scenario, by its number, under a seed. With a single seed, where nothing is random, days are resampled.
/// With a [`precision`](Match::precision) seeds are added until every change of its measure is that sure, or there are no more.
/// `None` if it was interrupted.
///
/// # Errors
/// A plan that there is not.
///
/// # Panics
/// Without a seed or without `contenders[reference]`.
pub fn compare<E: Clone + Send + Sync>(
    plan: impl Fn(usize, u64) -> Result<Plan, E> + Sync,
    asked: &Match<'_>,
    watch: Watch<'_>,
) -> Result<Option<Comparison>, E> {
    let Match { contenders, reference, seeds, .. } = *asked;
    assert!(!seeds.is_empty() && reference < contenders.len(), "something to compare with");
    let mut runs: Vec<Vec<Delivered>> = vec![Vec::new(); contenders.len()];
    let mut count = asked.precision.map_or(seeds.len(), |_| FIRST_SEEDS.min(seeds.len()));
    let reached = loop {
        let begun = runs[0].len();
        let Some(more) = run_seeds(&plan, asked, &seeds[begun..count], begun * contenders.len(), watch)?
        else {
            return Ok(None);
        };
        for (place, run) in more.into_iter().enumerate() {
            runs[place % contenders.len()].push(run);
        }
        let Some(within) = asked.precision else { break None };
        let reached = reached(asked, within, &runs);
        let width = reached.reached.filter(|_| !reached.met && count < seeds.len());
        let Some(width) = width else { break Some(reached) };
        count = more_seeds(count, width, within).min(seeds.len());
    };
    Ok(Some(Comparison::new(asked, seeds[..count].to_vec(), &runs, reached)))
}

/// The runs of some seeds, seed by seed; `before` runs were done already.
fn run_seeds<E: Clone + Send + Sync>(
    plan: &(impl Fn(usize, u64) -> Result<Plan, E> + Sync),
    asked: &Match<'_>,
    seeds: &[u64],
    before: usize,
    watch: Watch<'_>,
) -> Result<Option<Vec<Delivered>>, E> {
    let contenders = asked.contenders;
    let days = asked.seeds.len() == 1 && !asked.is_random;
    let by = [By::Gpus].into_iter().chain(asked.by.filter(|by| *by != By::Gpus)).collect();
    let wanted = Wanted { days, by, ..Wanted::all() };
    let scenarios = contenders.iter().map(|contender| contender.scenario + 1).max().unwrap_or(1);
    let world = |(seed, contender): (usize, &Contender)| World {
        plan: seed * scenarios + contender.scenario,
        settings: Some(contender.settings.clone()),
    };
    let pairs = (0..seeds.len()).flat_map(|seed| contenders.iter().map(move |contender| (seed, contender)));
    let worlds: Vec<World> = pairs.map(world).collect();
    let plan = |index: usize| plan(index % scenarios, seeds[index / scenarios]);
    let progress = |done: Done| {
        if let Some(progress) = watch.progress {
            progress(Done { runs: before + done.runs, ..done });
        }
    };
    let trace = |world: usize, line: &str| {
        if let Some(trace) = watch.trace {
            trace(before + world, line);
        }
    };
    let mut own = watch;
    own.progress = watch.progress.is_some().then_some(&progress);
    own.trace = watch.trace.is_some().then_some(&trace);
    run(&worlds, plan, &wanted, own)
}

/// How sure the changes of the measure are.
fn reached(asked: &Match<'_>, within: f64, runs: &[Vec<Delivered>]) -> Reached {
    let values =
        |runs: &[Delivered]| -> Vec<f64> { runs.iter().map(|run| run.values[asked.about]).collect() };
    let other = values(&runs[asked.reference]);
    let others = runs.iter().enumerate().filter(|(place, _)| *place != asked.reference);
    let width = |runs: &[Delivered]| half_width(&values(runs), &other, asked.seeds[0]);
    let widths: Option<Vec<f64>> = others.map(|(_, runs)| width(runs)).collect();
    let reached = widths.map(|widths| widths.into_iter().fold(0.0, f64::max));
    Reached { asked: within, reached, met: reached.is_some_and(|reached| reached <= within) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::ensemble::{Done, MEASURES, Wanted};
    use crate::experiment::Basis;
    use crate::experiment::comparison::readings;
    use crate::units::{Gpus, Seconds, Time};
    use crate::workload::{Behaviour, Builder, Job, Request};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

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
        let contender =
            |name: &&str| Contender { name: (*name).to_owned(), settings: settings(name), scenario: 0 };
        names.iter().map(contender).collect()
    }

    /// The comparison with the first of them; a plan a seed.
    fn compared(plans: &[Plan], names: &[&str], is_random: bool, watch: Watch<'_>) -> Option<Comparison> {
        let seeds: Vec<u64> = (0..).take(plans.len()).collect();
        let plan = |_, seed: u64| -> Result<Plan, ()> { Ok(plans[usize::try_from(seed).unwrap()].clone()) };
        let asked = Match { contenders: &contenders(names), seeds: &seeds, is_random, ..Match::default() };
        compare(plan, &asked, watch).unwrap()
    }

    const POLICIES: [&str; 3] = ["fifo/none/first-fit", "fifo/easy/first-fit", "fifo/none/first-fit"];

    #[test]
    fn backfill_waits_less_and_a_policy_is_equal_to_itself() {
        let plans: Vec<Plan> = (0..10).map(|seed| plan(seed, 100 * u32::try_from(seed).unwrap())).collect();
        let found = compared(&plans, &POLICIES, true, Watch::default()).unwrap();
        assert_eq!(found.basis, Basis::Seeds { seeds: 10 }, "ten seeds");
        let wait = &found.policies[1].entries[0];
        assert!(wait.interval.unwrap().high < 0.0, "{wait:?}");
        let same = &found.policies[2].entries[0];
        assert_eq!(same.change, Some(0.0), "no change against itself");
        assert_eq!(same.runs, found.policies[0].entries[0].runs, "run by run");
    }

    #[test]
    fn a_trace_has_its_days_resampled() {
        let found = compared(&[plan(0, 0)], &POLICIES, false, Watch::default()).unwrap();
        assert_eq!(found.basis, Basis::Days { days: 16, block: 3 }, "399 · 3450 s are 16 days");
        let [wait, .., utilization, _, _] = &found.policies[1].entries[..] else { panic!("many measures") };
        assert!(wait.interval.unwrap().contains(wait.change.unwrap()), "{wait:?}");
        assert_eq!(utilization.interval, None, "of the whole run there is but one");
    }

    #[test]
    fn days_counted_once_give_the_numbers_of_the_run() {
        let wanted = Wanted { days: true, ..Wanted::all() };
        let settings = Some(contenders(&POLICIES)[1].settings.clone());
        let build = |_| -> Result<Plan, ()> { Ok(plan(0, 0)) };
        let runs = run(&[World { plan: 0, settings }], build, &wanted, Watch::default()).unwrap().unwrap();
        let run = &runs[0];
        let read = readings(&run.days, &vec![1; run.days[0].days()]);
        for ((measure, value), read) in MEASURES.iter().zip(&run.values).zip(read) {
            let equal = (value - read).abs() <= 1e-9 * value.abs();
            assert!(measure.of_jobs.is_none() || equal, "{}: {value} and {read}", measure.key);
        }
    }

    #[test]
    fn only_what_a_seed_changes_is_random() {
        let settings = |names: &[&str]| -> Vec<Settings> {
            contenders(names).into_iter().map(|contender| contender.settings).collect()
        };
        let fixed = settings(&POLICIES);
        assert!(!is_random(&plan(1, 0), &plan(2, 0), &fixed), "a trace");
        assert!(is_random(&plan(1, 0), &plan(2, 5), &fixed), "made workloads");
        let drawing = settings(&["fifo/none/random"]);
        assert!(is_random(&plan(1, 0), &plan(2, 0), &drawing), "a placement that draws");
    }

    #[test]
    fn seeds_are_added_until_a_change_is_as_sure_as_asked() {
        let names = &POLICIES[..2];
        let most: Vec<u64> = (0..400).collect();
        let build = |_, seed: u64| -> Result<Plan, ()> { Ok(plan(seed, 100 * u32::try_from(seed).unwrap())) };
        let precise = |within: f64, seeds: &[u64]| {
            let precision = Some(within);
            let contenders = contenders(names);
            let asked =
                Match { contenders: &contenders, seeds, is_random: true, precision, ..Match::default() };
            compare(build, &asked, Watch::default()).unwrap().unwrap()
        };
        let rough = precise(1.0, &most);
        assert_eq!(rough.seeds.len(), 20, "the first are enough");
        let width = rough.precision.unwrap().reached.unwrap();
        // Half as wide takes about four times as many, and no more than that by far.
        let finer = precise(width / 2.0, &most);
        let reached = finer.precision.clone().unwrap();
        assert!(reached.met && reached.reached.unwrap() <= width / 2.0, "{reached:?}");
        assert!((40..=160).contains(&finer.seeds.len()), "{} seeds in place of about 80", finer.seeds.len());
        assert_eq!(finer.policies[1].entries[0].runs.len(), finer.seeds.len(), "a run a seed");
        // The same as if that number had been asked for.
        let contenders = contenders(names);
        let seeds = &most[..finer.seeds.len()];
        let asked = Match { contenders: &contenders, seeds, is_random: true, ..Match::default() };
        let plain = compare(build, &asked, Watch::default()).unwrap().unwrap();
        let waits = |found: &Comparison| found.policies[1].entries[0].clone();
        assert_eq!(waits(&plain), waits(&finer), "the same runs and intervals");
        // Where there are no more seeds it says how far it came.
        let short = precise(width / 100.0, &most[..30]);
        let reached = short.precision.unwrap();
        assert!(!reached.met && short.seeds.len() == 30, "{reached:?}");
    }

    #[test]
    fn whoever_watches_sees_every_job_settled_and_every_decision() {
        let (most, starts) = (Mutex::new(Done { runs: 0, settled: 0 }), Mutex::new(Vec::new()));
        let progress = |done: Done| {
            let mut most = most.lock().unwrap();
            *most = Done { runs: most.runs.max(done.runs), settled: most.settled.max(done.settled) };
        };
        let trace = |world: usize, line: &str| {
            if line.contains(" start ") {
                starts.lock().unwrap().push(world);
            }
        };
        let watch = Watch { progress: Some(&progress), trace: Some(&trace), ..Watch::default() };
        let plans = [plan(0, 0), plan(1, 100)];
        compared(&plans, &POLICIES[..2], true, watch).unwrap();
        assert_eq!(*most.lock().unwrap(), Done { runs: 4, settled: 4 * 400 }, "all that there is");
        for world in 0..4 {
            let starts = starts.lock().unwrap().iter().filter(|start| **start == world).count();
            assert_eq!(starts, 400, "every job of world {world} starts");
        }
    }

    #[test]
    fn an_interrupted_comparison_is_none() {
        let stop = AtomicBool::new(true);
        let watch = Watch { interrupted: Some(&stop), ..Watch::default() };
        let mut long = plan(0, 0);
        long.workload.jobs = long.workload.jobs.repeat(50);
        let found = compared(&[long], &POLICIES, false, watch);
        assert_eq!(found, None, "no half comparison");
    }
}
