use crate::error::Result;
use crate::scenario::{Loaded, Overrides, Scenario};
use std::path::Path;

/// The scenario that the command line means: a file, options alone, or the quickstart.
pub(super) fn scenario(path: Option<&Path>, overrides: &Overrides) -> Result<Loaded> {
    match path {
        Some(path) => Scenario::load(path, overrides),
        None if overrides.workload.is_some() => Scenario::from_overrides(overrides),
        None => Scenario::embedded_quickstart(overrides),
    }
}
