use crate::document::{Document, Placed, Table};
use crate::error::{Problem, nearest_hint};
use crate::history::Settings;
use crate::policy::PRESETS;
use crate::policy::backfill::BACKFILLS;
use crate::policy::order::ORDERS;
use crate::policy::placement::PLACEMENTS;
use crate::units::Seconds;

/// The preset of a scenario that names no policy.
const DEFAULT_PRESET: &str = "easy";
/// Reads `[policy]` into `settings`.
pub(super) fn read(document: &Document, root: &mut Table<'_>, settings: &mut Settings) {
    apply(settings, DEFAULT_PRESET).expect("the default is one of the presets");
    let Some(mut policy) = root.table("policy") else { return };
    if let Some(preset) = policy.optional::<String>("preset")
        && let Err(problem) = apply(settings, &preset)
    {
        document.complain(preset.mark, *problem);
    }
    let mut part = |key: &'static str, names: &[&str], setting: &mut String| {
        let known: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
        if let Some(name) = policy.choice(key, &known) {
            name.value.clone_into(setting);
        }
    };
    part("order", &orders(), &mut settings.order);
    part("backfill", &backfills(), &mut settings.backfill);
    part("placement", &placements(), &mut settings.placement);
    if let Some(step) = policy.optional::<Seconds>("priority_step") {
        settings.priority_step = step.value.0;
    }
    if policy.has("queue_limits") {
        settings.queue_limits = limits(document, policy.list("queue_limits"));
    }
    policy.finish();
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

fn orders() -> Vec<&'static str> {
    ORDERS.iter().map(|entry| entry.name).collect()
}
fn backfills() -> Vec<&'static str> {
    BACKFILLS.iter().map(|entry| entry.name).collect()
}
fn placements() -> Vec<&'static str> {
    PLACEMENTS.iter().map(|entry| entry.name).collect()
}

/// Changes `settings` to the policy that `text` names: a preset, or its parts as `order/backfill/placement`.
///
/// What is left out stays: `sjf/easy` keeps the placement, `//pack` changes nothing else.
///
/// ```
/// use gigawatt::history::Settings;
/// use gigawatt::scenario::apply_policy;
/// let mut settings = Settings::default();
/// apply_policy(&mut settings, "sjf/easy/pack").unwrap();
/// assert_eq!((settings.order.as_str(), settings.placement.as_str()), ("sjf", "pack"));
/// let problem = apply_policy(&mut settings, "strf/easy").unwrap_err();
/// assert_eq!(problem.message(), "unknown order `strf`");
/// ```
///
/// # Errors
/// A name that is not known.
pub fn apply(settings: &mut Settings, text: &str) -> Result<(), Box<Problem>> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name == text) {
        preset.order.clone_into(&mut settings.order);
        preset.backfill.clone_into(&mut settings.backfill);
        preset.placement.clone_into(&mut settings.placement);
        return Ok(());
    }
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    if parts.len() == 1 {
        let presets = PRESETS.iter().map(|preset| preset.name);
        let names = presets.clone().chain(orders());
        if orders().contains(&text) {
            text.clone_into(&mut settings.order);
            return Ok(());
        }
        let hint = format!("{}; or parts, such as `sjf/easy/pack`", nearest_hint(text, names));
        return Err(Box::new(Problem::new(format!("unknown policy `{text}`")).hint(hint)));
    }
    if parts.len() > 3 {
        let problem = Problem::new(format!("`{text}` has more than order, backfill and placement"));
        return Err(Box::new(problem.hint("such as `sjf/easy/pack`")));
    }
    let known = [("order", orders()), ("backfill", backfills()), ("placement", placements())];
    let places = [&mut settings.order, &mut settings.backfill, &mut settings.placement];
    for ((part, (what, names)), place) in parts.iter().zip(known).zip(places) {
        if part.is_empty() {
            continue;
        }
        if !names.contains(part) {
            let problem = Problem::new(format!("unknown {what} `{part}`"));
            return Err(Box::new(problem.hint_nearest(part, names)));
        }
        (*part).clone_into(place);
    }
    Ok(())
}
