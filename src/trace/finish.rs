//! What is the same for every format once its lines are read: time 0, window, load, unique names, dependencies.

use super::intake::{Both, Intake, TIME_MAX, Wanted, hash};
use super::lookup::Jobs;
use super::{GpusFrom, Moment, Options, Trace};
use crate::error::{Error, Place, Problem, Problems};
use crate::units::{Seconds, Time};
use crate::workload::{Builder, Graph, Job, JobGraph, Names, Request, Running, Workload};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is said of a job without an id that may be another one told twice.
const REPEATED: &str = "with the submit, work, GPUs and tenant of an earlier one: kept";

/// What is said of jobs whose estimate is that of the reader, or too short.
const NO_ESTIMATE: &str = "without an estimate: requested_time = work_time";
const OVERRUN: &str = "with more work than requested";

impl Trace {
    /// Takes back what is said of estimates, where others replace them.
    pub(crate) fn forget_estimates(&mut self) {
        for what in [NO_ESTIMATE, OVERRUN] {
            self.notes.forget("job", what);
        }
    }
}

/// Whoever submits before this second (1980-01-01) counts from the start of the trace, not from 1970.
const ABSOLUTE: u32 = 315_532_800;

impl Intake<'_> {
    /// The workload, once every line is read.
    pub(super) fn finish(mut self, format: &'static str, text: &[u8]) -> Result<Trace, Error> {
        if !self.problems.is_empty() {
            return Err(self.problems.into());
        }
        if self.rows == 0 && self.skipped.count > 0 {
            return Err(self.skipped.first.into());
        }
        self.note_skipped();
        if self.rows == 0 {
            let problem = Problem::new(format!("no job in `{}`", self.file)).at(Place::file(self.file));
            return Err(problem.hint(format!("read as {format}; `--format` names another")).into());
        }
        let mut workload = std::mem::take(&mut self.builder).finish();
        self.end_the_living(&mut workload);
        if self.count_repeats {
            self.notes.count("job", REPEATED, repeats(&workload));
        }
        let origin = self.origin(&mut workload)?;
        let window = self.window()?;
        let last = workload.jobs.iter().map(|job| job.submit_time.0 - origin).max().unwrap_or(0);
        let left_out = self.set_times(&mut workload, origin, &window)?;
        self.place_starts(&mut workload);
        self.note_all(left_out);
        let renamed = if self.ids.broken { renamed(&workload.names) } else { BTreeMap::new() };
        self.connect(&mut workload, &renamed, text)?;
        self.notes.count("job", "whose id came before: `#2`, `#3` ... added to it", renamed.len() as u64);
        if left_out > 0 || self.sampled_out > 0 || !renamed.is_empty() || has_unused(&workload) {
            let edges = workload.dependencies.edges().count();
            workload = rebuilt(workload, &renamed);
            let lost = (edges - workload.dependencies.edges().count()) as u64;
            self.notes.count("dependency", "on or of a job outside the window: left out", lost);
        }
        if workload.is_empty() {
            let found = format!("none of the {} jobs of `{}` is left", self.rows, self.file);
            let hint = if window.is_empty() {
                "`until` is not after `from`".to_owned()
            } else {
                let last = Seconds(last);
                format!("widen the window (from, until) or the sample; the last job is submitted at {last}")
            };
            return Err(Problem::new(found).hint(hint).into());
        }
        workload.epoch = self.epoch.map(|epoch| epoch.saturating_add(i64::from(window.start)));
        Ok(Trace { workload, notes: self.notes, format })
    }

    /// Lets jobs that had not ended run until the last instant of the trace.
    fn end_the_living(&mut self, workload: &mut Workload) {
        for (job, start) in std::mem::take(&mut self.alive) {
            let work = Seconds(self.latest.saturating_sub(start).max(1));
            let job = &mut workload.jobs[job as usize];
            (job.work_time, job.requested_time) = (work, work);
            self.notes.count("job", "still alive when the trace was taken: run until its last instant", 1);
        }
    }

    /// Says which lines were left out because they cannot be read.
    fn note_skipped(&mut self) {
        self.notes.count("line", "that cannot be read: left out (`--skip-bad-lines`)", self.skipped.count);
        for problem in self.skipped.first.kept() {
            self.notes.say(format!("left out: {}", problem.brief()));
        }
    }

    /// The second of the input that becomes the trace's second 0, and with it the epoch. Running jobs come then.
    fn origin(&mut self, workload: &mut Workload) -> Result<u32, Error> {
        let first = if self.first == u32::MAX { 0 } else { self.first };
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
        let as_they_are = origin == 0 && *window == (0..u32::MAX) && step == Options::MILLION;
        if as_they_are && !self.withdrawals {
            return Ok(0);
        }
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

    /// Makes recorded starts instants of the trace. Where the load is scaled they say nothing about it, and are left out.
    fn place_starts(&mut self, workload: &mut Workload) {
        let starts = workload.recorded_starts.iter_mut().zip(&workload.jobs);
        let told = starts.filter(|(start, job)| **start != Time::NEVER && job.submit_time != Time::NEVER);
        if self.options.scale_step() != Options::MILLION {
            let count = told.count() as u64;
            self.notes.count("recorded start", "left out: the load is scaled", count);
            workload.recorded_starts.clear();
            return;
        }
        told.for_each(|(start, job)| *start = job.submit_time + start.since(Time::ZERO));
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

    /// Says how what was given differs from what was asked for.
    fn note_given(&mut self) {
        let Both { jobs, differ, asked, held } = self.both;
        if differ > 0 {
            let taken = match self.options.map.gpus_from {
                GpusFrom::Requested => "requested",
                GpusFrom::Allocated => "allocated",
            };
            let (asked, held) = (asked / 1000, held / 1000);
            self.notes.say(format!(
                "{differ} of {jobs} jobs were given another number of GPUs than they asked for, {held} instead of \
                 {asked} in all: {taken} ones are taken (`map.gpus_from`)"
            ));
        }
    }

    fn note_all(&mut self, left_out: u64) {
        self.note_given();
        self.note_idle();
        let notes = &mut self.notes;
        notes.count("job", NO_ESTIMATE, self.no_estimate);
        notes.count("job", OVERRUN, self.overruns);
        notes.count("job", "of zero length: work_time = 1 s", self.zero_length);
        notes.count(
            "time",
            "with a fraction of a second: submits rounded down, the others up",
            self.fractions,
        );
        let map = self.options.map;
        if !self.takes_units && (map.unit.is_some() || !map.units.is_empty()) {
            notes.say("`map.unit` changes nothing: the format says what its times count in");
        }
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
        if self.wanted.is_empty() && self.tied.is_empty() {
            return Ok(());
        }
        let asked = !self.wanted.is_empty();
        let known = Jobs::of(&workload.names, |job| asked && !renamed.contains_key(&job));
        let ambiguous: BTreeMap<Cow<'_, str>, u32> =
            renamed.keys().map(|job| (workload.names.get(*job as usize), *job)).collect();
        let mut graph = std::mem::take(&mut self.tied);
        let mut unknown = 0;
        // Above the rows stands the header.
        let above = if self.by_row { 0 } else { 1 };
        let told = |file: &str, number: usize, message: String| {
            let line = text.split(|byte| *byte == b'\n').nth(number - above).unwrap_or_default();
            Problem::new(message).at(Place::line(file, number, line))
        };
        for wanted in std::mem::take(&mut self.wanted) {
            let Wanted { after, before, delay, line } = wanted;
            let twice = self.strict_dependencies && ambiguous.contains_key(before.as_str());
            match known.find(&before) {
                Some(_) if twice => {
                    let message = format!("`{before}` is the id of several jobs");
                    self.problem(|file| told(file, line, message));
                }
                Some(job) => {
                    if self.after_end && std::mem::take(&mut workload.jobs[job as usize].fails) {
                        let what = "that failed and that others come after: they end like others";
                        self.notes.count("job", what, 1);
                    }
                    graph.add(job, after, delay);
                }
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
        workload.dependencies = compiled.map_err(|_| self.rings(&graph, &workload.names))?;
        Ok(())
    }

    fn rings(&self, graph: &JobGraph, names: &Names) -> Error {
        let mut problems = Problems::default();
        for cycle in graph.cycles() {
            let ring = cycle.named(|job| names.get(job as usize).into_owned());
            let problem = Problem::new(format!("jobs wait for each other in a ring: {ring}"));
            problems.push(problem.at(Place::file(self.file)));
        }
        problems.into()
    }
}

/// How many jobs an earlier one equals in everything a row without an id can say.
fn repeats(workload: &Workload) -> u64 {
    let key = |job: &Job| [job.submit_time.0, job.work_time.0, job.request, job.tenant];
    let hash = |job: &Job| {
        key(job).iter().fold(0_u64, |mixed, word| {
            (mixed ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        })
    };
    let mut first: HashTable<u32> = HashTable::with_capacity(workload.jobs.len());
    let mut repeats = 0;
    for (index, job) in (0..).zip(&workload.jobs) {
        let other = |index: &u32| &workload.jobs[*index as usize];
        match first.entry(hash(job), |known| key(other(known)) == key(job), |known| hash(other(known))) {
            Entry::Occupied(_) => repeats += 1,
            Entry::Vacant(place) => _ = place.insert(index),
        }
    }
    repeats
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

/// Whether a table has an entry that no job refers to.
fn has_unused(workload: &Workload) -> bool {
    let tables = [workload.requests.len(), workload.behaviours.len(), workload.tenants.len()];
    let [mut requests, mut behaviours, mut tenants] = tables.map(|length| vec![false; length]);
    for job in &workload.jobs {
        requests[job.request as usize] = true;
        behaviours[job.behaviour as usize] = true;
        tenants[job.tenant as usize] = true;
    }
    let partition = |index: u32| workload.requests.iter().any(|request| request.partition == index);
    let partitions = 1..u32::try_from(workload.partitions.len()).unwrap_or(0);
    let level = |index: u32| workload.requests.iter().any(|request| request.topology.level() == Some(index));
    let levels = 0..u32::try_from(workload.levels.len()).unwrap_or(0);
    [requests, behaviours, tenants].iter().any(|used| used.contains(&false))
        || !levels.into_iter().all(level)
        // The first one is every node.
        || !partitions.into_iter().all(partition)
}

/// The workload without the jobs outside the window, the others under their new names.
fn rebuilt(old: Workload, renamed: &BTreeMap<u32, String>) -> Workload {
    let mut builder = Builder::default();
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
            request: memo(&mut requests, job.request, &mut |i| {
                // Partitions that only jobs outside the window name are not those of this trace.
                let request = old.requests[i].clone();
                let partition = match old.partitions.get(request.partition as usize) {
                    Some(name) => builder.partition(name),
                    None => request.partition,
                };
                let level = |index: u32| match old.levels.get(index as usize) {
                    Some(name) => builder.level(name),
                    None => index,
                };
                let topology = request.topology.at_level(level);
                builder.request(Request { partition, topology, ..request })
            }),
            behaviour: memo(&mut behaviours, job.behaviour, &mut |i| {
                builder.behaviour(old.behaviours[i].clone())
            }),
            tenant: memo(&mut tenants, job.tenant, &mut |i| builder.add_tenant(old.tenants[i].clone())),
            ..*job
        };
        let row = u32::try_from(index).expect("jobs are counted in 32 bits");
        let name = renamed.get(&row).map_or_else(|| old.names.get(index), |name| name.as_str().into());
        new_index[index] = builder.push_named(new, &name);
        if let Some(start) = old.recorded_start(row) {
            builder.record_start(new_index[index], start);
        }
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
