//! Tables of jobs whose columns are described, not programmed: most formats are one [`Schema`] and no code.
//!
//! A job has started if it ran for some time or ended after it started, whatever its state says (see
//! [`ending`](super::ending)). One that has a start and no end was still running: it runs until the last instant of
//! the file. Negative numbers stand for what is not known.

mod request;
#[cfg(test)]
mod tests;
mod times;

use super::ending::{self, Ending, Evidence};
use crate::trace::intake::{Draft, Id, Intake};
use crate::trace::key::{Key, TimeUnit};
use crate::trace::mapping::Meaning;
use crate::trace::table::Table;
use crate::trace::{field, synonyms};
use crate::workload::{Behaviour, JobKind};
use times::Times;

/// What the columns of a table tell of jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema<'s> {
    /// Which column tells what; those that a job cannot be read without must be there.
    pub columns: &'s [(Key, &'s str)],
    /// What numbers of time count in.
    pub unit: TimeUnit,
    /// The same for some keys.
    pub units: &'s [(Key, TimeUnit)],
    /// What words for a state mean, beside those of Slurm.
    pub states: &'static [(&'static str, Meaning)],
    /// What jobs of a word are for.
    pub kinds: &'static [(&'static str, JobKind)],
    /// Whether GPUs and cores are told in percent of one.
    pub percent: bool,
    /// MiB in the unit of memory.
    pub mebibytes: u32,
    /// How many GPUs each job has, where the format tells none.
    pub gpus_each: Option<u32>,
    /// What is counted in place of GPUs, which the format does not know of.
    pub processors: Option<&'static str>,
    /// What becomes of a job whose submit is not told.
    pub unsubmitted: Unsubmitted,
    /// What jobs are for where no column tells it.
    pub kind: JobKind,
    /// How deadlines are written.
    pub deadlines: Deadlines,
    /// What is said of every file.
    pub says: &'static [&'static str],
}

/// How deadlines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deadlines {
    /// One length of time.
    One,
    /// Those by which less and less is gained, with `-` between them, of which the first is taken; where the column of this
    /// name says `1` the job has none.
    Steps(&'static str),
}

/// What becomes of a job whose submit is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsubmitted {
    /// Its line is wrong.
    Wrong,
    /// It existed before the trace began: it comes, and has started, at its time 0.
    Existing,
    /// It never came: it is dropped.
    Dropped,
}

impl Schema<'_> {
    /// Seconds, GPUs, MiB, words of Slurm, and nothing to say.
    pub(super) const PLAIN: Self = Self {
        columns: &[],
        unit: TimeUnit::Second,
        units: &[],
        states: &[],
        kinds: &[],
        percent: false,
        mebibytes: 1,
        gpus_each: None,
        processors: None,
        unsubmitted: Unsubmitted::Wrong,
        kind: JobKind::Other,
        deadlines: Deadlines::One,
        says: &[],
    };

    /// What a key counts in: as the user says, else as the format does.
    fn unit_of(&self, key: Key, intake: &Intake<'_>) -> TimeUnit {
        let own = self.units.iter().find(|(known, _)| *known == key).map_or(self.unit, |(_, unit)| *unit);
        intake.options.map.unit_of(key).unwrap_or(own)
    }
}

/// Words for states that are nobody's in particular.
const WORDS: &[(&str, Meaning)] = &[
    ("success", Meaning::Completed),
    ("succeeded", Meaning::Completed),
    ("successful", Meaning::Completed),
    ("finished", Meaning::Completed),
    ("complete", Meaning::Completed),
    ("done", Meaning::Completed),
    ("pass", Meaning::Completed),
    ("failure", Meaning::Failed),
    ("error", Meaning::Failed),
    ("killed", Meaning::Cancelled),
    ("canceled", Meaning::Cancelled),
    ("waiting", Meaning::Pending),
    ("queued", Meaning::Pending),
];

/// Reads the jobs of a table with these columns.
pub(super) fn read(text: &[u8], schema: &Schema<'_>, intake: &mut Intake<'_>) {
    let names: Vec<&str> = schema.columns.iter().map(|(_, name)| *name).collect();
    let Some(mut table) = Table::open_any(text, &names, intake) else { return };
    read_table(&mut table, schema, intake);
}

/// As [`read`], of a table whose header is read.
pub(super) fn read_table(table: &mut Table<'_>, schema: &Schema<'_>, intake: &mut Intake<'_>) {
    let Some(mut reader) = Reader::new(table, schema, intake) else { return };
    intake.takes_units = true;
    for line in schema.says {
        intake.notes.say(*line);
    }
    if let Some(what) = schema.processors {
        intake.processors_are_gpus(what);
    }
    while table.next(intake) {
        if let Some(job) = Row::of(&reader, table).job(intake) {
            reader.push(&job, table, intake);
        }
    }
}

/// Where keys stand in a table, and what is remembered from line to line.
struct Reader<'s> {
    schema: &'s Schema<'s>,
    /// Which column tells what; of two that tell the same, the second counts where the first says nothing.
    columns: Vec<(Key, usize)>,
    /// What each key counts in.
    units: [TimeUnit; Key::COUNT],
    behaviours: [Option<u32>; JobKind::ALL.len()],
}

/// A job as a line tells it.
struct Job {
    draft: Draft,
    kind: JobKind,
    /// When it started, if it had not ended.
    alive_since: Option<u32>,
}

impl<'s> Reader<'s> {
    fn new(table: &Table<'_>, schema: &'s Schema<'s>, intake: &mut Intake<'_>) -> Option<Self> {
        let place = |(key, name): &(Key, &str)| Some((*key, table.column(name)?));
        let columns: Vec<(Key, usize)> = schema.columns.iter().filter_map(place).collect();
        let told = |key: Key| columns.iter().any(|(known, _)| *known == key);
        let missing = synonyms::missing(|key| told(key) || key == Key::Gpus && schema.gpus_each.is_some());
        if !missing.is_empty() {
            let needed = |key: &Key| match key {
                Key::WorkTime => vec![Key::WorkTime, Key::StartTime, Key::EndTime],
                Key::Gpus => vec![Key::Gpus, Key::Pods, Key::PodGpus],
                key => vec![*key],
            };
            let needed: Vec<Key> = missing.iter().flat_map(needed).collect();
            let absent = schema.columns.iter().filter(|(key, _)| needed.contains(key));
            let absent: Vec<&str> = absent.filter(|(key, _)| !told(*key)).map(|(_, name)| *name).collect();
            table.no_columns(&absent, intake);
            return None;
        }
        for (key, _) in intake.options.map.units.iter().filter(|(key, _)| !told(*key)) {
            let name = key.name();
            intake.notes.say(format!("`map.units.{name}` changes nothing: no column tells {name}"));
        }
        intake.count_repeats = !told(Key::JobId);
        let mut units = [TimeUnit::Second; Key::COUNT];
        Key::ALL.iter().for_each(|key| units[*key as usize] = schema.unit_of(*key, intake));
        Some(Self { schema, columns, units, behaviours: [None; JobKind::ALL.len()] })
    }

    fn push(&mut self, job: &Job, table: &Table<'_>, intake: &mut Intake<'_>) {
        let kind = JobKind::ALL.iter().position(|kind| *kind == job.kind).unwrap_or(0);
        let behaviour =
            *self.behaviours[kind].get_or_insert_with(|| intake.builder.behaviour(Behaviour::of(job.kind)));
        let draft = Draft { behaviour, ..job.draft };
        let column = self.columns.iter().find(|(key, _)| *key == Key::JobId);
        let id = column.map_or(Some(""), |(_, column)| table.text(*column, "", intake));
        let Some(id) = id else { return };
        let index = intake.push(draft, if id.is_empty() { Id::Row } else { Id::Text(id) });
        if let (Some(index), Some(start)) = (index, job.alive_since) {
            intake.alive.push((index, start));
        }
    }
}

/// The line at hand.
struct Row<'r> {
    reader: &'r Reader<'r>,
    table: &'r Table<'r>,
    /// Of each key the column that tells it and what it tells: nothing where that is not known.
    cells: [(Option<usize>, &'r [u8]); Key::COUNT],
}

/// Whether a value says nothing: empty, or −1, as logs write what is not known.
fn unknown(key: Key, value: &[u8]) -> bool {
    let zeros =
        |rest: &[u8]| rest.is_empty() || rest[0] == b'.' && rest[1..].iter().all(|digit| *digit == b'0');
    let minus_one = value.strip_prefix(b"-1").is_some_and(zeros);
    value.is_empty() || minus_one && !matches!(key, Key::Priority | Key::JobId)
}

impl<'r> Row<'r> {
    #[inline]
    fn of(reader: &'r Reader<'r>, table: &'r Table<'r>) -> Self {
        let mut row = Self { reader, table, cells: [(None, b"".as_slice()); Key::COUNT] };
        for (key, column) in &reader.columns {
            let cell = &mut row.cells[*key as usize];
            if cell.1.is_empty() {
                let value = table.optional(Some(*column));
                let known = !unknown(*key, value);
                // Of two columns that say nothing the first is the one to speak of.
                if known {
                    *cell = (Some(*column), value);
                } else if cell.0.is_none() {
                    cell.0 = Some(*column);
                }
            }
        }
        row
    }
    /// The column that tells a key in this line.
    const fn place(&self, key: Key) -> Option<usize> {
        self.cells[key as usize].0
    }
    /// What is told of a key; nothing where it is not known.
    const fn get(&self, key: Key) -> &'r [u8] {
        self.cells[key as usize].1
    }
    const fn unit(&self, key: Key) -> TimeUnit {
        self.reader.units[key as usize]
    }
    fn wrong(&self, key: Key, expected: &str, intake: &mut Intake<'_>) {
        if let Some(column) = self.place(key) {
            self.table.wrong(column, expected, intake);
        }
    }
    /// A value as `parse` reads it, `otherwise` where the line says nothing, none where it is wrong.
    fn read<T>(
        &self,
        key: Key,
        otherwise: T,
        expected: &str,
        intake: &mut Intake<'_>,
        parse: impl FnOnce(&'r [u8], &mut Intake<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key);
        if value.is_empty() {
            return Some(otherwise);
        }
        let parsed = parse(value, intake);
        if parsed.is_none() {
            self.wrong(key, expected, intake);
        }
        parsed
    }
    fn text(&self, key: Key, otherwise: &'r str, intake: &mut Intake<'_>) -> Option<&'r str> {
        self.read(key, otherwise, "UTF-8", intake, |value, _| self.table.checked.part(value))
    }

    /// The job of the line; none if it is dropped, or wrong.
    fn job(&self, intake: &mut Intake<'_>) -> Option<Job> {
        let state = self.state(intake);
        let times = self.times(intake);
        let request = self.request(intake);
        let tenant = self.text(Key::Tenant, "default", intake);
        let kind = self.kind(intake);
        let priority = self.read(
            Key::Priority,
            0,
            "a whole number from -2147483648 to 2147483647",
            intake,
            |value, _| field::signed(value).and_then(|value| i32::try_from(value).ok()),
        );
        let (times, request, state) = (times?, request?, state?);
        let (tenant, kind, priority) = (tenant?, kind?, priority?);
        let (draft, alive_since) = self.life(&times, state, intake)?;
        let request = intake.builder.request(request);
        let tenant = intake.builder.tenant(tenant);
        Some(Job { draft: Draft { request, tenant, priority, ..draft }, kind, alive_since })
    }

    fn kind(&self, intake: &mut Intake<'_>) -> Option<JobKind> {
        let word = self.text(Key::Kind, "", intake)?;
        if word.is_empty() {
            return Some(self.reader.schema.kind);
        }
        let own = self.reader.schema.kinds.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        let known = own.map(|(_, kind)| *kind).or_else(|| JobKind::from_name(&word.to_ascii_lowercase()));
        if known.is_none() {
            intake.notes.count("job", &format!("of kind `{word}`, which is not known: other"), 1);
        }
        Some(known.unwrap_or_default())
    }

    fn state(&self, intake: &mut Intake<'_>) -> Option<Option<Meaning>> {
        let schema = self.reader.schema;
        let word = self.get(Key::State);
        if word.is_empty() {
            return Some(None);
        }
        let is = |known: &str| word.eq_ignore_ascii_case(known.as_bytes());
        let listed =
            |list: &[(&str, Meaning)]| list.iter().find(|(known, _)| is(known)).map(|(_, meaning)| *meaning);
        let meaning = ending::own(word, intake)
            .or_else(|| listed(schema.states))
            .or_else(|| ending::meaning(word))
            .or_else(|| listed(WORDS));
        if meaning.is_none()
            && let Some(column) = self.place(Key::State)
        {
            self.table.wrong_with(column, "a word for how a job ended", ending::HINT, intake);
        }
        meaning.map(Some)
    }

    /// How long a job runs and how it ends; none if it is dropped. Of one that had not ended, when it started.
    fn life(
        &self,
        times: &Times,
        state: Option<Meaning>,
        intake: &mut Intake<'_>,
    ) -> Option<(Draft, Option<u32>)> {
        let Times { submit, start, end, requested, deadline, .. } = *times;
        let length = times.length();
        let started = length.is_some_and(|length| length > 0);
        // Whoever tells starts and has none for a job that has no length either says that it never started.
        let never = start.is_none() && !started && self.place(Key::StartTime).is_some();
        let state = state.unwrap_or(if never { Meaning::Cancelled } else { Meaning::Completed });
        let wait = start.and_then(|start| start.checked_sub(submit)).filter(|_| times.waits);
        let work = length.unwrap_or(0);
        let draft = Draft { submit, work, requested, deadline, wait, ..Draft::default() };
        let open = length.is_none() && end.is_none() && !matches!(state, Meaning::Drop | Meaning::Pending);
        if let Some(start) = start.filter(|_| open && self.place(Key::EndTime).is_some()) {
            return Some((Draft { work: 1, ..draft }, Some(start)));
        }
        if length.is_none() && matches!(state, Meaning::Completed | Meaning::Running) {
            intake.notes.count("job", "whose length is not told: dropped", 1);
            return None;
        }
        // One that waited and did not start left when it had waited so long.
        let end = end.or(start.filter(|_| !started));
        match ending::ending(state, Evidence { submit, end, started }, intake)? {
            Ending::Ran { fails } => Some((Draft { fails, ..draft }, None)),
            Ending::Left(patience) => {
                let work = requested.max(1);
                Some((Draft { patience: Some(patience), work, wait: None, ..draft }, None))
            }
        }
    }
}
