use super::{Notes, Options, effect};
use crate::error::{Error, Place, Problem, Problems};
use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};
use crate::workload::{Builder, Job, JobGraph, PlatformSet};

/// The longest time that is read, seconds: one less than "never".
pub(super) const TIME_MAX: u32 = u32::MAX - 1;

/// A job as a line tells it, before the whole input has told when time 0 is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Draft {
    /// Seconds since 1970 or since the start of the trace.
    pub submit: u32,
    /// Seconds of work; 0 becomes 1.
    pub work: u32,
    /// The user's estimate; 0: none.
    pub requested: u32,
    /// Seconds after its submission in which it has to be done; 0: it has no deadline.
    pub deadline: u32,
    /// Seconds after its submission at which it is withdrawn if it has not started.
    pub patience: Option<u32>,
    /// Seconds that it waited, as the trace tells, if it started.
    pub wait: Option<u32>,
    /// Index of the request in the builder.
    pub request: u32,
    /// Index of the behaviour in the builder.
    pub behaviour: u32,
    /// Index of the tenant in the builder.
    pub tenant: u32,
    /// Higher goes first.
    pub priority: i32,
    /// Whether it ends in failure.
    pub fails: bool,
    /// Whether it is running at time 0, whenever it was submitted.
    pub running: bool,
}

/// What a line calls its job.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id<'a> {
    /// Nothing: the number of its row stands for it.
    Row,
    /// A number.
    Number(u64),
    /// A text.
    Text(&'a str),
}

/// "After": a dependency on a job that may come later in the file.
#[derive(Debug)]
pub(super) struct Wanted {
    pub after: u32,
    pub before: String,
    pub delay: Seconds,
    pub line: usize,
}

/// Lines that could not be read and were left out.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// How many.
    pub count: u64,
    /// What is wrong with the first ones.
    pub first: Problems,
    /// The number of the latest.
    last: usize,
}

impl Skipped {
    /// How many are shown.
    const SHOWN: usize = 3;
}

/// What jobs asked for beside what they were given, thousandths of a GPU, where a trace tells both.
#[derive(Debug, Default)]
pub(super) struct Both {
    pub jobs: u64,
    pub differ: u64,
    pub asked: u64,
    pub held: u64,
}

/// Where readers put what they find: jobs, problems, notes. The rest of reading is the same for every format.
pub(super) struct Intake<'a> {
    /// What to take and how.
    pub options: &'a Options<'a>,
    /// Requests, behaviours, tenants and partitions are added here.
    pub builder: Builder,
    /// What was dropped, changed or assumed.
    pub notes: Notes,
    /// Unix seconds of the trace's second 0, where a header tells.
    pub epoch: Option<i64>,
    /// Whether submits are Unix seconds whatever their size, so that the first one is time 0.
    pub unix: bool,
    /// Dependencies that name no job are an error, not dropped.
    pub strict_dependencies: bool,
    /// Whether dependencies are on the end of a job, successful or not.
    pub after_end: bool,
    /// The latest instant that any line tells.
    pub latest: u32,
    /// Jobs that had not ended when the trace was taken, and when they started: they run until its last instant.
    pub alive: Vec<(u32, u32)>,
    /// Whether rows without an id may come twice, so that equal ones are worth a note.
    pub count_repeats: bool,
    /// Whether a date named no time zone.
    pub naive: bool,
    /// Whether there were dates at all.
    pub dates: bool,
    /// Times with a fraction of a second.
    pub fractions: u64,
    /// Whether the format reads numbers of time in the unit that a user gives them.
    pub takes_units: bool,
    /// Bit `i` is set once the user's word for a state `i` was met; those beyond 63 share the last one.
    pub words_met: u64,
    /// Whether places are rows of a table, from 1, not lines of a text.
    pub by_row: bool,
    pub(super) file: &'a str,
    pub(super) problems: Problems,
    pub(super) skipped: Skipped,
    pub(super) sample: Option<(Stream, u32)>,
    pub(super) both: Both,
    pub(super) rows: u64,
    pub(super) sampled_out: u64,
    pub(super) zero_length: u64,
    pub(super) no_estimate: u64,
    pub(super) overruns: u64,
    /// The earliest submit of a job that is not running at time 0.
    pub(super) first: u32,
    /// Whether any job is withdrawn while pending.
    pub(super) withdrawals: bool,
    pub(super) ids: Ascending,
    pub(super) wanted: Vec<Wanted>,
    /// Dependencies of which both jobs are known.
    pub(super) tied: JobGraph,
}

/// Whether ids only grow, in which case none comes twice.
#[derive(Debug, Default)]
pub(super) struct Ascending {
    last_number: Option<u64>,
    last_text: Vec<u8>,
    pub broken: bool,
}

impl Ascending {
    fn number(&mut self, number: u64) {
        self.broken |= self.last_number.is_some_and(|last| last >= number) || !self.last_text.is_empty();
        self.last_number = Some(number);
    }
    fn text(&mut self, text: &[u8]) {
        let last = (self.last_text.len(), self.last_text.as_slice());
        self.broken |= last >= (text.len(), text) || self.last_number.is_some();
        self.last_text.clear();
        self.last_text.extend_from_slice(text);
    }
}

impl<'a> Intake<'a> {
    /// Counts a job whose deadline is told and 0: no job could meet it, and none is what 0 stands for.
    pub(super) fn note_deadline(&mut self, is_empty: bool, deadline: Option<u32>) {
        if !is_empty && deadline == Some(0) {
            self.notes.count("job", "with a deadline of 0: taken as without one", 1);
        }
    }
    pub(super) fn new(file: &'a str, options: &'a Options<'a>) -> Self {
        let stream = Stream::new(options.seed, Purpose::Sampling);
        Self {
            options,
            builder: Builder::default(),
            notes: Notes::default(),
            epoch: None,
            unix: false,
            strict_dependencies: false,
            after_end: false,
            latest: 0,
            alive: Vec::new(),
            count_repeats: false,
            naive: false,
            dates: false,
            fractions: 0,
            takes_units: false,
            words_met: 0,
            by_row: false,
            file,
            problems: Problems::default(),
            skipped: Skipped::default(),
            sample: options.sample_bound().map(|bound| (stream, bound)),
            both: Both::default(),
            rows: 0,
            sampled_out: 0,
            zero_length: 0,
            no_estimate: 0,
            overruns: 0,
            first: u32::MAX,
            withdrawals: false,
            tied: JobGraph::default(),
            ids: Ascending::default(),
            wanted: Vec::new(),
        }
    }

    /// Adds a job and returns its index; `None` if the sample leaves it out.
    pub(super) fn push(&mut self, draft: Draft, id: Id<'_>) -> Option<u32> {
        let row = self.rows;
        self.rows += 1;
        // Whatever the sample takes, time 0 is that of the whole trace.
        if !draft.running {
            self.first = self.first.min(draft.submit);
        }
        if let Some((stream, bound)) = self.sample
            && stream.draw(row, 0) >= bound
        {
            self.sampled_out += 1;
            return None;
        }
        let work = draft.work.max(1);
        let requested = if draft.requested == 0 { work } else { draft.requested };
        self.zero_length += u64::from(draft.work == 0);
        self.no_estimate += u64::from(draft.requested == 0);
        self.overruns += u64::from(work > requested);
        self.withdrawals |= draft.patience.is_some();
        let job = Job {
            submit_time: Time(draft.submit),
            work_time: Seconds(work),
            requested_time: Seconds(requested),
            cancel_time: draft.patience.map_or(Time::NEVER, Time),
            deadline: if draft.deadline == 0 { Seconds::FOREVER } else { Seconds(draft.deadline) },
            request: draft.request,
            behaviour: draft.behaviour,
            tenant: draft.tenant,
            priority: draft.priority,
            fails: draft.fails,
        };
        let index = match id {
            Id::Row => {
                self.ids.number(row + 1);
                self.named(job, row + 1)
            }
            Id::Number(number) => {
                self.ids.number(number);
                self.named(job, number)
            }
            Id::Text(text) => {
                self.ids.text(text.as_bytes());
                self.builder.push_named(job, text)
            }
        };
        if let Some(wait) = draft.wait.filter(|_| draft.patience.is_none()) {
            // Counted from its submission, until time 0 is known.
            self.builder.record_start(index, Time(wait));
        }
        Some(index)
    }

    /// Says that the format knows of no GPUs, and that others are read in their place.
    pub(super) fn processors_are_gpus(&mut self, what: &str) {
        let each = self.options.procs_per_gpu;
        let many = if each == 1 { "one each".to_owned() } else { format!("{each} to each") };
        self.notes.say(format!("no GPUs in this format: {what} read as GPUs, {many}"));
    }

    /// Notes what a job asked for and what it was given, thousandths of a GPU.
    pub(super) fn compare(&mut self, asked: u64, held: u64) {
        self.both.jobs += 1;
        self.both.differ += u64::from(asked != held);
        self.both.asked = self.both.asked.saturating_add(asked);
        self.both.held = self.both.held.saturating_add(held);
    }

    /// The platforms of these names, in whatever case; none named, or none known: any.
    pub(super) fn platforms<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> PlatformSet {
        let mut set = PlatformSet::NONE;
        for name in names {
            let name = name.to_ascii_lowercase();
            let Some(meant) = self.options.map.platforms.apply(&name) else {
                self.notes.count("request", effect::IGNORED, 1);
                continue;
            };
            if meant != name {
                self.notes.count("request", &effect::renamed(&name, meant), 1);
            }
            match self.options.platform {
                None => self.notes.count(
                    "request",
                    &format!("for the platform `{meant}`: left out, none is known without a cluster"),
                    1,
                ),
                Some(known) => match known(meant).filter(|index| *index < PlatformSet::MAX) {
                    Some(index) => set = set.with(index),
                    None => self.notes.count(
                        "request",
                        &format!("for the unknown platform `{meant}`: left out"),
                        1,
                    ),
                },
            }
        }
        if set.is_empty() { PlatformSet::ALL } else { set }
    }

    fn named(&mut self, job: Job, number: u64) -> u32 {
        if number == self.builder.len() as u64 + 1 {
            return self.builder.push(job);
        }
        self.builder.push_named(job, itoa::Buffer::new().format(number))
    }

    /// Job `after` waits for the one called `before`, wherever in the file that is.
    pub(super) fn depends(&mut self, after: u32, before: &str, delay: Seconds, line: usize) {
        self.wanted.push(Wanted { after, before: before.to_owned(), delay, line });
    }

    /// Says what is wrong with line `number`, which is left out if the options say so.
    pub(super) fn bad_line(&mut self, number: usize, problem: impl FnOnce(&str) -> Problem) {
        if !self.options.skip_bad_lines {
            self.problem(problem);
        } else if self.skipped.last != number {
            self.skipped.last = number;
            self.skipped.count += 1;
            if self.skipped.first.total() < Skipped::SHOWN {
                self.skipped.first.push(problem(self.file));
            }
        }
    }
    /// Says what is wrong with the input as a whole; only the first problems are worth wording.
    pub(super) fn problem(&mut self, problem: impl FnOnce(&str) -> Problem) {
        let full = self.problems.total() >= Problems::SHOWN;
        self.problems.push(if full { Problem::new(String::new()) } else { problem(self.file) });
    }
    /// Says that `part` of a line is not what was `expected`.
    pub(super) fn wrong(&mut self, number: usize, line: &[u8], part: &[u8], what: &str, expected: &str) {
        self.wrong_with(number, line, part, what, expected, None);
    }
    /// As [`Intake::wrong`], with what to do about it.
    pub(super) fn wrong_with(
        &mut self,
        number: usize,
        line: &[u8],
        part: &[u8],
        what: &str,
        expected: &str,
        hint: Option<&str>,
    ) {
        self.bad_line(number, |file| {
            let found = String::from_utf8_lossy(&part[..part.len().min(80)]);
            let message = match found.trim() {
                "" => format!("no {what}"),
                found => format!("{what} `{found}`"),
            };
            let place = Place::part(file, number, line, part);
            let problem = Problem::new(message).at(place).expected(format!("expected {expected}"));
            if let Some(hint) = hint { problem.hint(hint) } else { problem }
        });
    }
    /// What is wrong so far.
    #[cfg(test)]
    pub(super) fn problems(&self) -> &Problems {
        &self.problems
    }

    /// The notes alone, where no jobs were read; or everything that is wrong.
    pub(super) fn into_notes(self) -> Result<Notes, Error> {
        self.problems.into_result(self.notes)
    }
}

/// A number that differs for different texts, nearly always (FNV-1a over 64 bits, eight bytes at a time).
pub(super) fn hash(text: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    let mut chunks = text.chunks_exact(8);
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ text.len() as u64;
    for chunk in chunks.by_ref() {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().expect("chunks have eight bytes")));
    }
    mix(hash, chunks.remainder().iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}
