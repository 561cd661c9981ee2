//! Bytes to workload: one format, one file, and a table of formats.
//!
//! [`read`] takes a file, [`read_bytes`] what is already in memory; gzip and zstd are unpacked on the way, and Parquet is
//! read as the CSV that it could be. A reader
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
//! # A format of one's own
//!
//! Within the crate a format is one file and one line of [`FORMATS`]. Outside of it, a reader is a function from bytes to a
//! [`Workload`] by way of a [`Builder`](crate::workload::Builder), and what it makes is written as a trace that the command
//! line reads:
//!
//! ```
//! use gigawatt::trace::{NativeForm, Options, read_bytes, write_native};
//! use gigawatt::units::{Gpus, Seconds, Time};
//! use gigawatt::workload::{Behaviour, Builder, Job, Request, Workload};
//!
//! /// Reads lines such as `12:30 alice 4 gpus for 90 min`.
//! fn read_diary(text: &str) -> Option<Workload> {
//!     let mut builder = Builder::default();
//!     let behaviour = builder.behaviour(Behaviour::default());
//!     for line in text.lines() {
//!         let [clock, user, gpus, "gpus", "for", minutes, "min"] = line.split(' ').collect::<Vec<_>>()[..] else {
//!             return None;
//!         };
//!         let (hours, rest) = clock.split_once(':')?;
//!         let submit = hours.parse::<u32>().ok()? * 3600 + rest.parse::<u32>().ok()? * 60;
//!         let request = builder.request(Request::gang(Gpus::whole(gpus.parse().ok()?)));
//!         let (tenant, work) = (builder.tenant(user), Seconds(minutes.parse::<u32>().ok()? * 60));
//!         let job = Job { request, behaviour, tenant, work_time: work, ..Job::at(Time(submit)) };
//!         builder.push(job.requesting(work));
//!     }
//!     Some(builder.finish())
//! }
//!
//! let workload = read_diary("12:30 alice 4 gpus for 90 min\n13:00 bob 8 gpus for 10 min\n").ok_or("a diary")?;
//! assert_eq!(workload.jobs[1].work_time, Seconds(600));
//! let mut trace = Vec::new();
//! write_native(&workload, &[], NativeForm::Csv, &mut trace)?;
//! let again = read_bytes("diary.csv", &trace, None, &Options::default())?;
//! assert_eq!(again.workload.tenants[0].name, "alice");
//! # Ok::<(), Box<dyn std::error::Error>>(())
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
//! | a table of no known format | columns by the map, else by names in the wild, and said; in doubt a command to copy |
//! | times | dates, clocks, numbers of any unit ([`Mapping::unit`]) |
//! | another delimiter, blanks, padded columns, no header, `#` before it | read; what is guessed is said |
//! | UTF-16 with or without a mark, carriage returns alone as line ends | read |
//! | decimal commas between `;` | read as points, counted |
//! | a cell that a narrow column cut off (`gre+`) | refused with the way to print it whole; names are counted |
//! | times that go backwards | the wait, or the length, is not told; counted |
//! | Parquet | read as the CSV that it holds, within the limits of what may be unpacked |
//! | a header that comes again | passed over, counted |
//! | free text with delimiters or line ends | put together where one way fits the other columns, counted; else told |
//! | a line that cannot be read | the file is refused; with [`Options::skip_bad_lines`] left out, counted, three shown |
//! | a job still running or alive | runs what it had run, or (openb) until the last instant; counted |
//! | a key of the map that the format cannot use | refused, with the formats that can; one that met nothing is said |
//! | names that only jobs outside the window have | left out with them |

mod checked;
mod effect;
mod field;
mod finish;
mod formats;
mod input;
mod intake;
mod key;
mod layout;
mod lookup;
mod mapping;
mod names;
mod nodes;
mod notes;
mod options;
mod parquet;
mod rejoin;
mod requests;
mod series;
mod synonyms;
mod table;

pub use effect::MapKey;
pub use formats::native::write::{NativeForm, lost_in_native, write_native};
pub use formats::native::{COLUMNS as NATIVE_COLUMNS, NativeColumn};
pub(crate) use formats::{clock, gpu_milli, node_gpus, quantity};
pub use key::{Key, TimeUnit};
pub use mapping::{GpusFrom, Mapping, Meaning, PlatformMap, StateWord};
pub use names::PlatformNames;
pub use nodes::{CLUSTER_FORMATS, ClusterFormat, NodeList, read_cluster, read_cluster_bytes};
pub use notes::Notes;
pub use options::{Moment, Options, ParseMomentError, PlatformIndex, SwfPartition};
pub use requests::{
    REQUEST_FORMATS, RequestFormat, Requests, not_jobs, read_requests, read_requests_bytes,
    recognised_requests,
};
pub use series::{Recorded, SeriesOptions, read_series};
pub use synonyms::SYNONYMS;

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
    /// Keys whose columns a user may name, where the format does not say which they are.
    pub keys: &'static [Key],
    /// Keys of a user's map that are no columns and change something in it.
    pub map_keys: &'static [MapKey],
    detect: fn(&Head<'_>) -> bool,
    read: fn(&[u8], &mut Intake<'_>),
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Format").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every format that can be read; the last one, any table, only where no other fits.
pub const FORMATS: &[Format] = &[
    formats::swf::FORMAT,
    formats::philly::FORMAT,
    formats::helios::FORMAT,
    formats::sacct::FORMAT,
    formats::sacct_json::FORMAT,
    formats::openb::FORMAT,
    formats::philly_json::FORMAT,
    formats::acme::FORMAT,
    formats::tiresias::FORMAT,
    formats::muri::FORMAT,
    formats::chronus::FORMAT,
    formats::gavel::FORMAT,
    formats::pollux::FORMAT,
    formats::pai::FORMAT,
    formats::gaia::FORMAT,
    formats::dlrm::FORMAT,
    formats::genai::FORMAT,
    formats::supercloud::FORMAT,
    formats::gwf::FORMAT,
    formats::batsim::FORMAT,
    formats::evalys::FORMAT,
    formats::wfformat::FORMAT,
    formats::kubernetes::FORMAT,
    formats::opendc::FORMAT,
    formats::wta::FORMAT,
    formats::csv::FORMAT,
    formats::jsonl::FORMAT,
    formats::table::FORMAT,
];

/// The beginning of an input, for telling formats apart.
struct Head<'a> {
    /// The first kilobytes.
    bytes: &'a [u8],
    /// What the user says that it does not say itself.
    map: &'a Mapping,
    /// Whether it was no text but a table of rows.
    by_row: bool,
}

impl<'a> Head<'a> {
    const SIZE: usize = 64 << 10;

    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..bytes.len().min(Self::SIZE)], map: Mapping::NONE, by_row: false }
    }
    /// Whether it begins a table with these columns among others.
    fn is_table(&self, names: &[&str]) -> bool {
        let columns = &self.map.columns;
        let named = |wanted: &&str| columns.iter().any(|name| name.trim().eq_ignore_ascii_case(wanted));
        if !columns.is_empty() {
            return names.iter().all(named);
        }
        layout::delimiter(self.first_line().1, names).is_some()
    }
    /// The first line that is neither blank nor a comment, and its number.
    fn first_line(&self) -> (usize, &'a [u8]) {
        layout::first_row(self.bytes)
    }
    /// Where that line stands; the header of rows is no line.
    fn place(&self, file: &str) -> Place {
        let (number, line) = self.first_line();
        if self.by_row { Place::file(file) } else { Place::line(file, number, line) }
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
    requests::must_be_jobs(name, &text, format)?;
    let known: Vec<_> = FORMATS.iter().map(|format| (format.name, format.detect, format.keys)).collect();
    let format = &FORMATS[choose(name, &text, (format, options.map), &known)?];
    effect::idle(name, format, options).into_result(())?;
    let mut intake = Intake::new(name, options);
    intake.by_row = text.by_row;
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

/// A format's name, what recognises it, and the keys whose columns a user may name.
type Known = (&'static str, fn(&Head<'_>) -> bool, &'static [Key]);

/// What to say where a user names a column that a format knows by itself.
fn own_columns(name: &str, format: &str, key: Key, column: &str) -> Error {
    let key = key.name();
    let found = format!("format {format} has columns of its own: `{key}` cannot be `{column}`");
    let hint = "`--format table` reads any table by its map alone, numbers of time in seconds unless `unit` says otherwise";
    Problem::new(found).at(Place::file(name)).hint(hint).into()
}

/// The index of the format of that name, or of the one that recognises the text.
///
/// Any table may be read by its map or its names: that is tried last, where no format has more to say.
fn choose(
    name: &str,
    text: &input::Text<'_>,
    (format, map): (Option<&str>, &Mapping),
    known: &[Known],
) -> Result<usize, Error> {
    let list = |indices: &[usize]| indices.iter().map(|i| known[*i].0).collect::<Vec<_>>().join(", ");
    let foreign = |index: usize| map.fields.iter().find(|(key, _)| !known[index].2.contains(key));
    if let Some(given) = format.filter(|given| *given != "auto") {
        let names = known.iter().map(|(name, ..)| *name);
        let Some(index) = names.clone().position(|name| name == given) else {
            return Err(Problem::new(format!("unknown format `{given}`")).hint_nearest(given, names).into());
        };
        return foreign(index).map_or(Ok(index), |(key, column)| Err(own_columns(name, given, *key, column)));
    }
    let head = Head { map, by_row: text.by_row, ..Head::new(text) };
    let is_own = |index: &usize| known[*index].2.len() < Key::COUNT && known[*index].1(&head);
    let own: Vec<usize> = (0..known.len()).filter(is_own).collect();
    // What a format knows of its columns, units among them, is not given up for one that the user names.
    if let [index] = own[..]
        && let Some((key, column)) = foreign(index)
    {
        return Err(own_columns(name, known[index].0, *key, column));
    }
    let fits = |index: &usize| foreign(*index).is_none() && known[*index].1(&head);
    let mut candidates: Vec<usize> = (0..known.len()).filter(fits).collect();
    if candidates.len() > 1 {
        candidates.retain(|index| known[*index].2.len() < Key::COUNT);
    }
    let general = known.iter().any(|(.., keys)| keys.len() == Key::COUNT);
    let problem = match candidates[..] {
        [index] => return Ok(index),
        [] if text.trim_ascii().is_empty() => Problem::new(format!("`{name}` is empty")),
        [] => match synonyms::unknown(name, &head).filter(|_| general) {
            Some(problem) => return Err(problem.into()),
            None => {
                let all = list(&Vec::from_iter(0..known.len()));
                let hint = format!("`--format` names one of {all}; with it, what is missing is told");
                Problem::new(format!("the format of `{name}` is not one of those known")).hint(hint)
            }
        },
        _ => Problem::new(format!("`{name}` could be {}", list(&candidates))).hint("`--format` says which"),
    };
    Err(problem.at(Place::file(name)).into())
}
