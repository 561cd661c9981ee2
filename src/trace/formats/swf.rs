//! The Standard Workload Format of the Parallel Workloads Archive (version 2.2), and logs that extend it.
//!
//! Header lines begin with `;` or `#`; a job is a line of 18 numbers, −1 where something is unknown, whatever follows them.
//! (D. G. Feitelson et al., <https://www.cs.huji.ac.il/labs/parallel/workload/swf.html>)
//!
//! | field | becomes |
//! |---|---|
//! | 1 job number | the name of the job |
//! | 2 submit time | `submit_time`; header `UnixStartTime` is the epoch |
//! | 8 requested, else 5 allocated processors | GPUs, `procs_per_gpu` to each; neither known: the line is dropped |
//! | 4 run time | `work_time`, at least 1 s |
//! | 9 requested time | `requested_time`; unknown: `work_time`. Runs past it are kept as they are |
//! | 11 status | 0: fails. 2–4: a part of a job whose line comes beside it, dropped. 5: see below |
//! | 12 user | tenant `user7` |
//! | 15 queue, 16 partition | the partition, if an option says so |
//! | 17 preceding job, 18 think time | a dependency and its delay from the end of that job, successful or not, if an option says so |
//!
//! A job cancelled (status 5) after it had started runs its recorded time. One that was cancelled or failed and never
//! started (run time −1, or 0 without a processor allocated) and waited is withdrawn that long after its submission;
//! should it start before, it works as long as it asked for. One that never started and did not wait is dropped: it left
//! as it came.

#[cfg(test)]
mod tests;

use super::swf_header;
use crate::error::{Place, Problem};
use crate::trace::field::{self, Decimal};
use crate::trace::intake::{Draft, Id, Intake, TIME_MAX};
use crate::trace::{Format, GpusFrom, Key, MapKey, SwfPartition};
use crate::units::{Gpus, Seconds};
use crate::workload::{Behaviour, Request};
use memchr::memchr;

pub(in crate::trace) const FORMAT: Format = Format {
    name: "swf",
    about: "Standard Workload Format of the Parallel Workloads Archive; a processor is read as a GPU",
    keys: &[Key::Partition],
    map_keys: &[MapKey::ProcsPerGpu, MapKey::ThinkTime, MapKey::GpusFrom],
    detect: swf_header::detect,
    read,
};

/// How many numbers a line has.
pub(super) const FIELDS: usize = 18;

/// The numbers of a line that are read, by their field; 0 for the others.
type Line = [i64; FIELDS + 1];

/// Which fields are read, whatever an option says.
pub(super) const READ: [bool; FIELDS + 1] = {
    let mut read = [false; FIELDS + 1];
    let fields = [1, 2, 3, 4, 5, 8, 9, 11, 12, 17, 18];
    let mut i = 0;
    while i < fields.len() {
        read[fields[i]] = true;
        i += 1;
    }
    read
};

/// The fields of which an option makes the partition.
const QUEUE: usize = 15;
const PARTITION: usize = 16;

const NAMES: [&str; FIELDS + 1] = [
    "",
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "CPU time",
    "memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

/// What [`Key::Partition`] may be: field 15, 16, or neither.
const PARTITIONS: [&str; 3] = ["queue", "partition", "ignore"];

fn read(mut text: &[u8], intake: &mut Intake<'_>) {
    if let Some(column) = intake.options.map.field(Key::Partition).filter(|name| !PARTITIONS.contains(name)) {
        let told =
            format!("no number of SWF is called `{column}`: partition is one of {}", PARTITIONS.join(", "));
        intake.problem(|file| Problem::new(told).at(Place::file(file)));
        return;
    }
    let mut reader = Reader::new(intake);
    let all = intake.options.think_time || intake.options.swf_partition != SwfPartition::Ignore;
    let mut line: Line = [0; FIELDS + 1];
    let mut number = 0;
    while !text.is_empty() {
        number += 1;
        let end = memchr(b'\n', text).unwrap_or(text.len());
        let bytes = &text[..end];
        text = text.get(end + 1..).unwrap_or_default();
        if !all && quick(bytes, &mut line).is_some() {
            reader.job(&line, (number, bytes), intake);
            continue;
        }
        match bytes.trim_ascii() {
            [] => {}
            [b';' | b'#', header @ ..] => swf_header::read(header, intake),
            line if swf_header::names(line) => intake.notes.count("line", "of names: passed over", 1),
            _ if careful(bytes, &mut line, number, intake) => reader.job(&line, (number, bytes), intake),
            _ => {}
        }
    }
    reader.notes(intake);
}

/// Reads a line as most lines are: whole numbers with blanks between them, and no job before. Fields 15 to 18 are only
/// counted.
///
/// Written out field by field, so that the processor learns how long each one usually is.
fn quick(text: &[u8], line: &mut Line) -> Option<()> {
    let mut rest = text;
    for field in &mut line[1..=5] {
        *field = number(&mut rest)?;
    }
    skip(&mut rest)?;
    skip(&mut rest)?;
    line[8] = number(&mut rest)?;
    line[9] = number(&mut rest)?;
    skip(&mut rest)?;
    line[11] = number(&mut rest)?;
    line[12] = number(&mut rest)?;
    line[17] = 0;
    (words(rest) == FIELDS - 12 && follows_nobody(text)).then_some(())
}

/// Whether a line ends in `-1 -1`, as it does where no job comes before; what else it may end in is left to
/// [`careful`].
fn follows_nobody(text: &[u8]) -> bool {
    if text.ends_with(b" -1 -1") {
        return true;
    }
    let last = |text: &[u8]| text.trim_ascii_end().strip_suffix(b"-1").map(<[u8]>::len);
    last(text).and_then(|length| last(&text[..length])).is_some_and(|length| text[..length].ends_with(b" "))
}

#[inline(always)]
const fn blanks(rest: &mut &[u8]) {
    while let [b' ', more @ ..] = *rest {
        *rest = more;
    }
}

/// A whole number of at most 18 digits.
#[inline(always)]
fn number(rest: &mut &[u8]) -> Option<i64> {
    blanks(rest);
    let negative = rest.first() == Some(&b'-');
    let digits = &rest[usize::from(negative)..];
    *rest = digits;
    let mut value = 0_i64;
    while let [byte, more @ ..] = *rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if *byte > b' ' {
                return None;
            }
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        *rest = more;
    }
    let count = digits.len() - rest.len();
    (1..=18).contains(&count).then_some(if negative { -value } else { value })
}

/// A field that nobody reads.
#[inline(always)]
fn skip(rest: &mut &[u8]) -> Option<()> {
    blanks(rest);
    let start = rest.len();
    while let [b'!'..=u8::MAX, more @ ..] = *rest {
        *rest = more;
    }
    (rest.len() < start).then_some(())
}

/// How many words there are, eight bytes at a time.
fn words(mut text: &[u8]) -> usize {
    /// The highest bit of every byte.
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut count = 0;
    // The highest bit of the lowest byte: whether the byte before was part of a word.
    let mut before = 0;
    while let Some((bytes, rest)) = text.split_first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*bytes);
        // A byte above a blank overflows into its highest bit.
        let inside = (((bytes & !HIGH) + 0x5f5f_5f5f_5f5f_5f5f) | bytes) & HIGH;
        count += (inside & !((inside << 8) | before)).count_ones() as usize;
        before = inside >> 56;
        text = rest;
    }
    let mut inside = before != 0;
    for byte in text {
        count += usize::from(*byte > b' ' && !inside);
        inside = *byte > b' ';
    }
    count
}

/// Reads any line, and says what is wrong with it.
fn careful(bytes: &[u8], line: &mut Line, number: usize, intake: &mut Intake<'_>) -> bool {
    let mut found = 0;
    let mut right = true;
    let partition = match intake.options.swf_partition {
        SwfPartition::Queue => QUEUE,
        SwfPartition::Partition => PARTITION,
        SwfPartition::Ignore => 0,
    };
    for word in bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(FIELDS) {
        found += 1;
        if !READ[found] && found != partition {
            continue;
        }
        match whole(word, found == 2) {
            Some((value, fraction)) => {
                line[found] = value;
                intake.fractions += u64::from(fraction);
            }
            None => {
                intake.wrong(number, bytes, word, NAMES[found], "a number");
                right = false;
            }
        }
    }
    if found < FIELDS {
        intake.bad_line(number, |file| {
            let message = format!("a line of {found} fields; a job has {FIELDS}");
            Problem::new(message).at(Place::line(file, number, bytes))
        });
    }
    right && found == FIELDS
}

/// A number, fractions rounded down or up, and whether there was one.
pub(super) fn whole(word: &[u8], down: bool) -> Option<(i64, bool)> {
    if let Some(value) = field::signed(word) {
        return Some((value, false));
    }
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let Decimal { floor, fraction } = field::decimal(digits)?;
    let value = i64::try_from(floor).ok()?.checked_add(i64::from(fraction && !down))?;
    Some((if digits.len() < word.len() { -value } else { value }, fraction))
}

/// Indices of the builder's tables by small numbers, so that a line costs no search.
#[derive(Default)]
struct Memo(Vec<u32>);

impl Memo {
    /// Numbers beyond this are looked up each time.
    const SIZE: usize = 1 << 16;
    const UNKNOWN: u32 = u32::MAX;

    fn get(&mut self, key: i64, new: impl FnOnce() -> u32) -> u32 {
        let Some(key) = usize::try_from(key).ok().filter(|key| *key < Self::SIZE) else { return new() };
        if key >= self.0.len() {
            self.0.resize(key + 1, Self::UNKNOWN);
        }
        if self.0[key] == Self::UNKNOWN {
            self.0[key] = new();
        }
        self.0[key]
    }
}

/// What is remembered from line to line.
struct Reader {
    behaviour: u32,
    procs_per_gpu: i64,
    requests: Memo,
    tenants: Memo,
    unknown_run: u64,
    parts: u64,
    no_processors: u64,
    left_at_once: u64,
    withdrawn: u64,
    cut_short: u64,
    failed: u64,
    followers: u64,
    selves: u64,
}

impl Reader {
    fn new(intake: &mut Intake<'_>) -> Self {
        Self {
            behaviour: intake.builder.behaviour(Behaviour::default()),
            procs_per_gpu: i64::from(intake.options.procs_per_gpu),
            requests: Memo::default(),
            tenants: Memo::default(),
            unknown_run: 0,
            parts: 0,
            no_processors: 0,
            left_at_once: 0,
            withdrawn: 0,
            cut_short: 0,
            failed: 0,
            followers: 0,
            selves: 0,
        }
    }

    /// A job's line, its number and its text.
    fn job(&mut self, line: &Line, place: (usize, &[u8]), intake: &mut Intake<'_>) {
        let [_, id, submit, wait, run, allocated, _, _, asked, requested, _, status, user, ..] = *line;
        if (2..=4).contains(&status) {
            self.parts += 1;
            return;
        }
        let procs = match intake.options.map.gpus_from {
            GpusFrom::Allocated if allocated > 0 => allocated,
            _ if asked > 0 => asked,
            _ => allocated,
        };
        if procs <= 0 {
            self.no_processors += 1;
            return;
        }
        let nothing = run <= 0 && allocated <= 0;
        let never_started = status == 5 && run < 0 || matches!(status, 0 | 5) && nothing;
        if never_started && wait <= 0 {
            self.left_at_once += 1;
            return;
        }
        let range = 0..=i64::from(TIME_MAX);
        let fits =
            [submit, run.max(0), requested.max(0), wait.max(0)].iter().all(|time| range.contains(time));
        if !fits || procs > i64::from(Gpus::MAX_WHOLE) {
            out_of_range(line, procs, place, intake);
            return;
        }
        let gpus =
            |procs: i64| u64::try_from((procs - 1) / self.procs_per_gpu + 1).ok().filter(|_| procs > 0);
        if let (Some(asked), Some(held)) = (gpus(asked), gpus(allocated)) {
            intake.compare(asked.saturating_mul(1000), held.saturating_mul(1000));
        }
        let request = self.request(procs, line, intake);
        let tenant = self.tenants.get(user.max(-1) + 1, || tenant(user, intake));
        let time = |value: i64| u32::try_from(value.max(0)).expect("checked to fit above");
        let mut draft = Draft {
            submit: time(submit),
            work: time(run),
            requested: time(requested),
            wait: (wait >= 0).then(|| time(wait)),
            request,
            behaviour: self.behaviour,
            tenant,
            fails: status == 0 && !never_started,
            ..Draft::default()
        };
        if never_started {
            self.withdrawn += 1;
            draft.patience = Some(time(wait));
            draft.work = draft.requested.max(1);
        } else {
            self.unknown_run += u64::from(run < 0);
            self.cut_short += u64::from(status == 5);
            self.failed += u64::from(status == 0);
            draft.work = draft.work.max(u32::from(run < 0));
        }
        let id = u64::try_from(id).map_or(Id::Row, Id::Number);
        let Some(job) = intake.push(draft, id).filter(|_| line[17] > 0) else { return };
        if line[17] == line[1] {
            self.selves += 1;
        } else if intake.options.think_time {
            intake.after_end = true;
            let delay = Seconds(u32::try_from(line[18].max(0)).unwrap_or(TIME_MAX));
            intake.depends(job, &line[17].to_string(), delay, place.0);
        } else {
            self.followers += 1;
        }
    }

    fn request(&mut self, procs: i64, line: &Line, intake: &mut Intake<'_>) -> u32 {
        let gpus = (procs + self.procs_per_gpu - 1) / self.procs_per_gpu;
        let gang = Request::gang(Gpus::whole(u32::try_from(gpus).expect("checked against the most GPUs")));
        let (word, key) = match intake.options.swf_partition {
            SwfPartition::Ignore => return self.requests.get(gpus, || intake.builder.request(gang)),
            SwfPartition::Queue => ("queue", line[QUEUE]),
            SwfPartition::Partition => ("partition", line[PARTITION]),
        };
        let partition = if key < 0 { 0 } else { intake.builder.partition(&format!("{word}{key}")) };
        intake.builder.request(Request { partition, ..gang })
    }

    fn notes(&self, intake: &mut Intake<'_>) {
        let notes = &mut intake.notes;
        if !intake.builder.is_empty() {
            notes.say(match self.procs_per_gpu {
                1 => "SWF processors read as GPUs: one each".to_owned(),
                many => format!("SWF processors read as GPUs: {many} to each"),
            });
        }
        notes.count("job", "whose work ends in failure (status 0)", self.failed);
        notes.count("job", "cancelled while running (status 5): they run the time recorded", self.cut_short);
        notes.count(
            "job",
            "that never started (status 0 or 5): withdrawn after their wait, work_time = requested_time",
            self.withdrawn,
        );
        notes.count(
            "job",
            "that never started and left as they came (status 0 or 5): dropped",
            self.left_at_once,
        );
        notes.count("job", "of unknown run time: work_time = 1 s", self.unknown_run);
        notes.count(
            "job",
            "after another (field 17): submitted as recorded, unless `map.think_time` is set",
            self.followers,
        );
        notes.count("job", "after itself (field 17): after nobody", self.selves);
        notes.count("job", "with neither requested nor allocated processors: dropped", self.no_processors);
        notes.count("line", "about a part of a job (status 2 to 4): dropped", self.parts);
    }
}

/// Says which number of a job is too small or too large.
fn out_of_range(line: &Line, procs: i64, (number, text): (usize, &[u8]), intake: &mut Intake<'_>) {
    let late = [2, 3, 4, 9].into_iter().find(|field| line[*field] > i64::from(TIME_MAX));
    let asked = if line[8] > 0 { 8 } else { 5 };
    let (field, message) = match late {
        _ if line[2] < 0 => (2, format!("submit time `{}`: expected seconds from the start", line[2])),
        Some(field) => (field, format!("{} `{}`: expected at most {TIME_MAX} s", NAMES[field], line[field])),
        None => (asked, format!("`{procs}` processors: expected at most {}", Gpus::MAX_WHOLE)),
    };
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let word = words.nth(field - 1).unwrap_or(text);
    intake.bad_line(number, |file| Problem::new(message).at(Place::part(file, number, text, word)));
}

fn tenant(user: i64, intake: &mut Intake<'_>) -> u32 {
    if user < 0 { intake.builder.tenant("default") } else { intake.builder.tenant(&format!("user{user}")) }
}
