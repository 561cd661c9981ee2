//! Metering with `shaders/power.wgsl`.

use super::shader::{Meter, Wide};
use super::{Bucket, Cpu, Load, Metering, Usage, Window};
use crate::gpu::{Buffer, Error, Gpu, Kernel, Part, Step};
use bytemuck::{Pod, Zeroable};

/// What is metered, with the entry points that do it.
pub const POWER_SOURCE: &str =
    concat!(include_str!("../../../shaders/meter.wgsl"), include_str!("../../../shaders/power.wgsl"));

/// Threads of a workgroup, as in the shader.
pub(super) const THREADS: u32 = 64;
/// Most steps of a thread in a dispatch, as in the shader.
pub(super) const STEPS: u32 = 4096;
/// Most seconds that a thread meters: the joules of a price stay below 2⁶².
const SPAN_SECONDS: u32 = 1 << 22;
/// Most dispatches of a submission.
const DISPATCHES: usize = 16;

/// `Parameters` of the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Parameters {
    pub(super) feeds: u32,
    pub(super) done: u32,
    pub(super) begin: u32,
    pub(super) end: u32,
    pub(super) bucket: u32,
    pub(super) span: u32,
    pub(super) spans: u32,
    pub(super) resumed: u32,
}

/// `State` of the shader.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct State {
    pub(super) meter: Meter,
    pub(super) time: u32,
    pub(super) bucket_begin: u32,
    pub(super) bucket: u32,
    pub(super) change: u32,
    pub(super) price: u32,
}

/// How much is given to the device at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    /// Most bytes of a buffer: of buckets, and of changes of draw.
    pub bytes: u64,
    /// Threads to spread the feeds over.
    pub threads: u32,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { bytes: 128 << 20, threads: 1 << 17 }
    }
}

/// Meters on a device. Where it fails the processor goes on with the same result and the failure is kept.
#[derive(Debug)]
pub struct Meters {
    gpu: Gpu,
    draw: Kernel,
    meter: Kernel,
    chunks: Chunks,
    parameters: Buffer,
    feeds: Buffer,
    changes: Buffer,
    draws: Buffer,
    prices: Buffer,
    states: Buffer,
    buckets: Buffer,
    failure: Option<Error>,
}

impl Meters {
    /// Prepares a device.
    ///
    /// # Errors
    /// It does not take the shader, or is lost.
    pub fn new(gpu: Gpu) -> Result<Self, Error> {
        Self::with(gpu, POWER_SOURCE, Chunks::default())
    }

    /// As [`Meters::new`] with another shader text and other chunks: for tests, and for whoever measures.
    ///
    /// # Errors
    /// As [`Meters::new`].
    pub fn with(gpu: Gpu, source: &str, chunks: Chunks) -> Result<Self, Error> {
        Ok(Self {
            draw: gpu.kernel(source, "draw")?,
            meter: gpu.kernel(source, "meter")?,
            gpu,
            chunks,
            parameters: Buffer::default(),
            feeds: Buffer::default(),
            changes: Buffer::default(),
            draws: Buffer::default(),
            prices: Buffer::default(),
            states: Buffer::default(),
            buckets: Buffer::default(),
            failure: None,
        })
    }

    /// The device it runs on.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }
    /// Why the processor had to take over, if it had to.
    #[must_use]
    pub const fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// As [`Metering::meter`]. After an error `out` is of no use.
    ///
    /// # Errors
    /// The device is lost, refuses, or did less than it was told.
    pub fn try_meter(&mut self, load: &Load, window: Window, out: &mut Usage) -> Result<(), Error> {
        out.reset(load.feeds.len(), window);
        self.meter_part(load, window, (0, 0), out)
    }

    /// Meters some of the feeds in a part of the time, in halves if they have more changes than fit into a buffer;
    /// `at`: their first feed and bucket in `out`.
    fn meter_part(
        &mut self,
        load: &Load,
        window: Window,
        at: (usize, usize),
        out: &mut Usage,
    ) -> Result<(), Error> {
        let (feeds, count) = (load.feeds.len(), window.buckets());
        if feeds == 0 || count == 0 {
            return Ok(());
        }
        let fits = size_of_val(load.changes.as_slice()) as u64 <= self.chunks.bytes;
        if !fits && feeds > 1 {
            let half = feeds / 2;
            self.meter_part(&load.part(0..half, window), window, at, out)?;
            let (feed, bucket) = at;
            return self.meter_part(&load.part(half..feeds, window), window, (feed + half, bucket), out);
        }
        if !fits && count > 1 {
            let middle = window.begin + count / 2 * window.bucket;
            let (early, late) = (Window { end: middle, ..window }, Window { begin: middle, ..window });
            self.meter_part(&load.part(0..1, early), early, at, out)?;
            let (feed, bucket) = at;
            let bucket = bucket + (count / 2) as usize;
            return self.meter_part(&load.part(0..1, late), late, (feed, bucket), out);
        }
        self.upload(load)?;
        let chunk = self.chunk(load, window);
        let mut first = 0;
        while first < count {
            let begin = window.begin + first * window.bucket;
            let seconds = u64::from(chunk) * u64::from(window.bucket);
            let end = u64::from(begin).saturating_add(seconds).min(u64::from(window.end));
            let end = u32::try_from(end).expect("within the window");
            self.meter_chunk(load, Window { begin, end, ..window }, (at.0, at.1 + first as usize), out)?;
            first = first.saturating_add(chunk);
        }
        Ok(())
    }

    /// Buckets of a chunk of time.
    fn chunk(&self, load: &Load, window: Window) -> u32 {
        let a_bucket = load.feeds.len() as u64 * 16;
        let most = (self.chunks.bytes / a_bucket).clamp(1, u64::from(window.buckets()));
        u32::try_from(most).expect("no more than there are")
    }

    /// Puts the load into the device and lets it sum the changes.
    fn upload(&mut self, load: &Load) -> Result<(), Error> {
        self.gpu.upload(&mut self.feeds, &load.feeds)?;
        self.gpu.upload(&mut self.changes, &load.changes)?;
        self.gpu.upload(&mut self.prices, &load.prices)?;
        self.gpu.reserve(&mut self.draws, load.changes.len() as u64 * 8)?;
        let most = load.feeds.iter().map(|feed| feed.last - feed.first).max().unwrap_or(0);
        let parameters =
            |done: u32| Parameters { feeds: super::index(load.feeds.len()), done, ..Parameters::zeroed() };
        let slots: Vec<Parameters> = (0..most).step_by(STEPS as usize).map(parameters).collect();
        let Self { gpu, draw, feeds, changes, draws, .. } = self;
        let bindings = [feeds.whole(), changes.whole(), draws.whole()];
        run(gpu, draw, &mut self.parameters, &slots, &bindings, [slots[0].feeds.div_ceil(THREADS), 1])
    }

    fn meter_chunk(
        &mut self,
        load: &Load,
        chunk: Window,
        at: (usize, usize),
        out: &mut Usage,
    ) -> Result<(), Error> {
        let feeds = super::index(load.feeds.len());
        let count = chunk.buckets();
        // Spans fill the device, and none is so long that its joules overflow.
        let wanted = (self.chunks.threads / feeds).clamp(1, count);
        let span = count.div_ceil(wanted).clamp(1, SPAN_SECONDS / chunk.bucket);
        let spans = count.div_ceil(span);
        let Window { begin, end, bucket } = chunk;
        let parameters = |resumed| Parameters { feeds, done: 0, begin, end, bucket, span, spans, resumed };
        let slots: Vec<Parameters> = (0..steps(load, chunk, span).div_ceil(STEPS))
            .map(|dispatch| parameters(u32::from(dispatch > 0)))
            .collect();
        let threads = u64::from(feeds) * u64::from(spans);
        self.gpu.reserve(&mut self.states, threads * size_of::<State>() as u64)?;
        self.gpu.reserve(&mut self.buckets, u64::from(count) * u64::from(feeds) * 16)?;
        let Self { gpu, meter, feeds: table, changes, draws, prices, states, buckets, .. } = self;
        let bindings =
            [table.whole(), changes.whole(), draws.whole(), prices.whole(), states.whole(), buckets.whole()];
        run(gpu, meter, &mut self.parameters, &slots, &bindings, [feeds.div_ceil(THREADS), spans])?;
        self.read(&slots[0], at, out)
    }

    /// Takes a chunk's buckets and sums from the device.
    fn read(&self, shape: &Parameters, (feed, bucket): (usize, usize), out: &mut Usage) -> Result<(), Error> {
        let (feeds, all) = (shape.feeds as usize, out.totals.len());
        let mut words = Vec::new();
        let count = (shape.end - shape.begin).div_ceil(shape.bucket) as usize;
        self.gpu.run(&[], &self.buckets, count * feeds * 4, &mut words)?;
        let wide = |low, high| u64::from(Wide { low, high });
        let rows = out.buckets[bucket * all..].chunks_mut(all);
        for (row, words) in rows.zip(words.chunks_exact(4 * feeds)) {
            for (bucket, word) in row[feed..].iter_mut().zip(words.chunks_exact(4)) {
                *bucket = Bucket { energy: wide(word[0], word[1]), peak: wide(word[2], word[3]) };
            }
        }
        words.clear();
        let threads = feeds * shape.spans as usize;
        self.gpu.run(&[], &self.states, threads * (size_of::<State>() / 4), &mut words)?;
        let states: &[State] = bytemuck::cast_slice(&words);
        for (thread, state) in states.iter().enumerate() {
            let span = super::index(thread / feeds) + 1;
            let seconds = u64::from(span) * u64::from(shape.span) * u64::from(shape.bucket);
            let end = (u64::from(shape.begin) + seconds).min(u64::from(shape.end));
            if u64::from(state.time) != end {
                return Err(self.overrun(state.time, end));
            }
            let total = &mut out.totals[feed + thread % feeds];
            total.energy += i128::from(state.meter.energy);
            total.cost += i128::from(state.meter.cost);
            total.carbon += i128::from(state.meter.carbon);
        }
        Ok(())
    }

    /// What a driver that leaves a loop early is told.
    fn overrun(&self, time: u32, end: u64) -> Error {
        Error::Refused {
            adapter: self.gpu.adapter().name.clone(),
            what: "a long loop".to_owned(),
            reason: format!("second {time} was reached instead of {end}"),
        }
    }
}

/// Most steps of a thread: changes of draw, price and bucket in its span.
fn steps(load: &Load, chunk: Window, span: u32) -> u32 {
    let of = |feed: &super::Feed| {
        let changes = &load.changes[feed.first as usize..feed.last as usize];
        let prices = &load.prices[feed.price_first as usize..feed.price_last as usize];
        inside(changes, chunk, |change| change.time) + inside(prices, chunk, |price| price.time)
    };
    super::index(load.feeds.iter().map(of).max().unwrap_or(0)) + span + 1
}

/// How many items of an ascending list lie inside a chunk of time.
fn inside<T>(list: &[T], chunk: Window, time: impl Fn(&T) -> u32) -> usize {
    let before = list.partition_point(|item| time(item) <= chunk.begin);
    list.partition_point(|item| time(item) < chunk.end).saturating_sub(before)
}

/// Runs a kernel once for each of `slots`, a few dispatches a submission.
fn run(
    gpu: &Gpu,
    kernel: &Kernel,
    parameters: &mut Buffer,
    slots: &[Parameters],
    bindings: &[Part<'_>],
    groups: [u32; 2],
) -> Result<(), Error> {
    for slots in slots.chunks(DISPATCHES) {
        gpu.upload_slots(parameters, slots)?;
        let step = |slot| Step {
            kernel,
            bindings: std::iter::once(parameters.slot::<Parameters>(slot))
                .chain(bindings.iter().copied())
                .collect(),
            groups,
        };
        let steps: Vec<Step<'_>> = (0..slots.len()).map(step).collect();
        gpu.run(&steps, parameters, 0, &mut Vec::new())?;
    }
    Ok(())
}

impl Metering for Meters {
    fn meter(&mut self, load: &Load, window: Window, out: &mut Usage) {
        if self.failure.is_none() {
            match self.try_meter(load, window, out) {
                Ok(()) => return,
                Err(error) => self.failure = Some(error),
            }
        }
        Cpu::default().meter(load, window, out);
    }
}
