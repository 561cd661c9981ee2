use crate::document::{Document, Item, Length, Placed};
use crate::error::Problem;
use crate::units::Seconds;
use crate::workload::generate::{Estimate, Quantiles};

/// The longest time a job may take: one less than "never".
const SECONDS_MAX: u32 = u32::MAX - 1;

/// A length of time: `45m`, or a distribution such as `{ lognormal = "2h", sigma = 1.2 }`.
pub(super) fn amount(document: &Document, item: Item<'_>) -> Option<Quantiles> {
    let mark = item.mark();
    let length = Length::read(item, Quantiles::SIGMA_MAX)?;
    let (Length::Fixed(least)
    | Length::Uniform(least, _)
    | Length::Exponential(least)
    | Length::Lognormal(least, _)) = &length;
    if !positive(document, least) {
        return None;
    }
    let quantiles = match length {
        Length::Fixed(seconds) => Some(Quantiles::fixed(seconds.0.min(SECONDS_MAX))),
        Length::Uniform(least, most) => return Quantiles::uniform(least.0, most.0.min(SECONDS_MAX)),
        Length::Exponential(mean) => Quantiles::exponential(f64::from(mean.0)),
        Length::Lognormal(mean, sigma) => Quantiles::lognormal(f64::from(mean.0), sigma),
    };
    if quantiles.is_none() {
        document.complain(mark, Problem::new("this distribution reaches beyond 136 years"));
    }
    quantiles
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
