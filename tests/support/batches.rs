//! Batches of made-up requests and domains for the cost function, and what they cost by its written definition.

use gigawatt::cost::{
    Batch, Candidate, Domain, Domains, INFEASIBLE, Own, Place, Query, TERMS, Tables, Weights, own_cost,
    place_cost,
};
use gigawatt::random::{Purpose, Stream};

/// Terms and counts of a domain as they are before anything is summed.
#[derive(Debug, Clone)]
pub(crate) struct RawDomain {
    scopes: u32,
    units: u32,
    partial: u32,
    cpu: u32,
    memory: u32,
    headroom: u32,
    own: Own,
    group: u32,
}

/// A request class as it is before anything is summed.
#[derive(Debug, Clone)]
pub(crate) struct RawQuery {
    scopes: u32,
    units: u32,
    /// Whether a part of its units will do.
    may_span: bool,
    /// Thousandths, if it shares a GPU.
    share: Option<u32>,
    cpu: u32,
    memory: u32,
    draw: u32,
    /// What a share adds to what is stranded: where it breaks a whole GPU, and where it does not.
    gains: (i64, i64),
    /// By group.
    places: Vec<Place>,
}

/// Everything a ranking is made of.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    weights: Weights,
    pub(crate) raw_domains: Vec<RawDomain>,
    raw_queries: Vec<RawQuery>,
    /// By group and free units.
    stranded: Vec<Vec<u32>>,
    pub(crate) queries: Vec<Query>,
    pub(crate) domains: Domains,
    pub(crate) tables: Tables,
}

/// How many of what a sample has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) queries: u32,
    pub(crate) domains: u32,
    pub(crate) groups: u32,
    /// Different states that domains are in; fewer make more of them alike.
    pub(crate) states: u32,
    pub(crate) units: u32,
}

impl Size {
    pub(crate) const fn of(queries: u32, domains: u32) -> Self {
        Self { queries, domains, groups: 3, states: 40, units: 8 }
    }
}

/// Every weight on, none above its share of what all may come to.
pub(crate) fn every_term() -> Weights {
    TERMS.iter().zip(1..).fold(Weights::default(), |weights, (term, step)| term.with(weights, 5_900 - step))
}

impl Sample {
    /// A random sample under these weights.
    pub(crate) fn random(seed: u64, size: Size, weights: Weights) -> Self {
        let stream = Stream::new(seed, Purpose::Requests);
        let draw = |entity: u32, draw: u32, bound: u32| {
            let wide = u64::from(stream.draw(u64::from(entity), draw)) * u64::from(bound);
            u32::try_from(wide >> 32).expect("below the bound")
        };
        let term = |entity, number| draw(entity, number, 65_536);
        let states: Vec<RawDomain> = (0..size.states)
            .map(|state| RawDomain {
                scopes: draw(state, 0, 4),
                units: draw(state, 1, size.units + 1),
                partial: draw(state, 2, 2) * draw(state, 3, 1_000),
                cpu: if draw(state, 4, 2) == 0 { u32::MAX } else { draw(state, 5, 64_000) },
                memory: if draw(state, 6, 2) == 0 { u32::MAX } else { draw(state, 7, 64_000) },
                headroom: if draw(state, 8, 2) == 0 { u32::MAX } else { draw(state, 9, 20_000) },
                own: Own {
                    leftover: term(state, 10),
                    rack_leftover: term(state, 11),
                    pressure: term(state, 12),
                    rack_fragmentation: term(state, 13),
                },
                group: 0,
            })
            .collect();
        let domain = |index: u32| {
            let state = draw(index, 100, size.states) as usize;
            let group = u32::try_from(u64::from(index) * u64::from(size.groups) / u64::from(size.domains));
            RawDomain { group: group.expect("fewer than domains"), ..states[state].clone() }
        };
        let stranded = |group: u32, units: u32| draw(group, 200 + units, Tables::STRANDED_MAX + 1);
        let query = |index: u32| {
            let share = (draw(index, 300, 4) == 0).then(|| draw(index, 301, 999) + 1);
            RawQuery {
                scopes: draw(index, 302, 3) + 1,
                units: if share.is_some() { 1 } else { draw(index, 303, size.units + 1) },
                may_span: draw(index, 304, 5) == 0 && share.is_none(),
                share,
                cpu: draw(index, 305, 2) * draw(index, 306, 32_000),
                memory: draw(index, 307, 2) * draw(index, 308, 32_000),
                draw: draw(index, 309, 2) * draw(index, 310, 10_000),
                gains: (i64::from(draw(index, 311, 700)), -i64::from(draw(index, 312, 700))),
                places: (0..size.groups)
                    .map(|group| Place {
                        run_time: term(index, 400 + 3 * group),
                        energy: term(index, 401 + 3 * group),
                        carbon: term(index, 402 + 3 * group),
                    })
                    .collect(),
            }
        };
        Self::of(
            weights,
            (0..size.domains).map(domain).collect(),
            (0..size.queries).map(query).collect(),
            (0..size.groups).map(|g| (0..=size.units).map(|units| stranded(g, units)).collect()).collect(),
        )
    }

    /// Every field of requests and domains at its smallest and largest and next to that, one at a time, with terms
    /// that are all nothing, or all as large as they may be.
    pub(crate) fn at_the_limits(weights: Weights) -> Self {
        let limits = [0, 1, u32::MAX - 1, u32::MAX];
        let mut domains = Vec::new();
        let mut queries = Vec::new();
        for most in [0, 65_535] {
            let own = Own { leftover: most, rack_leftover: most, pressure: most, rack_fragmentation: most };
            let domain = RawDomain {
                scopes: u32::MAX,
                units: 4,
                partial: 0,
                cpu: 7,
                memory: 7,
                headroom: 7,
                own,
                group: most & 1,
            };
            let place = Place { run_time: most, energy: most, carbon: most };
            let query = RawQuery {
                scopes: 1,
                units: 4,
                may_span: most == 0,
                share: None,
                cpu: 1,
                memory: 1,
                draw: 1,
                gains: (700, -700),
                places: vec![place; 2],
            };
            for limit in limits {
                domains.push(RawDomain { scopes: limit, ..domain.clone() });
                domains.push(RawDomain { units: limit, ..domain.clone() });
                // No GPU has so much left that whoever asks for no share would fit.
                domains.push(RawDomain { partial: limit.min(u32::MAX - 1), ..domain.clone() });
                domains.push(RawDomain { cpu: limit, ..domain.clone() });
                domains.push(RawDomain { memory: limit, ..domain.clone() });
                domains.push(RawDomain { headroom: limit, ..domain.clone() });
                queries.push(RawQuery { scopes: limit, ..query.clone() });
                queries.push(RawQuery { units: limit, ..query.clone() });
                queries.push(RawQuery { cpu: limit, ..query.clone() });
                queries.push(RawQuery { memory: limit, ..query.clone() });
                queries.push(RawQuery { draw: limit, ..query.clone() });
                if limit < u32::MAX {
                    let share = RawQuery { units: 1, may_span: false, share: Some(limit), ..query.clone() };
                    queries.push(share);
                }
            }
        }
        // The first group strands all it can, the second nothing; more units than four count as four.
        let stranded = vec![vec![Tables::STRANDED_MAX, 0, Tables::STRANDED_MAX, 0, 0], vec![0; 5]];
        Self::of(weights, domains, queries, stranded)
    }

    /// What an evaluator is given of all that.
    fn of(
        weights: Weights,
        raw_domains: Vec<RawDomain>,
        raw_queries: Vec<RawQuery>,
        stranded: Vec<Vec<u32>>,
    ) -> Self {
        let groups = u32::try_from(stranded.len()).expect("few");
        let units_counted = u32::try_from(stranded[0].len()).expect("few");
        let place =
            raw_queries.iter().flat_map(|query| query.places.iter().map(|place| place_cost(weights, *place)));
        let tables = Tables { groups, units_counted, stranded: stranded.concat(), place: place.collect() };
        let mut domains = Domains::default();
        for raw in &raw_domains {
            let domain = Domain {
                scopes: raw.scopes,
                units: raw.units,
                partial: raw.partial,
                cpu: raw.cpu,
                memory: raw.memory,
                headroom: raw.headroom,
                own: own_cost(weights, raw.own),
                stranded: tables.stranded(raw.group, raw.units),
            };
            domains.push(domain, raw.group);
        }
        let above = |gain: i64| u32::try_from(32_768 + gain).expect("gains are small");
        let query = |(row, raw): (u32, &RawQuery)| Query {
            scopes: raw.scopes,
            units: raw.units,
            least: if raw.may_span { raw.units.min(1) } else { raw.units },
            share: raw.share.unwrap_or(u32::MAX),
            cpu: raw.cpu,
            memory: raw.memory,
            draw: raw.draw,
            span_step: weights.span * 65_535_u32.checked_div(raw.units).unwrap_or(0),
            fragmentation: weights.fragmentation,
            on_whole: above(if raw.share.is_some() { raw.gains.0 } else { 0 }),
            on_shared: above(raw.gains.1),
            row,
        };
        let queries = (0..).zip(&raw_queries).map(query).collect();
        Self { weights, raw_domains, raw_queries, stranded, queries, domains, tables }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch { queries: &self.queries, domains: &self.domains, tables: &self.tables }
    }

    /// The cheapest domains of a query by the definition: every term on its own, in wide numbers, sorted.
    pub(crate) fn by_definition(&self, query: usize, k: usize) -> Vec<Candidate> {
        let costs = self.raw_domains.iter().map(|domain| self.cost(&self.raw_queries[query], domain));
        let mut all: Vec<(u64, u32)> =
            costs.zip(0..).filter_map(|(cost, index)| Some((cost?, index))).collect();
        all.sort_unstable();
        let narrow = |cost: u64| u32::try_from(cost).expect("weights sum to at most 65535");
        all.into_iter().take(k).map(|(cost, index)| Candidate { cost: narrow(cost), index }).collect()
    }

    fn cost(&self, query: &RawQuery, domain: &RawDomain) -> Option<u64> {
        let shares_a_shared_gpu = query.share.is_some_and(|share| domain.partial >= share);
        let enough =
            if query.may_span { domain.units >= query.units.min(1) } else { domain.units >= query.units };
        let fits = domain.scopes & query.scopes != 0
            && (enough || shares_a_shared_gpu)
            && domain.cpu >= query.cpu
            && domain.memory >= query.memory
            && domain.headroom >= query.draw;
        if !fits {
            return None;
        }
        let table = &self.stranded[domain.group as usize];
        let strands = |units: u32| i64::from(table[(units as usize).min(table.len() - 1)]);
        let before = strands(domain.units);
        let gain = match query.share {
            Some(_) if shares_a_shared_gpu => query.gains.1,
            Some(_) => query.gains.0 + strands(domain.units - 1) - before,
            None => strands(domain.units.saturating_sub(query.units)) - before,
        };
        let missing = query.units.saturating_sub(domain.units);
        let place = query.places[domain.group as usize];
        let own = domain.own;
        let (weights, most) = (self.weights, 65_535);
        let terms = [
            (weights.leftover, own.leftover),
            (weights.spread, most - own.leftover),
            (weights.rack_leftover, own.rack_leftover),
            (weights.rack_spread, most - own.rack_leftover),
            (weights.span, missing * most.checked_div(query.units).unwrap_or(0)),
            (weights.run_time, place.run_time),
            (weights.energy, place.energy),
            (weights.carbon, place.carbon),
            (weights.pressure, own.pressure),
            (weights.fragmentation, u32::try_from(32_768 + gain).expect("in the range of a term")),
            (weights.rack_fragmentation, own.rack_fragmentation),
        ];
        assert!(terms.iter().all(|(_, term)| *term <= most), "a term of {terms:?} is too large");
        Some(terms.iter().map(|(weight, term)| u64::from(*weight) * u64::from(*term)).sum())
    }
}

/// Where two rankings of a sample differ, told in a line each.
pub(crate) fn differences(sample: &Sample, k: usize, lists: &[Candidate]) -> Vec<String> {
    let mut found = Vec::new();
    for (query, list) in lists.chunks(k).enumerate() {
        let mut expected = sample.by_definition(query, k);
        expected.resize(k, Candidate { cost: INFEASIBLE, index: u32::MAX });
        if let Some(rank) = (0..k).find(|rank| list[*rank] != expected[*rank]) {
            let told = format!("query {query}, rank {rank}: {:?}", list[rank]);
            found.push(format!("{told} instead of {:?}", expected[rank]));
        }
    }
    found
}
