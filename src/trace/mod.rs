//! Bytes to workload: one format, one file, and a table of formats.
//!
//! [`read`] takes a file, [`read_bytes`] what is already in memory; gzip and zstd are unpacked on the way. A reader
//! says in its [`Notes`] everything it dropped, changed or assumed, and reports everything that is wrong at once.
//!
//! ```
//! use gigawatt::trace::{Options, read_bytes};
//! let log = b"; UnixStartTime: 1272639895\n\
//!     1 0 0 222 80 -1 -1 80 14400 -1 1 1 1 -1 1 -1 -1 -1\n\
//!     2 1136 0 0 128 -1 -1 128 259200 -1 1 2 2 -1 1 -1 -1 -1\n";
//! let trace = read_bytes("two.swf", log, None, &Options::default())?;
//! assert_eq!(trace.format, "swf");
//! assert_eq!(trace.workload.jobs[0].requested_time.0, 14_400);
//! assert!(trace.notes.lines().contains(&"1 job of zero length: work_time = 1 s".to_owned()));
//! # Ok::<(), gigawatt::error::Error>(())
//! ```
//!
//! # Time
//!
//! Jobs stay in the order of the file, whatever their submit times. Dates and submits in Unix seconds are shifted so
//! that the first one is time 0; seconds from the start of a trace are kept as they are. Fractions of a second are
//! rounded, submits down and work up. Then the window is cut, the sample drawn and the load scaled, in that order.

//!
//! # What is done with what is not plain
//!
//! | kind | what is done |
//! |---|---|
//! | a state, against what happened | what happened counts: it ran, was given something, or ended after it started |
//! | never started | withdrawn at its end; dropped where that is not told, or the moment it came |
//! | an unknown state | told with its line; [`Mapping::states`] says what it means |
//! | GPUs in a notation of Slurm | read, assumed and said (shares, slices), or counted as not read; never nothing |
//! | no GPUs anywhere | said |
//! | other GPUs allocated than asked for | how many, and by how much, is said; [`Mapping::gpus_from`] chooses |
//! | when a job started | kept as [`Workload::recorded_starts`], but of a load that is scaled; no part of the simulation |
//! | a type of GPU that is not there | told; [`Mapping::platforms`] renames or ignores types |
//! | another delimiter, padded columns, no header, UTF-16 | read; what is guessed is said |
//! | a header that comes again | passed over, counted |
//! | free text with delimiters or line ends | put together where one way fits the other columns, counted; else told |
//! | a line that cannot be read | the file is refused; with [`Options::skip_bad_lines`] left out, counted, three shown |
//! | a job still running or alive | runs what it had run, or (openb) until the last instant; counted |
//! | names that only jobs outside the window have | left out with them |

mod field;
mod finish;
mod formats;
mod input;
mod intake;
mod layout;
mod mapping;
mod names;
mod nodes;
mod notes;
mod options;
mod rejoin;
mod series;
mod table;

pub use formats::native::write::{NativeForm, lost_in_native, write_native};
pub use formats::native::{COLUMNS as NATIVE_COLUMNS, NativeColumn};
pub use mapping::{GpusFrom, Mapping, Meaning, PlatformMap, StateWord};
pub use names::PlatformNames;
pub use nodes::{CLUSTER_FORMATS, ClusterFormat, NodeList, read_cluster, read_cluster_bytes};
pub use notes::Notes;
pub use options::{Moment, Options, ParseMomentError, PlatformIndex, SwfPartition};
pub use series::{Recorded, SeriesOptions, read_series};

use crate::error::{Error, Place, Problem};
use crate::workload::Workload;
use intake::Intake;
use std::path::Path;

/// A format of traces.
pub struct Format {
    /// As `--format` calls it.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    detect: fn(&Head<'_>) -> bool,
    read: fn(&[u8], &mut Intake<'_>),
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every format that can be read.
pub const FORMATS: &[Format] = &[
    formats::swf::FORMAT,
    formats::philly::FORMAT,
    formats::helios::FORMAT,
    formats::sacct::FORMAT,
    formats::sacct_json::FORMAT,
    formats::openb::FORMAT,
    formats::csv::FORMAT,
    formats::jsonl::FORMAT,
];

/// The beginning of an input, for telling formats apart.
struct Head<'a> {
    /// The first kilobytes.
    bytes: &'a [u8],
    /// The columns that the user names in place of a header.
    columns: &'a [String],
}

impl<'a> Head<'a> {
    const SIZE: usize = 64 << 10;

    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..bytes.len().min(Self::SIZE)], columns: &[] }
    }
    /// Whether it begins a table with these columns among others.
    fn is_table(&self, names: &[&str]) -> bool {
        let named = |wanted: &&str| self.columns.iter().any(|name| name.trim().eq_ignore_ascii_case(wanted));
        if !self.columns.is_empty() {
            return names.iter().all(named);
        }
        self.lines().next().is_some_and(|line| layout::delimiter(line, names).is_some())
    }
    /// The first lines that are not blank.
    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.split(|byte| *byte == b'\n').map(|line| line.trim_ascii()).filter(|line| !line.is_empty())
    }
}

/// A workload as read, and what was done to it.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The jobs, in the order of the file.
    pub workload: Workload,
    /// What was dropped, changed or assumed.
    pub notes: Notes,
    /// Name of the format it was read as.
    pub format: &'static str,
}

/// Reads a trace from a file; without a `format`, its content tells.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub fn read(path: &Path, format: Option<&str>, options: &Options<'_>) -> Result<Trace, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::io("read", path, source))?;
    read_bytes(&path.display().to_string(), &bytes, format, options)
}

/// Reads a trace from memory; `name` is what messages call it. See [`read`].
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    format: Option<&str>,
    options: &Options<'_>,
) -> Result<Trace, Error> {
    options.problems().into_result(())?;
    let text = input::unpack(name, bytes, options)?;
    let known: Vec<_> = FORMATS.iter().map(|format| (format.name, format.detect)).collect();
    let format = &FORMATS[choose(name, &text, (format, &options.map.columns), &known)?];
    let mut intake = Intake::new(name, options);
    (format.read)(&text, &mut intake);
    intake.finish(format.name, &text)
}

/// The format of these bytes, packed or not, if they look like a trace.
#[must_use]
pub fn recognised(bytes: &[u8]) -> Option<&'static str> {
    let text = input::unpack("", bytes, &Options::default()).ok()?;
    let head = Head::new(&text);
    FORMATS.iter().find(|format| (format.detect)(&head)).map(|format| format.name)
}

/// A format's name, and what recognises it.
type Known = (&'static str, fn(&Head<'_>) -> bool);

/// The index of the format of that name, or of the one that recognises the text.
fn choose(
    name: &str,
    text: &[u8],
    (format, columns): (Option<&str>, &[String]),
    known: &[Known],
) -> Result<usize, Error> {
    let list = |indices: &[usize]| indices.iter().map(|i| known[*i].0).collect::<Vec<_>>().join(", ");
    if let Some(given) = format.filter(|given| *given != "auto") {
        let found = known.iter().position(|(name, _)| *name == given);
        let names = known.iter().map(|(name, _)| *name);
        return found.ok_or_else(|| {
            Problem::new(format!("unknown format `{given}`")).hint_nearest(given, names).into()
        });
    }
    let head = Head { columns, ..Head::new(text) };
    let candidates: Vec<usize> = (0..known.len()).filter(|i| known[*i].1(&head)).collect();
    let problem = match candidates[..] {
        [index] => return Ok(index),
        [] if text.trim_ascii().is_empty() => Problem::new(format!("`{name}` is empty")),
        [] => {
            let all = list(&Vec::from_iter(0..known.len()));
            let hint = format!("`--format` names one of {all}; with it, what is missing is told");
            Problem::new(format!("the format of `{name}` is not one of those known")).hint(hint)
        }
        _ => Problem::new(format!("`{name}` could be {}", list(&candidates))).hint("`--format` says which"),
    };
    Err(problem.at(Place::file(name)).into())
}
