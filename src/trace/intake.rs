use super::{Moment, Notes, Options, Trace};
use crate::error::{Error, Place, Problem, Problems};
use crate::random::{Purpose, Stream};
use crate::units::{Seconds, Time};
use crate::workload::{
    Builder, Cycle, Graph, Job, JobGraph, Names, PlatformSet, Request, Running, Shape, Workload,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Whoever submits before this second (1980-01-01) counts from the start of the trace, not from 1970.
const ABSOLUTE: u32 = 315_532_800;

/// The longest time that is read, seconds: one less than "never".
pub(super) const TIME_MAX: u32 = u32::MAX - 1;

/// How many requests are found without a search.
const REQUESTS_KEPT: usize = 1024;

/// A job as a line tells it, before the whole input has told when time 0 is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Draft {
    /// Seconds since 1970 or since the start of the trace.
    pub submit: u32,
    /// Seconds of work; 0 becomes 1.
    pub work: u32,
    /// The user's estimate; 0: none.
    pub requested: u32,
    /// Seconds after its submission at which it is withdrawn if it has not started.
    pub patience: Option<u32>,
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
struct Wanted {
    after: u32,
    before: String,
    delay: Seconds,
    line: usize,
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
    /// Whether rows without an id may come twice, so that equal ones are worth a note.
    pub count_repeats: bool,
    /// Whether a date named no time zone.
    pub naive: bool,
    /// Whether there were dates at all.
    pub dates: bool,
    /// Times with a fraction of a second.
    pub fractions: u64,
    file: &'a str,
    problems: Problems,
    sample: Option<(Stream, u32)>,
    rows: u64,
    sampled_out: u64,
    zero_length: u64,
    no_estimate: u64,
    overruns: u64,
    ids: Ascending,
    wanted: Vec<Wanted>,
    requests: Vec<Option<(Request, u32)>>,
    tenants: LastText,
    partitions: LastText,
}

/// Remembers the index of the name that came last: neighbours in a trace are alike.
#[derive(Debug, Default)]
struct LastText {
    known: BTreeMap<Vec<u8>, u32>,
    last: Vec<u8>,
    index: Option<u32>,
}

impl LastText {
    fn get(&mut self, text: &[u8], new: impl FnOnce() -> u32) -> u32 {
        if let Some(index) = self.index
            && self.last == text
        {
            return index;
        }
        let index = match self.known.get(text) {
            Some(index) => *index,
            None => *self.known.entry(text.to_vec()).or_insert_with(new),
        };
        self.last.clear();
        self.last.extend_from_slice(text);
        self.index = Some(index);
        index
    }
}

/// Whether ids only grow, in which case none comes twice.
#[derive(Debug, Default)]
struct Ascending {
    last_number: Option<u64>,
    last_text: Vec<u8>,
    broken: bool,
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
    pub(super) fn new(file: &'a str, options: &'a Options<'a>) -> Self {
        let stream = Stream::new(options.seed, Purpose::Sampling);
        Self {
            options,
            builder: Builder::default(),
            notes: Notes::default(),
            epoch: None,
            unix: false,
            strict_dependencies: false,
            count_repeats: false,
            naive: false,
            dates: false,
            fractions: 0,
            file,
            problems: Problems::default(),
            sample: options.sample_bound().map(|bound| (stream, bound)),
            rows: 0,
            sampled_out: 0,
            zero_length: 0,
            no_estimate: 0,
            overruns: 0,
            ids: Ascending::default(),
            wanted: Vec::new(),
            requests: vec![None; REQUESTS_KEPT],
            tenants: LastText::default(),
            partitions: LastText::default(),
        }
    }

    /// The index of this request, added if new.
    pub(super) fn request(&mut self, request: Request) -> u32 {
        let [a, b] = match request.shape {
            Shape::Any { gpus_milli } => [gpus_milli, 0],
            Shape::Pods { count, gpus_milli_each } => [count, gpus_milli_each],
        };
        let words = [a, b, request.cpu_milli, request.memory_mib, request.partition];
        let mixed = words.iter().fold(0_u64, |mixed, word| {
            (mixed ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
        });
        let slot = usize::try_from(mixed % REQUESTS_KEPT as u64).expect("below a small number");
        match &self.requests[slot] {
            Some((known, index)) if *known == request => *index,
            _ => {
                let index = self.builder.request(request.clone());
                self.requests[slot] = Some((request, index));
                index
            }
        }
    }
    /// The index of the tenant of that name, added if new.
    pub(super) fn tenant(&mut self, name: &str) -> u32 {
        self.tenants.get(name.as_bytes(), || self.builder.tenant(name))
    }
    /// The index of the partition of that name, added if new.
    pub(super) fn partition(&mut self, name: &str) -> u32 {
        self.partitions.get(name.as_bytes(), || self.builder.partition(name))
    }

    /// Adds a job and returns its index; `None` if the sample leaves it out.
    pub(super) fn push(&mut self, draft: Draft, id: Id<'_>) -> Option<u32> {
        let row = self.rows;
        self.rows += 1;
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
        let job = Job {
            submit_time: Time(draft.submit),
            work_time: Seconds(work),
            requested_time: Seconds(requested),
            cancel_time: draft.patience.map_or(Time::NEVER, Time),
            request: draft.request,
            behaviour: draft.behaviour,
            tenant: draft.tenant,
            priority: draft.priority,
            fails: draft.fails,
        };
        Some(match id {
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
        })
    }

    /// The platforms of these names, in whatever case; none named, or none known: any.
    pub(super) fn platforms<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> PlatformSet {
        let mut set = PlatformSet::NONE;
        for name in names {
            let name = name.to_ascii_lowercase();
            match self.options.platform {
                None => self.notes.say("wishes for platforms are left out: none are known here"),
                Some(known) => match known(&name).filter(|index| *index < PlatformSet::MAX) {
                    Some(index) => set = set.with(index),
                    None => self.notes.count(
                        "request",
                        &format!("for the unknown platform `{name}`: left out"),
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

    /// Says what is wrong with line `number`; only the first ones are worth wording.
    pub(super) fn problem(&mut self, problem: impl FnOnce(&str) -> Problem) {
        let full = self.problems.total() >= Problems::SHOWN;
        self.problems.push(if full { Problem::new(String::new()) } else { problem(self.file) });
    }
    /// Says that `part` of a line is not what was `expected`.
    pub(super) fn wrong(&mut self, number: usize, line: &[u8], part: &[u8], what: &str, expected: &str) {
        self.problem(|file| {
            let found = String::from_utf8_lossy(&part[..part.len().min(80)]);
            let message = match found.trim() {
                "" => format!("no {what}"),
                found => format!("{what} `{found}`"),
            };
            let place = Place::part(file, number, line, part);
            Problem::new(message).at(place).expected(format!("expected {expected}"))
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

    /// The workload, once every line is read.
    pub(super) fn finish(mut self, format: &'static str, text: &[u8]) -> Result<Trace, Error> {
        if !self.problems.is_empty() {
            return Err(self.problems.into());
        }
        if self.rows == 0 {
            let problem = Problem::new(format!("no job in `{}`", self.file)).at(Place::file(self.file));
            return Err(problem.hint(format!("read as {format}; `--format` names another")).into());
        }
        let mut workload = std::mem::take(&mut self.builder).finish();
        if self.count_repeats {
            self.notes.count("row", "that came before, exactly: kept", repeats(&workload));
        }
        let origin = self.origin(&mut workload)?;
        let window = self.window()?;
        let left_out = self.set_times(&mut workload, origin, &window)?;
        self.note_all(left_out);
        let renamed = if self.ids.broken { renamed(&workload.names) } else { BTreeMap::new() };
        self.connect(&mut workload, &renamed, text)?;
        self.notes.count("job", "whose id came before: `#2`, `#3` ... added to it", renamed.len() as u64);
        if left_out > 0 || !renamed.is_empty() {
            let edges = workload.dependencies.edges().count();
            workload = rebuilt(workload, &renamed);
            let lost = (edges - workload.dependencies.edges().count()) as u64;
            self.notes.count("dependency", "on or of a job outside the window: left out", lost);
        }
        if workload.is_empty() {
            let found = format!("none of the {} jobs of `{}` is left", self.rows, self.file);
            return Err(Problem::new(found).hint("widen the window (from, until) or the sample").into());
        }
        workload.epoch = self.epoch.map(|epoch| epoch.saturating_add(i64::from(window.start)));
        Ok(Trace { workload, notes: self.notes, format })
    }

    /// The second of the input that becomes the trace's second 0, and with it the epoch. Running jobs come then.
    fn origin(&mut self, workload: &mut Workload) -> Result<u32, Error> {
        let mut running = workload.running.iter().map(|running| running.job).peekable();
        let submits = (0_u32..).zip(&workload.jobs).filter(|(job, _)| running.next_if_eq(job).is_none());
        let first = submits.map(|(_, job)| job.submit_time.0).min().unwrap_or(0);
        let shifted = match (self.unix, self.dates) {
            (false, false) if first < ABSOLUTE => false,
            (false, false) => {
                self.notes.say("submits are Unix seconds: the first one becomes time 0");
                true
            }
            (false, true) if first < ABSOLUTE && workload.running.len() < workload.jobs.len() => {
                let found = "some times are dates, others seconds from the start";
                return Err(Problem::new(found).at(Place::file(self.file)).hint("one or the other").into());
            }
            _ => true,
        };
        let origin = if shifted { first } else { 0 };
        if shifted {
            self.epoch = Some(i64::from(first));
        }
        for running in &workload.running {
            workload.jobs[running.job as usize].submit_time = Time(origin);
        }
        Ok(origin)
    }

    /// Makes submits count from the window's start and scales the load; returns how many jobs are outside. Those are
    /// marked by the one submit time that no job can have.
    fn set_times(&self, workload: &mut Workload, origin: u32, window: &Range<u32>) -> Result<u64, Error> {
        let step = self.options.scale_step();
        let (mut left_out, mut too_late) = (0, 0_u64);
        for job in &mut workload.jobs {
            let time = job.submit_time.0 - origin;
            if !window.contains(&time) {
                left_out += 1;
                job.submit_time = Time::NEVER;
                continue;
            }
            let mut time = u64::from(time - window.start);
            if step != Options::MILLION {
                time = time * Options::MILLION / step;
            }
            too_late += u64::from(time > u64::from(TIME_MAX));
            job.submit_time = Time(u32::try_from(time).unwrap_or(TIME_MAX).min(TIME_MAX));
            if job.cancel_time != Time::NEVER {
                job.cancel_time = job.submit_time + Seconds(job.cancel_time.0);
            }
        }
        if too_late > 0 {
            let found = format!("scale-load stretches {too_late} submit times beyond 136 years");
            return Err(Problem::new(found).at(Place::file(self.file)).into());
        }
        Ok(left_out)
    }

    /// The seconds of the trace that are wanted.
    fn window(&self) -> Result<Range<u32>, Error> {
        let second = |moment: Option<Moment>, otherwise: u32| match (moment, self.epoch) {
            (None, _) => Some(otherwise),
            (Some(Moment::Seconds(second)), _) => Some(second),
            (Some(Moment::Unix(date)), epoch) => {
                let second = date.saturating_sub(epoch?).clamp(0, i64::from(TIME_MAX));
                Some(u32::try_from(second).expect("clamped to 32 bits"))
            }
        };
        match (second(self.options.from, 0), second(self.options.until, u32::MAX)) {
            (Some(from), Some(until)) => Ok(from..until),
            _ => {
                let message = format!("a window of dates, but `{}` does not say when it began", self.file);
                Err(Problem::new(message).hint("give seconds from its start, such as `36h`").into())
            }
        }
    }

    fn note_all(&mut self, left_out: u64) {
        let notes = &mut self.notes;
        notes.count("job", "without an estimate: requested_time = work_time", self.no_estimate);
        notes.count("job", "with more work than requested", self.overruns);
        notes.count("job", "of zero length: work_time = 1 s", self.zero_length);
        notes.count(
            "time",
            "with a fraction of a second: submits rounded down, the others up",
            self.fractions,
        );
        if self.naive {
            notes.say("naive timestamps read as UTC");
        }
        notes.count("job", "left out by the sample", self.sampled_out);
        notes.count("job", "left out by the window (from, until)", left_out);
        if self.options.scale_step() != Options::MILLION {
            notes.say(format!("time between submits divided by {}", self.options.scale_load));
        }
    }

    /// Turns names of predecessors into edges.
    fn connect(
        &mut self,
        workload: &mut Workload,
        renamed: &BTreeMap<u32, String>,
        text: &[u8],
    ) -> Result<(), Error> {
        if self.wanted.is_empty() {
            return Ok(());
        }
        let mut index: BTreeMap<Cow<'_, str>, u32> = BTreeMap::new();
        for job in (0..workload.len()).filter(|job| !renamed.contains_key(job)) {
            index.insert(workload.names.get(job as usize), job);
        }
        let ambiguous: BTreeMap<Cow<'_, str>, u32> =
            renamed.keys().map(|job| (workload.names.get(*job as usize), *job)).collect();
        let mut graph = JobGraph::default();
        let mut unknown = 0;
        let told = |file: &str, number: usize, message: String| {
            let line = text.split(|byte| *byte == b'\n').nth(number - 1).unwrap_or_default();
            Problem::new(message).at(Place::line(file, number, line))
        };
        for wanted in std::mem::take(&mut self.wanted) {
            let Wanted { after, before, delay, line } = wanted;
            let twice = self.strict_dependencies && ambiguous.contains_key(before.as_str());
            match index.get(before.as_str()) {
                Some(_) if twice => {
                    let message = format!("`{before}` is the id of several jobs");
                    self.problem(|file| told(file, line, message));
                }
                Some(job) => graph.add(*job, after, delay),
                None if self.strict_dependencies && self.sampled_out == 0 => {
                    let message = format!("a job waits for `{before}`, which is not in the file");
                    self.problem(|file| told(file, line, message));
                }
                None => unknown += 1,
            }
        }
        if !self.problems.is_empty() {
            return Err(std::mem::take(&mut self.problems).into());
        }
        self.notes.count("dependency", "on a job that is not read: left out", unknown);
        let compiled = graph.compile(workload.jobs.len());
        workload.dependencies = compiled.map_err(|cycle| self.ring(&cycle, &workload.names))?;
        Ok(())
    }

    fn ring(&self, cycle: &Cycle, names: &Names) -> Error {
        let ring: Vec<_> = cycle.jobs.iter().map(|job| format!("`{}`", names.get(*job as usize))).collect();
        let problem = Problem::new(format!("jobs wait for each other in a ring: {}", ring.join(", ")));
        problem.at(Place::file(self.file)).into()
    }
}

/// How many jobs an earlier one equals in everything a row without an id can say.
fn repeats(workload: &Workload) -> u64 {
    let key = |job: &Job| {
        let [a, b, c, d] = [job.submit_time.0, job.work_time.0, job.request, job.tenant].map(u128::from);
        a << 96 | b << 64 | c << 32 | d
    };
    let mut keys: Vec<u128> = workload.jobs.iter().map(key).collect();
    keys.sort_unstable();
    keys.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

/// New names of the jobs whose name an earlier one has.
fn renamed(names: &Names) -> BTreeMap<u32, String> {
    if names.are_numbers() {
        return BTreeMap::new();
    }
    let count = u32::try_from(names.len()).expect("jobs are counted in 32 bits");
    let name = |job: u32| names.get(job as usize);
    let mut order: Vec<(u64, u32)> = (0..count).map(|job| (hash(name(job).as_bytes()), job)).collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| name(a.1).cmp(&name(b.1))).then_with(|| a.1.cmp(&b.1))
    });
    let known = |text: &str| {
        let start = order.partition_point(|(known, _)| *known < hash(text.as_bytes()));
        let same = order[start..].iter().take_while(|(known, _)| *known == hash(text.as_bytes()));
        same.clone().any(|(_, job)| name(*job) == text)
    };
    let mut taken = std::collections::BTreeSet::new();
    let mut renamed = BTreeMap::new();
    let mut number = 1;
    for pair in order.windows(2) {
        let (before, job) = (pair[0], pair[1].1);
        if before.0 != pair[1].0 || name(before.1) != name(job) {
            number = 1;
            continue;
        }
        let new = loop {
            number += 1;
            let new = format!("{}#{number}", name(job));
            if !known(&new) && taken.insert(new.clone()) {
                break new;
            }
        };
        renamed.insert(job, new);
    }
    renamed
}

/// A number that differs for different texts, nearly always (FNV-1a over 64 bits, eight bytes at a time).
fn hash(text: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
    let mut chunks = text.chunks_exact(8);
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ text.len() as u64;
    for chunk in chunks.by_ref() {
        hash = mix(hash, u64::from_le_bytes(chunk.try_into().expect("chunks have eight bytes")));
    }
    chunks.remainder().iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

/// The workload without the jobs outside the window, the others under their new names.
fn rebuilt(old: Workload, renamed: &BTreeMap<u32, String>) -> Workload {
    let mut builder = Builder::default();
    for partition in &old.partitions {
        builder.partition(partition);
    }
    const GONE: u32 = u32::MAX;
    let mut new_index = vec![GONE; old.jobs.len()];
    let mut requests = vec![GONE; old.requests.len()];
    let mut behaviours = vec![GONE; old.behaviours.len()];
    let mut tenants = vec![GONE; old.tenants.len()];
    let memo = |table: &mut [u32], index: u32, new: &mut dyn FnMut(usize) -> u32| {
        let slot = &mut table[index as usize];
        if *slot == GONE {
            *slot = new(index as usize);
        }
        *slot
    };
    for (index, job) in old.jobs.iter().enumerate() {
        if job.submit_time == Time::NEVER {
            continue;
        }
        let new = Job {
            request: memo(&mut requests, job.request, &mut |i| builder.request(old.requests[i].clone())),
            behaviour: memo(&mut behaviours, job.behaviour, &mut |i| {
                builder.behaviour(old.behaviours[i].clone())
            }),
            tenant: memo(&mut tenants, job.tenant, &mut |i| builder.add_tenant(old.tenants[i].clone())),
            ..*job
        };
        let row = u32::try_from(index).expect("jobs are counted in 32 bits");
        let name = renamed.get(&row).map_or_else(|| old.names.get(index), |name| name.as_str().into());
        new_index[index] = builder.push_named(new, &name);
    }
    for graph in old.graphs {
        let jobs: Vec<u32> =
            graph.jobs.iter().map(|job| new_index[*job as usize]).filter(|job| *job != GONE).collect();
        if !jobs.is_empty() {
            builder.add_graph(Graph { jobs, ..graph });
        }
    }
    for running in old.running {
        let job = new_index[running.job as usize];
        if job != GONE {
            builder.add_running(Running { job, ..running });
        }
    }
    for (before, after, delay) in old.dependencies.edges() {
        let (before, after) = (new_index[before as usize], new_index[after as usize]);
        if before != GONE && after != GONE {
            builder.graph().add(before, after, delay);
        }
    }
    builder.try_finish().expect("part of a graph without a ring has no ring")
}
