//! The evaluator that runs `shaders/rank.wgsl`.

use super::cpu::{Cpu, insert};
use super::domains::{Domains, Tables};
use super::evaluator::{Batch, Candidate, Evaluator, Ranking};
use super::shader::Query;
use crate::gpu::{Buffer, Error, Gpu, Kernel, Part, Step};
use bytemuck::{Pod, Zeroable};

/// The cost model with the entry points that rank.
pub const RANK_SOURCE: &str =
    concat!(include_str!("../../shaders/cost.wgsl"), include_str!("../../shaders/rank.wgsl"));

/// Threads of a workgroup, as in the shader.
const THREADS: u32 = 64;
/// Domains that a workgroup reads at once, as in the shader.
const TILE: u32 = 256;
/// Most tiles of a slice, as in the shader.
const TILES: u32 = 128;
/// Most slices of a dispatch, as in the shader.
const SLICES: u32 = 2048;
/// Most candidates of a list, as in the shader; longer ones take several rounds.
const LONGEST: usize = 8;
/// Threads that keep a large GPU busy.
const BUSY: u32 = 1 << 18;

/// `Parameters` of the shader, field for field.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Parameters {
    queries: u32,
    first_query: u32,
    domains: u32,
    first_domain: u32,
    slice: u32,
    slices: u32,
    k: u32,
    groups: u32,
    units_counted: u32,
    resumed: u32,
}

/// How much is given to the device at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Most domains that are uploaded at once.
    pub domains: u32,
    /// Most pairs of a submission: it should last seconds, not minutes, on any device.
    pub pairs: u64,
    /// Most bytes of a buffer: of lists, queries and place costs.
    pub bytes: u64,
    /// Threads to spread the work over, if there is so much of it.
    pub threads: u32,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { domains: 1 << 20, pairs: 1 << 30, bytes: 128 << 20, threads: BUSY }
    }
}

/// Ranks on a device; every call may fail.
#[derive(Debug)]
pub struct Ranker {
    gpu: Gpu,
    scan: Kernel,
    merge: Kernel,
    chunks: Chunks,
    parameters: Buffer,
    queries: Buffer,
    columns: Buffer,
    stranded: Buffer,
    place: Buffer,
    floors: Buffer,
    lists: Buffer,
    answers: Buffer,
    read: Vec<u32>,
}

impl Ranker {
    /// Prepares a device.
    ///
    /// # Errors
    /// It does not take the shader, or is lost.
    pub fn new(gpu: Gpu) -> Result<Self, Error> {
        Self::with(gpu, RANK_SOURCE, Chunks::default())
    }

    /// As [`Ranker::new`] with another shader text and other chunks: for tests, and for whoever measures.
    ///
    /// # Errors
    /// As [`Ranker::new`].
    pub fn with(gpu: Gpu, source: &str, chunks: Chunks) -> Result<Self, Error> {
        Ok(Self {
            scan: gpu.kernel(source, "scan")?,
            merge: gpu.kernel(source, "merge")?,
            gpu,
            chunks,
            parameters: Buffer::default(),
            queries: Buffer::default(),
            columns: Buffer::default(),
            stranded: Buffer::default(),
            place: Buffer::default(),
            floors: Buffer::default(),
            lists: Buffer::default(),
            answers: Buffer::default(),
            read: Vec::new(),
        })
    }

    /// The device it runs on.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// As [`Evaluator::rank`]. After an error `out` is of no use.
    ///
    /// # Errors
    /// The device is lost, refuses, or met fewer domains than there are.
    pub fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) -> Result<(), Error> {
        out.reset(batch.queries.len(), k);
        if k == 0 || batch.queries.is_empty() || batch.domains.is_empty() {
            return Ok(());
        }
        let rows = size_of_val(batch.tables.place.as_slice()).max(size_of_val(batch.queries)) as u64;
        if rows > self.chunks.bytes && batch.queries.len() > 1 {
            return self.rank_halves(batch, k, out);
        }
        self.upload(batch)?;
        let mut first = 0;
        while first < batch.domains.len() {
            let end = (first + self.chunks.domains as usize).min(batch.domains.len());
            if first > 0 {
                self.upload_domains(batch.domains, first, end)?;
            }
            self.rank_domains(batch, first, end, out)?;
            first = end;
        }
        Ok(())
    }

    /// Ranks one half of the queries after the other, each with the rows of the place costs that it reads.
    fn rank_halves(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) -> Result<(), Error> {
        let groups = batch.tables.groups as usize;
        let mut candidates = Vec::with_capacity(out.candidates.len());
        for half in batch.queries.chunks(batch.queries.len().div_ceil(2)) {
            let own = |(row, query): (u32, &Query)| Query { row, ..*query };
            let queries: Vec<Query> = (0..).zip(half).map(own).collect();
            let rows = half.iter().map(|query| &batch.tables.place[query.row as usize * groups..][..groups]);
            let tables = Tables { place: rows.flatten().copied().collect(), ..batch.tables.clone() };
            let mut ranking = Ranking::default();
            self.rank(&Batch { queries: &queries, tables: &tables, ..*batch }, k, &mut ranking)?;
            candidates.append(&mut ranking.candidates);
        }
        out.candidates = candidates;
        Ok(())
    }

    /// As [`Ranker::rank`] of the batch that was ranked last, which is not uploaded again: for whoever measures. All
    /// its domains are one chunk.
    ///
    /// # Errors
    /// As [`Ranker::rank`].
    pub fn rank_again(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) -> Result<(), Error> {
        assert!(batch.domains.len() <= self.chunks.domains as usize, "the domains are one chunk");
        out.reset(batch.queries.len(), k);
        self.rank_domains(batch, 0, batch.domains.len(), out)
    }

    /// Everything but the domains after the first chunk.
    fn upload(&mut self, batch: &Batch<'_>) -> Result<(), Error> {
        self.gpu.upload(&mut self.queries, batch.queries)?;
        self.gpu.upload(&mut self.stranded, &batch.tables.stranded)?;
        self.gpu.upload(&mut self.place, &batch.tables.place)?;
        self.gpu.reserve(&mut self.floors, 8)?;
        self.upload_domains(batch.domains, 0, batch.domains.len().min(self.chunks.domains as usize))
    }

    fn upload_domains(&mut self, domains: &Domains, first: usize, end: usize) -> Result<(), Error> {
        let columns = domains.columns().map(|column| &column[first..end]);
        self.gpu.upload_joined(&mut self.columns, &columns)
    }

    /// Ranks the domains of the columns, [`LONGEST`] candidates a round, into what `out` has of those before.
    fn rank_domains(
        &mut self,
        batch: &Batch<'_>,
        first: usize,
        end: usize,
        out: &mut Ranking,
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < out.k {
            let k = LONGEST.min(out.k - done);
            // The last candidates of this round are where the next one begins.
            let mut floors = Vec::new();
            let more = k < out.k;
            let shape = self.shape(batch, first, end, k);
            for mut parameters in shape {
                parameters.resumed = u32::from(done > 0);
                self.dispatch(&parameters)?;
                let answers = self.read.chunks_exact(1 + 2 * k).zip(parameters.first_query as usize..);
                for (answer, query) in answers {
                    let (met, list) = (answer[0], &answer[1..]);
                    if met != parameters.domains {
                        return Err(self.overrun(met, parameters.domains));
                    }
                    let list: &[Candidate] = bytemuck::cast_slice(list);
                    let known = &mut out.candidates[query * out.k..][..out.k];
                    list.iter().for_each(|candidate| insert(known, *candidate));
                    if more {
                        floors.push(list[k - 1]);
                    }
                }
            }
            done += k;
            if done < out.k {
                self.gpu.upload(&mut self.floors, &floors)?;
            }
        }
        Ok(())
    }

    /// The dispatches that meet every query with the domains of the columns.
    fn shape(&self, batch: &Batch<'_>, first: usize, end: usize, k: usize) -> Vec<Parameters> {
        let number = |count: usize| u32::try_from(count).expect("fewer than 2^32 queries and domains");
        let (queries, domains, k) = (number(batch.queries.len()), number(end - first), number(k));
        let blocks = queries.div_ceil(THREADS);
        // At least so many that a slice stays within TILES, at most a slice a tile.
        let tiles = domains.div_ceil(TILE);
        let wanted = (self.chunks.threads / THREADS).div_ceil(blocks);
        let slices = wanted.clamp(tiles.div_ceil(TILES), SLICES).min(tiles);
        let slice = tiles.div_ceil(slices) * TILE;
        let slices = domains.div_ceil(slice);
        let a_query = u64::from(slices) * u64::from(1 + 2 * k) * 4;
        let most = (self.chunks.pairs / u64::from(domains)).min(self.chunks.bytes / a_query);
        // A chunk of queries is whole workgroups, at least one and at most as many as a dispatch may have.
        let chunk = (u32::try_from(most).unwrap_or(u32::MAX) / THREADS).clamp(1, 65_535) * THREADS;
        let firsts = (0..queries).step_by(chunk as usize);
        let one = |first_query: u32| Parameters {
            queries: chunk.min(queries - first_query),
            first_query,
            domains,
            first_domain: number(first),
            slice,
            slices,
            k,
            groups: batch.tables.groups,
            units_counted: batch.tables.units_counted,
            resumed: 0,
        };
        firsts.map(one).collect()
    }

    /// One scan and one merge; the answers are in `read`.
    fn dispatch(&mut self, parameters: &Parameters) -> Result<(), Error> {
        let a_list = u64::from(1 + 2 * parameters.k) * 4;
        let answers = u64::from(parameters.queries) * a_list;
        self.gpu.upload(&mut self.parameters, &[*parameters])?;
        self.gpu.reserve(&mut self.lists, answers * u64::from(parameters.slices))?;
        self.gpu.reserve(&mut self.answers, answers)?;
        let blocks = parameters.queries.div_ceil(THREADS);
        let own: Part<'_> = self.parameters.slot::<Parameters>(0);
        let inputs = [&self.queries, &self.columns, &self.stranded, &self.place, &self.floors, &self.lists];
        let scan = Step {
            kernel: &self.scan,
            bindings: [own].into_iter().chain(inputs.map(Buffer::whole)).collect(),
            groups: [blocks, parameters.slices],
        };
        let merge = Step {
            kernel: &self.merge,
            bindings: vec![own, self.lists.whole(), self.answers.whole()],
            groups: [blocks, 1],
        };
        self.read.clear();
        let words = usize::try_from(answers / 4).expect("an answer fits in memory");
        self.gpu.run(&[scan, merge], &self.answers, words, &mut self.read)
    }

    /// What a driver that leaves a loop early is told.
    fn overrun(&self, met: u32, domains: u32) -> Error {
        Error::Refused {
            adapter: self.gpu.adapter().name.clone(),
            what: "a long loop".to_owned(),
            reason: format!("{met} of {domains} domains were met"),
        }
    }
}

/// The evaluator on a GPU. Where the GPU fails, the processor goes on with the same result and the failure is kept.
#[derive(Debug)]
pub struct OnGpu {
    ranker: Ranker,
    cpu: Cpu,
    batches: u64,
    failure: Option<Error>,
}

impl OnGpu {
    /// Evaluates on a device.
    #[must_use]
    pub fn new(ranker: Ranker) -> Self {
        Self { ranker, cpu: Cpu::default(), batches: 0, failure: None }
    }
    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        self.ranker.gpu()
    }
    /// How many batches the device has ranked.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.batches
    }
    /// Why the processor had to take over, if it had to.
    #[must_use]
    pub const fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }
}

impl Evaluator for OnGpu {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        if self.failure.is_none() {
            match self.ranker.rank(batch, k, out) {
                Ok(()) => {
                    self.batches += 1;
                    return;
                }
                Err(error) => self.failure = Some(error),
            }
        }
        self.cpu.rank(batch, k, out);
    }
}

#[cfg(test)]
mod tests;
