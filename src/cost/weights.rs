use super::TERM_MAX;
use super::shader::Weights;
use std::fmt;
use std::str::FromStr;

/// One term of the cost: what users call it, and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// As in `placement = { leftover = 3 }`.
    pub name: &'static str,
    /// One line for people; the term is 0..=65535, and lower is better.
    pub about: &'static str,
    of: fn(&mut Weights) -> &mut u32,
}

/// Every term, in the order of [`Weights`].
pub const TERMS: &[Term] = &[
    Term {
        name: "leftover",
        about: "free GPUs of the node, or free room of a gang's rack: full ones are cheap",
        of: |weights| &mut weights.leftover,
    },
    Term {
        name: "spread",
        about: "what is used of them: empty ones are cheap",
        of: |weights| &mut weights.spread,
    },
    Term {
        name: "rack_leftover",
        about: "free GPUs of the rack: full racks are cheap",
        of: |weights| &mut weights.rack_leftover,
    },
    Term {
        name: "rack_spread",
        about: "what is used of them: empty racks are cheap",
        of: |weights| &mut weights.rack_spread,
    },
    Term {
        name: "span",
        about: "the part of a gang that the rack has no room for",
        of: |weights| &mut weights.span,
    },
    Term {
        name: "run_time",
        about: "how long the job runs on the platform",
        of: |weights| &mut weights.run_time,
    },
    Term {
        name: "energy",
        about: "what its energy costs at the site's present price",
        of: |weights| &mut weights.energy,
    },
    Term {
        name: "carbon",
        about: "what its energy emits at the site's present carbon intensity",
        of: |weights| &mut weights.carbon,
    },
    Term {
        name: "pressure",
        about: "how far the tightest feed above is used",
        of: |weights| &mut weights.pressure,
    },
    Term {
        name: "fragmentation",
        about: "GPUs of the node that the start strands for the workload's mix of pods",
        of: |weights| &mut weights.fragmentation,
    },
    Term {
        name: "rack_fragmentation",
        about: "nodes of the rack that the start strands for the workload's mix of gangs",
        of: |weights| &mut weights.rack_fragmentation,
    },
];

impl Term {
    /// The term of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TERMS.iter().find(|term| term.name == name)
    }
    /// Its weight.
    #[must_use]
    pub fn weight(&self, mut weights: Weights) -> u32 {
        *(self.of)(&mut weights)
    }
    /// The same weights but for this one.
    #[must_use]
    pub fn with(&self, mut weights: Weights, weight: u32) -> Weights {
        *(self.of)(&mut weights) = weight;
        weights
    }
}

/// Why a text is not weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseWeightsError {
    /// Not `term=weight`, several of them with commas between.
    #[error("expected terms and their weights, such as `leftover=3,energy=1`")]
    Shape,
    /// No such term.
    #[error("unknown term `{0}`")]
    Term(String),
    /// A term is named again.
    #[error("`{0}` has a weight already")]
    Twice(String),
    /// No weight.
    #[error("`{0}`: expected a whole number up to {max}", max = Weights::SUM_MAX)]
    Weight(String),
    /// They come to more than [`Weights::SUM_MAX`].
    #[error("the weights come to {0}; all together they may be {max}", max = Weights::SUM_MAX)]
    Sum(u32),
}

/// Reads what [`Display`](fmt::Display) writes: `leftover=3,energy=1`.
///
/// ```
/// use gigawatt::cost::Weights;
/// let weights: Weights = "energy=1,leftover=3".parse().unwrap();
/// assert_eq!((weights.leftover, weights.energy), (3, 1));
/// assert_eq!(weights.to_string(), "leftover=3,energy=1");
/// assert_eq!("lefover=3".parse::<Weights>().unwrap_err().to_string(), "unknown term `lefover`");
/// ```
impl FromStr for Weights {
    type Err = ParseWeightsError;
    fn from_str(text: &str) -> Result<Self, ParseWeightsError> {
        let mut weights = Self::ZERO;
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or(ParseWeightsError::Shape)?;
            let (name, weight) = (name.trim(), weight.trim());
            let term = Term::named(name).ok_or_else(|| ParseWeightsError::Term(name.to_owned()))?;
            if seen.contains(&name) {
                return Err(ParseWeightsError::Twice(name.to_owned()));
            }
            seen.push(name);
            let weight = weight.parse().ok().filter(|weight| *weight <= Self::SUM_MAX);
            weights = term.with(weights, weight.ok_or_else(|| ParseWeightsError::Weight(name.to_owned()))?);
        }
        let sum = weights.sum();
        if sum > Self::SUM_MAX { Err(ParseWeightsError::Sum(sum)) } else { Ok(weights) }
    }
}

/// The terms that count: `leftover=3,energy=1`; `leftover=0` where none does.
impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = TERMS.iter().filter(|term| term.weight(*self) > 0);
        let parts: Vec<String> = counts.map(|term| format!("{}={}", term.name, term.weight(*self))).collect();
        let text = parts.join(",");
        f.pad(if parts.is_empty() { "leftover=0" } else { &text })
    }
}

impl Weights {
    /// No term counts: the lowest index is as good as any.
    pub const ZERO: Self = Self {
        leftover: 0,
        spread: 0,
        rack_leftover: 0,
        rack_spread: 0,
        span: 0,
        run_time: 0,
        energy: 0,
        carbon: 0,
        pressure: 0,
        fragmentation: 0,
        rack_fragmentation: 0,
    };
    /// The most that all weights may come to, so that no cost overflows.
    pub const SUM_MAX: u32 = TERM_MAX;

    /// All weights together, saturating.
    #[must_use]
    pub fn sum(self) -> u32 {
        TERMS.iter().fold(0, |sum, term| sum.saturating_add(term.weight(self)))
    }
}
