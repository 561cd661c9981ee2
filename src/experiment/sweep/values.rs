//! What an axis takes: values one by one, a range, or a distribution to draw from.

use crate::error::{Problem, nearest_hint};
use crate::policy::text::split_outside;
use crate::random::normal_quantile;

/// The values of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    List(Vec<String>),
    Range(Range),
    Drawn(Distribution),
}

/// The most values of a range.
const STEPS_MAX: u32 = 1_000_000;
/// The widest spread of a lognormal distribution, as of the work of generated jobs.
const SIGMA_MAX: f64 = 3.0;
/// 2³², of which a draw is a part.
const DRAWS: f64 = 4_294_967_296.0;

impl Values {
    /// What stands behind the `=` of `typed`.
    pub(super) fn parse(typed: &str, values: &str) -> Result<Self, Box<Problem>> {
        if let Some((name, arguments)) = called(values) {
            return Distribution::parse(typed, name, arguments).map(Self::Drawn);
        }
        match values.split_once("..") {
            // A path or a name may have two dots too; a range begins with a number.
            Some((from, rest)) if !values.contains(',') && Amount::parse(from).is_some() => {
                Range::parse(typed, from, rest).map(Self::Range)
            }
            _ => list(typed, values).map(Self::List),
        }
    }
    /// The value that a number drawn from all of 32 bits picks, ascending with it.
    pub(super) fn drawn(&self, draw: u32) -> String {
        match self {
            Self::List(values) => {
                let place = (u64::from(draw) * values.len() as u64) >> 32;
                values[usize::try_from(place).unwrap_or_default()].clone()
            }
            Self::Range(range) => range.scale.drawn(range.from, range.to, f64::from(draw) / DRAWS),
            // The middle of its part: no end of a tail is drawn.
            Self::Drawn(distribution) => distribution.at((f64::from(draw) + 0.5) / DRAWS),
        }
    }
}

/// Values one by one, each once.
fn list(typed: &str, values: &str) -> Result<Vec<String>, Box<Problem>> {
    let values: Vec<String> = split_outside(values, ',').map(|value| value.trim().to_owned()).collect();
    let again = values.iter().enumerate().find(|(place, value)| values[..*place].contains(value));
    match again {
        Some((_, again)) => {
            let problem = Problem::new(format!("`{typed}`: `{again}` is there twice"));
            Err(Box::new(problem.hint("name each value once")))
        }
        None => Ok(values),
    }
}

/// A name and what stands in the parentheses behind it.
fn called(text: &str) -> Option<(&str, &str)> {
    let (name, arguments) = text.strip_suffix(')')?.split_once('(')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    is_name.then_some((name, arguments))
}

/// How numbers of an axis are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// Whether all that was typed are whole numbers: then all values are.
    whole: bool,
    /// What follows each number, such as ` kW`.
    unit: String,
}

impl Scale {
    fn written(&self, value: f64) -> String {
        if self.whole {
            return format!("{:.0}{}", value.round(), self.unit);
        }
        // Six digits that count are enough for a key, and nobody reads more.
        let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
        format!("{rounded:?}{}", self.unit)
    }
    /// The value that a share of the way, below 1, draws; every whole number is as likely.
    fn drawn(&self, from: f64, to: f64, share: f64) -> String {
        self.written(if self.whole {
            (from + (to - from + 1.0) * share).floor()
        } else {
            from + (to - from) * share
        })
    }
}

/// A number and its unit.
struct Amount<'a> {
    number: f64,
    whole: bool,
    /// With the blanks before it.
    unit: &'a str,
}

impl<'a> Amount<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let number = digits.parse().ok().filter(|number: &f64| number.is_finite())?;
        // `1h30m` is no number of hours.
        let is_plain = !unit.contains(|c: char| c.is_ascii_digit());
        is_plain.then(|| Self { number, whole: digits.parse::<i64>().is_ok(), unit })
    }
    /// Two of them in the unit of the second, which the first may leave out.
    fn pair(first: &'a str, second: &'a str) -> Option<((f64, f64), Scale)> {
        let (first, second) = (Self::parse(first)?, Self::parse(second)?);
        let is_one = first.unit.trim().is_empty() || first.unit.trim() == second.unit.trim();
        let scale = Scale { whole: first.whole && second.whole, unit: second.unit.to_owned() };
        is_one.then_some(((first.number, second.number), scale))
    }
}

/// Numbers between two ends, both included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    from: f64,
    to: f64,
    scale: Scale,
    /// How many a grid has.
    pub(super) steps: Option<u32>,
}

impl Range {
    fn parse(typed: &str, from: &str, rest: &str) -> Result<Self, Box<Problem>> {
        let wrong = |what: &str| {
            let problem = Problem::new(format!("`{typed}`: {what}"));
            Box::new(problem.hint("`from..to:steps`, such as `8..64:8` or `100..200 kW:3`"))
        };
        let (to, steps) = match rest.rsplit_once(':') {
            Some((to, steps)) => (to, Some(steps.trim())),
            None => (rest, None),
        };
        let steps = steps.map(|steps| steps.parse().ok().filter(|steps| (1..=STEPS_MAX).contains(steps)));
        if steps == Some(None) {
            return Err(wrong("expected a number of steps, from 1 to 1000000, behind the `:`"));
        }
        match Amount::pair(from, to).filter(|((from, to), _)| from <= to) {
            Some(((from, to), scale)) => Ok(Self { from, to, scale, steps: steps.flatten() }),
            None => Err(wrong("expected two numbers in one unit, the lower one first")),
        }
    }
    /// Every value of a grid; its ends, where nothing says how many.
    pub(super) fn grid(&self) -> Vec<String> {
        let steps = self.steps.unwrap_or(2);
        let share = |step: u32| if steps == 1 { 0.0 } else { f64::from(step) / f64::from(steps - 1) };
        let value = |step: u32| self.scale.written(self.from + (self.to - self.from) * share(step));
        let mut values: Vec<String> = (0..steps).map(value).collect();
        values.dedup();
        values
    }
}

/// What values are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distribution {
    kind: Kind,
    /// What stands in its parentheses.
    arguments: (f64, f64),
    scale: Scale,
}

/// A family of distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Of that median, its logarithm with that standard deviation.
    Lognormal,
    /// Every value between two ends as likely.
    Uniform,
    /// Every logarithm between two ends as likely.
    Loguniform,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Lognormal, Self::Uniform, Self::Loguniform];

    const fn name(self) -> &'static str {
        match self {
            Self::Lognormal => "lognormal",
            Self::Uniform => "uniform",
            Self::Loguniform => "loguniform",
        }
    }
    /// What its arguments are, and an example.
    const fn form(self) -> (&'static str, &'static str) {
        match self {
            Self::Lognormal => (
                "a median above 0 and the standard deviation of the logarithm, above 0 to 3",
                "lognormal(100 kW, 0.3)",
            ),
            Self::Uniform => ("two ends in one unit, the lower one first", "uniform(100, 200 kW)"),
            Self::Loguniform => ("two ends above 0 in one unit, the lower one first", "loguniform(0.5, 2.0)"),
        }
    }
    fn takes(self, (first, second): (f64, f64)) -> bool {
        match self {
            Self::Lognormal => first > 0.0 && second > 0.0 && second <= SIGMA_MAX,
            Self::Uniform => first <= second,
            Self::Loguniform => 0.0 < first && first <= second,
        }
    }
}

impl Distribution {
    fn parse(typed: &str, name: &str, arguments: &str) -> Result<Self, Box<Problem>> {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
            let problem = Problem::new(format!("`{typed}`: unknown distribution `{name}`"));
            return Err(Box::new(problem.hint(nearest_hint(name, Kind::ALL.map(Kind::name)))));
        };
        let read = |(first, second): (&str, &str)| match kind {
            Kind::Lognormal => {
                let (median, sigma) = (Amount::parse(first)?, second.trim().parse().ok()?);
                let scale = Scale { whole: median.whole, unit: median.unit.to_owned() };
                Some(((median.number, sigma), scale))
            }
            Kind::Uniform | Kind::Loguniform => Amount::pair(first, second),
        };
        let read = arguments.split_once(',').and_then(read).filter(|(arguments, _)| kind.takes(*arguments));
        let (form, example) = kind.form();
        let wrong = || {
            Box::new(Problem::new(format!("`{typed}`: expected {form}")).hint(format!("such as `{example}`")))
        };
        read.map(|(arguments, scale)| Self { kind, arguments, scale }).ok_or_else(wrong)
    }
    /// The value below which it lies with that probability, above 0 and below 1.
    fn at(&self, probability: f64) -> String {
        let (first, second) = self.arguments;
        // What is above 0 is at least 1 where it is whole.
        let above_zero =
            |value: f64| self.scale.written(if self.scale.whole { value.max(1.0) } else { value });
        match self.kind {
            Kind::Lognormal => above_zero(first * libm::exp(second * normal_quantile(probability))),
            Kind::Uniform => self.scale.drawn(first, second, probability),
            Kind::Loguniform => above_zero(first * libm::pow(second / first, probability)),
        }
    }
}
