use super::TERM_MAX;
use super::shader::Weights;

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

impl Weights {
    /// The most that all weights may come to, so that no cost overflows.
    pub const SUM_MAX: u32 = TERM_MAX;

    /// All weights together, saturating.
    #[must_use]
    pub fn sum(self) -> u32 {
        TERMS.iter().fold(0, |sum, term| sum.saturating_add(term.weight(self)))
    }
}
