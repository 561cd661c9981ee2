//! A sweep: a list of numbered runs over values of keys and seeds.

mod design;
#[cfg(test)]
mod tests;
mod values;

pub use design::{Design, points};

use crate::error::Problem;
use values::Values;

/// A key of a scenario, and the values that it takes.
///
/// ```
/// use gigawatt::experiment::Axis;
/// let axis = Axis::parse("cluster.nodes=8..64:4").unwrap();
/// assert_eq!(axis.grid(), ["8", "27", "45", "64"], "whole ends, whole numbers");
/// assert_eq!(Axis::parse("policy=easy,sjf/easy").unwrap().grid(), ["easy", "sjf/easy"]);
/// assert_eq!(Axis::parse("cluster.feed.0.cap=100..200 kW:3").unwrap().grid()[1], "150 kW");
/// assert!(Axis::parse("workload.scale_load=lognormal(1.0, 0.3)").unwrap().is_distribution());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// As `--set` takes it.
    pub key: String,
    values: Values,
}

impl Axis {
    /// The axis that `KEY=a,b,c`, `KEY=from..to:steps` or, where values are drawn, `KEY=from..to`,
    /// `KEY=lognormal(median, sigma)`, `KEY=uniform(from, to)` or `KEY=loguniform(from, to)` means.
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
        Ok(Self { key: key.to_owned(), values: Values::parse(text, values)? })
    }
    /// Every value of it, in order; of a range without steps, its ends; of a distribution, none.
    #[must_use]
    pub fn grid(&self) -> Vec<String> {
        match &self.values {
            Values::List(values) => values.clone(),
            Values::Range(range) => range.grid(),
            Values::Drawn(_) => Vec::new(),
        }
    }
    /// Whether its values were written one by one.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self.values, Values::List(_))
    }
    /// Whether its values can only be drawn.
    #[must_use]
    pub const fn is_distribution(&self) -> bool {
        matches!(self.values, Values::Drawn(_))
    }
    /// Whether a grid knows how many values it has.
    const fn has_steps(&self) -> bool {
        match &self.values {
            Values::List(_) => true,
            Values::Range(range) => range.steps.is_some(),
            Values::Drawn(_) => false,
        }
    }
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
