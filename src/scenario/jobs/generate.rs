use super::graph::is_id;
use super::layered::{Layered, Templates};
use super::request::job;
use super::{JOBS_MAX, Jobs};
use crate::document::{Document, Placed, Table};
use crate::error::Problem;
use crate::units::{Seconds, Time};
use crate::workload::generate::{Arrivals, Generator, Variety};

impl Jobs<'_> {
    /// Reads `[[workload.generate]]` and adds what comes of them.
    pub(super) fn generated(&mut self, document: &Document, table: &mut Table<'_>) {
        let templates = table.named_tables("template");
        let scale = super::trace::scale_load(document, table);
        for mut generate in table.tables("generate") {
            let mark = generate.mark();
            let name = generate.required::<String>("name");
            let generator = self.generator(document, &mut generate, &templates, scale);
            generate.finish();
            let name = name.filter(|name| is_id(document, "generator", name));
            let (Some(name), Some(generator)) = (name, generator) else { continue };
            if !self.graphs.insert(name.value.clone()) {
                document.complain(name.mark, Problem::new(format!("`{}` is described twice", name.value)));
                continue;
            }
            for variety in &generator.mix {
                self.note_request(variety.job.request, document, mark);
            }
            let room = JOBS_MAX.saturating_sub(self.builder.len());
            let limit = u32::try_from(room).expect("room for JOBS_MAX jobs") + 1;
            let capped = Generator {
                count: Some(generator.count.map_or(limit, |count| count.min(limit))),
                ..generator
            };
            // Past the limit nothing is run, so what is made to find that out can be dropped.
            if !self.has_room(document, mark, u64::from(generator.count.unwrap_or(0))) {
                continue;
            }
            let made = capped.generate(self.settings.seed, self.generators, &name, &mut self.builder);
            self.generators += 1;
            if made == limit {
                self.has_room(document, mark, 1);
            }
        }
    }

    fn generator(
        &mut self,
        document: &Document,
        table: &mut Table<'_>,
        templates: &Templates<'_>,
        scale: f64,
    ) -> Option<Generator> {
        let arrivals = table.required_item("arrivals").and_then(|item| item.table());
        let arrivals = arrivals.and_then(|arrivals| read_arrivals(document, arrivals, scale));
        let start = table.value_or("start", Time::ZERO);
        let stop = table.optional::<Time>("stop");
        let count = table.optional::<u32>("count");
        let is_wrong = table.has("stop") && stop.is_none() || table.has("count") && count.is_none();
        let tenant = table.optional::<String>("tenant");
        let mut mix = Vec::new();
        let tables = table.tables("job");
        let varieties = tables.len();
        if varieties == 0 && !table.has("job") {
            table
                .complain(Problem::new("a generator without a job").hint("give `[[workload.generate.job]]`"));
        }
        for table in tables {
            let mut table = Layered::new(table, templates);
            let weight = table.own.value_or::<u32>("weight", 1);
            let variety = job(self, document, &mut table, tenant.as_ref(), true);
            table.finish();
            mix.extend(variety.map(|variety| Variety { weight, ..variety }));
        }
        if is_wrong || mix.len() < varieties || mix.is_empty() {
            return None;
        }
        if mix.iter().all(|variety| variety.weight == 0) {
            table.complain(Problem::new("every job of this generator has weight 0"));
            return None;
        }
        let until = self.settings.until.map(Time);
        if stop.is_none() && count.is_none() && until.is_none() {
            let problem = Problem::new("a generator without an end");
            table.complain(problem.hint("give `stop` or `count`, or `until` in `[run]`"));
            return None;
        }
        let stop = stop.map_or(Time::NEVER, |stop| stop.value).min(until.unwrap_or(Time::NEVER));
        Some(Generator { arrivals: arrivals?, start, stop, count: count.map(|count| count.value), mix })
    }
}

/// Reads `arrivals`: `{ poisson = 40, per = "1h" }` or `{ fixed = 10, per = "1d" }`, either with a `profile`.
fn read_arrivals(document: &Document, mut table: Table<'_>, scale: f64) -> Option<Arrivals> {
    let poisson = table.optional::<f64>("poisson");
    let fixed = table.optional::<u32>("fixed");
    let per = table.required::<Seconds>("per");
    let has_profile = table.has("profile");
    let profile = table.item("profile");
    let mark = table.mark();
    let given = ["poisson", "fixed"].iter().filter(|key| table.has(key)).count();
    if given != 1 {
        let problem = Problem::new("expected one of `poisson` and `fixed`");
        table.complain(problem.hint("such as `{ poisson = 40, per = \"1h\" }`: 40 jobs an hour"));
    }
    table.finish();
    let profile: Option<Vec<Placed<u32>>> = match profile {
        Some(profile) => {
            let items = profile.items()?;
            let weights: Vec<_> = items.iter().filter_map(|item| item.read::<u32>()).collect();
            if weights.len() < items.len() {
                return None;
            }
            Some(weights)
        }
        None => None,
    };
    let per = per.filter(|_| given == 1)?;
    let arrivals = match (poisson, fixed) {
        (Some(jobs), _) => Arrivals::poisson(f64::from(per.value.0) / (jobs.value * scale)),
        (None, Some(jobs)) => {
            // A fixed rate is scaled as exactly as a ratio of whole numbers can be.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, which is meant"
            )]
            let scaled = |number: u32, factor: f64| (f64::from(number) * factor).round() as u32;
            if scale >= 1.0 {
                Arrivals::fixed(scaled(jobs.value, scale), per.value)
            } else {
                Arrivals::fixed(jobs.value, Seconds(scaled(per.value.0, 1.0 / scale)))
            }
        }
        (None, None) => return None,
    };
    let Some(arrivals) = arrivals else {
        let problem = Problem::new("expected a rate above 0 and a gap of less than six years");
        document.complain(mark, problem.hint("such as `{ poisson = 40, per = \"1h\" }`: 40 jobs an hour"));
        return None;
    };
    let Some(profile) = profile.filter(|_| has_profile) else { return Some(arrivals) };
    let weights = profile.into_iter().map(|weight| weight.value).collect();
    let profiled = arrivals.with_profile(weights);
    if profiled.is_none() {
        let problem = Problem::new("`profile`: expected a weight for each equal part of a day, not all 0");
        document.complain(mark, problem.hint("24 whole numbers for the hours, each at most a million"));
    }
    profiled
}
