use super::adapter::{limits, wanted};
use super::guard::guarded;
use super::{Adapter, Error, Wish};
use bytemuck::Pod;
use pollster::block_on;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use wgpu::{BufferUsages, CommandEncoder, ErrorFilter, MapMode, PollType};

/// A device that answers later than this is given up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of the smallest buffer, and of one slot of parameters: every device can bind at multiples of it.
const SLOT: u64 = 256;

/// An open device.
#[derive(Debug)]
pub struct Gpu {
    adapter: Adapter,
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    lost: Arc<OnceLock<String>>,
    /// Where results are read back, kept from one run to the next.
    staging: Mutex<Buffer>,
}

/// A shader's entry point, ready to run.
#[derive(Debug)]
pub struct Kernel {
    name: &'static str,
    pipeline: wgpu::ComputePipeline,
}

/// Memory of the device that grows with what is put into it and is kept between runs.
#[derive(Debug, Default)]
pub struct Buffer {
    inner: Option<wgpu::Buffer>,
}

/// A piece of a buffer, as one binding of a shader.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    buffer: &'a Buffer,
    offset: u64,
    bytes: Option<u64>,
}

/// One dispatch: a kernel, its bindings 0, 1, 2, … of group 0, and how many workgroups.
#[derive(Debug)]
pub struct Step<'a> {
    /// What runs.
    pub kernel: &'a Kernel,
    /// What it sees.
    pub bindings: Vec<Part<'a>>,
    /// Workgroups in x and y, each at most 65,535; a step with a zero does nothing.
    pub groups: [u32; 2],
}

impl Buffer {
    /// All of it.
    #[must_use]
    pub const fn whole(&self) -> Part<'_> {
        Part { buffer: self, offset: 0, bytes: None }
    }
    /// Slot `index` of parameters put there by [`Gpu::upload_slots`].
    #[must_use]
    pub fn slot<T: Pod>(&self, index: usize) -> Part<'_> {
        Part { buffer: self, offset: SLOT * index as u64, bytes: Some(size_of::<T>() as u64) }
    }
    fn bytes(&self) -> u64 {
        self.inner.as_ref().map_or(0, wgpu::Buffer::size)
    }
}

impl Gpu {
    /// Opens the adapter that `wish` means; [`Wish::Auto`] and [`Wish::Cpu`] count as [`Wish::Gpu`] here.
    ///
    /// # Errors
    /// There is none, none of that name, or it cannot be used.
    pub fn open(wish: &Wish) -> Result<Self, Error> {
        let found = wanted(wish)?;
        let unusable = |reason| Error::Unusable { adapter: found.adapter.name.clone(), reason };
        if let Some(lacks) = &found.adapter.lacks {
            return Err(unusable(lacks.clone()));
        }
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits(), ..Default::default() };
        let opened = guarded(|| block_on(found.handle.request_device(&descriptor)));
        let (device, queue) = opened.map_err(unusable)?.map_err(|error| unusable(error.to_string()))?;
        let lost = Arc::new(OnceLock::new());
        let heard = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            // The first reason is the one that tells.
            let _ = heard.set(format!("{reason:?}: {message}"));
        });
        let heard = Arc::clone(&lost);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let _ = heard.set(error.to_string());
        }));
        Ok(Self { adapter: found.adapter, device, queue, lost, staging: Mutex::default() })
    }

    /// The adapter it was opened from.
    #[must_use]
    pub const fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Gives the device up, as if it were lost: whatever is asked of it from now on is an [`Error::Lost`].
    pub fn lose(&self) {
        self.device.destroy();
        let _ = self.lost.set("given up".to_owned());
    }

    /// Compiles entry point `entry` of a WGSL text.
    ///
    /// # Errors
    /// The text is no valid shader or keeps not to the limits, or the device is lost.
    pub fn kernel(&self, text: &str, entry: &'static str) -> Result<Kernel, Error> {
        self.checked(entry, || {
            let source = wgpu::ShaderSource::Wgsl(text.into());
            let module = wgpu::ShaderModuleDescriptor { label: Some(entry), source };
            let module = self.device.create_shader_module(module);
            let descriptor = wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module: &module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            };
            Kernel { name: entry, pipeline: self.device.create_compute_pipeline(&descriptor) }
        })
    }

    /// Makes `buffer` hold `data` at its beginning.
    ///
    /// # Errors
    /// It does not fit, or the device is lost.
    pub fn upload<T: Pod>(&self, buffer: &mut Buffer, data: &[T]) -> Result<(), Error> {
        self.upload_joined(buffer, &[data])
    }

    /// Makes `buffer` hold all of `pieces`, one behind the other.
    ///
    /// # Errors
    /// They do not fit, or the device is lost.
    pub fn upload_joined<T: Pod>(&self, buffer: &mut Buffer, pieces: &[&[T]]) -> Result<(), Error> {
        let bytes: u64 = pieces.iter().map(|piece| size_of_val(*piece) as u64).sum();
        self.reserve(buffer, bytes)?;
        self.checked("an upload", || {
            let Some(inner) = &buffer.inner else { return };
            let mut offset = 0;
            for piece in pieces {
                self.queue.write_buffer(inner, offset, bytemuck::cast_slice(piece));
                offset += size_of_val(*piece) as u64;
            }
        })
    }

    /// Makes `buffer` hold one slot for each of `data`, for [`Buffer::slot`].
    ///
    /// # Errors
    /// They do not fit, or the device is lost.
    pub fn upload_slots<T: Pod>(&self, buffer: &mut Buffer, data: &[T]) -> Result<(), Error> {
        let stride = usize::try_from(SLOT).expect("a small number");
        assert!(size_of::<T>() <= stride, "parameters of {} bytes fit no slot", size_of::<T>());
        let mut bytes = vec![0_u8; stride * data.len()];
        for (slot, value) in bytes.chunks_exact_mut(stride).zip(data) {
            slot[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(value));
        }
        self.upload(buffer, &bytes)
    }

    /// Makes `buffer` at least `bytes` long; what it held is lost if it has to grow.
    ///
    /// # Errors
    /// That is more than the device can bind or has, or it is lost.
    pub fn reserve(&self, buffer: &mut Buffer, bytes: u64) -> Result<(), Error> {
        let usage =
            BufferUsages::STORAGE | BufferUsages::UNIFORM | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        self.grow(buffer, bytes, usage)
    }

    fn grow(&self, buffer: &mut Buffer, bytes: u64, usage: BufferUsages) -> Result<(), Error> {
        if buffer.inner.is_some() && bytes <= buffer.bytes() {
            return Ok(());
        }
        let most = limits().max_storage_buffer_binding_size;
        if bytes > most {
            return Err(
                self.refused("a buffer", format!("{bytes} bytes are more than the {most} it can bind"))
            );
        }
        let size = bytes.next_power_of_two().clamp(SLOT, most);
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        buffer.inner = Some(self.checked("a buffer", || self.device.create_buffer(&descriptor))?);
        Ok(())
    }

    /// Runs the steps one after another and appends the first `words` words of `from` to `out`: one submission, one
    /// wait.
    ///
    /// # Errors
    /// The device is lost, silent for two minutes, or refuses.
    pub fn run(
        &self,
        steps: &[Step<'_>],
        from: &Buffer,
        words: usize,
        out: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let mut staging = self.staging.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = 4 * words as u64;
        assert!(bytes <= from.bytes(), "{bytes} bytes are read from a buffer of {}", from.bytes());
        self.grow(&mut staging, bytes, BufferUsages::COPY_DST | BufferUsages::MAP_READ)?;
        let (Some(staging), Some(from)) = (&staging.inner, &from.inner) else { return Ok(()) };
        let name = steps.first().map_or("a readback", |step| step.kernel.name);
        let read = self.checked(name, || -> Result<(), String> {
            let mut encoder = self.device.create_command_encoder(&Default::default());
            for step in steps.iter().filter(|step| !step.groups.contains(&0)) {
                self.encode(&mut encoder, step);
            }
            if words > 0 {
                encoder.copy_buffer_to_buffer(from, 0, staging, 0, bytes);
                // The answer is looked for where it is read.
                encoder.map_buffer_on_submit(staging, MapMode::Read, ..bytes, |_| {});
            }
            let index = self.queue.submit([encoder.finish()]);
            let wait = PollType::Wait { submission_index: Some(index), timeout: Some(PATIENCE) };
            self.device.poll(wait).map_err(|error| error.to_string())?;
            if words > 0 {
                let view = staging.get_mapped_range(..bytes).map_err(|error| error.to_string())?;
                out.extend_from_slice(bytemuck::cast_slice(&view));
                drop(view);
                staging.unmap();
            }
            Ok(())
        })?;
        // A device that does not answer will not do so next time either.
        read.map_err(|reason| self.gone(reason))
    }

    fn encode(&self, encoder: &mut CommandEncoder, step: &Step<'_>) {
        let entries: Vec<_> =
            (0..).zip(&step.bindings).filter_map(|(binding, part)| entry(binding, part)).collect();
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &step.kernel.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&step.kernel.pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(step.groups[0], step.groups[1], 1);
    }

    /// What `call` returns if the driver had nothing against it.
    fn checked<T>(&self, what: &str, call: impl FnOnce() -> T) -> Result<T, Error> {
        if let Some(reason) = self.lost.get() {
            return Err(self.gone(reason.clone()));
        }
        let filters = [ErrorFilter::Internal, ErrorFilter::OutOfMemory, ErrorFilter::Validation];
        let scoped = || {
            let scopes = filters.map(|filter| self.device.push_error_scope(filter));
            let value = call();
            let mut errors = scopes.into_iter().rev().map(|scope| block_on(scope.pop()));
            // Every scope is popped, innermost first, whichever of them caught something.
            let first = errors.by_ref().fold(None, |first: Option<wgpu::Error>, error| first.or(error));
            (value, first)
        };
        let (value, error) = guarded(scoped).map_err(|panic| self.gone(panic))?;
        if error.is_some() {
            // What a lost device holds is invalid; that it is lost is told only where one waits for it.
            let _ = guarded(|| self.device.poll(PollType::Poll));
        }
        match (self.lost.get(), error) {
            (Some(reason), _) => Err(self.gone(reason.clone())),
            (None, Some(error)) => Err(self.refused(what, error.to_string())),
            (None, None) => Ok(value),
        }
    }

    /// The device is not to be asked again.
    fn gone(&self, reason: String) -> Error {
        let reason = self.lost.get_or_init(|| reason).clone();
        Error::Lost { adapter: self.adapter.name.clone(), reason }
    }

    fn refused(&self, what: &str, reason: String) -> Error {
        Error::Refused { adapter: self.adapter.name.clone(), what: what.to_owned(), reason }
    }
}

fn entry<'a>(binding: u32, part: &Part<'a>) -> Option<wgpu::BindGroupEntry<'a>> {
    let buffer = part.buffer.inner.as_ref()?;
    let size = part.bytes.and_then(wgpu::BufferSize::new);
    let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: part.offset, size });
    Some(wgpu::BindGroupEntry { binding, resource })
}
