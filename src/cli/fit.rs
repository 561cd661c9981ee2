use super::arguments::{Ask, Fit};
use super::terminal::Terminal;
use super::vary::{Template, brief};
use super::{Exit, interrupt, load};
use crate::error::{Error, Place, Problem, Result};
use crate::experiment::{First, fit, is_random, wait_of_others};
use crate::report::fit::{Fitted, Variation, json, text};
use crate::scenario::{JobKey, Loaded};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the job is called.
const NAME: &str = "fit";

/// Tells when a job would start, and what would have it start sooner.
pub(super) fn run(arguments: &Fit, terminal: Terminal) -> Result<Exit> {
    let overrides = arguments.changes.overrides(arguments.policy.as_deref());
    let template = Template::new(arguments.scenario.as_deref(), overrides, "--set", [])?;
    // What is wrong without the job is no answer to what was asked about it.
    let alone = template.load()?;
    terminal.notes(&alone.notes);
    if (0..alone.plan.workload.len()).any(|job| alone.plan.workload.names.get(job as usize) == NAME) {
        let problem =
            Problem::new(format!("the scenario has a job `{NAME}`, as the one asked about is called"));
        return Err(problem.at(Place::file(alone.name)).hint("call that job otherwise").into());
    }
    let asked = arguments.ask.keys();
    let with = template.with_job(&asked);
    let seed = alone.plan.settings.seed;
    let other = template.plan(seed.wrapping_add(1)).map_err(load::alone)?;
    let random = is_random(&alone.plan, &other, [&alone.plan.settings]);
    let seeds = load::seeds(seed, arguments.seeds, random, terminal);
    let interrupted = interrupt::listen(terminal);
    let plan = |seed| with.plan(seed);
    let Some((found, first)) = fit(plan, NAME, &seeds, Some(interrupted)).map_err(load::alone)? else {
        terminal.say("interrupted: no answer from simulations that are not done");
        return Ok(Exit::Unfinished);
    };
    let others = if arguments.as_it_is {
        None
    } else {
        let Some(others) = others(&arguments.ask, &alone, &template, &first, &seeds, interrupted) else {
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

/// What the job might ask for instead, each simulated under every seed; none if it was interrupted.
fn others(
    ask: &Ask,
    alone: &Loaded,
    template: &Template<'_>,
    first: &First,
    seeds: &[u64],
    interrupted: &AtomicBool,
) -> Option<Vec<Variation>> {
    let before = wait_of_others(&first.history, first.explained.job);
    let mut found = Vec::new();
    for (what, other) in ask.others(alone, first) {
        let with = template.with_job(&other.keys());
        let plan = |seed| with.plan(seed).map_err(|error: Arc<Error>| brief(&error));
        let (fit, others_wait) = match fit(plan, NAME, seeds, Some(interrupted)) {
            Ok(None) => return None,
            Ok(Some((fit, own))) => (Ok(fit), wait_of_others(&own.history, own.explained.job) - before),
            Err(problem) => (Err(problem), 0.0),
        };
        found.push(Variation { what, fit, others_wait });
    }
    Some(found)
}

impl Ask {
    /// As keys of a job.
    fn keys(&self) -> Vec<JobKey> {
        let list = self.platforms.as_ref().map(|names| {
            let names: Vec<String> = names.split(',').map(|name| format!("{:?}", name.trim())).collect();
            format!("[{}]", names.join(", "))
        });
        let name = Some(NAME.to_owned());
        let work = Some(self.work.clone());
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        let all = [
            ("fit", "id", quoted(&name)),
            ("--at", "submit", quoted(&self.at)),
            ("--gpus", "gpus", self.gpus.clone()),
            ("--pods", "pods", self.pods.clone()),
            ("--pod-gpus", "pod_gpus", self.pod_gpus.clone()),
            ("--segment", "segment", self.segment.clone()),
            ("--topology", "topology", quoted(&self.topology)),
            ("--platforms", "platforms", list),
            ("--partition", "partition", quoted(&self.partition)),
            ("--tenant", "tenant", quoted(&self.tenant)),
            ("--kind", "kind", quoted(&self.kind)),
            ("--priority", "priority", self.priority.clone()),
            ("--work", "work", quoted(&work)),
            ("--requested", "requested", quoted(&self.requested)),
        ];
        let key = |(option, key, value): (&'static str, &'static str, Option<String>)| {
            value.map(|value| JobKey { option, key, value })
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
        if self.topology.as_deref() != Some("ignore") {
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
        match (&self.pods, self.gpus.is_some()) {
            (None, true) => {
                for less in fewer(whole) {
                    push(format!("--gpus {less}"), Self { gpus: Some(less.to_string()), ..self.clone() });
                }
            }
            (Some(pods), is_whole) => {
                let pods: u32 = pods.parse().unwrap_or_default();
                for less in fewer(pods) {
                    let gpus = is_whole.then(|| (whole / pods.max(1) * less).to_string());
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

/// Three quarters, half and a quarter of a number.
fn fewer(number: u32) -> Vec<u32> {
    let mut all: Vec<u32> = [3, 2, 1].iter().map(|quarters| number * quarters / 4).collect();
    all.dedup();
    all.retain(|less| (1..number).contains(less));
    all
}
