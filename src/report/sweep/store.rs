//! The directory of a sweep: rows are there before they count, and all of them end up in one file.

#[cfg(test)]
mod tests;

use crate::error::{Error, Place, Problem, Result};
use crate::experiment::Shard;
use crate::report::Directory;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

/// What a sweep is: two of them in one directory must not mix.
const MANIFEST: &str = "sweep.json";
/// What a file of rows is called while rows are still added to it.
const PARTIAL: &str = ".partial";
/// Rows after which the system is told to keep them even if the power fails.
const SYNC: usize = 256;

/// The rows of a sweep that are done.
///
/// While it runs, rows go to `runs.csv.partial` in the order in which they come, each with one write, so that a
/// process that is killed loses none that it has finished. When the last one is there, all are written to `runs.csv` in
/// their order: which threads, shards or restarts made them makes no difference. A shard's files are called
/// `runs-2-of-8.csv`; a sweep that is resumed takes up the rows of all of them.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    name: String,
    header: String,
    rows: BTreeMap<u64, String>,
    repeated: usize,
    partial: File,
    unsynced: usize,
}

impl Store {
    /// Opens the directory for a part of the sweep that `manifest` describes; `header` is that of its rows.
    ///
    /// # Errors
    /// Another sweep is in it, or this part is and `resume` is false; rows contradict each other; the system says no.
    pub fn open(
        directory: Directory,
        shard: Shard,
        manifest: &str,
        header: String,
        resume: bool,
    ) -> Result<Self> {
        let name = match shard {
            Shard::WHOLE => "runs.csv".to_owned(),
            Shard { number, of } => format!("runs-{number}-of-{of}.csv"),
        };
        let path = |name: &str| directory.path().join(name);
        let known = std::fs::read_to_string(path(MANIFEST)).ok();
        if known.as_ref().is_some_and(|known| known != manifest) {
            let problem = Problem::new(
                "another sweep is in this directory: its scenario, keys, design or seeds differ",
            );
            let hint = format!("`{MANIFEST}` says what it is; give another `--out`");
            return Err(problem.at(Place::file(directory.path().display().to_string())).hint(hint).into());
        }
        let partial = path(&format!("{name}{PARTIAL}"));
        let there = [path(&name), partial.clone()].into_iter().find(|path| path.exists());
        if let Some(there) = there.filter(|_| !resume) {
            let problem = Problem::new("this sweep was begun before");
            let hint = "`--resume` goes on with it; another `--out` begins anew";
            return Err(problem.at(Place::file(there.display().to_string())).hint(hint).into());
        }
        if known.is_none() {
            directory.write(MANIFEST, manifest.as_bytes())?;
        }
        let (rows, repeated) = (BTreeMap::new(), 0);
        let file = opened(&partial, &header)?;
        let mut store = Self { directory, name, header, rows, repeated, partial: file, unsynced: 0 };
        if resume {
            for path in store.files()? {
                store.take(&path)?;
            }
        }
        Ok(store)
    }
    /// Whether a run is done.
    #[must_use]
    pub fn has(&self, run: u64) -> bool {
        self.rows.contains_key(&run)
    }
    /// The row of a run that is done.
    #[must_use]
    pub fn row(&self, run: u64) -> Option<&str> {
        self.rows.get(&run).map(String::as_str)
    }
    /// How many rows more than once were found.
    #[must_use]
    pub const fn repeated(&self) -> usize {
        self.repeated
    }
    /// Adds a row, which is durable when this returns.
    ///
    /// # Errors
    /// The system says no.
    pub fn add(&mut self, run: u64, row: String) -> Result<()> {
        let written = self.partial.write_all(row.as_bytes());
        self.unsynced += 1;
        let synced = if self.unsynced >= SYNC { self.partial.sync_data() } else { Ok(()) };
        self.unsynced %= SYNC;
        written.and(synced).map_err(|source| Error::io("write", &self.partial_path(), source))?;
        self.rows.insert(run, row);
        Ok(())
    }
    /// Writes the rows of a part that is done to the files of its own, CSV and Parquet, and takes away what they were
    /// collected in; `keys` are those that vary.
    ///
    /// # Errors
    /// The system says no.
    pub fn finish(&self, shard: Shard, keys: &[&str]) -> Result<()> {
        self.directory.write_with(&self.name, |file| {
            file.write_all(self.header.as_bytes())?;
            let own = self.rows.iter().filter(|(run, _)| shard.has(**run));
            own.map(|(_, row)| row).try_for_each(|row| file.write_all(row.as_bytes()))
        })?;
        let own = self.rows.iter().filter(|(run, _)| shard.has(**run));
        let lines: Vec<&str> = own.map(|(_, row)| row.as_str()).collect();
        let name = self.name.replace(".csv", ".parquet");
        self.directory.write_with(&name, |file| super::parquet::write(keys, &lines, file))?;
        self.directory.remove(&format!("{}{PARTIAL}", self.name))
    }
    /// Where the rows of a part that is done are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    fn partial_path(&self) -> PathBuf {
        self.directory.path().join(format!("{}{PARTIAL}", self.name))
    }
    /// Every file of rows, by name.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.directory.path();
        let read = || -> std::io::Result<Vec<PathBuf>> {
            let mut files = Vec::new();
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let stem = name.trim_end_matches(PARTIAL);
                if stem.starts_with("runs") && stem.ends_with(".csv") {
                    files.push(path);
                }
            }
            files.sort();
            Ok(files)
        };
        read().map_err(|source| Error::io("read", folder, source))
    }
    /// Takes up the rows of a file; what a kill has torn at its end is no row.
    fn take(&mut self, path: &std::path::Path) -> Result<()> {
        let text = match std::fs::read_to_string(path) {
            // Another part was done meanwhile; its rows are in another file, and no concern of this part.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            text => text.map_err(|source| Error::io("read", path, source))?,
        };
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let place =
            |number: usize, line: &str| Place::line(path.display().to_string(), number, line.as_bytes());
        match lines.next() {
            Some(header) if header != self.header => {
                let problem = Problem::new("these are rows of another sweep, or of another version");
                return Err(problem.at(place(1, header)).hint("give another `--out`").into());
            }
            _ => {}
        }
        for (number, line) in (2..).zip(lines) {
            let run = line.split(',').next().and_then(|run| run.parse::<u64>().ok());
            let Some(run) = run else {
                let problem = Problem::new("expected the number of a run and a comma");
                return Err(problem.at(place(number, line)).into());
            };
            match self.rows.insert(run, line.to_owned()) {
                Some(known) if known != line => {
                    let problem = Problem::new(format!("run {run} is told in two ways"));
                    let hint = "one of its files was changed, or is of another version: take one away";
                    return Err(problem.at(place(number, line)).hint(hint).into());
                }
                Some(_) => self.repeated += 1,
                None => {}
            }
        }
        Ok(())
    }
}

/// The file that rows are added to, without what a kill has torn at its end, and locked for this process.
fn opened(path: &std::path::Path, header: &str) -> Result<File> {
    let open = || -> std::io::Result<Option<File>> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole).unwrap_or_default())?;
        if whole == 0 {
            file.write_all(header.as_bytes())?;
        }
        Ok(Some(file))
    };
    let file = open().map_err(|source| Error::io("write", path, source))?;
    file.ok_or_else(|| {
        let problem = Problem::new("another process is making these runs");
        problem.at(Place::file(path.display().to_string())).hint("`--shard i/n` shares them").into()
    })
}
