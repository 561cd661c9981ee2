use super::*;
use crate::cost::{Domain, INFEASIBLE, Query, Tables};
use crate::gpu::lint::{Shader, same_layout};
use crate::gpu::tests::device;
use crate::random::{Purpose, Stream};

/// Numbers drawn one after another.
#[derive(Debug)]
struct Draws {
    stream: Stream,
    drawn: u64,
}

impl Draws {
    fn new(seed: u64) -> Self {
        Self { stream: Stream::new(seed, Purpose::Sampling), drawn: 0 }
    }
    fn below(&mut self, bound: u32) -> u32 {
        self.drawn += 1;
        self.stream.below(self.drawn, 0, bound)
    }
}

/// A problem that owns what a [`Batch`] borrows.
#[derive(Debug, Default)]
struct Problem {
    queries: Vec<Query>,
    domains: Domains,
    tables: Tables,
}

impl Problem {
    fn batch(&self) -> Batch<'_> {
        Batch { queries: &self.queries, domains: &self.domains, tables: &self.tables }
    }
    /// `queries` queries and `domains` domains of which no two terms are alike, drawn from a seed.
    fn drawn(seed: u64, queries: u32, domains: u32) -> Self {
        let mut draws = Draws::new(seed);
        let groups = 1 + draws.below(4);
        let units_counted = 1 + draws.below(9);
        let mut tables = Tables { groups, units_counted, ..Tables::default() };
        tables.stranded =
            (0..groups * units_counted).map(|_| draws.below(Tables::STRANDED_MAX + 1)).collect();
        tables.place = (0..groups * queries.max(1)).map(|_| draws.below(1 << 20)).collect();
        let mut problem = Self { tables, ..Self::default() };
        for row in 0..queries {
            problem.queries.push(drawn_query(&mut draws, row));
        }
        for _ in 0..domains {
            let domain = drawn_domain(&mut draws);
            problem.domains.push(domain, draws.below(groups));
        }
        problem
    }
    /// As many domains as asked, all alike, and queries that fit on all or on none of them.
    fn alike(queries: u32, domains: u32, fits: bool) -> Self {
        let query =
            Query { scopes: u32::from(fits), units: 2, least: 2, share: u32::MAX, ..Query::default() };
        let mut problem = Self { tables: Tables::flat(1, 1), ..Self::default() };
        problem.queries = vec![query; queries as usize];
        for _ in 0..domains {
            problem.domains.push(Domain { scopes: 1, units: 4, own: 7, ..Domain::default() }, 0);
        }
        problem
    }
}

fn drawn_query(draws: &mut Draws, row: u32) -> Query {
    let shares = draws.below(4) == 0;
    let units = if shares { 1 } else { draws.below(9) };
    Query {
        scopes: 1 + draws.below(15),
        units,
        least: units.min(draws.below(9)),
        share: if shares { draws.below(1000) } else { INFEASIBLE },
        cpu: draws.below(1000),
        memory: draws.below(1000),
        draw: draws.below(1000),
        span_step: draws.below(8000),
        fragmentation: draws.below(5),
        on_whole: 32_768 + draws.below(100),
        on_shared: 32_768 - draws.below(100),
        row,
    }
}

fn drawn_domain(draws: &mut Draws) -> Domain {
    Domain {
        scopes: draws.below(16),
        units: draws.below(9),
        partial: draws.below(1000),
        cpu: draws.below(4000),
        memory: draws.below(4000),
        headroom: if draws.below(8) == 0 { u32::MAX } else { draws.below(4000) },
        own: draws.below(200),
        stranded: draws.below(Tables::STRANDED_MAX + 1),
    }
}

/// Small enough that every border between chunks is crossed by a small problem.
const SMALL: Chunks = Chunks { domains: 700, pairs: 64 * 700, bytes: 1 << 16, threads: 1 << 10 };

/// The rankings that the device gives and those that the processor gives.
fn both(ranker: &mut Ranker, problem: &Problem, k: usize) -> (Ranking, Ranking) {
    let (mut gpu, mut cpu) = (Ranking::default(), Ranking::default());
    ranker.rank(&problem.batch(), k, &mut gpu).expect("a device that works");
    Cpu::default().rank(&problem.batch(), k, &mut cpu);
    (gpu, cpu)
}

#[track_caller]
fn check(ranker: &mut Ranker, what: &str, problem: &Problem) {
    for k in [1, 2, 8, 19] {
        let (gpu, cpu) = both(ranker, problem, k);
        assert_eq!(gpu, cpu, "{what}, the {k} cheapest");
    }
}

/// Problems at the borders of what the shader does.
fn borders() -> Vec<(String, Problem)> {
    let mut problems = vec![
        ("no query".to_owned(), Problem::drawn(1, 0, 10)),
        ("no domain".to_owned(), Problem::drawn(1, 3, 0)),
        ("nothing fits".to_owned(), Problem::alike(3, 1000, false)),
        ("all tied".to_owned(), Problem::alike(70, 1000, true)),
    ];
    for (queries, domains) in
        [(1, 1), (63, 255), (64, 256), (65, 257), (3, 63), (3, 64), (3, 65), (130, 1500)]
    {
        let name = format!("{queries} queries on {domains} domains");
        problems.push((name, Problem::drawn(u64::from(queries * domains), queries, domains)));
    }
    problems.push(("the largest values of all fields".to_owned(), largest()));
    problems
}

/// Every field at its largest, alone and together, on both sides.
fn largest() -> Problem {
    let mut problem = Problem::drawn(5, 2, 8);
    let full = Domain {
        scopes: u32::MAX,
        units: u32::MAX,
        partial: u32::MAX,
        cpu: u32::MAX,
        memory: u32::MAX,
        headroom: u32::MAX,
        own: u32::MAX - 1,
        stranded: Tables::STRANDED_MAX,
    };
    problem.domains.push(full, 0);
    problem.domains.push(Domain { own: 65_535 * 65_535, ..full }, 0);
    problem.domains.push(Domain { units: 0, partial: 0, own: 0, ..full }, 0);
    let greedy = Query {
        scopes: u32::MAX,
        units: u32::MAX,
        least: u32::MAX,
        share: u32::MAX,
        cpu: u32::MAX,
        memory: u32::MAX,
        draw: u32::MAX,
        span_step: 0,
        fragmentation: 65_535,
        on_whole: 32_768,
        on_shared: 0,
        row: 0,
    };
    problem.queries.push(greedy);
    problem.queries.push(Query { least: 0, share: 0, ..greedy });
    problem.queries.push(Query { units: 0, least: 0, span_step: 65_535, ..greedy });
    problem
}

#[test]
fn a_gpu_ranks_as_the_processor_does_at_every_border() {
    let Some(gpu) = device() else { return };
    let mut ranker = Ranker::new(gpu).expect("a device that takes the shader");
    for (what, problem) in borders() {
        check(&mut ranker, &what, &problem);
    }
}

#[test]
fn a_gpu_ranks_the_same_in_any_chunks() {
    let Some(gpu) = device() else { return };
    let mut ranker = Ranker::with(gpu, RANK_SOURCE, SMALL).expect("a device that takes the shader");
    for (what, problem) in borders() {
        check(&mut ranker, &what, &problem);
    }
    for seed in 0..20 {
        let mut draws = Draws::new(seed);
        let (queries, domains) = (1 + draws.below(200), 1 + draws.below(3000));
        check(&mut ranker, &format!("seed {seed}"), &Problem::drawn(seed, queries, domains));
    }
}

#[test]
fn place_costs_that_fill_more_than_a_buffer_are_ranked_in_parts() {
    let tight = Chunks { bytes: 1 << 9, ..Chunks::default() };
    let Some(gpu) = device() else { return };
    let mut ranker = Ranker::with(gpu, RANK_SOURCE, tight).expect("a device that takes the shader");
    let mut problem = Problem::drawn(6, 40, 300);
    // Rows in another order than that of the queries, and some shared by two.
    problem.queries.iter_mut().for_each(|query| query.row = (query.row * 7) % 30);
    check(&mut ranker, "in parts", &problem);
    problem.tables.place.reverse();
    let (gpu, _) = both(&mut ranker, &problem, 2);
    problem.tables.place.reverse();
    let (_, cpu) = both(&mut ranker, &problem, 2);
    assert_ne!(gpu, cpu, "other place costs are noticed");
}

#[test]
fn a_batch_that_is_there_already_is_ranked_again_alike() {
    let Some(gpu) = device() else { return };
    let mut ranker = Ranker::new(gpu).expect("a device that takes the shader");
    let problem = Problem::drawn(4, 70, 900);
    let (first, _) = both(&mut ranker, &problem, 8);
    let mut again = Ranking::default();
    ranker.rank_again(&problem.batch(), 8, &mut again).expect("a device that works");
    assert_eq!(first, again, "without an upload");
}

#[test]
fn a_slice_is_met_to_its_end_however_long() {
    let Some(gpu) = device() else { return };
    // One slice: as many domains as it may have at most, the cheapest of them the last.
    let chunks = Chunks { threads: 1, ..Chunks::default() };
    let mut ranker = Ranker::with(gpu, RANK_SOURCE, chunks).expect("a device that takes the shader");
    let mut problem = Problem::alike(1, TILE * TILES, true);
    *problem.domains.own.last_mut().expect("there are domains") = 3;
    let shape = ranker.shape(&problem.batch(), 0, problem.domains.len(), 1);
    assert_eq!((shape[0].slices, shape[0].slice), (1, TILE * TILES), "a single slice, the longest there is");
    check(&mut ranker, "a long slice", &problem);
}

#[test]
fn a_planted_bug_is_noticed() {
    for (what, found, planted) in [
        ("ties go to the higher index", "< list.cost_low;", "<= list.cost_low;"),
        ("a term is left out", " + query.span_step * missing", ""),
        ("memory is not looked at", "(domain.memory >= query.memory)", "true"),
        (
            "a slice ends early",
            "let count = min(TILE, end - first);",
            "let count = min(TILE, end - first) - 1u;",
        ),
        ("the place of the group before", "tile_group[slot] != group", "group == 0xffffffffu"),
    ] {
        let text = RANK_SOURCE.replace(found, planted);
        assert_ne!(text, RANK_SOURCE, "{what}: there is something to replace");
        let Some(gpu) = device() else { return };
        let mut ranker = Ranker::with(gpu, &text, SMALL).unwrap_or_else(|error| panic!("{what}: {error}"));
        let differs = borders().iter().any(|(_, problem)| {
            let (mut gpu, mut cpu) = (Ranking::default(), Ranking::default());
            Cpu::default().rank(&problem.batch(), 2, &mut cpu);
            ranker.rank(&problem.batch(), 2, &mut gpu).is_err() || gpu != cpu
        });
        assert!(differs, "{what}: not noticed");
    }
}

#[test]
fn a_loop_that_a_driver_leaves_early_is_an_error() {
    let text =
        RANK_SOURCE.replace("for (; slot < count; slot += 1u)", "for (; slot < count / 2u; slot += 1u)");
    let Some(gpu) = device() else { return };
    let mut ranker = Ranker::with(gpu, &text, Chunks::default()).expect("a valid shader");
    let problem = Problem::alike(2, 1000, true);
    let error = ranker.rank(&problem.batch(), 1, &mut Ranking::default()).expect_err("half of them were met");
    assert!(error.to_string().contains("500 of 1000 domains"), "{error}");
}

#[test]
fn the_processor_takes_over_from_a_lost_device_with_the_same_result() {
    let Some(gpu) = device() else { return };
    let mut evaluator = OnGpu::new(Ranker::new(gpu).expect("a device that takes the shader"));
    let problem = Problem::drawn(9, 5, 500);
    let (mut before, mut after) = (Ranking::default(), Ranking::default());
    evaluator.rank(&problem.batch(), 4, &mut before);
    assert_eq!(evaluator.failure(), None, "it works at first");
    evaluator.gpu().lose();
    evaluator.rank(&problem.batch(), 4, &mut after);
    assert!(matches!(evaluator.failure(), Some(Error::Lost { .. })), "the failure is kept");
    assert_eq!(before, after, "and the result is the same");
}

#[test]
fn constants_are_those_of_the_shader() {
    let shader = Shader::read(RANK_SOURCE).expect("a valid shader");
    let constants = [("THREADS", THREADS), ("TILE", TILE), ("TILES", TILES), ("SLICES", SLICES)];
    for (name, ours) in constants.into_iter().chain([("LONGEST", 8)]) {
        assert_eq!(shader.constant(name), ours, "{name}");
    }
    assert_eq!(LONGEST, 8, "as the shader says");
    assert!(shader.shared("scan") > 0, "{} bytes are shared", shader.shared("scan"));
}

#[test]
fn structures_are_laid_out_as_in_the_shader() {
    let shader = Shader::read(RANK_SOURCE).expect("a valid shader");
    same_layout!(
        shader,
        Parameters,
        [queries, first_query, domains, first_domain, slice, slices, k, groups, units_counted, resumed]
    );
    same_layout!(
        shader,
        Query,
        [scopes, units, least, share, cpu, memory, draw, span_step, fragmentation, on_whole, on_shared, row]
    );
    let (fields, _) = shader.layout("Domain");
    assert_eq!(fields.len() + 1, crate::cost::COLUMNS, "a column a field, and the groups");
}

#[test]
fn every_shape_keeps_to_its_chunks_and_covers_every_pair() {
    for chunks in [Chunks::default(), SMALL] {
        let Some(gpu) = device() else { return };
        let ranker = Ranker::with(gpu, RANK_SOURCE, chunks).expect("a device that takes the shader");
        for (queries, domains) in [(1, 1), (16_384, 1), (1, 524_288), (16_384, 524_288), (4096, 16_384)] {
            let problem = Problem { queries: vec![Query::default(); queries], ..Problem::default() };
            let shape = ranker.shape(&problem.batch(), 0, domains, 8);
            let mut next = 0;
            for one in &shape {
                assert_eq!(one.first_query, next, "no query is left out");
                next += one.queries;
                assert!(one.slice * one.slices >= one.domains, "no domain is left out");
                assert!(one.slice <= TILE * TILES && one.slices <= SLICES, "slices keep to the loops");
                assert!(one.queries.div_ceil(THREADS) <= 65_535, "workgroups keep to a dimension");
            }
            assert_eq!(next as usize, queries, "no query is left out");
        }
    }
}
