use super::INFEASIBLE;
use super::domains::{Domains, Tables};
use super::shader::{self, Query};
use bytemuck::{Pod, Zeroable};

/// A domain and what it costs a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct Candidate {
    /// Its cost, below [`INFEASIBLE`].
    pub cost: u32,
    /// Its index among the domains.
    pub index: u32,
}

impl Candidate {
    /// No domain: after every one in the order of candidates.
    pub const NONE: Self = Self { cost: INFEASIBLE, index: u32::MAX };

    /// Whether it is a domain.
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.cost != INFEASIBLE
    }
}

/// The question: what each query costs on each domain.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// One a request class.
    pub queries: &'a [Query],
    /// Where they could go; fewer than 2³² − 1.
    pub domains: &'a Domains,
    /// What is told by index.
    pub tables: &'a Tables,
}

impl Batch<'_> {
    /// The cost of one pair; [`INFEASIBLE`] where it does not fit.
    #[must_use]
    #[inline]
    pub fn cost(&self, query: usize, domain: usize) -> u32 {
        let (query, group) = (self.queries[query], self.domains.group[domain]);
        let domain = self.domains.get(domain);
        let left = shader::units_left(query.units, domain.units);
        let after = self.tables.stranded(group, left);
        shader::pair_cost(query, domain, after, self.tables.place(&query, group))
    }
}

/// The answer: of each query its cheapest domains, by (cost, index).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranking {
    /// How many candidates a query has room for.
    pub k: usize,
    /// `k` a query, ascending, [`Candidate::NONE`] behind the last.
    pub candidates: Vec<Candidate>,
}

impl Ranking {
    /// Empties it and makes room for `k` candidates of each of `queries` queries.
    pub fn reset(&mut self, queries: usize, k: usize) {
        self.k = k;
        self.candidates.clear();
        self.candidates.resize(queries * k, Candidate::NONE);
    }
    /// The candidates of a query, ascending; fewer than `k`: there are no others.
    #[must_use]
    pub fn of(&self, query: usize) -> &[Candidate] {
        let all = &self.candidates[query * self.k..][..self.k];
        &all[..all.partition_point(|candidate| candidate.is_some())]
    }
}

/// Finds the cheapest domains. All evaluators give the same answer, bit for bit.
pub trait Evaluator: std::fmt::Debug {
    /// Puts the `k` (1 or more) cheapest domains of each query into `out`, by (cost, index), the infeasible left out.
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking);
}
