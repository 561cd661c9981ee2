//! `[storage]`: what checkpoints are written to.

use super::quantity::{Bytes, BytesPerSecond};
use crate::document::{Document, Mark, Table};
use crate::error::Problem;
use crate::units::Seconds;

/// How fast checkpoints are written, one job at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Storage {
    /// Bytes a second that each GPU of a job can write.
    per_gpu: f64,
    /// Bytes a second that the store can take of all of them.
    store: f64,
    /// What comes on top, whatever the size, seconds.
    overhead: f64,
    /// Where the section stands.
    pub(super) mark: Mark,
}

/// Reads `[storage]`.
pub(super) fn read(document: &Document, root: &mut Table<'_>) -> Option<Storage> {
    let mut table = root.table("storage")?;
    let per_gpu = table.optional::<BytesPerSecond>("per_gpu").map(|rate| rate.value.0);
    let store = table.optional::<BytesPerSecond>("store").map(|rate| rate.value.0);
    let overhead = table.value_or("overhead", Seconds::ZERO);
    let mark = table.mark();
    if !table.has("per_gpu") && !table.has("store") {
        let problem = Problem::new("missing `per_gpu` or `store`");
        document.complain(
            mark,
            problem.hint("`per_gpu = \"2GB/s\"`, `store = \"1TB/s\"`: the slower one counts"),
        );
    }
    table.finish();
    Some(Storage {
        per_gpu: per_gpu.unwrap_or(f64::INFINITY),
        store: store.unwrap_or(f64::INFINITY),
        overhead: f64::from(overhead.0),
        mark,
    })
}

impl Storage {
    /// Seconds that a checkpoint of a job of so many GPUs takes: size ÷ the slower of all its GPUs and the store, and the
    /// overhead.
    pub(super) fn stall(&self, size: Bytes, gpus: f64) -> f64 {
        // A share of a GPU, or none, writes like a whole one.
        size.0 / self.store.min(self.per_gpu * gpus.max(1.0)) + self.overhead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_gpus_and_store_counts() {
        let text = "[storage]\nper_gpu = \"2GB/s\"\nstore = \"1TB/s\"\noverhead = \"2s\"\n";
        let document = Document::parse("s.toml", text);
        let storage = read(&document, &mut document.root()).unwrap();
        assert!(!document.has_problems(), "{}", document.problems());
        let size = Bytes(5.3e12);
        assert!(
            (storage.stall(size, 4096.0) - 7.3).abs() < 1e-9,
            "4,096 GPUs write 8.2 TB/s, the store takes 1"
        );
        assert!((storage.stall(size, 100.0) - 28.5).abs() < 1e-9, "100 GPUs write 200 GB/s");
    }
}
