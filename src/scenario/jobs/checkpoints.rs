//! Checkpoints of a job: how often, and what each takes.

use super::Jobs;
use super::layered::Layered;
use crate::document::{Document, Mark, Placed, Read, Value};
use crate::error::Problem;
use crate::failure::checkpoint::{daly, optimal, young};
use crate::scenario::quantity::Bytes;
use crate::scenario::stops::stops_a_day;
use crate::units::{Factor, Seconds};
use crate::workload::Request;
use crate::workload::generate::Stalls;

/// How long to work between checkpoints, of the mean time between failures and what one takes.
type Rule = fn(f64, f64) -> f64;

/// Ways to find how often, by name.
const RULES: [(&str, Rule); 3] = [("young", young), ("daly", daly), ("optimal", optimal)];

/// How often a job writes checkpoints.
#[derive(Debug, Clone, Copy)]
enum Often {
    /// After so much work.
    Every(Seconds),
    /// By the rule of that index.
    By(usize),
}

impl Read for Often {
    fn expected() -> String {
        let names = RULES.map(|(name, _)| format!("`{name}`")).join(", ");
        format!("{}, or one of {names}", Seconds::expected())
    }
    fn read(value: &Value) -> Option<Self> {
        let rule = |text: &String| RULES.iter().position(|(name, _)| name == text);
        match value {
            Value::String(text) if rule(text).is_some() => rule(text).map(Self::By),
            _ => Seconds::read(value).map(Self::Every),
        }
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": ["string", "integer"], "description": Self::expected() })
    }
}

/// What a job says of its checkpoints.
pub(super) struct Written {
    interval: Option<Placed<Often>>,
    /// Whether it says how often, which may be wrong.
    is_given: bool,
    cost: Option<Placed<Seconds>>,
    stall: Option<Placed<Seconds>>,
    size: Option<Placed<Bytes>>,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Checkpoints {
    /// Work from one to the next.
    pub(super) interval: Seconds,
    /// What each takes of the work.
    pub(super) cost: Seconds,
    /// What is to be added to the work for them; none: it is part of it.
    pub(super) stalls: Option<Stalls>,
}

impl Written {
    pub(super) fn read(table: &mut Layered<'_>) -> Self {
        let item = table.item("checkpoint");
        let is_given = item.is_some();
        let interval = item.and_then(|item| item.read());
        let keys = ["checkpoint_cost", "checkpoint_stall", "checkpoint_size"];
        let (cost, stall, size) = table.group(&keys, |table| {
            (
                table.optional::<Seconds>("checkpoint_cost"),
                table.optional::<Seconds>("checkpoint_stall"),
                table.optional::<Bytes>("checkpoint_size"),
            )
        });
        Self { interval, is_given, cost, stall, size }
    }
    /// What comes of it for a job of that request, which is so fast on each platform; none, which is then reported, if
    /// something is wrong.
    pub(super) fn resolve(
        self,
        jobs: &mut Jobs<'_>,
        document: &Document,
        request: &Request,
        speeds: &[Factor],
    ) -> Option<Checkpoints> {
        self.is_whole(document)?;
        if self.is_given && self.interval.is_none() {
            return None;
        }
        let Some(often) = self.interval else {
            let cost = self.cost.map_or(Seconds::ZERO, |cost| cost.value);
            return Some(Checkpoints { cost, ..Checkpoints::default() });
        };
        let place = jobs.cluster.and_then(|cluster| stops_a_day(cluster, request));
        let speed = place.map_or(1.0, |(kind, _)| speed_on(jobs, kind, speeds));
        let gpus = f64::from(request.gpus().milli()) / 1000.0;
        let sized = match &self.size {
            None => None,
            Some(size) => Some(jobs.stall_of(document, size, gpus)? * speed),
        };
        let exact =
            sized.or_else(|| self.stall.as_ref().or(self.cost.as_ref()).map(|stall| f64::from(stall.0)));
        let interval = match often.value {
            Often::Every(interval) => interval,
            Often::By(index) => {
                let (name, rule) = RULES[index];
                let mtbf = mean_time(jobs, document, often.mark, place, exact)?;
                let interval = whole(rule(exact?, mtbf * speed));
                jobs.tell_interval(name, request, place, interval, exact?);
                interval
            }
        };
        let each =
            exact.map_or(Seconds::ZERO, |exact| if exact > 0.0 { whole(exact) } else { Seconds::ZERO });
        let stalls = self.cost.is_none().then_some(Stalls { interval, each });
        Some(Checkpoints {
            interval,
            cost: each,
            stalls: stalls.filter(|stalls| stalls.each > Seconds::ZERO),
        })
    }
    /// Whether it says one thing; what is wrong is reported.
    fn is_whole(&self, document: &Document) -> Option<()> {
        let marks = [
            ("checkpoint_cost", self.cost.as_ref().map(|own| own.mark)),
            ("checkpoint_stall", self.stall.as_ref().map(|own| own.mark)),
            ("checkpoint_size", self.size.as_ref().map(|own| own.mark)),
        ];
        let mut given = marks.iter().filter_map(|(key, mark)| Some((key, (*mark)?)));
        if let (Some((first, _)), Some((second, mark))) = (given.next(), given.next()) {
            let problem = Problem::new(format!("`{second}` beside `{first}`: expected one of them"));
            let hint =
                "the cost is part of `work`, a stall is added to it, a size tells the stall by `[storage]`";
            document.complain(mark, problem.hint(hint));
            return None;
        }
        let added = marks.iter().skip(1).find_map(|(key, mark)| Some((key, (*mark)?)));
        if let Some((key, mark)) = added.filter(|_| !self.is_given) {
            let problem = Problem::new(format!("`{key}` of a job that writes no checkpoint"));
            document.complain(
                mark,
                problem.hint("`checkpoint = \"30m\"`, or `\"daly\"`, says how often it does"),
            );
            return None;
        }
        Some(())
    }
}

/// Seconds from one failure that stops the job to the next, on average.
fn mean_time(
    jobs: &Jobs<'_>,
    document: &Document,
    mark: Mark,
    place: Option<(u32, f64)>,
    stall: Option<f64>,
) -> Option<f64> {
    let complain = |message: &str, hint: &str| {
        document.complain(mark, Problem::new(message).hint(hint));
        None
    };
    if stall.is_none_or(|stall| stall <= 0.0) {
        return complain(
            "the best time between checkpoints is found from what each takes, and nothing says that",
            "`checkpoint_stall = \"30s\"`, or `checkpoint_size` with `[storage]`",
        );
    }
    // What is wrong with the cluster or its failures was said.
    let cluster = jobs.cluster.filter(|cluster| cluster.failures.is_some() || !jobs.has_failures)?;
    let a_day = place.map(|(_, a_day)| a_day).filter(|_| cluster.failures.is_some());
    let Some(a_day) = a_day.filter(|a_day| *a_day > 0.0) else {
        return complain(
            "the best time between checkpoints is found from how often the job fails, and nothing of it does",
            "`[failures]` says what does: `profile = \"h100-llama3\"`",
        );
    };
    Some(86_400.0 / a_day)
}

/// The speed of a job on nodes of a kind.
fn speed_on(jobs: &Jobs<'_>, kind: u32, speeds: &[Factor]) -> f64 {
    let platform = jobs.cluster.map(|cluster| cluster.kinds[kind as usize].platform as usize);
    platform.and_then(|platform| speeds.get(platform)).map_or(1.0, |speed| speed.as_f64())
}

/// To the nearest second, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn whole(seconds: f64) -> Seconds {
    Seconds((libm::round(seconds) as u32).clamp(1, u32::MAX - 1))
}

impl Jobs<'_> {
    /// Seconds that a checkpoint of that size takes.
    fn stall_of(&mut self, document: &Document, size: &Placed<Bytes>, gpus: f64) -> Option<f64> {
        let Some(storage) = self.storage else {
            if !self.has_storage {
                let problem =
                    Problem::new("`checkpoint_size`, and nothing says how fast checkpoints are written");
                let hint =
                    "`[storage]` does: `per_gpu = \"2GB/s\"`, `store = \"1TB/s\"`, `overhead = \"2s\"`";
                document.complain(size.mark, problem.hint(hint));
            }
            return None;
        };
        if !self.stores {
            self.stores = true;
            let note = "checkpoints that several jobs write at once are not told: each has all of the store";
            self.files.notes.push(note.to_owned());
        }
        Some(storage.stall(size.value, gpus))
    }
    /// Says what was found.
    fn tell_interval(
        &mut self,
        rule: &str,
        request: &Request,
        place: Option<(u32, f64)>,
        interval: Seconds,
        stall: f64,
    ) {
        let Some((kind, a_day)) = place else { return };
        let platform = self.cluster.map_or("", |cluster| &cluster.kinds[kind as usize].platform_name);
        let note = format!(
            "a job of {} GPUs writes a checkpoint after each {interval} of work, by `{rule}`: on {platform} it is stopped once in \
             {}, and each takes {} s",
            request.gpus(),
            whole(86_400.0 / a_day),
            libm::round(stall * 10.0) / 10.0
        );
        if !self.files.notes.contains(&note) {
            self.files.notes.push(note);
        }
    }
}
