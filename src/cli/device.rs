use super::list::unknown;
use super::terminal::Terminal;
#[cfg(feature = "gpu")]
use crate::cost::{Auto, OnGpu, Ranker};
use crate::error::{Error, Result};
use crate::gpu::{self, Adapter, Wish};
use crate::policy::Ranks;
#[cfg(feature = "gpu")]
use crate::policy::When;
use crate::power::meter::Metering;
#[cfg(feature = "gpu")]
use crate::power::meter::Meters;
use crate::report::table;
#[cfg(feature = "gpu")]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the processor is called.
const CPU: &str = "cpu";

/// What a run asks of a device.
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "the processor does all of it"))]
pub(super) struct Uses {
    /// Passes rank places.
    pub(super) ranks: bool,
    /// There is power to add up.
    pub(super) meters: bool,
}

/// What a run is evaluated on.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// How passes rank places.
    pub(super) ranks: Ranks,
    #[cfg(feature = "gpu")]
    taken: Taken,
}

/// The GPU that was taken, and for what.
#[cfg(feature = "gpu")]
#[derive(Debug, Default)]
struct Taken {
    name: String,
    ranking: Option<Arc<Mutex<OnGpu>>>,
    choosing: Option<Arc<Mutex<Auto>>>,
    /// Adds up what feeds draw; none: the processor does.
    meters: Option<Meters>,
}

#[cfg(feature = "gpu")]
impl Device {
    /// Whatever adds up what feeds draw in place of the processor.
    pub(super) fn metering(&mut self) -> Option<&mut dyn Metering> {
        self.taken.meters.as_mut().map(|meters| -> &mut dyn Metering { meters })
    }
    /// What the run was evaluated on, as the manifest calls it: a GPU only if it did anything.
    pub(super) fn name(&self, terminal: Terminal) -> String {
        let taken = &self.taken;
        let ranked = taken.ranking.as_ref().map(|ranking| locked(ranking).batches());
        let chosen = taken.choosing.as_ref().map(|choosing| locked(choosing).large());
        if let Some((large, on_gpu)) = chosen {
            terminal.note(&format!("device: `{}` ranked {on_gpu} of {large} large batches", taken.name));
        }
        let did = ranked.unwrap_or_default() + chosen.unwrap_or_default().1;
        if did == 0 && taken.meters.is_none() {
            if ranked.is_some() {
                terminal.note("device: cpu after all, since no pass had places to rank");
            }
            return CPU.to_owned();
        }
        taken.name.clone()
    }
    /// Whether it did all it was asked to. Where it did not, the processor went on with the same result, but whoever
    /// asks for a GPU is not served by another quietly.
    ///
    /// # Errors
    /// The device failed on the way: exit code 3.
    pub(super) fn outcome(&self, terminal: Terminal) -> Result<()> {
        let taken = &self.taken;
        if let Some(error) = taken.choosing.as_ref().and_then(|choosing| locked(choosing).failure().cloned())
        {
            terminal.note(&format!("device: the processor went on with the same result: {error}"));
        }
        let ranking = taken.ranking.as_ref().and_then(|ranking| locked(ranking).failure().cloned());
        let metering = taken.meters.as_ref().and_then(Meters::failure).cloned();
        ranking.or(metering).map_or(Ok(()), |error| Err(refusal(&error)))
    }
}

#[cfg(not(feature = "gpu"))]
impl Device {
    pub(super) const fn metering(&mut self) -> Option<&mut dyn Metering> {
        None
    }
    #[expect(clippy::unused_self, reason = "with a GPU it tells more")]
    pub(super) fn name(&self, _: Terminal) -> String {
        CPU.to_owned()
    }
    #[expect(clippy::unused_self, reason = "with a GPU it tells more")]
    pub(super) const fn outcome(&self, _: Terminal) -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "gpu")]
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens what a wish means and says what it took.
pub(super) fn chosen(wish: Option<&Wish>, uses: Uses, terminal: Terminal) -> Result<Device> {
    match wish {
        None | Some(Wish::Cpu) => Ok(Device::default()),
        Some(Wish::Auto) => Ok(fastest(uses, terminal)),
        Some(wish) => opened(wish, uses, terminal),
    }
}

/// The processor, and a GPU for large batches if there is one and it turns out to be faster.
#[cfg(feature = "gpu")]
fn fastest(uses: Uses, terminal: Terminal) -> Device {
    let cpu = |why: &str| {
        terminal.note(&format!("device: cpu, since {why}"));
        Device::default()
    };
    if !uses.ranks {
        return cpu("nothing in this run is evaluated faster elsewhere");
    }
    let is_real = |gpu: &gpu::Gpu| gpu.adapter().kind != gpu::Kind::Software;
    let opened = gpu::Gpu::open(&Wish::Gpu).ok().filter(is_real).map(Ranker::new);
    let Some(Ok(ranker)) = opened else { return cpu("there is no GPU that could be faster") };
    let auto = Auto::new(OnGpu::new(ranker));
    let name = auto.gpu().adapter().name.clone();
    terminal.note(&format!("device: cpu, and `{name}` for large batches if it turns out to be faster"));
    let choosing = Arc::new(Mutex::new(auto));
    Device {
        ranks: Ranks { evaluator: Arc::<Mutex<Auto>>::clone(&choosing), ..Ranks::default() },
        taken: Taken { name, choosing: Some(choosing), ..Taken::default() },
    }
}

#[cfg(not(feature = "gpu"))]
fn fastest(_: Uses, terminal: Terminal) -> Device {
    terminal.note("device: cpu, since this build has no GPU support");
    Device::default()
}

#[cfg(feature = "gpu")]
fn opened(wish: &Wish, uses: Uses, terminal: Terminal) -> Result<Device> {
    let open = || gpu::Gpu::open(wish).map_err(|error| refusal(&error));
    let gpu = open()?;
    let name = gpu.adapter().name.clone();
    let mut device = Device::default();
    if uses.ranks {
        let ranker = Ranker::new(gpu).map_err(|error| refusal(&error))?;
        let ranking = Arc::new(Mutex::new(OnGpu::new(ranker)));
        let evaluator = Arc::<Mutex<OnGpu>>::clone(&ranking);
        // Whoever names a device has it rank whatever can be ranked, even where an index would answer at once.
        device.ranks = Ranks { evaluator, when: When::Always, ..Ranks::default() };
        device.taken.ranking = Some(ranking);
    }
    if uses.meters {
        device.taken.meters = Some(Meters::new(open()?).map_err(|error| refusal(&error))?);
    }
    terminal.note(&match (uses.ranks, uses.meters) {
        (true, true) => format!("device: `{name}`, which ranks places and adds up what feeds draw"),
        (true, false) => format!("device: `{name}`, which ranks places"),
        (false, true) => format!("device: `{name}`, which adds up what feeds draw"),
        (false, false) => format!("device: cpu, since nothing in this run is evaluated on `{name}`"),
    });
    device.taken.name = name;
    Ok(device)
}

#[cfg(not(feature = "gpu"))]
fn opened(_: &Wish, _: Uses, _: Terminal) -> Result<Device> {
    Err(refusal(&gpu::Error::NotBuilt))
}

/// Ends the command with exit code 3.
fn refusal(error: &gpu::Error) -> Error {
    Error::Device { message: error.to_string(), hint: error.hint() }
}

/// The devices that `--device` can name here: the processor and every adapter.
pub(super) fn listed(name: Option<&str>, width: u16) -> Result<String> {
    let (adapters, missing) = match gpu::adapters() {
        Ok(adapters) if adapters.is_empty() => (adapters, Some(gpu::Error::NoAdapter)),
        Ok(adapters) => (adapters, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let known: Vec<&str> =
        [CPU].into_iter().chain(adapters.iter().map(|found| found.name.as_str())).collect();
    if let Some(name) = name.filter(|name| !known.contains(name)) {
        return Err(unknown("device", name, known).into());
    }
    let shown = |candidate: &str| name.is_none_or(|name| name == candidate);
    let mut table = table::new(width, ["device", "kind", "driver and limits"]);
    if shown(CPU) {
        table.add_row([CPU, "processor", "always there, and gives the same result"]);
    }
    for adapter in adapters.iter().filter(|adapter| shown(&adapter.name)) {
        table.add_row([adapter.name.clone(), adapter.kind.name().to_owned(), described(adapter)]);
    }
    let text = table::text(&mut table);
    Ok(match missing {
        Some(error) => format!("{text}\n{error}\nhint: {}\n", error.hint()),
        None => text,
    })
}

fn described(adapter: &Adapter) -> String {
    let limits = format!(
        "{}\nbindings of {} MiB\n{} KiB shared in a workgroup\n{} threads a workgroup\n{} workgroups",
        adapter.driver,
        adapter.binding >> 20,
        adapter.shared >> 10,
        adapter.threads,
        adapter.workgroups
    );
    match &adapter.lacks {
        Some(lacks) => format!("{limits}\nnot usable: {lacks}"),
        None => limits,
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use super::*;
    use crate::cli::Exit;
    use crate::gpu::tests::device;
    use crate::power::meter::{FeedDraw, Load, Usage, Window};

    #[test]
    fn a_named_device_that_is_lost_ends_with_exit_code_3() {
        let terminal = Terminal::detect();
        let job = FeedDraw { feed: 0, from: 0, to: 60, watts: 700 };
        let (load, window) =
            (Load::new(&[job], &[0], &[Vec::new()]), Window { begin: 0, end: 60, bucket: 60 });
        for is_lost in [false, true] {
            let Some(gpu) = device() else { return };
            let name = gpu.adapter().name.clone();
            let meters = Meters::new(gpu).expect("a device that takes the shader");
            if is_lost {
                meters.gpu().lose();
            }
            let taken = Taken { name: name.clone(), meters: Some(meters), ..Taken::default() };
            let mut device = Device { taken, ..Device::default() };
            let mut usage = Usage::default();
            device.metering().expect("it meters").meter(&load, window, &mut usage);
            assert_eq!(usage.of(0, 0).energy, 42_000, "the result is the same, lost: {is_lost}");
            let outcome = device.outcome(terminal);
            assert_eq!(outcome.is_err(), is_lost, "{outcome:?}");
            if let Err(error) = outcome {
                assert!(error.to_string().contains(&format!("`{name}` was lost")), "{error}");
                assert_eq!(Exit::from(&error), Exit::DeviceUnusable, "exit code 3");
            }
        }
    }
}
