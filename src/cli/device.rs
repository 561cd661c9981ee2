use super::list::unknown;
use super::terminal::Terminal;
use crate::error::{Error, Result};
use crate::gpu::{self, Adapter, Wish};
use crate::power::meter::Metering;
#[cfg(feature = "gpu")]
use crate::power::meter::Meters;
use crate::report::table;

/// What the processor is called.
const CPU: &str = "cpu";

/// What a run is evaluated on.
#[derive(Debug)]
pub(super) struct Device {
    /// As the manifest calls it.
    pub(super) name: String,
    /// Adds up what feeds draw; none: the processor does.
    #[cfg(feature = "gpu")]
    meters: Option<Meters>,
}

impl Device {
    const fn cpu(name: String) -> Self {
        Self {
            name,
            #[cfg(feature = "gpu")]
            meters: None,
        }
    }
    /// Whatever adds up what feeds draw in place of the processor.
    #[cfg(feature = "gpu")]
    pub(super) fn metering(&mut self) -> Option<&mut dyn Metering> {
        self.meters.as_mut().map(|meters| -> &mut dyn Metering { meters })
    }
    #[cfg(not(feature = "gpu"))]
    pub(super) const fn metering(&mut self) -> Option<&mut dyn Metering> {
        None
    }
    /// Whether it did all it was asked to. Where it did not, the processor went on with the same result, but whoever
    /// asks for a GPU is not served by another quietly.
    ///
    /// # Errors
    /// The device failed on the way: exit code 3.
    #[cfg(feature = "gpu")]
    pub(super) fn outcome(&self) -> Result<()> {
        match self.meters.as_ref().and_then(Meters::failure) {
            Some(error) => Err(refusal(error)),
            None => Ok(()),
        }
    }
    #[cfg(not(feature = "gpu"))]
    pub(super) const fn outcome(&self) -> Result<()> {
        Ok(())
    }
}

/// Opens what a wish means and says what it took; `is_metered`: there is power to add up.
pub(super) fn chosen(wish: Option<&Wish>, is_metered: bool, terminal: Terminal) -> Result<Device> {
    match wish {
        None | Some(Wish::Cpu) => Ok(Device::cpu(CPU.to_owned())),
        Some(Wish::Auto) => {
            let why = "no GPU is known to be faster for a run of this size";
            terminal.note(&format!("device: cpu, since {why}"));
            Ok(Device::cpu(CPU.to_owned()))
        }
        Some(wish) => opened(wish, is_metered, terminal),
    }
}

#[cfg(feature = "gpu")]
fn opened(wish: &Wish, is_metered: bool, terminal: Terminal) -> Result<Device> {
    let gpu = gpu::Gpu::open(wish).map_err(|error| refusal(&error))?;
    let name = gpu.adapter().name.clone();
    if !is_metered {
        terminal.note(&format!("device: cpu, since nothing in this run is evaluated on `{name}`"));
        return Ok(Device::cpu(CPU.to_owned()));
    }
    terminal.note(&format!("device: `{name}`, which adds up what feeds draw"));
    let meters = Meters::new(gpu).map_err(|error| refusal(&error))?;
    Ok(Device { name, meters: Some(meters) })
}

#[cfg(not(feature = "gpu"))]
fn opened(_: &Wish, _: bool, _: Terminal) -> Result<Device> {
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
