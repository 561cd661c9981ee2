use super::arguments::{Ask, Fit};
use super::saved::Saved;
use super::terminal::Terminal;
use super::vary::{Template, brief};
use super::{Exit, interrupt, load, moment};
use crate::error::{Error, Place, Problem, Result};
use crate::experiment::{First, ceilings, fit, is_random, longer_wait, waits};
use crate::history::History;
use crate::report::fit::{Fitted, Variation, json, text};
use crate::scenario::{Loaded, Overrides, TypedKey, ignored_racks};
use crate::units::Time;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the job is called.
const NAME: &str = "fit";

/// Tells when a job would start, and what would have it start sooner.
pub(super) fn run(arguments: &Fit, terminal: Terminal) -> Result<Exit> {
    let (path, overrides, saved) = source(arguments)?;
    let template = Template::new(path.as_deref(), overrides, "--set", [])?;
    // What is wrong without the job is no answer to what was asked about it.
    let alone = template.load()?;
    if saved.as_ref().is_some_and(|saved| saved.plan != alone.plan) {
        let problem = Problem::new(format!("{} is no longer what was simulated", alone.name));
        let run = arguments.scenario.as_deref().unwrap_or(Path::new("")).display().to_string();
        let hint = format!("its files have changed since; simulate it again, or give {} itself", alone.name);
        return Err(problem.at(Place::file(run)).hint(hint).into());
    }
    terminal.notes(&alone.notes);
    if (0..alone.plan.workload.len()).any(|job| alone.plan.workload.names.get(job as usize) == NAME) {
        let problem =
            Problem::new(format!("the scenario has a job `{NAME}`, as the one asked about is called"));
        return Err(problem.at(Place::file(alone.name)).hint("call that job otherwise").into());
    }
    arguments.ask.must_say_gpus()?;
    let settings = &alone.plan.settings;
    let at = arguments
        .ask
        .at
        .as_deref()
        .map_or(Ok(Time::ZERO), |at| moment::instant(at, alone.plan.workload.epoch))?;
    if let Some(until) = settings.until.map(Time).filter(|until| at > *until) {
        let problem =
            Problem::new(format!("the job comes after the run ends, at {}", until.since(Time::ZERO)));
        let typed = format!("--at {}", arguments.ask.at.as_deref().unwrap_or_default());
        return Err(problem.at(Place::file(typed)).hint("`--until` says when the run ends").into());
    }
    let asked = arguments.ask.keys(at);
    let with = template.with_job(&asked);
    let seed = alone.plan.settings.seed;
    let other = template.plan(seed.wrapping_add(1)).map_err(load::alone)?;
    let random = is_random(&alone.plan, &other, [&alone.plan.settings]);
    let count = arguments.seeds.or(saved.is_some().then_some(1));
    let seeds = load::seeds(seed, count, random, terminal);
    let interrupted = interrupt::listen(terminal);
    let plan = |seed| with.plan(seed);
    let Some((found, first)) = fit(plan, NAME, &seeds, Some(interrupted)).map_err(load::alone)? else {
        terminal.say("interrupted: no answer from simulations that are not done");
        return Ok(Exit::Unfinished);
    };
    let of_all = ignored_racks(&first.history.plan).filter(|note| !alone.notes.contains(note));
    terminal.notes(of_all.as_slice());
    let others = if arguments.as_it_is {
        None
    } else {
        let Some(others) = others((&arguments.ask, at), &alone, &template, &first, &seeds, interrupted)
        else {
            terminal.say("interrupted: no answer from simulations that are not done");
            return Ok(Exit::Unfinished);
        };
        Some(others)
    };
    let title = format!("{}: {}", alone.name, alone.plan.settings.policy());
    let fitted = Fitted { title, seeds: &seeds, fit: &found, first: &first, others: others.as_deref() };
    terminal.print(&if arguments.json { json(&fitted) } else { text(&fitted, terminal.width) })?;
    Ok(if found.is_feasible() { Exit::Done } else { Exit::Unfinished })
}

/// The scenario that is meant, what is changed of it, and the run of it if that was named.
fn source(arguments: &Fit) -> Result<(Option<PathBuf>, Overrides, Option<History>)> {
    let Some(directory) = arguments.scenario.as_deref().filter(|path| path.is_dir()) else {
        let overrides = arguments.changes.overrides(arguments.policy.as_deref());
        return Ok((arguments.scenario.clone(), overrides, None));
    };
    let changes = arguments.changes.words().into_iter().chain(arguments.policy.clone());
    if let Some(change) = changes.into_iter().next() {
        let problem = Problem::new(format!("`{change}`: this run is over, nothing of it can be changed"));
        let hint = "give its scenario, which is then simulated again";
        return Err(problem.at(Place::file(directory.display().to_string())).hint(hint).into());
    }
    if let Some(seeds) = arguments.seeds.filter(|seeds| *seeds > 1) {
        let problem = Problem::new("a saved run is of one seed");
        let hint = "leave `--seeds` out, or give its scenario, which is then simulated under each";
        return Err(problem.at(Place::file(format!("--seeds {seeds}"))).hint(hint).into());
    }
    let saved = Saved::read(directory)?;
    let (path, overrides) = saved.source(directory)?;
    Ok((path, overrides, Some(saved.history)))
}

/// What the job might ask for instead, each simulated under every seed; none if it was interrupted.
fn others(
    (ask, at): (&Ask, Time),
    alone: &Loaded,
    template: &Template<'_>,
    first: &First,
    seeds: &[u64],
    interrupted: &AtomicBool,
) -> Option<Vec<Variation>> {
    let before = waits(&first.history);
    let mut found = Vec::new();
    for (what, other) in ask.others(alone, first) {
        let with = template.with_job(&other.keys(at));
        let plan = |seed| with.plan(seed).map_err(|error: Arc<Error>| brief(&error));
        let (fit, others_wait) = match fit(plan, NAME, seeds, Some(interrupted)) {
            Ok(None) => return None,
            Ok(Some((fit, own))) => {
                (Ok(fit), longer_wait(&before, &waits(&own.history), first.explained.job))
            }
            Err(problem) => (Err(problem), 0.0),
        };
        found.push(Variation { what, fit, others_wait });
    }
    Some(found)
}

impl Ask {
    /// That it says how many GPUs: without, a job of pods alone would ask for none.
    fn must_say_gpus(&self) -> Result<()> {
        if self.gpus.is_some() || self.pod_gpus.is_some() {
            return Ok(());
        }
        let problem = Problem::new("nothing says how many GPUs the job asks for");
        let hint = match &self.pods {
            Some(pods) => format!("`--pods {pods} --pod-gpus 4`, or `--gpus` for all pods together"),
            None => "such as `--gpus 64`; `--gpus 0` for a job that needs none".to_owned(),
        };
        Err(problem.hint(hint).into())
    }

    /// As keys of a job that comes at an instant.
    fn keys(&self, at: Time) -> Vec<TypedKey> {
        let list = self.platforms.as_ref().map(|names| {
            let names: Vec<String> = names.split(',').map(|name| format!("{:?}", name.trim())).collect();
            format!("[{}]", names.join(", "))
        });
        let name = Some(NAME.to_owned());
        let (work, seconds) = (Some(self.work.clone()), Some(at.0.to_string()));
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        let all = [
            ("fit", "id", &name, quoted(&name)),
            ("--at", "submit", &self.at, seconds),
            ("--gpus", "gpus", &self.gpus, self.gpus.clone()),
            ("--pods", "pods", &self.pods, self.pods.clone()),
            ("--pod-gpus", "pod_gpus", &self.pod_gpus, self.pod_gpus.clone()),
            ("--segment", "segment", &self.segment, self.segment.clone()),
            ("--topology", "topology", &self.topology, quoted(&self.topology)),
            ("--platforms", "platforms", &self.platforms, list),
            ("--partition", "partition", &self.partition, quoted(&self.partition)),
            ("--tenant", "tenant", &self.tenant, quoted(&self.tenant)),
            ("--kind", "kind", &self.kind, quoted(&self.kind)),
            ("--priority", "priority", &self.priority, self.priority.clone()),
            ("--work", "work", &work, quoted(&work)),
            ("--requested", "requested", &self.requested, quoted(&self.requested)),
        ];
        let key = |(option, key, typed, value): (&str, &str, &Option<String>, Option<String>)| {
            let typed = format!("{option} {}", typed.as_deref().unwrap_or_default());
            value.map(|value| TypedKey { typed: typed.trim_end().to_owned(), key: key.to_owned(), value })
        };
        all.into_iter().filter_map(key).collect()
    }

    /// What else it might ask for, the least to give up first: its shape, its platform, another tenant, fewer GPUs.
    fn others(&self, alone: &Loaded, first: &First) -> Vec<(String, Self)> {
        let mut found = Vec::new();
        let mut push = |what: String, other: Self| found.push((what, other));
        if self.segment.is_some() {
            push("no segment".to_owned(), Self { segment: None, ..self.clone() });
        }
        // A rack or level that is only preferred is nothing to give up: no job waits for one.
        if self.topology.as_deref().is_some_and(|wish| wish.starts_with("require-")) {
            let other = Self { topology: Some("ignore".to_owned()), segment: None, ..self.clone() };
            push("--topology ignore".to_owned(), other);
        }
        if self.platforms.is_some() {
            push("any platform".to_owned(), Self { platforms: None, ..self.clone() });
        }
        let mut platforms: Vec<&str> =
            alone.plan.cluster.kinds.iter().map(|kind| kind.platform_name.as_str()).collect();
        platforms.sort_unstable();
        platforms.dedup();
        for name in
            platforms.iter().filter(|name| platforms.len() > 1 && self.platforms.as_deref() != Some(**name))
        {
            let other = Self { platforms: Some((*name).to_owned()), ..self.clone() };
            push(format!("--platforms {name}"), other);
        }
        let plan = &first.history.plan;
        let own = &plan.workload.jobs[first.explained.job as usize];
        let request = plan.workload.request_of(first.explained.job).clone();
        for (place, tenant) in plan.workload.tenants.iter().enumerate() {
            if place != own.tenant as usize {
                let other = Self { tenant: Some(tenant.name.clone()), ..self.clone() };
                push(format!("--tenant {}", tenant.name), other);
            }
        }
        let whole = request.gpus().milli() / 1000;
        let there_are = plan.cluster.gpus();
        let most = ceilings(plan, first.explained.job).into_iter().flatten().map(|milli| milli / 1000);
        let most = u32::try_from(most.chain([there_are]).min().unwrap_or_default()).unwrap_or(u32::MAX);
        match (&self.pods, self.gpus.is_some()) {
            (None, true) => {
                for less in fewer(whole, most) {
                    push(format!("--gpus {less}"), Self { gpus: Some(less.to_string()), ..self.clone() });
                }
            }
            (Some(pods), is_whole) => {
                let pods: u32 = pods.parse().unwrap_or_default();
                let each = whole / pods.max(1);
                for less in fewer(pods, most / each.max(1)) {
                    let gpus = is_whole.then(|| (each * less).to_string());
                    push(
                        format!("--pods {less}"),
                        Self { pods: Some(less.to_string()), gpus, ..self.clone() },
                    );
                }
            }
            _ => {}
        }
        found
    }
}

/// The most that there may be, if that is fewer than a number, and three quarters, half and a quarter of it.
fn fewer(number: u32, most: u32) -> Vec<u32> {
    let quarters =
        [3_u64, 2, 1].map(|quarters| u32::try_from(u64::from(number) * quarters / 4).unwrap_or(number));
    let mut all: Vec<u32> = std::iter::once(most).chain(quarters).collect();
    all.retain(|less| (1..number).contains(less) && *less <= most);
    all.sort_unstable_by_key(|less| std::cmp::Reverse(*less));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_are_the_most_that_may_be_and_parts_of_a_number() {
        for (number, most, expected) in [
            (64, 1000, vec![48, 32, 16]),
            (113, 112, vec![112, 84, 56, 28]),
            (113, 60, vec![60, 56, 28]),
            (2, 9, vec![1]),
            (1, 9, vec![]),
            (8, 0, vec![]),
            (u32::MAX, u32::MAX, vec![3_221_225_471, 2_147_483_647, 1_073_741_823]),
        ] {
            assert_eq!(fewer(number, most), expected, "fewer than {number}, at most {most}");
        }
    }
}
