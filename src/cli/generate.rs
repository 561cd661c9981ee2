use super::arguments::Generate;
use super::terminal::Terminal;
use super::{Exit, import};
use crate::cluster::Cluster;
use crate::error::{Error, Place, Problem, Result};
use crate::metrics::profile::Profile;
use crate::report::number::{counted, grouped, significant};
use crate::scenario::{Overrides, Scenario, read_trace_naming};
use crate::trace::{NativeForm, PlatformNames};
use crate::units::Seconds;
use crate::workload::generate::Like;
use crate::workload::{Behaviour, Workload};

/// Rounds in which the rate is adjusted until the load is right.
const ROUNDS: usize = 20;
/// How far from the load asked for is near enough.
const NEAR: f64 = 0.005;
/// How far from it is worth a word.
const FAR: f64 = 0.02;
/// The most jobs that are made where their number is not asked for.
const JOBS_MOST: f64 = 5e7;

/// Makes a trace of the shape of another one.
pub(super) fn run(arguments: &Generate, terminal: Terminal) -> Result<Exit> {
    let form = NativeForm::of(&arguments.out)?;
    let overrides = Overrides {
        workload: Some(arguments.like.display().to_string()),
        format: arguments.format.clone(),
        seed: arguments.seed,
        ..arguments.window.overrides()
    };
    let (target, platforms) = target(arguments, &overrides, terminal)?.unzip();
    let platforms = platforms.unwrap_or_default();
    let source = read_trace_naming(&overrides, &|name| platforms.index_of(name))?;
    if target.is_none() {
        terminal.notes(&source.notes.lines());
    }
    let source = source.workload;
    let like = Like::of(&source)
        .ok_or_else(|| wrong(arguments, "no job of it is submitted: all run at its start"))?;
    terminal.notes(&left_out(&source, &like));
    let seed = arguments.seed.unwrap_or(0);
    let make = |rate: f64| like.generate(rate, arguments.jobs, seed);
    let (made, load) = match &target {
        Some(target) => target.reached(arguments, source.len(), make)?,
        None => (make(1.0), None),
    };
    if let Some(jobs) = arguments.jobs.filter(|jobs| *jobs > made.len()) {
        let found = format!("only {} of {jobs} jobs fit into 136 years at this rate", made.len());
        return Err(wrong(arguments, &found));
    }
    import::put(&arguments.out, &import::written(&made, &platforms, form))?;
    let ends = made.jobs.first().zip(made.jobs.last());
    let span = ends.map_or(Seconds::ZERO, |(first, last)| last.submit_time.since(first.submit_time));
    let (out, file, jobs) =
        (arguments.out.display(), arguments.like.display(), counted(made.len().into(), "job"));
    let mut said = format!("{out}: {jobs} like those of {file}, submitted within {span}");
    if let Some((load, wanted)) =
        load.zip(arguments.load).filter(|(load, wanted)| (load / wanted - 1.0).abs() > FAR)
    {
        let (load, wanted) = (significant(load), significant(wanted));
        terminal.note(&format!(
            "load {load} is the nearest to {wanted} that was found: few jobs make much of it"
        ));
    }
    if let (Some(load), Some(cluster)) = (load, &arguments.cluster) {
        said.push_str(&format!(", offered load {} on {cluster}", significant(load)));
    }
    terminal.print_text(&format!("{said}\n"))?;
    Ok(Exit::Done)
}

fn wrong(arguments: &Generate, found: &str) -> Error {
    Problem::new(found).at(Place::file(arguments.like.display().to_string())).into()
}

/// What of the source is not in what is made, or in a way of its own.
fn left_out(source: &Workload, like: &Like<'_>) -> Vec<String> {
    let edges = source.dependencies.edges().count();
    let told = |count: usize, noun: &str, what: &str| {
        let count = u64::try_from(count).expect("counted in 64 bits");
        (count > 0).then(|| format!("{} {what}", counted(count, noun)))
    };
    [
        told(edges, "dependency", "of the source left out: each batch of jobs stands alone"),
        told(like.left_out(), "job already running", "in the source left out"),
        told(
            like.standing(),
            "job",
            "there at the start of the source: a standing load, at time 0 of what is made",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The load asked for, and what it is a load of.
struct Target {
    load: f64,
    cluster: Cluster,
    /// How jobs of the source behave on the cluster: their speeds.
    behaviours: Vec<Behaviour>,
}

/// What `--load` and `--cluster` ask for, and the platforms known there.
fn target(
    arguments: &Generate,
    overrides: &Overrides,
    terminal: Terminal,
) -> Result<Option<(Target, PlatformNames)>> {
    let Some(load) = arguments.load else { return Ok(None) };
    let here = Overrides {
        cluster: arguments.cluster.clone(),
        // What is too large for the cluster is part of the shape.
        set: vec!["run.oversized=reject".to_owned()],
        ..overrides.clone()
    };
    let loaded = Scenario::from_overrides(&here)?;
    terminal.notes(&loaded.notes);
    let names = loaded.catalogue.platforms().iter().map(|platform| platform.name.clone());
    let platforms = PlatformNames::from_iter(names);
    let plan = loaded.plan;
    Ok(Some((Target { load, cluster: plan.cluster, behaviours: plan.workload.behaviours }, platforms)))
}

impl Target {
    /// What `make` makes at the rate that comes nearest to the load, and the load it comes to.
    fn reached(
        &self,
        arguments: &Generate,
        jobs: u32,
        make: impl Fn(f64) -> Workload,
    ) -> Result<(Workload, Option<f64>)> {
        let mut rate = 1.0;
        // The largest rate known to be too low, and the smallest known to be too high.
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        let mut best: Option<(Workload, f64)> = None;
        for _ in 0..ROUNDS {
            if arguments.jobs.is_none() && f64::from(jobs) * rate > JOBS_MOST {
                let found = format!("a load of {} takes more than {} jobs", self.load, grouped(50_000_000));
                return Err(Problem::new(found).hint("`--jobs` says how many there are to be").into());
            }
            let made = make(rate);
            let Some(load) = self.offered(&made).filter(|load| *load > 0.0) else {
                return Err(wrong(arguments, "no load: it asks for no GPUs, or for all of them at once"));
            };
            if load < self.load {
                low = low.max(rate);
            } else {
                high = high.min(rate);
            }
            let next = rate * self.load / load;
            rate = match (low, high) {
                _ if low < next && next < high || low >= high => next,
                (low, high) if low > 0.0 && high.is_finite() => (low * high).sqrt(),
                _ => next.max(low * 1.01),
            };
            let off = |load: f64| (load / self.load - 1.0).abs();
            if best.as_ref().is_none_or(|(_, other)| off(load) < off(*other)) {
                best = Some((made, load));
            }
            if off(load) < NEAR {
                break;
            }
        }
        Ok(best.map(|(made, load)| (made, Some(load))).expect("there is at least one round"))
    }

    fn offered(&self, made: &Workload) -> Option<f64> {
        let at_home = Workload { behaviours: self.behaviours.clone(), ..made.clone() };
        Profile::of(&at_home, Some(&self.cluster), None, 1).offered_load
    }
}
