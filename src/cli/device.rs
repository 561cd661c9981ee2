use super::list::unknown;
use super::terminal::Terminal;
use crate::error::{Error, Result};
use crate::gpu::{self, Adapter, Wish};
use crate::report::table;

/// What the processor is called.
const CPU: &str = "cpu";

/// Opens what a wish means and says what it took; the name of what will evaluate placements.
pub(super) fn chosen(wish: Option<&Wish>, terminal: Terminal) -> Result<String> {
    match wish {
        None | Some(Wish::Cpu) => {}
        Some(Wish::Auto) => {
            let why = "nothing in this run is evaluated faster elsewhere";
            terminal.note(&format!("device: cpu, since {why}"));
        }
        Some(wish) => {
            let adapter = usable(wish)?;
            terminal
                .note(&format!("device: cpu, since nothing in this run is evaluated on `{}`", adapter.name));
        }
    }
    Ok(CPU.to_owned())
}

#[cfg(feature = "gpu")]
fn usable(wish: &Wish) -> Result<Adapter> {
    gpu::Gpu::open(wish).map(|gpu| gpu.adapter().clone()).map_err(|error| refusal(&error))
}

#[cfg(not(feature = "gpu"))]
fn usable(_: &Wish) -> Result<Adapter> {
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
