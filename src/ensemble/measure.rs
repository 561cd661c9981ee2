//! The table of measures: every number of a run that can be named.

use super::unit::{Better, Unit};
use crate::error::{Problem, nearest_hint};
use crate::history::Outcome;
use crate::metrics::{Measured, Metrics, PowerMetrics};

/// Where a comparison shows a measure to people; files have all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Always.
    Always,
    /// Unless it is 0, or nothing is known of it, under every policy.
    IfTold,
    /// In no table.
    Never,
}

/// A number that every job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    Wait,
    Slowdown,
    Turnaround,
}

impl Quantity {
    pub(crate) const COUNT: usize = 3;

    /// How many jobs of a run have it.
    const fn count(self, metrics: &Metrics) -> u64 {
        match self {
            Self::Wait => metrics.wait_time.count,
            Self::Slowdown => metrics.bounded_slowdown.count,
            Self::Turnaround => metrics.turnaround_time.count,
        }
    }
}

/// How one number is made of those of all jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Mean,
    /// Nearest rank, in hundredths.
    Percentile(u8),
}

/// A number of a run: what a comparison has a line of, a sweep a column, and what a target is about.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// As JSON and CSV call it, its unit at the end.
    pub key: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Which of two values is the better one.
    pub better: Better,
    /// What it is.
    pub about: &'static str,
    of_run: fn(&Metrics) -> f64,
    /// What of each job it is made of, and how; none for what only a whole run has.
    pub(crate) of_jobs: Option<(Quantity, Reading)>,
    /// Where a comparison shows it.
    pub shown: Shown,
}

impl Measure {
    /// Its value of a run; NaN where nothing is known of it.
    #[must_use]
    pub fn of(&self, measured: &Measured) -> f64 {
        let metrics = &measured.metrics;
        match self.of_jobs {
            Some((quantity, _)) if quantity.count(metrics) == 0 => f64::NAN,
            _ => (self.of_run)(metrics),
        }
    }
    /// As the command line calls it: the key without its unit.
    ///
    /// ```
    /// use gigawatt::ensemble::measure;
    /// assert_eq!(measure("wait_p95").unwrap().key, "wait_p95_s");
    /// assert_eq!(measure("wait_p95_s").unwrap().word(), "wait_p95", "by its key as well");
    /// assert!(measure("wait_p59").is_err());
    /// ```
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.key.strip_suffix(self.unit.suffix()).unwrap_or(self.key)
    }
    /// Its place in [`MEASURES`].
    #[must_use]
    pub fn index(&self) -> usize {
        MEASURES.iter().position(|other| other.key == self.key).unwrap_or_default()
    }
}

/// The measure of that word or key.
///
/// # Errors
/// There is none, with the nearest one as a hint.
pub fn measure(name: &str) -> Result<&'static Measure, Box<Problem>> {
    let found = MEASURES.iter().find(|measure| measure.word() == name || measure.key == name);
    found.ok_or_else(|| {
        let hint = nearest_hint(name, MEASURES.iter().map(Measure::word));
        let hint = format!("{hint}; `gigawatt list measures` says what each is");
        Box::new(Problem::new(format!("unknown measure `{name}`")).hint(hint))
    })
}

type OfRun = fn(&Metrics) -> f64;
type Names = (&'static str, &'static str);

/// What only a whole run has, always shown.
const fn whole(names: Names, unit: Unit, better: Better, of_run: OfRun, about: &'static str) -> Measure {
    let (key, name) = names;
    Measure { key, name, unit, better, about, of_run, of_jobs: None, shown: Shown::Always }
}
/// What is only known of some runs: where power is counted, or tenants contend.
const fn told(names: Names, unit: Unit, better: Better, of_run: OfRun, about: &'static str) -> Measure {
    Measure { shown: Shown::IfTold, ..whole(names, unit, better, of_run, about) }
}
/// What no table has room for.
const fn kept(names: Names, unit: Unit, better: Better, of_run: OfRun, about: &'static str) -> Measure {
    Measure { shown: Shown::Never, ..whole(names, unit, better, of_run, about) }
}
/// Made of a number of every job; less of it is better.
const fn jobs(names: Names, (own, how): (Quantity, Reading), of_run: OfRun, about: &'static str) -> Measure {
    let unit = if matches!(own, Slowdown) { Unit::Ratio } else { Unit::Seconds };
    Measure { of_jobs: Some((own, how)), ..whole(names, unit, Lower, of_run, about) }
}
/// The same, where no table has room for it.
const fn kept_jobs(names: Names, how: (Quantity, Reading), of_run: OfRun, about: &'static str) -> Measure {
    Measure { shown: Shown::Never, ..jobs(names, how, of_run, about) }
}

use Better::{Higher, Lower};
use Quantity::{Slowdown, Turnaround, Wait};
use Reading::{Mean, Percentile};

const WAIT: &str =
    "seconds in which a job is eligible and not running; unfinished jobs with their wait so far";
const SLOWDOWN: &str = "(wait + run) / max(run, 10 s), at least 1, of jobs that ran to an end";
const TURNAROUND: &str = "finish - submit of jobs that ran to an end";

/// Every measure, in the order shown.
///
/// ```
/// use gigawatt::ensemble::MEASURES;
/// assert_eq!(MEASURES[0].key, "wait_mean_s");
/// assert!(MEASURES.iter().all(|measure| !measure.about.is_empty()));
/// ```
pub const MEASURES: &[Measure] = &[
    jobs(("wait_mean_s", "wait, mean"), (Wait, Mean), |m| m.wait_time.mean, WAIT),
    jobs(("wait_p50_s", "wait, p50"), (Wait, Percentile(50)), |m| m.wait_time.p50.into(), WAIT),
    kept_jobs(("wait_p90_s", "wait, p90"), (Wait, Percentile(90)), |m| m.wait_time.p90.into(), WAIT),
    jobs(("wait_p95_s", "wait, p95"), (Wait, Percentile(95)), |m| m.wait_time.p95.into(), WAIT),
    jobs(("wait_p99_s", "wait, p99"), (Wait, Percentile(99)), |m| m.wait_time.p99.into(), WAIT),
    jobs(("wait_max_s", "wait, max"), (Wait, Percentile(100)), |m| m.wait_time.max.into(), WAIT),
    jobs(("slowdown_mean", "slowdown, mean"), (Slowdown, Mean), |m| m.bounded_slowdown.mean, SLOWDOWN),
    jobs(("slowdown_p50", "slowdown, p50"), (Slowdown, Percentile(50)), |m| m.bounded_slowdown.p50, SLOWDOWN),
    kept_jobs(
        ("slowdown_p90", "slowdown, p90"),
        (Slowdown, Percentile(90)),
        |m| m.bounded_slowdown.p90,
        SLOWDOWN,
    ),
    jobs(("slowdown_p95", "slowdown, p95"), (Slowdown, Percentile(95)), |m| m.bounded_slowdown.p95, SLOWDOWN),
    jobs(("slowdown_p99", "slowdown, p99"), (Slowdown, Percentile(99)), |m| m.bounded_slowdown.p99, SLOWDOWN),
    jobs(
        ("slowdown_max", "slowdown, max"),
        (Slowdown, Percentile(100)),
        |m| m.bounded_slowdown.max,
        SLOWDOWN,
    ),
    jobs(
        ("turnaround_mean_s", "turnaround, mean"),
        (Turnaround, Mean),
        |m| m.turnaround_time.mean,
        TURNAROUND,
    ),
    jobs(
        ("turnaround_p50_s", "turnaround, p50"),
        (Turnaround, Percentile(50)),
        |m| m.turnaround_time.p50.into(),
        TURNAROUND,
    ),
    kept_jobs(
        ("turnaround_p90_s", "turnaround, p90"),
        (Turnaround, Percentile(90)),
        |m| m.turnaround_time.p90.into(),
        TURNAROUND,
    ),
    jobs(
        ("turnaround_p95_s", "turnaround, p95"),
        (Turnaround, Percentile(95)),
        |m| m.turnaround_time.p95.into(),
        TURNAROUND,
    ),
    jobs(
        ("turnaround_p99_s", "turnaround, p99"),
        (Turnaround, Percentile(99)),
        |m| m.turnaround_time.p99.into(),
        TURNAROUND,
    ),
    jobs(
        ("turnaround_max_s", "turnaround, max"),
        (Turnaround, Percentile(100)),
        |m| m.turnaround_time.max.into(),
        TURNAROUND,
    ),
    whole(
        ("makespan_s", "makespan"),
        Unit::Seconds,
        Lower,
        |m| if m.turnaround_time.count == 0 { f64::NAN } else { m.makespan.0.into() },
        "last finish - first submit",
    ),
    whole(
        ("utilization", "utilization"),
        Unit::Share,
        Higher,
        |m| of_gpus(m, m.utilization),
        "GPU-seconds held / GPU-seconds there were",
    ),
    told(
        ("packed", "packed"),
        Unit::Share,
        Higher,
        |m| m.packed.unwrap_or(f64::NAN),
        "the most GPUs held at once / GPUs there were, where jobs are offered once",
    ),
    whole(
        ("goodput", "goodput"),
        Unit::Share,
        Higher,
        |m| of_gpus(m, m.goodput.share),
        "GPU-seconds of work that counts / GPU-seconds there were",
    ),
    kept(
        ("capacity_loss", "capacity loss"),
        Unit::Share,
        Lower,
        |m| of_gpus(m, m.capacity_loss),
        "GPU-seconds idle though wanted / GPU-seconds there were",
    ),
    kept(
        ("fragmentation", "fragmentation"),
        Unit::Share,
        Lower,
        |m| m.fragmentation,
        "of free GPU-seconds, those on partly used nodes",
    ),
    kept(
        ("block_fragmentation", "block fragmentation"),
        Unit::Ratio,
        Lower,
        |m| m.block_fragmentation.unwrap_or(f64::NAN),
        "nodes in use, and of the blocks of every size that they break up, racks being blocks (Slurm)",
    ),
    told(
        ("jain_index", "Jain index"),
        Unit::Ratio,
        Higher,
        |m| m.jain_index.unwrap_or(f64::NAN),
        "how even tenants get their share while they contend: 1 is even, 1/n one of n takes all",
    ),
    whole(
        ("unfinished_jobs", "unfinished jobs"),
        Unit::Jobs,
        Lower,
        |m| m.outcome(Outcome::Unfinished).into(),
        "jobs left when the run ended",
    ),
    told(
        ("deadlines_met", "deadlines met"),
        Unit::Share,
        Higher,
        |m| m.deadlines.and_then(|own| own.share()).unwrap_or(f64::NAN),
        "jobs completed by their deadline / jobs of which that is known",
    ),
    told(
        ("deadlines_missed_jobs", "deadlines missed"),
        Unit::Jobs,
        Lower,
        |m| m.deadlines.map_or(f64::NAN, |own| own.missed.into()),
        "jobs that were not done by their deadline",
    ),
    kept(
        ("tardiness_mean_s", "tardiness, mean"),
        Unit::Seconds,
        Lower,
        |m| m.deadlines.filter(|own| own.tardiness.count > 0).map_or(f64::NAN, |own| own.tardiness.mean),
        "by how much jobs completed after their deadline; 0 where before it",
    ),
    told(
        ("stops", "stops"),
        Unit::Ratio,
        Lower,
        |m| (u64::from(m.preemptions) + u64::from(m.node_failures)).as_f64(),
        "times that a policy or a broken node stopped a job",
    ),
    told(
        ("lost_gpu_hours", "lost GPU-hours"),
        Unit::Ratio,
        Lower,
        |m| m.lost_gpu_hours,
        "GPU-hours of work done that no checkpoint kept",
    ),
    told(
        ("failures", "failures"),
        Unit::Ratio,
        Lower,
        |m| m.failures.as_ref().map_or(f64::NAN, |own| own.failures.into()),
        "parts that failed, where something can fail",
    ),
    told(
        ("interruptions", "interruptions"),
        Unit::Ratio,
        Lower,
        |m| m.failures.as_ref().map_or(f64::NAN, |own| own.interruptions.into()),
        "times that a failure stopped a job",
    ),
    told(
        ("ettr", "effective time (ETTR)"),
        Unit::Share,
        Higher,
        |m| m.failures.as_ref().and_then(|own| own.ettr).unwrap_or(f64::NAN),
        "seconds of work that was kept / seconds from first start to end, of all jobs, by GPUs asked for",
    ),
    told(
        ("availability", "availability"),
        Unit::Share,
        Higher,
        |m| m.failures.as_ref().map_or(f64::NAN, |own| own.availability),
        "node-seconds up or draining / those of nodes not absent as planned, where something can fail",
    ),
    told(
        ("energy_j", "energy"),
        Unit::Joules,
        Lower,
        |m| power(m, |power| power.all.energy_j.as_f64()),
        "what the sites drew, cooling and losses included",
    ),
    told(
        ("peak_w", "peak site draw"),
        Unit::Watts,
        Lower,
        |m| power(m, |power| u128::from(power.all.peak_w).as_f64()),
        "the most that the sites drew at once",
    ),
    told(
        ("it_peak_w", "peak IT draw"),
        Unit::Watts,
        Lower,
        |m| power(m, |power| u128::from(power.it_peak_w).as_f64()),
        "the most that all racks drew at once, without losses of conversion and cooling",
    ),
    told(
        ("over_cap_ws", "over caps"),
        Unit::Joules,
        Lower,
        |m| power(m, |power| power.all_over_cap_ws.as_f64()),
        "watt-seconds above caps",
    ),
    told(
        ("work_gpu_hours_mwh", "work/MWh"),
        Unit::Ratio,
        Higher,
        |m| power(m, |power| power.work_gpu_hours_per_mwh),
        "GPU-hours of work on reference GPUs done / MWh",
    ),
    told(
        ("energy_cost_usd", "cost of energy"),
        Unit::Dollars,
        Lower,
        |m| m.cost.as_ref().map_or(f64::NAN, |cost| cost.energy.0.as_f64() / 1e6),
        "what the energy costs",
    ),
    told(
        ("demand_cost_usd", "cost of peaks"),
        Unit::Dollars,
        Lower,
        |m| m.cost.as_ref().map_or(f64::NAN, |cost| cost.demand.0.as_f64() / 1e6),
        "what the charges on peaks come to",
    ),
    told(
        ("cost_usd", "cost"),
        Unit::Dollars,
        Lower,
        |m| m.cost.as_ref().map_or(f64::NAN, |cost| cost.total.0.as_f64() / 1e6),
        "what the grid bills in all",
    ),
    told(
        ("carbon_g", "carbon"),
        Unit::Grams,
        Lower,
        |m| m.cost.as_ref().map_or(f64::NAN, |cost| cost.carbon_g.as_f64()),
        "what the energy emits, CO2",
    ),
];

/// A share of the GPU-seconds there were; of none nothing is known.
fn of_gpus(metrics: &Metrics, share: f64) -> f64 {
    if metrics.available_gpu_hours > 0.0 { share } else { f64::NAN }
}

fn power(metrics: &Metrics, value: fn(&PowerMetrics) -> f64) -> f64 {
    metrics.power.as_ref().map_or(f64::NAN, value)
}

/// An integer as the nearest real number.
trait AsReal: Copy {
    fn as_f64(self) -> f64;
}

macro_rules! as_real {
    ($($integer:ty),*) => {$(
        impl AsReal for $integer {
            #[expect(clippy::cast_precision_loss, reason = "a number to be compared")]
            fn as_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

as_real!(i64, u64, u128);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Cluster, NodeKind};
    use crate::history::{Plan, Settings, sample};
    use crate::metrics::{Distribution, measure as measured_of};
    use crate::simulation::{Control, simulate};
    use crate::workload::Builder;

    #[test]
    fn keys_and_words_are_unique() {
        let sorted = |mut names: Vec<&'static str>| {
            names.sort_unstable();
            names.dedup();
            names.len()
        };
        assert_eq!(sorted(MEASURES.iter().map(|measure| measure.key).collect()), MEASURES.len(), "keys");
        assert_eq!(sorted(MEASURES.iter().map(Measure::word).collect()), MEASURES.len(), "words");
    }

    #[test]
    fn a_measure_is_found_by_word_and_by_key() {
        for (place, known) in MEASURES.iter().enumerate() {
            assert_eq!(measure(known.word()).unwrap().key, known.key, "by word");
            assert_eq!(measure(known.key).unwrap().index(), place, "by key");
        }
        assert_eq!(measure("unfinished").unwrap().key, "unfinished_jobs", "a number of jobs");
        let problem = measure("wait_p59").unwrap_err();
        assert_eq!(problem.message(), "unknown measure `wait_p59`", "and the nearest is the hint");
    }

    fn known(measured: &Measured) -> Vec<&'static str> {
        let known = MEASURES.iter().filter(|measure| !measure.of(measured).is_nan());
        known.map(|measure| measure.key).collect()
    }

    #[test]
    fn of_waits_of_no_jobs_nothing_is_known() {
        let mut measured = measured_of(&sample::random(7));
        let before = known(&measured);
        measured.metrics.wait_time = Distribution::default();
        let after = known(&measured);
        let lost: Vec<&str> = before.into_iter().filter(|key| !after.contains(key)).collect();
        let waits = MEASURES.iter().map(|measure| measure.key).filter(|key| key.starts_with("wait_"));
        assert_eq!(lost, waits.collect::<Vec<_>>());
    }

    #[test]
    fn of_a_run_without_jobs_there_are_counts_alone() {
        let plan = Plan {
            cluster: Cluster::uniform(1, NodeKind { gpus: 8, ..NodeKind::default() }),
            workload: Builder::default().finish(),
            settings: Settings::named("fifo", "easy", "best-fit"),
        };
        let measured = measured_of(&simulate(plan, &mut Control::default()));
        for key in known(&measured) {
            let is_count = ["unfinished_jobs", "stops", "lost_gpu_hours"].contains(&key);
            assert!(
                is_count
                    || ["fragmentation", "energy_j", "peak_w", "it_peak_w", "over_cap_ws"].contains(&key),
                "{key}"
            );
        }
    }
}
