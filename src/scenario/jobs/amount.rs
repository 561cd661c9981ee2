use crate::document::{Document, Item, Placed};
use crate::error::Problem;
use crate::units::Seconds;
use crate::workload::generate::{Estimate, Quantiles};

/// The longest time a job may take: one less than "never".
const SECONDS_MAX: u32 = u32::MAX - 1;

/// A length of time: `45m`, or a distribution such as `{ lognormal = "2h", sigma = 1.2 }`.
pub(super) fn amount(document: &Document, item: Item<'_>) -> Option<Quantiles> {
    if !item.is_table() {
        let seconds: Placed<Seconds> = item.read()?;
        return positive(document, &seconds).then(|| Quantiles::fixed(seconds.value.0.min(SECONDS_MAX)));
    }
    let mark = item.mark();
    let mut table = item.table()?;
    let exponential = table.optional::<Seconds>("exponential");
    let lognormal = table.optional::<Seconds>("lognormal");
    let sigma = table.optional::<f64>("sigma");
    let has_uniform = table.has("uniform");
    let uniform = table.list::<Seconds>("uniform");
    let given = ["exponential", "lognormal", "uniform"].iter().filter(|key| table.has(key)).count();
    if given != 1 {
        let problem = Problem::new("expected one of `exponential`, `lognormal` and `uniform`");
        document.complain(
            mark,
            problem.hint("such as `{ lognormal = \"2h\", sigma = 1.2 }`, the mean and its spread"),
        );
        table.finish();
        return None;
    }
    let out_of_range = || {
        document.complain(mark, Problem::new("this distribution reaches beyond 136 years"));
        None
    };
    let distribution = if has_uniform {
        match &uniform[..] {
            [least, most] if least.value <= most.value => {
                positive(document, least).then(|| Quantiles::uniform(least.0, most.0.min(SECONDS_MAX)))?
            }
            _ => {
                document.complain(
                    mark,
                    Problem::new("`uniform`: expected the least and the most, such as `[\"10m\", \"2h\"]`"),
                );
                None
            }
        }
    } else if let Some(mean) = exponential {
        positive(document, &mean).then(|| Quantiles::exponential(f64::from(mean.0)).or_else(out_of_range))?
    } else {
        let spread = sigma.as_ref().map(|sigma| sigma.value);
        match (lognormal, spread) {
            (Some(mean), Some(sigma)) if (0.0..=Quantiles::SIGMA_MAX).contains(&sigma) => {
                positive(document, &mean)
                    .then(|| Quantiles::lognormal(f64::from(mean.0), sigma).or_else(out_of_range))?
            }
            (Some(_), _) => {
                let mark = sigma.map_or(mark, |sigma| sigma.mark);
                let message = format!(
                    "`sigma`: expected the spread of the logarithm, from 0 to {}",
                    Quantiles::SIGMA_MAX
                );
                document.complain(mark, Problem::new(message));
                None
            }
            (None, _) => None,
        }
    };
    table.finish();
    distribution
}

fn positive(document: &Document, seconds: &Placed<Seconds>) -> bool {
    let fits = seconds.value > Seconds::ZERO;
    if !fits {
        document.complain(seconds.mark, Problem::new("expected at least a second of work, found `0`"));
    }
    fits
}

/// What a user says of the work, or when it is due: `6h`, `{ times = 1.5 }`, or `{ times = [1.0, 3.0] }` for something between.
pub(super) fn estimate(document: &Document, item: Item<'_>) -> Option<Estimate> {
    if !item.is_table() {
        let seconds: Placed<Seconds> = item.read()?;
        return positive(document, &seconds)
            .then(|| Estimate::Fixed(Seconds(seconds.value.0.min(SECONDS_MAX))));
    }
    let mark = item.mark();
    let mut table = item.table()?;
    let times = table.required_item("times");
    table.finish();
    let times = times?;
    let factors: Vec<f64> = if times.is_list() {
        times.items()?.iter().filter_map(Item::read::<f64>).map(|factor| factor.value).collect()
    } else {
        vec![times.read::<f64>()?.value]
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    let milli = |factor: f64| (0.001..=1000.0).contains(&factor).then(|| (factor * 1000.0).round() as u32);
    let quantiles = match factors[..] {
        [factor] => milli(factor).map(Quantiles::fixed),
        [least, most] => {
            milli(least).zip(milli(most)).and_then(|(least, most)| Quantiles::uniform(least, most))
        }
        _ => None,
    };
    if quantiles.is_none() {
        let problem =
            Problem::new("`times`: expected a factor from 0.001 to 1000, or the least and the most");
        document.complain(mark, problem.hint("such as `{ times = 1.5 }` or `{ times = [1.0, 3.0] }`"));
    }
    quantiles.map(Estimate::Times)
}
