use super::compare::{Contender, Match};
use super::statistics::{FEWEST, Interval, Resampling, block_length, change, mean_of};
use crate::ensemble::ranked::Ranked;
use crate::ensemble::{By, Delivered, GROUP_MEASURES, GroupWaits, MEASURES, Quantity, Reading};
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
    /// No intervals: nothing is random, and the scenarios have not the same jobs, so that their days are no pairs.
    OtherDays,
}

/// One measure of one contender.
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

impl Entry {
    /// Whether chance alone may explain how far it is from the reference: the interval holds no difference.
    ///
    /// None where there is no interval, and where no run differs.
    #[must_use]
    pub fn is_noise(&self) -> Option<bool> {
        let ends = self.interval.filter(|ends| ends.low < ends.high)?;
        Some(ends.contains(0.0))
    }
}

/// The waits of a group of jobs under one contender.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What its jobs have in common.
    pub by: By,
    /// As people call it.
    pub name: String,
    /// How many jobs it has, the mean over the seeds.
    pub jobs: f64,
    /// In the order of [`GROUP_MEASURES`], over the seeds in which the group has a job under both.
    pub entries: Vec<Entry>,
}

/// One contender of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// As the user calls it.
    pub name: String,
    /// The parts of its policy, as [`Settings::policy`](crate::history::Settings::policy) has them.
    pub parts: String,
    /// In the order of [`MEASURES`].
    pub entries: Vec<Entry>,
    /// The groups of all contenders, the same for each.
    pub groups: Vec<Group>,
    /// How many jobs count, seed by seed.
    pub jobs: Vec<u64>,
    /// In how many runs jobs are left that nothing left to happen could start.
    pub stuck_runs: usize,
}

/// Several contenders beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// In the order given.
    pub policies: Vec<Column>,
    /// Which of them the others are compared with.
    pub reference: usize,
    /// The seeds that all met.
    pub seeds: Vec<u64>,
    /// Where intervals come from.
    pub basis: Basis,
    /// The groups that were asked for; those by GPUs are there in any case.
    pub by: Option<By>,
    /// The measure, by its place in [`MEASURES`], of which it is said what chance may explain.
    pub about: usize,
    /// How narrow an interval of that measure was asked for, and how narrow it is.
    pub precision: Option<Reached>,
}

/// How narrow the intervals of a measure were to be, and how narrow they are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reached {
    /// Half the width of the widest interval of a change that was asked for.
    pub asked: f64,
    /// What it is; none where a change is not known.
    pub reached: Option<f64>,
    /// Whether that is narrow enough.
    pub met: bool,
}

impl Comparison {
    /// Compares `runs[contender][seed]` with those of the reference.
    pub(super) fn new(
        asked: &Match<'_>,
        seeds: Vec<u64>,
        runs: &[Vec<Delivered>],
        precision: Option<Reached>,
    ) -> Self {
        let Match { contenders, reference, by, about, .. } = *asked;
        let basis = basis(runs, seeds.len());
        let resampling = matches!(basis, Basis::Seeds { .. }).then(|| Resampling::new(seeds[0]));
        let of_days = match basis {
            Basis::Days { days, .. } => day_intervals(runs, reference, seeds[0], days),
            _ => vec![vec![None; MEASURES.len()]; runs.len()],
        };
        let entry = |contender: usize, measure: usize| {
            let values =
                |runs: &[Delivered]| -> Vec<f64> { runs.iter().map(|run| run.values[measure]).collect() };
            let (own, other) = (values(&runs[contender]), values(&runs[reference]));
            let against = Against { other: &other, is_signed: MEASURES[measure].unit.is_signed() };
            let is_reference = contender == reference;
            let entry = against.entry(own, resampling.as_ref().filter(|_| !is_reference), is_reference);
            Entry {
                interval: entry.interval.or(of_days[contender][measure]).filter(|_| !is_reference),
                ..entry
            }
        };
        let names = group_names(runs);
        let column = |(place, contender): (usize, &Contender)| Column {
            name: contender.name.clone(),
            parts: contender.parts(),
            entries: (0..MEASURES.len()).map(|measure| entry(place, measure)).collect(),
            groups: names
                .iter()
                .map(|name| {
                    group(name, &runs[place], &runs[reference], resampling.as_ref(), place == reference)
                })
                .collect(),
            jobs: runs[place].iter().map(|run| run.jobs).collect(),
            stuck_runs: runs[place].iter().filter(|run| run.stuck).count(),
        };
        let policies = contenders.iter().enumerate().map(column).collect();
        Self { policies, reference, seeds, basis, by, about, precision }
    }
}

/// What intervals can be made of.
fn basis(runs: &[Vec<Delivered>], seeds: usize) -> Basis {
    let days = runs.iter().filter_map(|runs| runs[0].days.first().map(Ranked::days)).max();
    let same = runs.iter().all(|own| own[0].jobs == runs[0][0].jobs);
    match days {
        Some(_) if !same => Basis::OtherDays,
        Some(days) if days >= FEWEST => Basis::Days { days, block: block_length(days) },
        Some(days) => Basis::FewDays { days },
        None if seeds >= FEWEST => Basis::Seeds { seeds },
        None => Basis::FewSeeds { seeds },
    }
}

/// The reference's values of a measure, one a seed.
struct Against<'a> {
    other: &'a [f64],
    /// Whether the measure may be below zero.
    is_signed: bool,
}

impl Against<'_> {
    /// Whether it is compared by plain differences: it has a sign, and a run of the reference is not positive.
    fn is_plain(&self) -> bool {
        self.is_signed && self.other.iter().any(|value| *value <= 0.0)
    }
    /// How a value is compared with the reference's: by the relative change, or the plain difference.
    fn apart(&self) -> fn(f64, f64) -> f64 {
        if self.is_plain() { |value, reference| value - reference } else { change }
    }
    fn entry(&self, own: Vec<f64>, resampling: Option<&Resampling>, is_reference: bool) -> Entry {
        let all: Vec<usize> = (0..own.len()).collect();
        let value = mean_of(&own, &all);
        let apart = self.apart();
        let told =
            Some(apart(value, mean_of(self.other, &all))).filter(|told| !is_reference && told.is_finite());
        let (difference, change) = if self.is_plain() { (told, None) } else { (None, told) };
        let interval = resampling.and_then(|resampling| {
            resampling.bca(own.len(), |picked| apart(mean_of(&own, picked), mean_of(self.other, picked)))
        });
        Entry { value, change, difference, interval, runs: own }
    }
}

/// Half the width of the interval of a relative change; none where it is not known.
pub(super) fn half_width(own: &[f64], other: &[f64], seed: u64) -> Option<f64> {
    let interval = Resampling::new(seed)
        .bca(own.len(), |picked| change(mean_of(own, picked), mean_of(other, picked)))?;
    Some((interval.high - interval.low) / 2.0)
}

/// The groups of all runs, in the order of their places, those of one [`By`] together.
fn group_names(runs: &[Vec<Delivered>]) -> Vec<(usize, By, String)> {
    let wanted = runs[0][0].groups.iter().map(|(by, _)| *by).enumerate();
    let mut found = Vec::new();
    for (place, by) in wanted {
        let of = |run: &Delivered| {
            run.groups[place].1.iter().map(|group| (group.place, group.name.clone())).collect::<Vec<_>>()
        };
        let mut names: Vec<(usize, String)> = runs.iter().flatten().flat_map(of).collect();
        names.sort();
        let mut seen: Vec<String> = Vec::new();
        for (_, name) in names {
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        found.extend(seen.into_iter().map(|name| (place, by, name)));
    }
    found
}

/// A group of one contender beside the same of the reference, over the seeds in which both have jobs of it.
fn group(
    (place, by, name): &(usize, By, String),
    own: &[Delivered],
    other: &[Delivered],
    resampling: Option<&Resampling>,
    is_reference: bool,
) -> Group {
    fn of<'a>(run: &'a Delivered, place: usize, name: &str) -> Option<&'a GroupWaits> {
        run.groups[place].1.iter().find(|group| group.name == name)
    }
    let jobs: Vec<f64> =
        own.iter().map(|run| of(run, *place, name).map_or(0.0, |group| real(group.jobs))).collect();
    let pairs: Vec<(&GroupWaits, &GroupWaits)> = own
        .iter()
        .zip(other)
        .filter_map(|(own, other)| of(own, *place, name).zip(of(other, *place, name)))
        .collect();
    let entry = |measure: usize| {
        let (own, other): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(own, other)| (own.values[measure], other.values[measure])).unzip();
        Against { other: &other, is_signed: false }.entry(
            own,
            resampling.filter(|_| !is_reference),
            is_reference,
        )
    };
    let entries = (0..GROUP_MEASURES.len()).map(entry).collect();
    Group {
        by: *by,
        name: name.clone(),
        jobs: mean_of(&jobs, &(0..jobs.len()).collect::<Vec<usize>>()),
        entries,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of jobs are far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

type Intervals = Vec<Vec<Option<Interval>>>;

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
    use crate::random::{Purpose, Stream, normal_quantile};

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
        let asked = Match { contenders: &contenders, ..Match::default() };
        Comparison::new(&asked, (0..seeds as u64).collect(), runs, None)
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

    /// How often a pair that differs by `shift` in the mean is called equal, over seeds that have much in common.
    fn called_equal(shift: f64, trials: u64) -> f64 {
        let draws = Stream::new(17, Purpose::Durations);
        let normal = |trial: u64, index: u32| {
            let uniform = (f64::from(draws.draw(trial, index)) + 0.5) / 4_294_967_296.0;
            normal_quantile(uniform)
        };
        let mut equal = 0;
        for trial in 0..trials {
            let seeds = 0..40_u32;
            let common: Vec<f64> = seeds.clone().map(|seed| 100.0 + 20.0 * normal(trial, seed)).collect();
            let with = |own: u32, shift: f64| -> Vec<f64> {
                let value = |seed: u32| common[seed as usize] + shift + 2.0 * normal(trial, own + seed);
                seeds.clone().map(value).collect()
            };
            let (one, other) = (with(1000, 0.0), with(2000, shift));
            let against = Against { other: &one, is_signed: false };
            let entry = against.entry(other, Some(&Resampling::new(trial).resamples(400)), false);
            equal += u64::from(entry.is_noise() == Some(true));
        }
        real(usize::try_from(equal).unwrap()) / real(usize::try_from(trials).unwrap())
    }

    #[test]
    fn a_planted_equal_pair_is_called_equal_and_a_planted_difference_is_not() {
        let found = called_equal(0.0, 400);
        assert!((0.91..=0.98).contains(&found), "95 % of equal pairs: {found}");
        // The mean of 40 differences has a standard error of 0.45: three of them are seen nearly always.
        let missed = called_equal(1.5, 200);
        assert!(missed < 0.15, "a difference is missed that often: {missed}");
    }
}
