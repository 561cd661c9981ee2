use super::power::SeriesFile;
use super::traces::Traces;
use crate::document::{Document, Placed};
use crate::error::{Problem, Problems};
use std::path::{Path, PathBuf};

/// A file that a run depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As it was opened.
    pub path: String,
    /// blake3 of its bytes, in hexadecimal digits.
    pub digest: String,
}

/// The files of a scenario: where they are looked for, and which were read.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The folder of the scenario file.
    pub(super) folder: PathBuf,
    pub(super) inputs: Vec<Input>,
    /// What is wrong inside of them.
    pub(super) problems: Problems,
    /// What was dropped, changed or assumed in them.
    pub(super) notes: Vec<String>,
    /// By site: the file of its outdoor temperatures, to be read once the clock of the run is known.
    pub(super) weather: Vec<(String, SeriesFile)>,
    /// Those that were read for other scenarios.
    pub(super) traces: Traces,
}

impl Files {
    /// Where a path of the scenario leads: from the scenario's folder, or from here if the command line gave it.
    pub(super) fn resolve(&self, path: &Placed<String>) -> PathBuf {
        if path.mark.is_setting() { PathBuf::from(&path.value) } else { self.folder.join(&path.value) }
    }
    /// The bytes of a file that a document names; none, which is then reported, if it cannot be read.
    pub(super) fn read(&mut self, document: &Document, path: &Placed<String>) -> Option<(PathBuf, Vec<u8>)> {
        let resolved = self.resolve(path);
        match std::fs::read(&resolved) {
            Ok(bytes) => {
                self.note(&resolved, &bytes);
                Some((resolved, bytes))
            }
            Err(error) => {
                let shown = resolved.display();
                document.complain(path.mark, Problem::new(format!("cannot read `{shown}`: {error}")));
                None
            }
        }
    }
    /// Notes that a run depends on these bytes.
    pub(super) fn note(&mut self, path: &Path, bytes: &[u8]) {
        let digest = blake3::hash(bytes).to_hex().to_string();
        self.inputs.push(Input { path: path.display().to_string(), digest });
    }
}
