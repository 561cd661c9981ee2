//! Rankings that stay true while domains change.

use super::cpu::Cpu;
use super::domains::{Domains, Tables};
use super::evaluator::{Batch, Candidate, Evaluator, Ranking};
use super::shader::{Domain, Query};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Many queries ranked at once, and asked one after the other while what they are given changes the domains.
///
/// The answer is always the one that a look at every domain as it is now would give: the least (cost, index) of the
/// listed domains that have not changed and of all that have. Only where neither can be the cheapest, since a list
/// was full and is used up, every domain is looked at again for that one query.
///
/// ```
/// use gigawatt::cost::{Answer, Board, Candidate, Cpu, Domain, Query, Tables};
/// let node = |free| Domain { scopes: 1, units: free, own: free, ..Domain::default() };
/// let mut board = Board::default();
/// board.begin();
/// [2, 8, 4].into_iter().for_each(|free| board.push(node(free), 0));
/// let four = board.ask(Query { scopes: 1, units: 4, least: 4, share: u32::MAX, ..Query::default() });
/// let tables = Tables::flat(1, 1);
/// board.rank(&tables, 1, &mut Cpu::default());
/// assert_eq!(board.cheapest(four, &tables, |_| true), Answer::Cheapest(Candidate { cost: 4, index: 2 }));
/// board.change(2, node(0));
/// assert_eq!(board.cheapest(four, &tables, |_| true), Answer::Cheapest(Candidate { cost: 8, index: 1 }));
/// board.change(1, node(4));
/// assert_eq!(board.cheapest(four, &tables, |_| true), Answer::Cheapest(Candidate { cost: 4, index: 1 }));
/// board.change(1, node(0));
/// assert_eq!(board.cheapest(four, &tables, |_| true), Answer::Nothing, "nobody has four left");
/// ```
#[derive(Debug, Default)]
pub struct Board {
    domains: Domains,
    queries: Vec<Query>,
    lists: Vec<List>,
    /// The domains that changed, in order.
    log: Vec<u32>,
    /// By domain: how long the log was when it last changed; 0: it has not.
    changed: Vec<usize>,
    ranking: Ranking,
    rescans: u64,
}

/// Where a query goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To this domain.
    Cheapest(Candidate),
    /// Nowhere.
    Nothing,
    /// None of those that were looked at is admitted, and there may be others.
    Unknown,
}

/// What is known of one query.
#[derive(Debug, Default)]
struct List {
    /// Candidates as of some length of the log; they hold if the domain has not changed since.
    candidates: BinaryHeap<Reverse<(Candidate, usize)>>,
    /// How much of the log is among the candidates.
    seen: usize,
    /// Of what has not changed, what comes after this one is unknown; [`Candidate::NONE`]: everything is known.
    last: Option<Candidate>,
}

/// How many candidates a look at every domain lists; the next one, if none of them is admitted, that many times as many.
const RESCANNED: usize = 64;

impl Board {
    /// Forgets domains and queries.
    pub fn begin(&mut self) {
        self.domains.clear();
        self.queries.clear();
        self.lists.clear();
        self.log.clear();
        self.changed.clear();
    }
    /// Adds a domain of a group after the others.
    pub fn push(&mut self, domain: Domain, group: u32) {
        self.domains.push(domain, group);
    }
    /// Adds a query; its number.
    pub fn ask(&mut self, query: Query) -> usize {
        self.queries.push(query);
        self.queries.len() - 1
    }
    /// How often every domain had to be looked at again.
    #[must_use]
    pub const fn rescans(&self) -> u64 {
        self.rescans
    }

    /// Lists the `k` (1 or more) cheapest domains of every query.
    pub fn rank(&mut self, tables: &Tables, k: usize, evaluator: &mut dyn Evaluator) {
        self.changed = vec![0; self.domains.len()];
        let batch = Batch { queries: &self.queries, domains: &self.domains, tables };
        evaluator.rank(&batch, k, &mut self.ranking);
        let list = |query| List::of(self.ranking.of(query), k, (&self.log, &self.changed));
        self.lists = (0..self.queries.len()).map(list).collect();
    }

    /// A domain is now like this.
    pub fn change(&mut self, index: u32, domain: Domain) {
        let at = index as usize;
        if self.domains.get(at) != domain {
            self.domains.set(at, domain);
            self.log.push(index);
            self.changed[at] = self.log.len();
        }
    }

    /// Every domain is now left with so many watts, fewer than before or as many: what cannot be admitted any more is
    /// no longer looked at.
    pub fn limit(&mut self, headrooms: &[u32]) {
        for (known, headroom) in self.domains.headroom.iter_mut().zip(headrooms) {
            *known = (*known).min(*headroom);
        }
    }

    /// The cheapest domain of a query of those that `admits` too, as they all are now.
    pub fn cheapest(&mut self, query: usize, tables: &Tables, mut admits: impl FnMut(u32) -> bool) -> Answer {
        self.absorb(query, tables);
        let mut refuses = false;
        let mut noticed = |index: u32| {
            let admitted = admits(index);
            refuses |= !admitted;
            admitted
        };
        match self.lists[query].first(&self.changed, &mut noticed) {
            // Where none was refused, the list is used up, and another look finds more.
            Answer::Unknown if !refuses => {
                self.cheapest_of_all(query, tables, admits).map_or(Answer::Nothing, Answer::Cheapest)
            }
            answer => answer,
        }
    }

    /// As [`Board::cheapest`] after another look at every domain, or several where many are not admitted.
    pub fn cheapest_of_all(
        &mut self,
        query: usize,
        tables: &Tables,
        mut admits: impl FnMut(u32) -> bool,
    ) -> Option<Candidate> {
        let queries = std::slice::from_ref(&self.queries[query]);
        let batch = Batch { queries, domains: &self.domains, tables };
        let mut k = RESCANNED;
        loop {
            self.rescans += 1;
            Cpu::default().rank(&batch, k, &mut self.ranking);
            self.lists[query] = List::of(self.ranking.of(0), k, (&self.log, &self.changed));
            match self.lists[query].first(&self.changed, &mut admits) {
                Answer::Cheapest(candidate) => return Some(candidate),
                Answer::Nothing => return None,
                Answer::Unknown => k *= RESCANNED,
            }
        }
    }

    /// Those that changed since the query was last asked are candidates too.
    fn absorb(&mut self, query: usize, tables: &Tables) {
        let batch = Batch { queries: &self.queries, domains: &self.domains, tables };
        let list = &mut self.lists[query];
        let news = (1..).zip(&self.log).skip(list.seen);
        // A domain that changed again comes up again.
        for (length, index) in news.filter(|(length, index)| self.changed[**index as usize] == *length) {
            let candidate = Candidate { cost: batch.cost(query, *index as usize), index: *index };
            if candidate.is_some() {
                list.candidates.push(Reverse((candidate, length)));
            }
        }
        list.seen = self.log.len();
    }
}

impl List {
    /// The candidates of a ranking of `k`.
    fn of(ranked: &[Candidate], k: usize, (log, changed): (&[u32], &[usize])) -> Self {
        let known = |candidate: &Candidate| Reverse((*candidate, changed[candidate.index as usize]));
        Self {
            candidates: ranked.iter().map(known).collect(),
            seen: log.len(),
            last: ranked.last().copied().filter(|_| ranked.len() == k),
        }
    }

    /// The first candidate that still holds and is admitted, unless one that is unknown may come before it.
    fn first(&mut self, changed: &[usize], admits: &mut impl FnMut(u32) -> bool) -> Answer {
        let mut refused = Vec::new();
        let found = loop {
            let Some(&Reverse((candidate, as_of))) = self.candidates.peek() else {
                break if self.last.is_some() { Answer::Unknown } else { Answer::Nothing };
            };
            if changed[candidate.index as usize] != as_of {
                self.candidates.pop();
                continue;
            }
            if self.last.is_some_and(|last| candidate > last) {
                break Answer::Unknown;
            }
            if admits(candidate.index) {
                break Answer::Cheapest(candidate);
            }
            refused.extend(self.candidates.pop());
        };
        self.candidates.extend(refused);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// Numbers below a limit, one after the other.
    struct Numbers(Stream, u32);

    impl Numbers {
        fn below(&mut self, limit: u32) -> u32 {
            self.1 += 1;
            self.0.draw(7, self.1) % limit
        }
        fn domain(&mut self) -> Domain {
            let scopes = [1, 1, 2, 3, 0][self.below(5) as usize];
            Domain { scopes, units: self.below(9), own: self.below(12), ..Domain::default() }
        }
        fn query(&mut self) -> Query {
            let units = self.below(9);
            Query { scopes: 1 + self.below(3), units, least: units, share: u32::MAX, ..Query::default() }
        }
    }

    fn naive(board: &Board, query: usize, tables: &Tables, admitted: &[bool]) -> Option<Candidate> {
        let batch = Batch { queries: &board.queries, domains: &board.domains, tables };
        let all = (0..).take(admitted.len()).filter(|index: &u32| admitted[*index as usize]);
        all.map(|index| Candidate { cost: batch.cost(query, index as usize), index })
            .filter(|candidate| candidate.is_some())
            .min()
    }

    /// What a board and a look at every domain answer differently in so many steps; a hook spoils the board before.
    fn differences(seed: u64, k: usize, spoil: impl Fn(&mut Board)) -> (usize, u64) {
        let mut numbers = Numbers(Stream::new(seed, Purpose::Placement), 0);
        let tables = Tables::flat(1, 1);
        let mut board = Board::default();
        let mut different = 0;
        board.begin();
        let size = 1 + numbers.below(60);
        (0..size).for_each(|_| board.push(numbers.domain(), 0));
        (0..5).for_each(|number| assert_eq!(board.ask(numbers.query()), number, "numbered as they come"));
        board.rank(&tables, k, &mut Cpu::default());
        let admitted: Vec<bool> = (0..size).map(|_| numbers.below(20) > 0).collect();
        for _ in 0..60 {
            let query = numbers.below(5) as usize;
            let expected = naive(&board, query, &tables, &admitted);
            spoil(&mut board);
            let admits = |index: u32| admitted[index as usize];
            let answer = match board.cheapest(query, &tables, admits) {
                Answer::Cheapest(candidate) => Some(candidate),
                Answer::Nothing => None,
                Answer::Unknown => board.cheapest_of_all(query, &tables, admits),
            };
            let is_right = answer == expected;
            different += usize::from(!is_right);
            // What was found is taken, and some other domain gains or loses.
            if let Some(candidate) = expected {
                let mut domain = board.domains.get(candidate.index as usize);
                domain.units -= numbers.below(domain.units + 1);
                domain.own = numbers.below(12);
                board.change(candidate.index, domain);
            }
            let (other, changed) = (numbers.below(size), numbers.domain());
            if numbers.below(3) == 0 {
                board.change(other, changed);
            }
        }
        (different, board.rescans)
    }

    #[test]
    fn whatever_changes_the_answer_is_that_of_a_look_at_every_domain() {
        let mut rescans = 0;
        for k in [1, 2, 8, 100] {
            for seed in 0..60 {
                let (different, again) = differences(seed, k, |_| ());
                assert_eq!(different, 0, "seed {seed}, K = {k}");
                assert!(k < 100 || again == 0, "a complete list is never made again");
                rescans += again;
            }
        }
        assert!(rescans > 100, "short lists run out: {rescans}");
    }

    #[test]
    fn a_change_that_is_not_heard_of_and_a_list_that_seems_complete_are_reported() {
        let deaf = |board: &mut Board| board.lists.iter_mut().for_each(|list| list.seen = board.log.len());
        let complete = |board: &mut Board| board.lists.iter_mut().for_each(|list| list.last = None);
        let lasting = |board: &mut Board| board.changed.fill(0);
        for spoil in [&deaf as &dyn Fn(&mut Board), &complete, &lasting] {
            let different: usize = (0..20).map(|seed| differences(seed, 2, spoil).0).sum();
            assert!(different > 0, "a faulty board answers differently");
        }
    }
}
