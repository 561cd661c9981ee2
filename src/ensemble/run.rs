use super::by::{GroupWaits, waits_by};
use super::measure::{MEASURES, Measure};
use super::plans::Plans;
use super::ranked::{Ranked, rank};
use crate::history::{Digest, Plan, Settings};
use crate::metrics::{By, measure};
use crate::policy::Ranks;
use crate::simulation::{Control, Progress, simulate};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// One run of an ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// Which plan; worlds of the same one that follow each other share it.
    pub plan: usize,
    /// In place of the plan's settings, its seed excepted.
    pub settings: Option<Settings>,
}

impl World {
    /// That plan as it is.
    #[must_use]
    pub const fn of(plan: usize) -> Self {
        Self { plan, settings: None }
    }
}

/// What a run must deliver.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// These measures.
    pub measures: Vec<&'static Measure>,
    /// The digest of its history.
    pub digest: bool,
    /// The waits of groups of jobs, by each of these.
    pub by: Vec<By>,
    /// What every job waited and took, by the day of its submit.
    pub(crate) days: bool,
}

impl Wanted {
    /// These measures, and nothing else.
    #[must_use]
    pub fn of(measures: Vec<&'static Measure>) -> Self {
        Self { measures, ..Self::default() }
    }
    /// Every measure there is.
    #[must_use]
    pub fn all() -> Self {
        Self { measures: MEASURES.iter().collect(), ..Self::default() }
    }
}

/// What a run delivered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delivered {
    /// In the order wanted; NaN where nothing is known of one.
    pub values: Vec<f64>,
    /// How many jobs count.
    pub jobs: u64,
    /// Whether jobs are left that nothing left to happen could start.
    pub stuck: bool,
    /// The digest of its history, if wanted.
    pub digest: Option<Digest>,
    /// The groups by each of what was wanted.
    pub groups: Vec<(By, Vec<GroupWaits>)>,
    /// By [`Quantity`](super::Quantity); empty unless wanted.
    pub(crate) days: Vec<Ranked>,
}

/// What the caller of an ensemble may watch and stop.
#[derive(Default, Clone, Copy)]
pub struct Watch<'a> {
    /// Set by somebody else to stop.
    pub interrupted: Option<&'a AtomicBool>,
    /// Asked before each run, from any thread: whether no further one is to begin.
    pub enough: Option<&'a (dyn Fn() -> bool + Sync)>,
    /// Called now and then, from any thread.
    pub progress: Option<&'a (dyn Fn(Done) + Sync)>,
    /// Called with the number of a world and a decision in it, from any thread.
    pub trace: Option<Tracer<'a>>,
    /// How places are ranked, and by whom; the results do not depend on it.
    pub ranks: Option<&'a Ranks>,
}

/// Called with the number of a world and a decision in it, from any thread.
pub type Tracer<'a> = &'a (dyn Fn(usize, &str) + Sync);

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("interrupted", &self.interrupted).finish_non_exhaustive()
    }
}

/// How far an ensemble has come.
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

/// Runs every world, and gives what they deliver in their order.
///
/// `None` if it was interrupted.
///
/// # Errors
/// The plan of the first world that has none.
pub fn run<E: Clone + Send + Sync>(
    worlds: &[World],
    plan: impl Fn(usize) -> Result<Plan, E> + Sync,
    wanted: &Wanted,
    watch: Watch<'_>,
) -> Result<Option<Vec<Delivered>>, E> {
    let mut found: Vec<Option<Result<Delivered, E>>> = vec![None; worlds.len()];
    each(worlds, plan, wanted, watch, |index, delivered| {
        let failed = delivered.is_err();
        found[index] = Some(delivered);
        if failed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    // Worlds begin in their order: before one that was not run, all were.
    let complete = found.iter().all(Option::is_some);
    let delivered = found.into_iter().flatten().collect::<Result<Vec<_>, E>>()?;
    Ok(complete.then_some(delivered))
}

/// Runs the worlds in their order on every core, and gives what each delivers, or why it has no plan, to `take`, one at a
/// time, as they come.
///
/// `take` says whether to begin another run; those that have begun end and come too. It must start nothing on other threads.
///
/// # Complexity
/// One plan and one history a thread in memory.
pub fn each<E: Clone + Send + Sync>(
    worlds: &[World],
    plan: impl Fn(usize) -> Result<Plan, E> + Sync,
    wanted: &Wanted,
    watch: Watch<'_>,
    take: impl FnMut(usize, Result<Delivered, E>) -> ControlFlow<()> + Send,
) {
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (plans, tally, take) = (Plans::default(), Tally::default(), Mutex::new(take));
    let enough = || over.load(Ordering::Relaxed) || watch.enough.is_some_and(|enough| enough());
    rayon::broadcast(|_| {
        while !enough() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(world) = worlds.get(index) else { return };
            let delivered = match plans.take(worlds, index, &plan) {
                Ok(plan) => {
                    let Some(delivered) = one(index, world, plan, wanted, &tally, watch) else { return };
                    Ok(delivered)
                }
                Err(error) => Err(error),
            };
            let mut take = take.lock().unwrap_or_else(PoisonError::into_inner);
            if take(index, delivered).is_break() {
                over.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// One run; none if it was interrupted.
fn one(
    index: usize,
    world: &World,
    plan: Plan,
    wanted: &Wanted,
    tally: &Tally,
    watch: Watch<'_>,
) -> Option<Delivered> {
    let (seed, jobs) = (plan.settings.seed, u64::from(plan.workload.len()));
    let settings = world.settings.as_ref().map(|settings| Settings { seed, ..settings.clone() });
    let plan = Plan { settings: settings.unwrap_or(plan.settings), ..plan };
    let mut told = 0;
    let mut progress = |progress: Progress| {
        let settled = u64::from(progress.settled);
        tally.add(0, settled - std::mem::replace(&mut told, settled), watch);
    };
    let mut trace = |line: &str| {
        if let Some(trace) = watch.trace {
            trace(index, line);
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
    Some(Delivered {
        values: wanted.measures.iter().map(|measure| measure.of(&measured)).collect(),
        jobs: measured.metrics.jobs.into(),
        stuck: history.is_stuck(),
        digest: wanted.digest.then(|| history.digest()),
        groups: wanted.by.iter().map(|by| (*by, waits_by(*by, &history, &measured))).collect(),
        days: if wanted.days { rank(&history, &measured) } else { Vec::new() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::units::{Gpus, Seconds, Time};
    use crate::workload::{Behaviour, Builder, Job, Request};

    /// Some jobs on `1 + index` nodes.
    fn plan(index: usize) -> Plan {
        let mut builder = Builder::default();
        let behaviour = builder.behaviour(Behaviour::default());
        for number in 0..60_u32 {
            let request = builder.request(Request::gang(Gpus::whole([1, 2, 8, 4][number as usize % 4])));
            let job = Job {
                request,
                behaviour,
                work_time: Seconds(60 + number * 7919 % 1400),
                ..Job::at(Time(number * 60))
            };
            builder.push(job);
        }
        let nodes = 1 + u32::try_from(index).unwrap();
        let settings = Settings { seed: 3, ..Settings::named("fifo", "none", "first-fit") };
        let cluster = Cluster::uniform(nodes, NodeKind { gpus: 8, ..NodeKind::default() });
        Plan { cluster, workload: builder.finish(), settings }
    }

    /// Three policies on each of four plans.
    fn worlds() -> Vec<World> {
        let settings = ["none", "easy", "skip"].map(|backfill| Settings::named("fifo", backfill, "best-fit"));
        let world = |number: usize| World { plan: number / 3, settings: Some(settings[number % 3].clone()) };
        (0..12).map(world).collect()
    }

    fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    #[test]
    fn what_comes_out_does_not_depend_on_the_number_of_threads() {
        let wanted = Wanted { digest: true, ..Wanted::all() };
        let found = |threads| {
            let build = |index| -> Result<Plan, ()> { Ok(plan(index)) };
            let runs = with_threads(threads, || run(&worlds(), build, &wanted, Watch::default()));
            runs.unwrap().unwrap().into_iter().map(|run| format!("{run:?}")).collect::<Vec<_>>()
        };
        let alone = found(1);
        assert_eq!(alone.len(), 12, "every world");
        for threads in [2, 5] {
            assert_eq!(found(threads), alone, "{threads} threads");
        }
        // And it is what each world gives on its own.
        let settings = Settings { seed: 3, ..worlds()[4].settings.clone().unwrap() };
        let history = simulate(Plan { settings, ..plan(1) }, &mut Control::default());
        let fifth = run(&worlds()[4..5], |_| -> Result<Plan, ()> { Ok(plan(1)) }, &wanted, Watch::default());
        assert_eq!(fifth.unwrap().unwrap()[0].digest, Some(history.digest()), "with the seed of its plan");
    }

    #[test]
    fn worlds_of_one_plan_share_it() {
        let (built, alive) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let build = |index: usize| -> Result<Plan, ()> {
            built.fetch_add(1, Ordering::Relaxed);
            alive.lock().unwrap().push(index);
            Ok(plan(index))
        };
        with_threads(1, || run(&worlds(), build, &Wanted::all(), Watch::default())).unwrap().unwrap();
        assert_eq!(built.load(Ordering::Relaxed), 4, "each once");
        assert_eq!(*alive.lock().unwrap(), [0, 1, 2, 3], "when it is needed");
    }

    #[test]
    fn the_first_world_without_a_plan_is_the_one_that_is_told() {
        let build = |index: usize| if index < 2 { Ok(plan(index)) } else { Err(index) };
        for threads in [1, 4] {
            let found = with_threads(threads, || run(&worlds(), build, &Wanted::all(), Watch::default()));
            assert_eq!(found, Err(2), "{threads} threads");
        }
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        let build = |index: usize| -> Result<Plan, ()> { Ok(plan(index)) };
        let stop = AtomicBool::new(true);
        let watch = Watch { interrupted: Some(&stop), ..Watch::default() };
        let mut long = plan(0);
        long.workload.jobs = long.workload.jobs.repeat(400);
        let endless = |_| -> Result<Plan, ()> { Ok(long.clone()) };
        assert_eq!(run(&worlds(), endless, &Wanted::all(), watch), Ok(None), "interrupted");
        let mut taken = Vec::new();
        let take = |index: usize, _: Result<Delivered, ()>| {
            taken.push(index);
            if index == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        with_threads(1, || each(&worlds(), build, &Wanted::all(), Watch::default(), take));
        assert_eq!(taken, [0, 1, 2, 3, 4], "in their order, and no further");
        let begun = AtomicUsize::new(0);
        let enough = || begun.fetch_add(1, Ordering::Relaxed) >= 3;
        let watch = Watch { enough: Some(&enough), ..Watch::default() };
        let found = with_threads(1, || run(&worlds(), build, &Wanted::all(), watch));
        assert_eq!(found, Ok(None), "three of twelve");
    }
}
