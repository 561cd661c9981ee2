use super::compare::Contender;
use super::statistics::{FEWEST, Interval, Resampling, block_length, change, mean_of};
use crate::ensemble::ranked::Ranked;
use crate::ensemble::{Delivered, MEASURES, Quantity, Reading};
use serde::Serialize;

/// What the intervals of a comparison were resampled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "method")]
pub enum Basis {
    /// Paired bootstrap over seeds (BCa): every policy met the same workloads.
    Seeds {
        /// How many.
        seeds: usize,
    },
    /// Nothing is random: moving blocks of days of one run (percentiles), for what is a number a job.
    Days {
        /// Days with or without submits, first to last.
        days: usize,
        /// Days of a block.
        block: usize,
    },
    /// No intervals: fewer than ten seeds.
    FewSeeds {
        /// How many.
        seeds: usize,
    },
    /// No intervals: nothing is random, and the jobs span fewer than ten days.
    FewDays {
        /// How many.
        days: usize,
    },
}

/// One measure of one policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Mean over the seeds.
    pub value: f64,
    /// value / reference's value − 1; none for the reference itself, where the reference has 0, and where there is a
    /// `difference` in its place.
    pub change: Option<f64>,
    /// value − reference's value, of what has a sign ([`Unit::is_signed`](crate::ensemble::Unit::is_signed)) where a run of the
    /// reference is not positive: relative to that, less would look like more.
    pub difference: Option<f64>,
    /// Where the change, or the difference, lies with 95 %.
    pub interval: Option<Interval>,
    /// One a seed.
    pub runs: Vec<f64>,
}

/// One policy of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// As the user calls it.
    pub name: String,
    /// Its parts, as [`Settings::policy`](crate::history::Settings::policy) has them.
    pub parts: String,
    /// In the order of [`MEASURES`].
    pub entries: Vec<Entry>,
}

/// Several policies beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// In the order given.
    pub policies: Vec<Column>,
    /// Which of them the others are compared with.
    pub reference: usize,
    /// The seeds that all met.
    pub seeds: Vec<u64>,
    /// How many jobs count, seed by seed.
    pub jobs: Vec<u64>,
    /// Where intervals come from.
    pub basis: Basis,
}

impl Comparison {
    /// Compares `runs[policy][seed]` with those of policy `reference`.
    pub(super) fn new(
        contenders: &[Contender],
        seeds: Vec<u64>,
        reference: usize,
        runs: &[Vec<Delivered>],
    ) -> Self {
        let jobs = runs[reference].iter().map(|run| run.jobs).collect();
        let days = runs[reference][0].days.first().map(Ranked::days);
        let basis = match days {
            Some(days) if days >= FEWEST => Basis::Days { days, block: block_length(days) },
            Some(days) => Basis::FewDays { days },
            None if seeds.len() >= FEWEST => Basis::Seeds { seeds: seeds.len() },
            None => Basis::FewSeeds { seeds: seeds.len() },
        };
        let intervals = match basis {
            Basis::Seeds { .. } => seed_intervals(runs, reference, seeds[0]),
            Basis::Days { days, .. } => day_intervals(runs, reference, seeds[0], days),
            _ => vec![vec![None; MEASURES.len()]; runs.len()],
        };
        let entry = |policy: usize, measure: usize| {
            let (value, against) = (mean(&runs[policy], measure), mean(&runs[reference], measure));
            let apart = Some(against_reference(&runs[reference], measure)(value, against))
                .filter(|apart| policy != reference && apart.is_finite());
            let (difference, change) = match is_plain(&runs[reference], measure) {
                true => (apart, None),
                false => (None, apart),
            };
            Entry {
                value,
                change,
                difference,
                interval: intervals[policy][measure].filter(|_| policy != reference),
                runs: runs[policy].iter().map(|run| run.values[measure]).collect(),
            }
        };
        let column = |(policy, contender): (usize, &Contender)| Column {
            name: contender.name.clone(),
            parts: contender.parts(),
            entries: (0..MEASURES.len()).map(|measure| entry(policy, measure)).collect(),
        };
        let policies = contenders.iter().enumerate().map(column).collect();
        Self { policies, reference, seeds, jobs, basis }
    }
}

fn mean(runs: &[Delivered], measure: usize) -> f64 {
    let all: Vec<usize> = (0..runs.len()).collect();
    let values: Vec<f64> = runs.iter().map(|run| run.values[measure]).collect();
    mean_of(&values, &all)
}

/// Whether a measure is compared by plain differences: it has a sign, and a run of the reference is not positive.
fn is_plain(reference: &[Delivered], measure: usize) -> bool {
    MEASURES[measure].unit.is_signed() && reference.iter().any(|run| run.values[measure] <= 0.0)
}

/// How a measure is compared with the reference's: by the relative change, or the plain difference.
fn against_reference(reference: &[Delivered], measure: usize) -> fn(f64, f64) -> f64 {
    if is_plain(reference, measure) { |value, reference| value - reference } else { change }
}

type Intervals = Vec<Vec<Option<Interval>>>;

fn seed_intervals(runs: &[Vec<Delivered>], reference: usize, seed: u64) -> Intervals {
    let values = |policy: usize, measure: usize| -> Vec<f64> {
        runs[policy].iter().map(|run| run.values[measure]).collect()
    };
    let interval = |policy, measure| {
        let (own, other) = (values(policy, measure), values(reference, measure));
        let apart = against_reference(&runs[reference], measure);
        Resampling::new(seed).bca(own.len(), |picked| apart(mean_of(&own, picked), mean_of(&other, picked)))
    };
    let row = |policy| (0..MEASURES.len()).map(|measure| interval(policy, measure)).collect();
    (0..runs.len()).map(row).collect()
}

/// Resamples for days: each walks over all jobs.
const DAY_RESAMPLES: u32 = 1000;

fn day_intervals(runs: &[Vec<Delivered>], reference: usize, seed: u64, days: usize) -> Intervals {
    let statistics = |times: &[u32]| -> Vec<f64> {
        let values: Vec<Vec<f64>> = runs.iter().map(|runs| readings(&runs[0].days, times)).collect();
        let changes = |own: &Vec<f64>| -> Vec<f64> {
            own.iter().zip(&values[reference]).map(|(own, other)| change(*own, *other)).collect()
        };
        values.iter().flat_map(changes).collect()
    };
    let resampling = Resampling::new(seed).resamples(DAY_RESAMPLES);
    let found = resampling.moving_blocks(days, statistics);
    found.chunks(MEASURES.len()).map(<[_]>::to_vec).collect()
}

/// The measures over jobs counted as often as `times` says of their day; NaN for measures of the whole run.
pub(super) fn readings(days: &[Ranked], times: &[u32]) -> Vec<f64> {
    let mut values = vec![f64::NAN; MEASURES.len()];
    for (quantity, ranked) in days.iter().enumerate() {
        let wanted: Vec<(usize, Reading)> = MEASURES
            .iter()
            .enumerate()
            .filter_map(|(index, measure)| measure.of_jobs.map(|(own, reading)| (own, index, reading)))
            .filter(|(own, ..)| *own as usize == quantity)
            .map(|(_, index, reading)| (index, reading))
            .collect();
        let which: Vec<Reading> = wanted.iter().map(|(_, reading)| *reading).collect();
        for ((index, _), value) in wanted.iter().zip(ranked.read(&which, times)) {
            values[*index] = value;
        }
    }
    debug_assert!(days.len() <= Quantity::COUNT, "one list a quantity");
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Settings;

    /// Runs whose every measure is `value(seed)`.
    fn runs(seeds: usize, value: impl Fn(usize) -> f64) -> Vec<Delivered> {
        let run =
            |seed| Delivered { values: vec![value(seed); MEASURES.len()], jobs: 1, ..Delivered::default() };
        (0..seeds).map(run).collect()
    }

    fn compared(seeds: usize, runs: &[Vec<Delivered>]) -> Comparison {
        let contender =
            |index| Contender { name: format!("policy {index}"), settings: Settings::default(), scenario: 0 };
        let contenders: Vec<Contender> = (0..runs.len()).map(contender).collect();
        Comparison::new(&contenders, (0..seeds as u64).collect(), 0, runs)
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn real(number: usize) -> f64 {
        number as f64
    }

    #[test]
    fn a_change_is_relative_to_the_reference() {
        let found = compared(2, &[runs(2, |seed| 10.0 + real(seed)), runs(2, |_| 5.25)]);
        let entry = &found.policies[1].entries[0];
        assert_eq!((entry.value, entry.change), (5.25, Some(-0.5)), "half of 10.5");
        assert_eq!(found.policies[0].entries[0].change, None, "the reference is not compared with itself");
        assert_eq!(found.basis, Basis::FewSeeds { seeds: 2 }, "two seeds");
        assert_eq!(entry.interval, None, "give no interval");
    }

    #[test]
    fn pairing_takes_out_what_the_seeds_have_in_common() {
        // Seeds differ by a factor of 20, the policies by 10 % within each.
        let load = |seed: usize| 1.0 + 2.0 * real(seed);
        let found = compared(10, &[runs(10, load), runs(10, |seed| 0.9 * load(seed))]);
        let interval = found.policies[1].entries[0].interval.unwrap();
        assert!((interval.low + 0.1).abs() < 1e-12 && (interval.high + 0.1).abs() < 1e-12, "{interval:?}");
        // A planted difference: unpaired seeds must not give such an interval.
        let shuffled = compared(10, &[runs(10, load), runs(10, |seed| 0.9 * load((seed * 7 + 3) % 10))]);
        let interval = shuffled.policies[1].entries[0].interval.unwrap();
        assert!(interval.high - interval.low > 0.5, "{interval:?}");
    }

    #[test]
    fn a_reference_without_waiting_gives_no_change() {
        let found = compared(10, &[runs(10, |_| 0.0), runs(10, |_| 3.0)]);
        let entry = &found.policies[1].entries[0];
        assert_eq!((entry.change, entry.interval), (None, None), "nothing is relative to zero");
    }

    #[test]
    fn what_has_a_sign_is_told_by_its_difference_where_the_reference_is_not_positive() {
        let of = |key: &str| MEASURES.iter().position(|measure| measure.key == key).unwrap();
        let (cost, wait) = (of("cost_usd"), of("wait_mean_s"));
        // A bill that falls from −$0.01 to −$0.06 would be a rise to six times as much.
        let found = compared(10, &[runs(10, |_| -0.01), runs(10, |_| -0.06)]);
        let entry = &found.policies[1].entries[cost];
        assert_eq!(entry.change, None, "nothing is relative to a credit");
        assert!((entry.difference.unwrap() + 0.05).abs() < 1e-12, "five cents less: {entry:?}");
        let ends = entry.interval.unwrap();
        assert!(
            (ends.low + 0.05).abs() < 1e-12 && (ends.high + 0.05).abs() < 1e-12,
            "in every sample: {ends:?}"
        );
        // From nothing to $3.
        let found = compared(1, &[runs(1, |_| 0.0), runs(1, |_| 3.0)]);
        assert_eq!(found.policies[1].entries[cost].difference, Some(3.0), "of money");
        assert_eq!(found.policies[1].entries[wait].difference, None, "of waiting nothing is said");
        // One seed of a credit is enough: a sample of it alone has no positive reference. The mean of the reference
        // is (9 · 1 − 1) ÷ 10 dollars.
        let found = compared(10, &[runs(10, |seed| if seed == 3 { -1.0 } else { 1.0 }), runs(10, |_| 0.5)]);
        let entry = &found.policies[1].entries[cost];
        assert!((entry.difference.unwrap() + 0.3).abs() < 1e-12, "{entry:?}");
        // A control: where the reference is positive the change is relative, to a credit too.
        let found = compared(10, &[runs(10, |_| 2.0), runs(10, |_| -1.0)]);
        let entry = &found.policies[1].entries[cost];
        assert_eq!((entry.change, entry.difference), (Some(-1.5), None), "150 % less");
    }

    #[test]
    fn days_are_resampled_for_numbers_a_job_and_for_nothing_else() {
        let of = |factor: f64| -> Vec<Delivered> {
            let values = (0..600_u32).map(|job| (factor * f64::from(1 + job * 17 % 101), job / 20)).collect();
            let ranked = Ranked::new(values);
            let values = vec![factor; MEASURES.len()];
            vec![Delivered { values, days: vec![ranked; Quantity::COUNT], ..Delivered::default() }]
        };
        let found = compared(1, &[of(2.0), of(1.0)]);
        assert_eq!(found.basis, Basis::Days { days: 30, block: 3 }, "thirty days");
        for (measure, entry) in MEASURES.iter().zip(&found.policies[1].entries) {
            assert_eq!(entry.change, Some(-0.5), "{}", measure.key);
            let expected = measure.of_jobs.map(|_| Interval { low: -0.5, high: -0.5 });
            assert_eq!(entry.interval, expected, "{}: half on every day", measure.key);
        }
    }
}
