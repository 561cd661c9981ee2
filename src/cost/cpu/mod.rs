//! The evaluator that is always there: as many domains at once as the processor's widest instructions hold.

mod classes;
mod kernel;

use super::domains::{COLUMNS, Tables};
use super::evaluator::{Batch, Candidate, Evaluator, Ranking};
use super::shader;
use classes::Classes;
use kernel::{BLOCK, Buffers, CHUNK, Kernel};
use rayon::prelude::*;

/// A set of instructions that the inner loop is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// What every processor of the architecture has.
    Portable,
    /// Eight domains at once.
    Avx2,
    /// Sixteen domains at once.
    Avx512,
}

impl Instructions {
    /// Every set, the widest last.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name used in benches.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
    /// Whether this processor has them.
    #[must_use]
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let has = |wanted| match wanted {
            Self::Portable => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2"),
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        };
        #[cfg(not(target_arch = "x86_64"))]
        let has = |wanted| wanted == Self::Portable;
        has(self)
    }
    /// The widest that this processor has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rfind(|set| set.is_available()).unwrap_or(Self::Portable)
    }
    const fn kernel(self) -> Kernel {
        match self {
            Self::Portable => kernel::PORTABLE,
            Self::Avx2 => kernel::AVX2,
            Self::Avx512 => kernel::AVX512,
        }
    }
}

/// Ranks on the CPU.
///
/// # Complexity
/// O(queries · domains) time at some tenths of a nanosecond a pair and core, in one read of the domains a core;
/// where many domains are alike and many queries ask, O(domains + queries · kinds of domains).
#[derive(Debug, Clone)]
pub struct Cpu {
    instructions: Instructions,
    threads: bool,
    alike: Alike,
}

/// Whether domains that are equal in everything are evaluated once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// Where enough queries ask to pay for finding out which are.
    WherePaid,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The widest instructions there are, every core.
impl Default for Cpu {
    fn default() -> Self {
        Self { instructions: Instructions::best(), threads: true, alike: Alike::WherePaid }
    }
}

/// Fewer pairs than this are not worth a second thread.
const PAIRS_A_THREAD: usize = 1 << 17;
/// Fewer queries than this do not pay for finding out which domains are alike.
const QUERIES_FOR_CLASSES: usize = 96;

impl Cpu {
    /// One set of instructions; those that this processor lacks run as portable ones.
    #[must_use]
    pub const fn with(mut self, instructions: Instructions) -> Self {
        self.instructions = instructions;
        self
    }
    /// Whether it may use every core.
    #[must_use]
    pub const fn threads(mut self, threads: bool) -> Self {
        self.threads = threads;
        self
    }
    /// When domains that are alike are evaluated once.
    #[must_use]
    pub const fn alike(mut self, alike: Alike) -> Self {
        self.alike = alike;
        self
    }

    fn classes(&self, batch: &Batch<'_>) -> Option<Classes> {
        let paid = match self.alike {
            Alike::WherePaid => batch.queries.len() >= QUERIES_FOR_CLASSES,
            Alike::Always => true,
            Alike::Never => false,
        };
        let most = if self.alike == Alike::Always { usize::MAX } else { batch.domains.len() / 8 };
        if paid { Classes::of(batch.domains, most) } else { None }
    }
}

impl Evaluator for Cpu {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        out.reset(batch.queries.len(), k);
        if k == 0 || batch.queries.is_empty() {
            return;
        }
        let classes = self.classes(batch);
        let domains = classes.as_ref().map_or(batch.domains, Classes::domains);
        let kinds = Batch { domains, ..*batch };
        let rank = |first: usize, lists: &mut [Candidate]| {
            scan(&kinds, self.instructions.kernel(), first, k, lists);
            if let Some(classes) = &classes {
                lists.chunks_mut(k).for_each(|list| classes.expand(list));
            }
        };
        let threads = if self.threads { rayon::current_num_threads() } else { 1 };
        let pairs = batch.queries.len() * domains.len();
        let shares = threads.min(pairs / PAIRS_A_THREAD).max(1);
        if shares == 1 {
            return rank(0, &mut out.candidates);
        }
        let share = batch.queries.len().div_ceil(shares);
        let shares = out.candidates.par_chunks_mut(share * k).enumerate();
        shares.for_each(|(index, lists)| rank(index * share, lists));
    }
}

/// Ranks the queries from `first` on, as many as there are lists of `k`, on every domain.
fn scan(batch: &Batch<'_>, kernel: Kernel, first: usize, k: usize, lists: &mut [Candidate]) {
    // Queries that take equally many units look up the same.
    let mut order: Vec<usize> = (0..lists.len() / k).collect();
    order.sort_by_key(|query| batch.queries[first + query].units);
    let columns = batch.domains.columns();
    let mut buffers = Buffers::new();
    let mut stretches: Vec<&[u32]> = Vec::new();
    for start in (0..batch.domains.len()).step_by(CHUNK) {
        let length = CHUNK.min(batch.domains.len() - start);
        let chunk: [&[u32]; COLUMNS] = columns.map(|column| &column[start..start + length]);
        let [_, units, .., groups] = chunk;
        // Domains of one group are neighbours: most chunks lie within one.
        stretches.clear();
        stretches.extend(groups.chunk_by(|one, other| one == other));
        let group = (stretches.len() == 1).then(|| groups[0]);
        let mut looked_up = None;
        for query in order.iter().copied() {
            let asked = &batch.queries[first + query];
            // What nobody minds is not looked up.
            if asked.fragmentation > 0 && looked_up != Some(asked.units) {
                let mut after = &mut buffers.after[..];
                let mut units = units;
                for stretch in &stretches {
                    let (here, rest) = units.split_at(stretch.len());
                    let (to, behind) = after.split_at_mut(stretch.len());
                    look_up(batch.tables, kernel, asked.units, stretch[0], here, to);
                    (units, after) = (rest, behind);
                }
                looked_up = Some(asked.units);
            }
            let place = group.map(|group| batch.tables.place(asked, group));
            if place.is_none() {
                for (place, group) in buffers.place.iter_mut().zip(groups) {
                    *place = batch.tables.place(asked, *group);
                }
            }
            (kernel.costs)(asked, &chunk, place, &mut buffers);
            collect(&buffers, start, length, &mut lists[query * k..][..k]);
        }
    }
}

/// What is stranded once `asked` units are gone from domains of a group.
fn look_up(tables: &Tables, kernel: Kernel, asked: u32, group: u32, units: &[u32], after: &mut [u32]) {
    let first = shader::stranded_index(group, tables.units_counted, 0_u32) as usize;
    let row = &tables.stranded[first..first + tables.units_counted as usize];
    (kernel.look_up)(asked, units, row, after);
}

/// Takes what is cheap enough of a chunk that begins at `start` into the list of a query.
fn collect(buffers: &Buffers, start: usize, length: usize, list: &mut [Candidate]) {
    let last = list.len() - 1;
    let blocks = buffers.cost[..length].chunks(BLOCK).zip(&buffers.least);
    for ((costs, least), begin) in blocks.zip((start..).step_by(BLOCK)) {
        if *least < list[last].cost {
            for (cost, index) in costs.iter().zip(begin..) {
                // Of equal costs the lower index came first.
                if *cost < list[last].cost {
                    insert(list, Candidate { cost: *cost, index: narrow(index) });
                }
            }
        }
    }
}

/// Puts a candidate where it belongs in an ascending list, whose last one leaves; nothing happens if it comes after
/// that, or is infeasible.
pub(super) fn insert(list: &mut [Candidate], candidate: Candidate) {
    let Some(last) = list.last() else { return };
    if !candidate.is_some() || candidate >= *last {
        return;
    }
    let place = list.partition_point(|other| *other < candidate);
    list[place..].rotate_right(1);
    list[place] = candidate;
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("domains are counted in 32 bits")
}
