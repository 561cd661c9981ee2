use super::placement;
use crate::document::{Document, Placed, Table};
use crate::error::{Problem, nearest_hint};
use crate::history::Settings;
use crate::policy::PRESETS;
use crate::policy::backfill::{BACKFILLS, event_backfills};
use crate::policy::hold::HOLDS;
use crate::policy::order::ORDERS;
use crate::policy::placement::PLACEMENTS;
use crate::policy::power::{CURTAILS, HYSTERESIS, POWERS};
use crate::units::Seconds;
use crate::workload::{JobKind, Workload};

/// The policy of a scenario that names none.
const DEFAULT: &str = "fifo/easy/best-fit";
/// Reads `[policy]` into `settings`; `over` is what `--policy` says, which beats the file and yields to `--order` and
/// the like.
pub(super) fn read(
    document: &Document,
    root: &mut Table<'_>,
    over: Option<&Placed<String>>,
    settings: &mut Settings,
) {
    apply(settings, DEFAULT).expect("the default is made of parts that exist");
    let apply_placed = |text: &Placed<String>, settings: &mut Settings| {
        if let Err(problem) = apply(settings, text) {
            document.complain(text.mark, *problem);
        }
    };
    let mut parts = Vec::new();
    if let Some(mut policy) = root.table("policy") {
        if let Some(preset) = policy.optional::<String>("preset") {
            apply_placed(&preset, settings);
        }
        for (place, (what, names)) in known().into_iter().enumerate() {
            let known: Vec<(&str, &'static str)> = names.iter().map(|name| (*name, *name)).collect();
            let name = if what == PLACEMENT {
                placement::read(&mut policy)
            } else {
                let name = policy.choice(what, &known);
                name.map(|name| Placed { value: name.value.to_owned(), mark: name.mark })
            };
            parts.extend(name.map(|name| (place, name)));
        }
        if let Some(step) = policy.optional::<Seconds>("priority_step") {
            settings.priority_step = step.value.0;
        }
        if policy.has("queue_limits") {
            settings.queue_limits = limits(document, policy.list("queue_limits"));
        }
        power(document, &mut policy, settings);
        if let Some(delays) = policy.table("max_delay") {
            settings.defer = delays_by_kind(document, delays);
        }
        let names: Vec<_> = event_backfills().map(|entry| (entry.name, entry.name)).collect();
        if let Some(event) = policy.choice("event_backfill", &names) {
            if settings.cycle.is_none() {
                let problem = Problem::new(
                    "`event_backfill`: passes at events are only told from others where those have a cycle",
                );
                document.complain(event.mark, problem.hint("set `run.cycle`, such as `--cycle 30s`"));
            }
            settings.event_backfill = Some(event.value.to_owned());
        }
        policy.finish();
    }
    for (place, name) in parts.iter().filter(|(_, name)| !name.mark.is_setting()) {
        name.value.clone_into(places(settings)[*place]);
    }
    if let Some(over) = over {
        apply_placed(over, settings);
    }
    for (place, name) in parts.iter().filter(|(_, name)| name.mark.is_setting()) {
        name.value.clone_into(places(settings)[*place]);
    }
}

/// The longest that jobs of a kind may be held back.
fn delays_by_kind(document: &Document, delays: Table<'_>) -> Vec<(JobKind, Seconds)> {
    let mut by_kind = Vec::new();
    for (name, item) in delays.entries() {
        let kind = JobKind::from_name(&name);
        if kind.is_none() {
            let problem = Problem::new(format!("unknown kind of jobs `{}`", name.value));
            document.complain(name.mark, problem.hint_nearest(&name, JobKind::ALL.map(JobKind::name)));
        }
        by_kind.extend(kind.zip(item.read::<Seconds>().map(|delay| delay.value)));
    }
    by_kind
}

/// How what is done about caps is done.
fn power(document: &Document, policy: &mut Table<'_>, settings: &mut Settings) {
    if let Some(period) = policy.optional::<Seconds>("power_period") {
        if period.value == Seconds::ZERO {
            let problem = Problem::new("`power_period`: expected at least a second between looks, found `0`");
            document.complain(period.mark, problem);
        }
        settings.power_period = period.value.0;
    }
    let thresholds = policy.has("power_thresholds").then(|| policy.list::<u32>("power_thresholds"));
    let Some(thresholds) = thresholds else { return };
    let percents: Vec<u32> = thresholds.iter().map(|threshold| threshold.value).collect();
    match percents[..] {
        [low, high] if low > HYSTERESIS && low < high && high <= 100 => {
            settings.power_thresholds = [low, high];
        }
        _ => {
            let mark = policy.key_mark("power_thresholds").unwrap_or_else(|| policy.mark());
            let problem =
                Problem::new("`power_thresholds`: expected two ascending percentages of a cap, 6 to 100");
            document.complain(mark, problem.hint("such as `[80, 89]`"));
        }
    }
}

/// GPU-seconds, ascending.
fn limits(document: &Document, limits: Vec<Placed<u64>>) -> Vec<u64> {
    for pair in limits.windows(2) {
        if pair[0].value >= pair[1].value {
            document.complain(
                pair[1].mark,
                Problem::new("`queue_limits`: expected GPU-seconds in ascending order"),
            );
        }
    }
    limits.into_iter().map(|limit| limit.value).collect()
}

/// The part of a policy that weights may stand for.
const PLACEMENT: &str = "placement";

/// The parts of a policy and their names.
fn known() -> [(&'static str, Vec<&'static str>); 6] {
    [
        ("order", ORDERS.iter().map(|entry| entry.name).collect()),
        ("backfill", BACKFILLS.iter().map(|entry| entry.name).collect()),
        (PLACEMENT, PLACEMENTS.iter().map(|entry| entry.name).collect()),
        ("hold", HOLDS.iter().map(|entry| entry.name).collect()),
        ("power", POWERS.iter().map(|entry| entry.name).collect()),
        ("curtail", CURTAILS.iter().map(|entry| entry.name).collect()),
    ]
}

/// Where the names of the parts are kept.
const fn places(settings: &mut Settings) -> [&mut String; 6] {
    let Settings { order, backfill, placement, hold, power, curtail, .. } = settings;
    [order, backfill, placement, hold, power, curtail]
}

/// Changes `settings` to the policy that `text` names: a preset, or its parts as
/// `order/backfill/placement/hold/power/curtail`, or either with parts by their names.
///
/// What is left out stays: `sjf/easy` keeps the placement, `//pack` changes nothing else, and `easy/power=cap` is the
/// preset with another answer to caps. A preset names order and backfill; only one that is a whole system, such as
/// `tiresias`, names the placement too. Weights of the cost function are a placement too: `//leftover=3,energy=1`.
///
/// ```
/// use gigawatt::history::Settings;
/// use gigawatt::scenario::apply_policy;
/// let mut settings = Settings::default();
/// apply_policy(&mut settings, "sjf/easy/pack").unwrap();
/// assert_eq!((settings.order.as_str(), settings.placement.as_str()), ("sjf", "pack"));
/// apply_policy(&mut settings, "curtail=drain/power=steer").unwrap();
/// assert_eq!(settings.policy(), "sjf/easy/pack/power=steer/curtail=drain");
/// let problem = apply_policy(&mut settings, "strf/easy").unwrap_err();
/// assert_eq!(problem.message(), "unknown order `strf`");
/// ```
///
/// # Errors
/// A name that is not known.
pub fn apply(settings: &mut Settings, text: &str) -> Result<(), Box<Problem>> {
    let known = known();
    // Weights have such signs too: only what names a part is taken by its name.
    let named = |part: &str| {
        let (key, name) = part.split_once('=')?;
        let index = known.iter().position(|(what, _)| *what == key.trim())?;
        Some((index, name.trim().to_owned()))
    };
    let parts = || text.split('/').map(str::trim);
    let plain: Vec<&str> = parts().filter(|part| named(part).is_none()).collect();
    match plain[..] {
        [only] if !known[0].1.contains(&only) => apply_preset(settings, only)?,
        _ if plain.len() > known.len() => {
            let problem = Problem::new(format!("`{text}` has more parts than a policy"));
            return Err(Box::new(problem.hint("order/backfill/placement, such as `sjf/easy/pack`")));
        }
        _ => {
            for ((part, (what, names)), place) in plain.iter().zip(&known).zip(places(settings)) {
                apply_part(place, what, names, part)?;
            }
        }
    }
    for (index, name) in parts().filter_map(named) {
        if name.is_empty() {
            let (what, names) = &known[index];
            let problem = Problem::new(format!("`{what}=` without a name"));
            return Err(Box::new(problem.hint(format!("known: {}", names.join(", ")))));
        }
        apply_part(places(settings)[index], known[index].0, &known[index].1, &name)?;
    }
    Ok(())
}

/// What to say of settings whose order stops running jobs where no job of the workload may be stopped; none where some may,
/// or nothing is stopped anyway.
#[must_use]
pub fn stops_nobody(settings: &Settings, workload: &Workload) -> Option<String> {
    let is_preemptive = crate::policy::preemption::is_ranked(settings);
    let is_off = settings.preemption.as_deref() == Some("none");
    let any = (0..workload.len()).any(|job| workload.behaviour_of(job).preemptible);
    let note = || {
        format!(
            "order `{}` stops running jobs for others, and no job is preemptible: nothing is stopped",
            settings.order
        )
    };
    (is_preemptive && !is_off && !any && !workload.is_empty()).then(note)
}

fn apply_preset(settings: &mut Settings, name: &str) -> Result<(), Box<Problem>> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
        preset.order.clone_into(&mut settings.order);
        preset.backfill.clone_into(&mut settings.backfill);
        if let Some(placement) = preset.placement {
            placement.clone_into(&mut settings.placement);
        }
        return Ok(());
    }
    let names = PRESETS.iter().map(|preset| preset.name).chain(ORDERS.iter().map(|entry| entry.name));
    let hint =
        format!("{}; parts work too: `sjf/easy/pack`", nearest_hint(name, names).trim_end_matches('?'));
    Err(Box::new(Problem::new(format!("unknown policy `{name}`")).hint(hint)))
}

/// Puts a name in the place of its part; an empty one leaves it.
fn apply_part(place: &mut String, what: &str, names: &[&str], name: &str) -> Result<(), Box<Problem>> {
    if name.is_empty() {
        return Ok(());
    }
    if what == PLACEMENT {
        *place = placement::named(name)?;
        return Ok(());
    }
    if !names.contains(&name) {
        return Err(Box::new(
            Problem::new(format!("unknown {what} `{name}`")).hint_nearest(name, names.iter().copied()),
        ));
    }
    name.clone_into(place);
    Ok(())
}
