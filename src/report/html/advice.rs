//! What to try next: a command or two that change what limited the run.

use super::View;
use super::text::real;
use crate::history::{Settings, WaitReason};
use crate::policy::preemption::is_ranked;
use crate::report::run::further::quoted;

/// A command to try, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) why: String,
    pub(super) command: String,
}

/// Most commands.
const MOST: usize = 2;

/// What may relieve the reasons that cost most GPU-hours, the largest first.
pub(super) fn advice(view: &View<'_>) -> Vec<Advice> {
    let hours =
        |reason: WaitReason| real(&view.summary, &format!("/details/waiting_gpu_hours/{}", reason.name()));
    let mut reasons = WaitReason::ALL.to_vec();
    reasons.retain(|reason| hours(*reason) > 0.0);
    reasons.sort_by(|a, b| hours(*b).total_cmp(&hours(*a)).then(a.cmp(b)));
    let mut found: Vec<Advice> = Vec::new();
    for advice in reasons.into_iter().filter_map(|reason| against(reason, view)) {
        if found.len() < MOST && found.iter().all(|known| known.command != advice.command) {
            found.push(advice);
        }
    }
    if found.is_empty() {
        found.push(another_backfill(view));
    }
    found
}

/// Which waits are longest, and a way to wait less.
fn against(reason: WaitReason, view: &View<'_>) -> Option<Advice> {
    let settings = &view.history.plan.settings;
    let changed = |change: &dyn Fn(&mut Settings)| {
        let mut other = settings.clone();
        change(&mut other);
        other.policy()
    };
    let shorter = || changed(&|other| "sjf".clone_into(&mut other.order));
    let (why, policy) = match reason {
        WaitReason::Order if settings.backfill == "none" => (
            "Jobs stand behind others: let those pass that delay nobody.",
            with_backfill(settings, "easy").policy(),
        ),
        WaitReason::Order | WaitReason::Capacity
            if matches!(settings.order.as_str(), "fifo" | "priority") =>
        {
            let why = "More is asked for than there is: shorter jobs first let more of them through.";
            (why, shorter())
        }
        WaitReason::Order | WaitReason::Capacity => {
            return (reason == WaitReason::Capacity).then(|| another_backfill(view));
        }
        WaitReason::Shape if settings.placement != "consolidate" => {
            let why = "GPUs are free, but not together: keep whole racks and nodes free.";
            (why, changed(&|other| "consolidate".clone_into(&mut other.placement)))
        }
        WaitReason::Power if settings.power == "admit" => {
            let why = "A cap stops jobs that fit: start them slower instead.";
            (why, changed(&|other| "cap".clone_into(&mut other.power)))
        }
        WaitReason::Held if settings.hold != "none" && !settings.hold.is_empty() => {
            let why = "Jobs are held back on purpose: see what that saves.";
            // Unsaid, it stays as the scenario says.
            (why, changed(&|other| "none".clone_into(&mut other.hold)) + "/hold=none")
        }
        WaitReason::Quota => return larger_quota(view),
        _ => return None,
    };
    let (now, words) = (settings.policy(), &view.provenance.scenario);
    let command = command("compare", words, &["-p", &now, "-p", &policy]);
    Some(Advice { why: why.to_owned(), command })
}

/// The tenant whose jobs wait longest for its quota, with half as much again.
fn larger_quota(view: &View<'_>) -> Option<Advice> {
    let workload = &view.history.plan.workload;
    // It may as well be a queue that has too little.
    if !workload.queues.is_empty() {
        return None;
    }
    let mut waited = vec![0_u64; workload.tenants.len()];
    for (job, times) in workload.jobs.iter().zip(&view.measured.jobs) {
        waited[job.tenant as usize] += u64::from(times.reasons[WaitReason::Quota as usize]);
    }
    let most = (0..waited.len()).max_by_key(|tenant| (waited[*tenant], std::cmp::Reverse(*tenant)))?;
    let tenant = &workload.tenants[most];
    let quota = tenant.quota()?.ceil();
    let more = quota.saturating_add(quota.div_ceil(2));
    let settings = &view.history.plan.settings;
    let set = format!("tenant.{most}.quota={more}");
    let options = ["-p", &settings.policy(), "--set", &set];
    Some(Advice {
        why: format!("`{}` waits for its quota of {quota} GPUs: give it {more}.", tenant.name),
        command: command("simulate", &view.provenance.scenario, &options),
    })
}

/// The same under other policies.
fn another_backfill(view: &View<'_>) -> Advice {
    let settings = &view.history.plan.settings;
    let now = settings.policy();
    let (why, other) = if is_ranked(settings) {
        // Jobs that are ranked together with running ones leave nothing to backfill.
        let (order, preemption) = ("sjf".to_owned(), None);
        let other = Settings { order, preemption, ..with_backfill(settings, "easy") };
        let why = "See what the same jobs do where none is stopped for another.";
        (why, other.policy() + "/preemption=none")
    } else {
        let other = if settings.backfill == "easy" { "conservative" } else { "easy" };
        ("See what another backfill does to the same jobs.", with_backfill(settings, other).policy())
    };
    let command = command("compare", &view.provenance.scenario, &["-p", &now, "-p", &other]);
    Advice { why: why.to_owned(), command }
}

/// The same settings with another backfill, at events between passes of a cycle too where it is the cycle's own.
fn with_backfill(settings: &Settings, name: &str) -> Settings {
    let own = |event: &String| if *event == settings.backfill { name.to_owned() } else { event.clone() };
    let event_backfill = settings.event_backfill.as_ref().map(own);
    Settings { backfill: name.to_owned(), event_backfill, ..settings.clone() }
}

fn command(name: &str, scenario: &[String], options: &[&str]) -> String {
    let words = scenario.iter().map(String::as_str).chain(options.iter().copied());
    let words: Vec<String> = words.map(quoted).collect();
    format!("gigawatt {name} {}", words.join(" "))
}
