//! Sweeps in parts, on many machines: the recipes of `workloads/distributed`, each of them run by `tests/distributed.py`.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/python.rs"]
mod python;

use python::{python, script};

#[test]
fn the_parts_of_a_distributed_sweep_are_the_whole() {
    let Some(python) = python("kubernetes_validate, ray, yaml") else { return };
    let place = tempfile::tempdir().unwrap();
    let (content, said) = script(&python, "distributed.py", &[env!("CARGO_BIN_EXE_gigawatt")], place.path());
    assert!(content, "{said}");
    for recipe in ["slurm", "kubernetes", "ray"] {
        assert!(said.contains(&format!("{recipe}: ")), "{recipe} was run:\n{said}");
    }
}
