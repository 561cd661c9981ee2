use super::cpu::Cpu;
use super::evaluator::{Batch, Evaluator, Ranking};
use super::gpu::OnGpu;
use crate::gpu::{Error, Gpu};
use std::time::{Duration, Instant};

/// Small batches on the processor, large ones on whichever was faster: the first few are ranked by both, and timed.
///
/// What is ranked is the same either way, so that only the time depends on it.
#[derive(Debug)]
pub struct Auto {
    cpu: Cpu,
    gpu: OnGpu,
    trials: u32,
    spent: [Duration; 2],
    large: u64,
    on_gpu: u64,
}

/// Batches of fewer pairs are ranked before a GPU has its answer ready: some ten milliseconds of a core.
const SMALL: u64 = 1 << 24;
/// Large batches that both rank, after a first one in which the GPU gets its memory and its kernels ready.
const TRIALS: u32 = 3;

impl Auto {
    /// A processor and a device to choose from.
    #[must_use]
    pub fn new(gpu: OnGpu) -> Self {
        Self { cpu: Cpu::default(), gpu, trials: 0, spent: [Duration::ZERO; 2], large: 0, on_gpu: 0 }
    }
    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        self.gpu.gpu()
    }
    /// Why the processor had to take over, if it had to.
    #[must_use]
    pub const fn failure(&self) -> Option<&Error> {
        self.gpu.failure()
    }
    /// How many large batches there were, and how many of them the device ranked, trials included.
    #[must_use]
    pub const fn large(&self) -> (u64, u64) {
        (self.large, self.on_gpu)
    }
}

impl Evaluator for Auto {
    fn rank(&mut self, batch: &Batch<'_>, k: usize, out: &mut Ranking) {
        let pairs = batch.queries.len() as u64 * batch.domains.len() as u64;
        if pairs < SMALL {
            return self.cpu.rank(batch, k, out);
        }
        self.large += 1;
        if self.failure().is_none() && self.trials <= TRIALS {
            let gpu = timed(|| self.gpu.rank(batch, k, out));
            let cpu = timed(|| self.cpu.rank(batch, k, out));
            if self.trials > 0 {
                self.spent[0] += cpu;
                self.spent[1] += gpu;
            }
            self.trials += 1;
            self.on_gpu += 1;
        } else if self.failure().is_none() && self.spent[1] < self.spent[0] {
            self.gpu.rank(batch, k, out);
            self.on_gpu += 1;
        } else {
            self.cpu.rank(batch, k, out);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it decides who ranks, not what is ranked")]
fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}
