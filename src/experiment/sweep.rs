//! A sweep: a list of numbered runs over values of keys and seeds.

#[cfg(test)]
mod tests;

use crate::error::Problem;
use crate::random::{Purpose, Stream};

/// A key of a scenario, and the values that it takes.
///
/// ```
/// use gigawatt::experiment::Axis;
/// let axis = Axis::parse("cluster.nodes=8..64:4").unwrap();
/// assert_eq!(axis.grid(), ["8", "27", "45", "64"], "whole ends, whole numbers");
/// assert_eq!(Axis::parse("policy=easy,sjf/easy").unwrap().grid(), ["easy", "sjf/easy"]);
/// assert_eq!(Axis::parse("cluster.feed.0.cap=100..200 kW:3").unwrap().grid()[1], "150 kW");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// As `--set` takes it.
    pub key: String,
    values: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    List(Vec<String>),
    Range(Range),
}

/// Numbers between two ends, both included.
#[derive(Debug, Clone, PartialEq)]
struct Range {
    from: f64,
    to: f64,
    /// Whether both ends were written as whole numbers: then all are.
    whole: bool,
    /// What follows each number, such as ` kW`.
    unit: String,
    /// How many a grid has.
    steps: Option<u32>,
}

/// The most values of a range.
const STEPS_MAX: u32 = 1_000_000;

impl Axis {
    /// The axis that `KEY=a,b,c`, `KEY=from..to:steps` or, where values are drawn, `KEY=from..to` means.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Box<Problem>> {
        let (key, values) =
            text.split_once('=').map_or((text, ""), |(key, values)| (key.trim(), values.trim()));
        if key.is_empty() || values.is_empty() {
            let problem = Problem::new(format!("`{text}`: expected a key and its values"));
            return Err(Box::new(problem.hint("such as `tenant.0.quota=64,96` or `cluster.nodes=8..64:8`")));
        }
        let values = match values.split_once("..") {
            // A path or a name may have two dots too; a range begins with a number.
            Some((from, rest)) if !values.contains(',') && from.trim().parse::<f64>().is_ok() => {
                Values::Range(Range::parse(text, from.trim(), rest.trim())?)
            }
            _ => Values::List(values.split(',').map(|value| value.trim().to_owned()).collect()),
        };
        Ok(Self { key: key.to_owned(), values })
    }
    /// Every value of it, in order; of a range without steps, its ends.
    #[must_use]
    pub fn grid(&self) -> Vec<String> {
        match &self.values {
            Values::List(values) => values.clone(),
            Values::Range(range) => {
                let steps = range.steps.unwrap_or(2);
                let mut values: Vec<String> = (0..steps)
                    .map(|step| {
                        range.at(if steps == 1 { 0.0 } else { f64::from(step) / f64::from(steps - 1) })
                    })
                    .collect();
                values.dedup();
                values
            }
        }
    }
    /// Whether its values were written one by one.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self.values, Values::List(_))
    }
    /// The value that a number drawn from all of 32 bits picks.
    fn drawn(&self, draw: u32) -> String {
        match &self.values {
            Values::List(values) => {
                let place = (u64::from(draw) * values.len() as u64) >> 32;
                values[usize::try_from(place).unwrap_or_default()].clone()
            }
            Values::Range(range) => range.drawn(f64::from(draw) / 4_294_967_296.0),
        }
    }
    /// Whether a grid knows how many values it has.
    const fn has_steps(&self) -> bool {
        match &self.values {
            Values::List(_) => true,
            Values::Range(range) => range.steps.is_some(),
        }
    }
}

impl Range {
    fn parse(text: &str, from: &str, rest: &str) -> Result<Self, Box<Problem>> {
        let wrong = |what: &str| {
            let problem = Problem::new(format!("`{text}`: {what}"));
            Box::new(problem.hint("`from..to:steps`, such as `8..64:8` or `100..200 kW:3`"))
        };
        let (to, steps) = match rest.rsplit_once(':') {
            Some((to, steps)) => (to.trim(), Some(steps.trim())),
            None => (rest, None),
        };
        let steps = steps.map(|steps| steps.parse().ok().filter(|steps| (1..=STEPS_MAX).contains(steps)));
        if steps == Some(None) {
            return Err(wrong("expected a number of steps, from 1 to 1000000, behind the `:`"));
        }
        let end = to.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(to.len());
        let (number, unit) = to.split_at(end);
        let whole = [from, number].iter().all(|end| end.parse::<i64>().is_ok());
        let parsed = from.parse::<f64>().ok().zip(number.parse::<f64>().ok());
        match parsed.filter(|(from, to)| from.is_finite() && to.is_finite() && from <= to) {
            Some((from, to)) => Ok(Self { from, to, whole, unit: unit.to_owned(), steps: steps.flatten() }),
            None => Err(wrong("expected two numbers, the lower one first")),
        }
    }
    /// The value at a share of the way.
    fn at(&self, share: f64) -> String {
        self.written(self.from + (self.to - self.from) * share)
    }
    /// The value that a share of the way, below 1, draws; every whole number is as likely.
    fn drawn(&self, share: f64) -> String {
        if self.whole {
            self.written((self.from + (self.to - self.from + 1.0) * share).floor())
        } else {
            self.at(share)
        }
    }
    fn written(&self, value: f64) -> String {
        if self.whole {
            return format!("{:.0}{}", value.round(), self.unit);
        }
        // Six digits that count are enough for a key, and nobody reads more.
        let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
        format!("{rounded:?}{}", self.unit)
    }
}

/// Which points of the axes a sweep has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every combination, the last axis fastest.
    Grid,
    /// So many, each value drawn on its own: evenly from a list or between two ends.
    Random {
        /// How many.
        points: u32,
        /// What they are drawn with.
        seed: u64,
    },
    /// So many, spread evenly along each axis on its own: every one of as many equal parts of it has one.
    ///
    /// M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for selecting values of input variables in
    /// the analysis of output from a computer code", Technometrics 21 (1979).
    Latin {
        /// How many.
        points: u32,
        /// What they are drawn with.
        seed: u64,
    },
}

/// The most points of a sweep.
const POINTS_MAX: usize = 10_000_000;

/// The points of a design: of each, a value an axis.
///
/// # Errors
/// An axis twice, one without a number of steps where the design needs it, or too many points.
pub fn points(axes: &[Axis], design: Design) -> Result<Vec<Vec<String>>, Box<Problem>> {
    for (place, axis) in axes.iter().enumerate() {
        if axes[..place].iter().any(|other| other.key == axis.key) {
            let problem = Problem::new(format!("`{}` is varied twice", axis.key));
            return Err(Box::new(problem.hint("name all of its values in one `--vary`")));
        }
        if design == Design::Grid && !axis.has_steps() {
            let problem = Problem::new(format!("`{}`: a range of a grid needs a number of steps", axis.key));
            let hint = "such as `8..64:8`; `gigawatt sweep --design random --points 100` draws from it";
            return Err(Box::new(problem.hint(hint)));
        }
    }
    match design {
        Design::Grid => grid(axes),
        Design::Random { points, seed } => {
            let stream = Stream::new(seed, Purpose::Design);
            let point = |point: u32| {
                let value = |(axis, place): (&Axis, u32)| axis.drawn(stream.draw(u64::from(point), place));
                axes.iter().zip(0..).map(value).collect()
            };
            Ok((0..points).map(point).collect())
        }
        Design::Latin { points, seed } => Ok(latin(axes, points, seed)),
    }
}

/// Of each axis a part a point, in an order of its own, and a place in it.
fn latin(axes: &[Axis], points: u32, seed: u64) -> Vec<Vec<String>> {
    let stream = Stream::new(seed, Purpose::Design);
    // Two draws a point and axis: its part is swapped with a later one's, and where it lies in its own.
    let parts = |axis: u32| {
        let mut parts: Vec<u32> = (0..points).collect();
        for place in 0..points {
            let other = place + stream.below(u64::from(place), 2 * axis, points - place);
            parts.swap(place as usize, other as usize);
        }
        parts
    };
    let orders: Vec<Vec<u32>> = axes.iter().zip(0..).map(|(_, axis)| parts(axis)).collect();
    let value = |point: u32, axis: u32| {
        let part = u64::from(orders[axis as usize][point as usize]);
        let within = u64::from(stream.draw(u64::from(point), 2 * axis + 1));
        let draw = ((part << 32) + within) / u64::from(points);
        axes[axis as usize].drawn(u32::try_from(draw).unwrap_or(u32::MAX))
    };
    let point = |point: u32| axes.iter().zip(0..).map(|(_, axis)| value(point, axis)).collect();
    (0..points).map(point).collect()
}

fn grid(axes: &[Axis]) -> Result<Vec<Vec<String>>, Box<Problem>> {
    let values: Vec<Vec<String>> = axes.iter().map(Axis::grid).collect();
    let count = values.iter().try_fold(1_usize, |count, values| count.checked_mul(values.len()));
    if count.is_none_or(|count| count > POINTS_MAX) {
        let problem = Problem::new(format!("more than {POINTS_MAX} points"));
        return Err(Box::new(problem.hint("`gigawatt sweep --design random --points N` draws some of them")));
    }
    let mut points = vec![Vec::new()];
    for values in &values {
        let longer = |point: &Vec<String>| -> Vec<Vec<String>> {
            values.iter().map(|value| point.iter().cloned().chain([value.clone()]).collect()).collect()
        };
        points = points.iter().flat_map(longer).collect();
    }
    Ok(points)
}

/// The part of the runs that one of several machines makes: every `of`-th, from the `number`-th on.
///
/// ```
/// use gigawatt::experiment::Shard;
/// let shard = Shard::parse("2/3").unwrap();
/// assert_eq!((0..7).filter(|run| shard.has(*run)).collect::<Vec<_>>(), [1, 4]);
/// assert!(Shard::parse("4/3").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 on.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// What `2/8` means.
    ///
    /// # Errors
    /// It means nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.trim().parse().ok()?, of: of.trim().parse().ok()? })
        });
        parts
            .filter(|shard| (1..=shard.of).contains(&shard.number))
            .ok_or_else(|| "expected `i/n`, such as `2/8`: the second of eight parts".to_owned())
    }
    /// Whether a run belongs to it.
    #[must_use]
    pub fn has(self, run: u64) -> bool {
        run % u64::from(self.of) == u64::from(self.number - 1)
    }
}
